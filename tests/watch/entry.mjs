// Stands before a Worker that is watched (`entry.mjs` beside it), and does at /watch what no Worker can be asked for:
//
//   /watch/memory        how much memory wasm has, in bytes, and how many rooms are in memory or wait to be collected
//   /watch/collect       likewise, after a collection of garbage; needs V8's flag --expose-gc
//   /watch/evict/<room>  puts a room out of memory, its sockets stay; needs --experimental and the flag unsafe_module
import { memories } from "./memory.mjs";
import * as watched from "./entry.mjs";

let rooms = 0;
const collected = new FinalizationRegistry(() => {
  rooms--;
});

export class Room extends watched.Room {
  constructor(context, env) {
    super(context, env);
    rooms++;
    collected.register(this);
  }
}

export default class extends watched.default {
  async fetch(request) {
    const [, watch, what, room] = new URL(request.url).pathname.split("/");
    if (watch !== "watch") return super.fetch(request);
    if (what === "evict") {
      const { default: unsafe } = await import("workerd:unsafe");
      await unsafe.evict(this.env.ROOMS.getByName(room), { webSockets: "hibernate" });
    }
    if (what === "collect") {
      globalThis.gc();
      // What is to be done about what was collected is done some time later.
      await new Promise((resume) => setTimeout(resume, 20));
    }
    return Response.json({ rooms, wasm: memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) });
  }
}
