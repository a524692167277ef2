// Deploys with the pinned wrangler: npm run deploy [-- <options of wrangler deploy>]
import { build } from "./build.mjs";
import { at, node } from "./project.mjs";
import { Failure, main, start } from "./step.mjs";

await main(async (options) => {
  await build();
  const wrangler = at("node_modules", "wrangler", "bin", "wrangler.js");
  const code = await start(node(), [wrangler, "deploy", ...options], { stdio: "inherit" });
  if (code !== 0) throw new Failure(`wrangler deploy ended with ${code}`);
});
