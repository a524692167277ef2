// What is asked of a room.

/** The workloads, in order. Each is named, says whom it is for, and holds the load generator's options. */
export function workloads({ quick, bare }) {
  const cursors = [40, 100, 400].map((people) => ({
    name: `cursors-${people}`,
    does: `${people} people move cursors: 20 ephemeral messages a second each`,
    flags: ["--people", people, "--rate", 20 * people],
    times: { warmup: 3, seconds: 10 },
    // What one message a frame cannot carry on this machine or any: not asked of the yardstick.
    bare: people <= 100,
    target: people === 400 ? { delivered: "all", p99: 100 } : { delivered: "all" },
  }));
  const quiet = [10, 100].map((people) => ({
    name: `quiet-${people}`,
    does: `${people} people, of whom one at a time says something: 20 ephemeral messages a second in all`,
    flags: ["--people", people, "--rate", 20],
    times: { warmup: 1, seconds: 5 },
    bare: true,
    target: { delivered: "all" },
  }));
  const chat = {
    name: "chat-100",
    does: "100 people, of whom 10 publish 5 stored messages a second each, with ids",
    flags: ["--people", 100, "--senders", 10, "--rate", 50, "--durable"],
    times: { warmup: 2, seconds: 10 },
    target: { delivered: "all" },
  };
  const all = quick ? [cursors[0], cursors[2], quiet[1], chat] : [...cursors, ...quiet, chat];
  return all.flatMap((workload) => {
    const subjects = bare && !quick && workload.bare ? ["roomful", "bare"] : ["roomful"];
    return subjects.map((subject) => timed({ ...workload, subject }, quick));
  });
}

function timed({ name, flags, times, target, ...workload }, quick) {
  const warmup = quick ? Math.min(times.warmup, 2) : times.warmup;
  const seconds = quick ? Math.min(times.seconds, 4) : times.seconds;
  const ofBare = workload.subject === "bare";
  return {
    ...workload,
    name: ofBare ? `${name}-bare` : name,
    flags: [...flags, "--warmup", warmup, "--seconds", seconds, "--drain", 5, ...(ofBare ? ["--bare"] : [])].map(String),
    seconds: warmup + seconds + 5,
    target: ofBare ? undefined : target,
  };
}
