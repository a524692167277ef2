// What goes on in the rooms of a soak: all that people do, all the time, at a rate that leaves the machine alone.
import { request } from "../workerd/client.mjs";
import { Crowd } from "../workerd/crowd.mjs";

/** How long a token lives, in seconds: each is renewed some times a minute, and some end while their owner is away. */
const LIFETIME = 60;
/** What comes back with less than this missing is recovered: `RECOVER_MESSAGES`. */
const RECOVERABLE = 500;
/** Passing rooms take turns with so many names, so that what stays of them on disk has a bound. */
const NAMES = 20;

/** Does things again and again until it is ended; what fails is told. */
export class Life {
  counts = { publishes: 0, ephemeral: 0, drops: 0, joins: 0, requests: 0, rooms: 0, sleeps: 0, evictions: 0 };
  crowds = [];
  #timers = [];
  #resumes = 0;
  #server;
  #fail;

  constructor(server, fail) {
    this.#server = server;
    this.#fail = fail;
  }

  async begin() {
    await this.#busy("hall", 8, { chat: 400, cursors: 40, bytes: 40 });
    await this.#busy("office", 4, { chat: 800, cursors: 100, bytes: 3_000 });
    for (const room of ["porch", "attic"]) await this.#sleepy(room);
    // One that has something to do stays.
    this.#every(7_000, async () => {
      const { status } = await request(this.#server, "GET", "/watch/evict/attic");
      if (status === 200) this.counts.evictions++;
    });
    let turn = 0;
    this.#every(10_000, () => this.#passing(`passing-${turn++ % NAMES}`));
  }

  /** Nothing new is begun. */
  end() {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Those who are connected now. */
  get connections() {
    return this.crowds.reduce((sum, { people }) => sum + people.filter((who) => who.connected).length, 0);
  }

  /** What the crowds have seen. */
  get heard() {
    const heard = this.crowds.reduce((sum, { ledger }) => sum + ledger.sent, 0);
    const people = this.crowds.flatMap((crowd) => crowd.people);
    return { heard, resumes: people.reduce((sum, who) => sum + who.resumes, this.#resumes) };
  }

  #every(milliseconds, work) {
    const attempt = async () => work();
    this.#timers.push(setInterval(() => attempt().catch(this.#fail), milliseconds));
  }

  async #crowd(room, count) {
    const crowd = new Crowd(this.#server, room, { lifetime: LIFETIME, missing: RECOVERABLE });
    this.crowds.push(crowd);
    return crowd.join(count);
  }

  /** People who talk and move, come and go, lose their connection, read back; a listener to a stream; a back-end. */
  async #busy(room, count, { chat, cursors, bytes }) {
    const crowd = await this.#crowd(room, count);
    const { people } = crowd;
    const pick = () => people[Math.floor(Math.random() * count)];
    const reader = await crowd.witness(`${room}-reader`, { stream: true }).join();
    let turn = 0;
    this.#every(chat, () => {
      this.counts.publishes++;
      pick().publish({ data: { padding: "x".repeat(bytes) }, ...(turn++ % 5 === 0 && { echo: false }) });
    });
    this.#every(cursors, () => {
      this.counts.ephemeral++;
      const who = pick();
      if (turn % 3) who.murmur(turn % 7 ? undefined : pick().user);
      else who.show({ x: Math.floor(Math.random() * 2000), y: Math.floor(Math.random() * 2000) });
    });
    this.#every(LIFETIME * 300, () => people.forEach((who) => who.renew()));
    this.#every(15_000, () => people.forEach((who) => who.ping()));
    this.#every(2_000, () => pick().read({ limit: 50 }));
    this.#every(2_300, () => {
      this.counts.drops++;
      pick().drop();
    });
    this.#every(9_100, () => reader.drop());
    // One leaves for good, and somebody else takes that place.
    let visitors = 0;
    this.#every(5_300, async () => {
      const index = Math.floor(Math.random() * count);
      const gone = people[index];
      if (!gone.quiet) return;
      people[index] = crowd.witness(`${room}-visitor-${visitors++}`);
      this.counts.joins++;
      await Promise.all([gone.leave(), people[index].join()]);
      this.#resumes += gone.resumes;
    });
    let orders = 0;
    this.#every(1_100, async () => {
      this.counts.requests++;
      const id = `back-end-${++orders}`;
      const order = { event: "order", data: { id, n: orders }, id };
      const { offset } = await this.#ask("POST", `/room/${room}/publish`, order);
      crowd.ledger.acknowledged(id, offset, "back-end");
    });
    this.#every(10_000, () => crowd.ledger.audit(this.#server, room, { all: false }));
  }

  /** A few words, and then so much quiet that the runtime puts the room to sleep: it waits for 10 s of that. */
  async #sleepy(room) {
    const crowd = await this.#crowd(room, 3);
    const { people } = crowd;
    let born;
    this.#every(16_000, async () => {
      const { awake_since } = await this.#ask("GET", `/room/${room}`);
      if (born !== undefined && awake_since > born) this.counts.sleeps++;
      born = awake_since;
      for (let count = 0; count < 6; count++) crowd.speak();
      this.counts.publishes += 6;
      people.forEach((who) => who.renew());
      if (Math.random() < 0.3) people[0].drop();
    });
    this.#every(5_000, () => people.forEach((who) => who.ping()));
  }

  /** A room that is there for a moment, and is then deleted. */
  async #passing(room) {
    this.counts.rooms++;
    const crowd = await new Crowd(this.#server, room).join(2);
    for (let count = 0; count < 10; count++) crowd.speak();
    await crowd.agree();
    await crowd.disperse();
    await this.#ask("DELETE", `/room/${room}`);
  }

  async #ask(method, path, body) {
    const answer = await request(this.#server, method, path, { body });
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}
