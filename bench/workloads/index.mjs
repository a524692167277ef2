// All workloads, in the order in which they run.
//
// Each has a `name` for --only, a `title`, what it `asks`, `slow` if --quick leaves it out, and `run(bench)`, which resolves
// to what it found:
//   figures  for the JSON; not raw runs
//   tables   [{ head, rows }] for the page; all cells are text or numbers
//   targets  [{ what, target, got, met }]
//   bars     [{ title, unit, bars: [[label, value]] }] for the plot, if there are any
//   notes    sentences, if something has to be said
import { arrivals } from "./arrivals.mjs";
import { chat } from "./chat.mjs";
import { cursors } from "./cursors.mjs";
import { deploy } from "./deploy.mjs";
import { hostile } from "./hostile.mjs";
import { idle } from "./idle.mjs";
import { log } from "./log.mjs";
import { quiet } from "./quiet.mjs";
import { waking } from "./waking.mjs";

export const workloads = [quiet, cursors, chat, arrivals, deploy, idle, waking, log, hostile];
