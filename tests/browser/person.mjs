// A person at the first page: in a browser profile of their own, or in one of two panes side by side.
import assert from "node:assert/strict";
import { until } from "../workerd/until.mjs";

/** Opens the page in a room, as a user, and waits for the connection. The rest are options of a browser context. */
export async function sitDown(t, browser, server, { room, user, ...options }) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ...options });
  t.after(() => context.close());
  const person = new Person(context, await context.newPage());
  await person.go(server, { room, user });
  return person;
}

/** Opens the page with two people side by side, and waits for both. At the end, looks whether it made mistakes. */
export async function sitTogether(t, browser, server, { room, users = ["ana", "bo"], ...options }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const people = users.map((_, seat) => new Person(context, page, seat));
  await page.goto(`${server.url}/?${new URLSearchParams([["room", room], ...users.map((user) => ["user", user])])}`);
  for (const person of people) await person.connected();
  t.after(() => assert.deepEqual(people.flatMap(({ mistakes }) => mistakes), []));
  return people;
}

/** The parts of a page that are wider than what holds them, although nothing scrolls. */
export function tooWide(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll("html, header, .log, .composer, .around, .tools, .filter, .frames")]
      .filter((part) => part.scrollWidth > part.clientWidth + 1)
      .map((part) => part.className || part.tagName),
  );
}

export class Person {
  /** What the page threw: always a mistake. */
  mistakes = [];

  constructor(context, page, seat = 0) {
    this.context = context;
    this.page = page;
    this.pane = page.locator(".pane").nth(seat);
    page.on("pageerror", (error) => this.mistakes.push(error.message));
    page.on("dialog", (dialog) => {
      this.mistakes.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
  }

  /** Another tab of the same person. */
  async secondTab() {
    const person = new Person(this.context, await this.context.newPage());
    await person.page.goto(this.page.url());
    await person.connected();
    return person;
  }

  async go(server, parameters) {
    await this.page.goto(`${server.url}/?${new URLSearchParams(parameters)}`);
    await this.connected();
  }

  /** A part of the person's pane. */
  part(selector) {
    return this.pane.locator(selector);
  }

  /** The frames of a type that the pane's inspector lists: sent ("↑") or received ("↓"). */
  frame(way, type) {
    const named = this.page.locator(`.names:text-is("${type}")`);
    const sent = this.page.locator(way === "↑" ? ".up" : ".down");
    return this.part(".frames li").filter({ has: sent }).filter({ has: named });
  }

  /** Presses the button with this text in the person's pane. */
  press(name) {
    return this.pane.getByRole("button", { name, exact: true }).click();
  }

  status() {
    return this.part(".status").textContent();
  }

  /** What the pane says of the connection, once it says something like this. */
  notices(pattern) {
    const text = async () => ((await this.part(".notice").isVisible()) ? this.part(".notice p").textContent() : "");
    return this.see(async () => pattern.test(await text()), async () => `${pattern} and saw "${await text()}"`);
  }

  connected() {
    return this.see(async () => (await this.status()).startsWith("Connected"), "the connection");
  }

  lost() {
    return this.see(async () => !(await this.status()).startsWith("Connected"), "the loss");
  }

  /** Writes a message as people do. */
  async say(text) {
    await this.part(".text").fill(text);
    await this.part(".text").press("Enter");
  }

  /** The texts of the messages that have settled. */
  messages() {
    return this.part(".messages .said").allTextContents();
  }

  /** How many own messages have not settled. */
  unsent() {
    return this.part(".outbox li").count();
  }

  /** The names in the list, each with what stands beside it. */
  people() {
    return this.part(".members li").evaluateAll((rows) =>
      rows.map((row) => {
        const shown = [...row.querySelectorAll("span:not(.face)")].filter((span) => !span.hidden);
        return shown.map((span) => span.textContent).join(" ");
      }),
    );
  }

  /** Waits until the messages are these and nothing is left to be sent. */
  seesMessages(expected) {
    const wanted = JSON.stringify(expected);
    return this.see(
      async () => JSON.stringify(await this.messages()) === wanted && (await this.unsent()) === 0,
      async () => `${wanted}, having ${JSON.stringify(await this.messages())} and ${await this.unsent()} unsent`,
    );
  }

  /** Waits until these are here, in any order. */
  seesPeople(...expected) {
    const wanted = JSON.stringify(expected.sort());
    return this.see(
      async () => JSON.stringify((await this.people()).sort()) === wanted,
      async () => `${wanted}, having ${JSON.stringify(await this.people())}`,
    );
  }

  /** Waits for a condition, and says what it has waited for in vain. */
  async see(condition, what) {
    try {
      return await until(condition, "", { within: 40_000 });
    } catch (error) {
      if (!error.message.startsWith("waited")) throw error;
      throw new Error(`waited in vain for ${typeof what === "function" ? await what() : what}`, { cause: error });
    }
  }
}
