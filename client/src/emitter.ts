// Who wants to know of what.

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Listener = (...values: any[]) => void;
type Entry = readonly [Listener];

/**
 * Listeners by topic. One that throws keeps nothing from the others; one that makes what is told `idle` does. Of a topic
 * to which nobody listens any more nothing is kept: topics may be as many as an application makes up.
 */
export function createEmitter(idle: (topic: string, value: unknown) => boolean) {
  // Wrapped, so that the same function given twice is two listeners.
  const listeners = new Map<string, Set<Entry>>();
  return {
    /** Calls the listener at each `emit` of the topic. Returns what ends that. */
    on(topic: string, listener: Listener): () => void {
      const entry: Entry = [listener];
      const known = listeners.get(topic) ?? new Set();
      listeners.set(topic, known.add(entry));
      return () => void (known.delete(entry) && (known.size || listeners.delete(topic)));
    },

    /** Returns how many listen. */
    emit(topic: string, ...values: unknown[]): number {
      const told = [...(listeners.get(topic) ?? [])];
      for (const [listener] of told) {
        if (idle(topic, values[0])) break;
        try {
          listener(...values);
        } catch (error) {
          // It is the application's, and goes where uncaught errors go.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
      return told.length;
    },
  };
}
