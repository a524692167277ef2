// What happened in the last minute, second by second.
import type { StreamEvent } from "./stream";

/** How far back it reaches, in seconds. */
export const SPAN = 60;

export class Activity {
  /** Messages by second since the epoch. */
  readonly #messages = new Map<number, number>();
  /** When each person last said something, in seconds. */
  readonly #voices = new Map<string, number>();
  #epoch = "";
  #offset = 0;
  total = 0;
  /** How many people are in the room, as of the stream's last welcome. */
  people = 0;

  take(event: StreamEvent, now: number): void {
    if (event.type === "welcome") {
      // A token for `subscribe` alone gets nothing sent again, but offsets tell how much was said meanwhile.
      if (event.epoch === this.#epoch) this.#count(event.offset - this.#offset, now);
      this.#epoch = event.epoch;
      this.#offset = event.offset;
      this.people = event.occupancy.users;
    } else if (event.type === "message") {
      this.#offset = event.offset ?? this.#offset;
      this.#count(1, now);
      this.#voices.set(event.user, seconds(now));
    }
  }

  /** Messages in each of the last seconds, the oldest first; the last one is not over yet. */
  messages(now: number): readonly number[] {
    const end = seconds(now);
    return Array.from({ length: SPAN + 1 }, (_, index) => this.#messages.get(end - SPAN + index) ?? 0);
  }

  /** How many people said something in the last minute. */
  voices(now: number): number {
    const begin = seconds(now) - SPAN;
    for (const [user, at] of this.#voices) if (at < begin) this.#voices.delete(user);
    return this.#voices.size;
  }

  #count(messages: number, now: number): void {
    const second = seconds(now);
    this.total += messages;
    this.#messages.set(second, (this.#messages.get(second) ?? 0) + messages);
    for (const old of this.#messages.keys()) if (old < second - SPAN - 1) this.#messages.delete(old);
  }
}

const seconds = (time: number) => Math.floor(time / 1_000);
