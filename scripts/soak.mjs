// Watches a release build live for half an hour: npm run soak [-- <options of tests/soak/run.mjs>]
import { build } from "./build.mjs";
import { at, node } from "./project.mjs";
import { Failure, main, start } from "./step.mjs";

await main(async (options) => {
  await build();
  const code = await start(node(), [at("tests", "soak", "run.mjs"), ...options]);
  if (code !== 0) throw new Failure(`the soak ended with ${code}`);
});
