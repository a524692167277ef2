// A person at the first page, in a browser profile of their own.
import { until } from "../workerd/until.mjs";

/** Opens the page in a room, as a user, and waits for the connection. The rest are options of a browser context. */
export async function sitDown(t, browser, server, { room, user, ...options }) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ...options });
  t.after(() => context.close());
  const person = new Person(context, await context.newPage());
  await person.go(server, { room, user });
  return person;
}

export class Person {
  /** What the page threw: always a mistake. */
  mistakes = [];

  constructor(context, page) {
    this.context = context;
    this.page = page;
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

  status() {
    return this.page.textContent("#status");
  }

  connected() {
    return this.see(async () => (await this.status()).startsWith("Connected"), "the connection");
  }

  lost() {
    return this.see(async () => !(await this.status()).startsWith("Connected"), "the loss");
  }

  /** Writes a message as people do. */
  async say(text) {
    await this.page.fill("#text", text);
    await this.page.press("#text", "Enter");
  }

  /** The texts of the messages that have settled. */
  messages() {
    return this.page.locator("#messages .said").allTextContents();
  }

  /** How many own messages have not settled. */
  unsent() {
    return this.page.locator("#outbox li").count();
  }

  /** The names in the list, each with what stands beside it. */
  people() {
    return this.page.locator("#members li").evaluateAll((rows) =>
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
      return await until(condition, "", { within: 15_000 });
    } catch (error) {
      if (!error.message.startsWith("waited")) throw error;
      throw new Error(`waited in vain for ${typeof what === "function" ? await what() : what}`, { cause: error });
    }
  }
}
