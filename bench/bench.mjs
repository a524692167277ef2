// What the workloads work with: subjects, and runs in turns.
import { Failure, say } from "../scripts/step.mjs";
import { load } from "./load.mjs";

export class Bench {
  /** `repeat` undefined: as often as each workload finds right. */
  constructor({ subjects, quick, repeat }) {
    Object.assign(this, { subjects, quick, repeat });
    this.runs = 0;
  }

  /** The subjects of these names that can be had. */
  only(...names) {
    return names.map((name) => this.subjects[name]).filter(Boolean);
  }

  /** How often to run: once with --quick, otherwise as --repeat says, otherwise `usual` times. */
  times(usual = 3) {
    return this.repeat ?? (this.quick ? 1 : usual);
  }

  /**
   * Runs each case once a round, and every other round in the opposite order, so that what drifts meanwhile meets all of
   * them. Resolves to the outcomes: those of one case in a list, at the place of the case.
   */
  async rounds(times, cases, run) {
    const outcomes = cases.map(() => []);
    for (let round = 0; round < times; round++) {
      const order = cases.map((_, index) => index);
      if (round % 2) order.reverse();
      for (const index of order) outcomes[index].push(await run(cases[index], round));
    }
    return outcomes;
  }

  /** Starts a fresh server for `work`, and stops it afterwards. */
  async serving(subject, options, work) {
    const server = await subject.serve(options);
    try {
      return await work(server);
    } finally {
      await server.stop();
    }
  }

  /** Puts a fresh server under one load. `brief` says in a few words what came out. */
  measure(subject, workload, options, { serve, on, brief } = {}) {
    return this.serving(subject, serve, async (server) => {
      const result = await this.load(subject, server, workload, options, on?.(server));
      this.tell(
        `${workload}, ${subject.title}, ${options.people ?? ""}${options.people ? " people" : ""}`,
        brief?.(result) ?? "",
      );
      return result;
    });
  }

  load(subject, server, workload, options, on) {
    this.runs++;
    return load(server, workload, { ...subject.flags, ...options }, on);
  }

  tell(what, outcome) {
    say(`${what}: ${outcome}`);
  }
}

/** What a measurement throws that could not be made; anything else is a mistake of the bench. */
export const impossible = (error) => {
  if (!(error instanceof Failure)) throw error;
  return error.message;
};
