// What a server takes up while it runs: memory, processor time, disk.
import { readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { get } from "../workerd/client.mjs";

/** The kernel's unit of processor time, a hundredth of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Looks at a watched server of tests/workerd. Figures that this system does not tell are undefined. */
export class Sampler {
  samples = [];
  #began = Date.now();
  #server;

  constructor(server) {
    this.#server = server;
  }

  /**
   * Takes a sample; `counts` is what else is known of this moment. Garbage is collected first: V8 knows nothing of the
   * wasm memory that its objects stand for, and may leave them for an hour at such a load. What then is there is held.
   */
  async take(counts) {
    const { body } = await get(this.#server, "/watch/collect");
    this.samples.push({
      seconds: Math.round((Date.now() - this.#began) / 100) / 10,
      rss: this.#server.memory,
      wasm: body.wasm,
      rooms: body.rooms,
      disk: size(this.#server.storage),
      cpu: this.#cpu(),
      ...counts,
    });
  }

  /** Seconds of processor time so far. */
  #cpu() {
    try {
      // The name of the program may hold anything, a bracket is what ends it.
      const fields = readFileSync(`/proc/${this.#server.pid}/stat`, "utf8").split(") ").pop().split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    } catch {
      return undefined;
    }
  }
}

/** Bytes of all files in a folder, journals included. */
function size(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    try {
      if (entry.isFile()) bytes += statSync(path.join(entry.parentPath, entry.name)).size;
    } catch {
      // A journal that has just been removed.
    }
  }
  return bytes;
}
