// Opens pages in the Chromium that the test command found.
import { chromium } from "playwright-core";

/** A browser that is closed when the test ends. The rest are options of Playwright's `launch`. */
export async function openBrowser(test, options) {
  const browser = await chromium.launch(launching(options));
  test.after(() => browser.close());
  return browser;
}

/** A browser to be killed: `{ browser, kill }`. */
export async function openMortalBrowser(test) {
  const server = await chromium.launchServer(launching());
  test.after(() => server.kill());
  return { browser: await chromium.connect(server.wsEndpoint()), kill: () => server.kill() };
}

function launching(options) {
  return {
    executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    // The sandbox refuses root, which is what tests in containers run as. The
    // rest keeps the browser from talking to anything but the page's server.
    args: [
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    ...options,
  };
}
