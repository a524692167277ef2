// The Next.js example as it is deployed: built once, served by `next start`, with a Worker of its own that wants
// tokens, and people who have it open.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { buildExample, next } from "../../scripts/nextjs.mjs";
import { environment, node } from "../../scripts/project.mjs";
import { SECRET, startServer } from "../workerd/server.mjs";
import { until } from "../workerd/until.mjs";

/**
 * Starts a Worker and the app, which end with `owner`: a test, or `test` itself for all of a file. `vars` are the
 * Worker's variables, `env` the app's. `dev` takes the development server rather than what was built.
 */
export async function startApp(owner, browser, { vars = {}, env = {}, dev = false } = {}) {
  const folder = await buildExample();
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const worker = await startServer(owner, { vars: { ALLOWED_ORIGINS: url, ...vars } });
  // `localhost` as in development: pages and the Worker are of one machine, but two origins.
  const address = worker.url.replace("127.0.0.1", "localhost");
  const child = spawn(node(), [next, dev ? "dev" : "start", folder, "--port", String(port)], {
    env: environment({ NEXT_TELEMETRY_DISABLED: "1", NEXT_PUBLIC_ROOMFUL_URL: address, ROOMFUL_SECRET: SECRET, ...env }),
    stdio: ["ignore", "pipe", "pipe"],
    // The development server has processes of its own, which end with their group.
    detached: true,
  });
  const end = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  process.on("exit", end);
  const app = new App(browser, url, worker);
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (app.log += text));
  owner.after(end);
  const answers = () => fetch(`${url}/sign-in`).then(({ ok }) => ok, () => child.exitCode !== null);
  await until(answers, "the app to answer", { within: 60_000 });
  if (child.exitCode !== null) throw new Error(`the app does not start: ${app.log}`);
  // Late, for it may have to be built first.
  const { Roomful } = await import("roomful/server");
  app.roomful = new Roomful({ url: worker.url, secret: SECRET });
  return app;
}

/** `message 1`, `message 2` … */
export const numbered = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => `message ${from + index}`);

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class App {
  /** What the app wrote to its standard output and error. */
  log = "";
  /** The rooms as a server deals with them, with the app's own secret. */
  roomful;

  constructor(browser, url, worker) {
    this.browser = browser;
    this.url = url;
    this.worker = worker;
  }

  /** Writes to a room as somebody who is not in it. */
  fill(room, texts) {
    return this.roomful.publishBatch(
      texts.map((text) => ({ room: `room:${room}`, event: "chat", data: { text, key: text } })),
    );
  }

  /**
   * Somebody who has signed in, in a browser profile of their own, at a page of the app; `/` unless given. The rest
   * are options of a browser context. When the test ends, their pages must not have made mistakes.
   */
  async person(t, name, { path: place = "/", browser = this.browser, ...options } = {}) {
    const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ...options });
    const mistakes = [];
    context.on("weberror", (error) => mistakes.push(`${name}: ${error.error().message}`));
    context.on("console", (message) => {
      if (message.type() === "error" && !EXPECTED.test(message.text())) mistakes.push(`${name}: ${message.text()}`);
    });
    t.after(async () => {
      await context.close();
      if (mistakes.length) throw new Error(mistakes.join("\n"));
    });
    const person = new Person(this, context, await context.newPage(), name);
    await person.page.goto(`${this.url}/sign-in?next=${encodeURIComponent(place)}`);
    await person.page.getByLabel("Your name").fill(name);
    await person.page.getByRole("button", { name: "Sign in" }).click();
    await person.page.waitForURL(this.url + place);
    return person;
  }

  /** People who are in a room already. */
  in(t, room, names, options = {}) {
    return Promise.all(
      names.map(async (name) => {
        const person = await this.person(t, name, { path: `/room/${room}`, ...options });
        await person.connected();
        return person;
      }),
    );
  }
}

/** What browsers say of a network or a server that is not there, or that refuses. */
const EXPECTED = /WebSocket connection to|net::ERR_|status of (401|403|500|503)/;

export class Person {
  /** The rooms for which the page opened a WebSocket, each time that it did. */
  sockets = [];
  /** The rooms for which the page asked for a token, likewise. */
  tokens = [];

  constructor(app, context, page, name) {
    this.app = app;
    this.context = context;
    this.page = page;
    this.name = name;
    page.on("websocket", (socket) => {
      // The development server has one of its own.
      const [, room] = /\/room\/([^?]+)/.exec(socket.url()) ?? [];
      if (room) this.sockets.push(decodeURIComponent(room));
    });
    page.on("request", (request) => {
      if (request.url() === `${app.url}/api/roomful`) this.tokens.push(request.postDataJSON().room);
    });
  }

  /** Another tab of the same person. */
  async tab(place) {
    const tab = new Person(this.app, this.context, await this.context.newPage(), this.name);
    await tab.page.goto(place ? this.app.url + place : this.page.url());
    await tab.connected();
    return tab;
  }

  /** Goes to a room by its address, as a link from elsewhere. */
  async enter(room) {
    await this.page.goto(`${this.app.url}/room/${room}`);
    await this.connected();
  }

  /** What the room's header says of the connection. */
  status() {
    return this.page.getByTestId("status").textContent();
  }

  connected() {
    return this.see(async () => (await this.status()) === "Connected", "the connection");
  }

  lost() {
    return this.see(async () => (await this.status()) !== "Connected", "the loss");
  }

  /** Puts the page into the background, as far as the page can tell. */
  hide() {
    return this.page.evaluate(() => {
      Object.defineProperties(document, {
        hidden: { configurable: true, get: () => true },
        visibilityState: { configurable: true, get: () => "hidden" },
      });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    });
  }

  show() {
    return this.page.evaluate(() => {
      delete document.hidden;
      delete document.visibilityState;
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    });
  }

  get field() {
    return this.page.getByLabel("Message", { exact: true });
  }

  /** Writes a message as people do. */
  async say(text) {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** The texts in the list: those that the room has taken, or those that are `unsent` or `refused`. */
  texts(state = "settled") {
    return this.page.locator(`[data-state=${state}] [data-testid=text]`).allTextContents();
  }

  /** The people in the list, oneself first: `Ana`, `Ana (2 tabs)`. */
  people() {
    return this.page.locator("[data-testid=people] > li").evaluateAll((rows) =>
      rows.map((row) => {
        const tabs = [...row.querySelectorAll("span")].map((span) => span.textContent).find((text) => /^\d+ tabs$/.test(text));
        return row.querySelector("[data-testid=name]").textContent + (tabs ? ` (${tabs})` : "");
      }),
    );
  }

  /** Which banner is there: `lost`, `restored`, `missed`, or an empty text. */
  banner() {
    return this.page.getByTestId("banner").getAttribute("data-news");
  }

  /** The code of the error with which the room closed its door. */
  async refusal() {
    const card = this.page.getByTestId("refusal");
    return (await card.count()) ? card.getAttribute("data-code") : undefined;
  }

  /** Notes from now on what happens: which lines and people are taken out of the page or put in, and which banners came. */
  async watch() {
    await this.page.evaluate(() => {
      globalThis.changes = { removed: [], added: [], statuses: [], banners: [] };
      const note = (nodes, list) => {
        for (const node of nodes) if (node.nodeName === "LI") list.push(node.textContent);
      };
      const observer = new MutationObserver((records) => {
        for (const { removedNodes, addedNodes } of records) {
          note(removedNodes, globalThis.changes.removed);
          note(addedNodes, globalThis.changes.added);
        }
      });
      for (const list of document.querySelectorAll("main ol, [data-testid=people]")) observer.observe(list, { childList: true });
      const attribute = (id, name, list) => {
        const node = document.querySelector(`[data-testid=${id}]`);
        new MutationObserver(() => list.push(node.getAttribute(name))).observe(node, { attributeFilter: [name] });
      };
      attribute("status", "data-status", globalThis.changes.statuses);
      attribute("banner", "data-news", globalThis.changes.banners);
    });
  }

  /** What `watch` has noted: `{ removed, added, statuses, banners }`. */
  changes() {
    return this.page.evaluate(() => globalThis.changes);
  }

  /** Waits until the room's messages are these, and nothing waits to be sent. */
  seesTexts(expected) {
    const wanted = JSON.stringify(expected);
    return this.see(
      async () => JSON.stringify(await this.texts()) === wanted && (await this.texts("unsent")).length === 0,
      async () => `${wanted}, having ${JSON.stringify(await this.texts())}, unsent ${JSON.stringify(await this.texts("unsent"))}`,
    );
  }

  /** Waits until these are here: oneself first, the others in any order. */
  seesPeople(...expected) {
    const sorted = ([first, ...rest]) => JSON.stringify([first, ...rest.sort()]);
    return this.see(
      async () => sorted(await this.people()) === sorted(expected),
      async () => `${expected}, having ${await this.people()}`,
    );
  }

  /** Waits for a condition, and says what `name` has waited for in vain. */
  async see(condition, what) {
    try {
      return await until(condition, "", { within: 40_000 });
    } catch (error) {
      if (!error.message.startsWith("waited")) throw error;
      throw new Error(`${this.name} waited in vain for ${typeof what === "function" ? await what() : what}`, { cause: error });
    }
  }
}
