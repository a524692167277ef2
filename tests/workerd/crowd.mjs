// Some witnesses in one room who talk all the time, and what must be true of them once they have fallen silent.
import assert from "node:assert/strict";
import { get } from "./client.mjs";
import { Ledger } from "./ledger.mjs";
import { until } from "./until.mjs";
import { asText } from "./view.mjs";
import { Witness } from "./witness.mjs";

export class Crowd {
  ledger = new Ledger();
  people = [];
  #talking;
  #turn = 0;

  constructor(server, room, options = {}) {
    Object.assign(this, { server, room, options });
  }

  /** So many people come in. What they are told from then on is counted: `told` begins anew once all know of all. */
  async join(count) {
    const from = this.people.length;
    const arriving = Array.from({ length: count }, (_, index) => this.witness(`u${from + index}`));
    this.people.push(...(await Promise.all(arriving.map((who) => who.join()))));
    await until(() => this.people.every(({ view }) => view.size >= this.people.length), "all to know of all");
    for (const who of this.people) who.told = {};
    return this;
  }

  /** Somebody who is not among those who talk. */
  witness(user, options = {}) {
    return new Witness(this.server, this.room, user, this.ledger, { ...this.options, ...options });
  }

  /** Every `pause` milliseconds one of them says and shows something: stored, ephemeral, private, without echo. */
  talk(pause = 5) {
    this.#talking = setInterval(() => this.speak(), pause);
    return this;
  }

  speak() {
    const turn = this.#turn++;
    const who = this.people[turn % this.people.length];
    const other = this.people[(turn * 7) % this.people.length];
    if (turn % 3 === 0) who.show({ turn });
    if (turn % 4 === 0) who.murmur();
    if (turn % 11 === 0) who.murmur(other.user);
    who.publish(turn % 5 === 0 ? { echo: false } : {});
  }

  hush() {
    clearInterval(this.#talking);
  }

  /** What to tell of those who are not as they should be. */
  get story() {
    const loud = this.people.filter((who) => !who.quiet);
    return JSON.stringify(
      loud.map(({ user, connected, waiting, told, errors, closes }) => {
        return { user, connected, waiting: [...waiting.keys()], told, errors, closes };
      }),
    );
  }

  /** How many publishes wait for an answer. */
  get waiting() {
    return this.people.reduce((sum, who) => sum + who.waiting.size, 0);
  }

  /**
   * Falls silent and waits until nothing is under way; then looks whether all know the same, and the room as well. Fails
   * with whatever fault there was on the way. Resolves to the messages of the history.
   */
  async agree({ within = 30_000 } = {}) {
    this.hush();
    const fine = () => assert.deepEqual(this.ledger.faults, []);
    const quiet = () => this.ledger.faults.length || this.people.every((who) => who.quiet);
    await until(quiet, () => `quiet: ${this.story}`, { within });
    fine();
    const { body } = await get(this.server, `/room/${this.room}`);
    await until(
      () => this.ledger.faults.length || this.people.every((who) => who.offset === body.offset),
      () => `all to have come to ${body.offset}: ${this.people.map(({ offset }) => offset)}`,
      { within },
    );
    fine();
    const views = async () => new Set([await this.#listed(), ...this.people.map(({ view }) => view.text)]);
    const same = async () => this.people.every(({ shown }) => shown) && (await views()).size === 1;
    const differ = () => `p5 all views to be equal: ${[...new Set(this.people.map(({ view }) => view.text))].join("\n")}`;
    await until(same, differ, { within });
    const messages = await this.ledger.audit(this.server, this.room);
    fine();
    return messages;
  }

  async #listed() {
    const { body } = await get(this.server, `/room/${this.room}/presence`);
    return asText(body.members);
  }

  /** Who was told that somebody left, or came. */
  get flickered() {
    return this.people.flatMap(({ user, told: { join, leave } }) => (join || leave ? [{ user, join, leave }] : []));
  }

  /** Stops at once, without looking. */
  async disperse() {
    this.hush();
    await Promise.all(this.people.map((who) => who.leave()));
  }
}
