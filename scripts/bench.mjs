// Runs the benchmarks against a release build: npm run bench [-- <options of bench/run.mjs>]
import { asksForInstructions, instructions } from "../bench/instructions/run.mjs";
import { build } from "./build.mjs";
import { at, node } from "./project.mjs";
import { Failure, main, start } from "./step.mjs";

await main(async (options) => {
  if (asksForInstructions(options)) return instructions(options);
  await build();
  const code = await start(node(), [at("bench", "run.mjs"), ...options]);
  if (code !== 0) throw new Failure(`the benchmarks ended with ${code}`);
});
