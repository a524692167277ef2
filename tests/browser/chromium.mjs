// Opens pages in the Chromium that the test command found.
import { chromium } from "playwright-core";

/** A browser that is closed when the test ends. */
export async function openBrowser(test) {
  const browser = await chromium.launch({
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
  });
  test.after(() => browser.close());
  return browser;
}
