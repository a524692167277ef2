// Serves the built Worker in the real runtime, configured as wrangler.toml says.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness, unstable_readConfig as readConfig } from "wrangler";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Starts a server that is closed when the test ends; without `vars` the Worker
 * is as good as unconfigured.
 *
 * Not wrangler.toml itself but its settings are used: its `[build]` would build
 * again, and the developer's `.dev.vars` would be read.
 */
export async function serveWorker(test, { vars = {}, folder = "build" } = {}) {
  const settings = readConfig({ config: path.join(root, "wrangler.toml") }, { hideWarnings: true });
  const server = createTestHarness({
    root: path.join(root, folder),
    workers: [
      {
        config: {
          name: settings.name,
          main: path.join(root, folder, "entry.mjs"),
          compatibility_date: settings.compatibility_date,
          compatibility_flags: settings.compatibility_flags,
          durable_objects: settings.durable_objects,
          migrations: settings.migrations,
          vars: { ...settings.vars, ...vars },
        },
      },
    ],
  });
  test.after(() => server.close());
  const { url } = await server.listen();
  return { server, url };
}
