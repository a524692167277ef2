const SECONDS = 30; // drawn
const TOP = 12; // half of the height of a drawing, which is as wide as there are seconds

/** Draws how many frames pass in a second, and how long answers take: the last half minute of one connection. */
export class Meter {
  #root;
  #now = blank();
  #past = Array.from({ length: SECONDS }, blank);
  #last = {}; // the last times that were taken

  constructor(root) {
    this.#root = root;
    this.#draw();
  }

  frame(sent) {
    this.#now[sent ? "sent" : "received"] += 1;
  }

  /** How long it took from "ping" to pong, or from a publish to its "ack", in milliseconds. */
  took(what, duration) {
    if (!Number.isFinite(duration)) return;
    this.#last[what] = duration;
    this.#now[what] = Math.max(this.#now[what] ?? 0, duration);
  }

  /** A second is over. */
  tick() {
    this.#past.push(this.#now);
    this.#past.shift();
    this.#now = blank();
    this.#draw();
  }

  #draw() {
    const { sent, received } = this.#past.at(-1);
    const most = (...names) => Math.max(5, ...this.#past.flatMap((second) => names.map((name) => second[name] ?? 0)));
    const draw = (name, point) =>
      this.#past
        .map((second, x) => (second[name] ? point(x, second[name]) : ""))
        .filter(Boolean)
        .join("");

    // What is sent stands above the line, and what is received below it.
    const bar = (TOP - 1) / most("sent", "received");
    this.#show("rate", `Frames a second: ${sent} sent, ${received} received`, [
      [`↑ ${sent} frames/s`, draw("sent", (x, number) => `M${x} ${TOP}v${-number * bar}h.7V${TOP}z`)],
      [`↓ ${received}`, draw("received", (x, number) => `M${x} ${TOP}v${number * bar}h.7V${TOP}z`)],
    ]);
    const step = (2 * TOP - 3) / most("ping", "ack");
    const [ping, ack] = [inWords(this.#last.ping), inWords(this.#last.ack)];
    const place = (x, duration) => `${x + 0.35} ${2 * TOP - 1 - duration * step}`;
    this.#show("latency", `From ping to pong ${ping} ms, from publish to ack ${ack} ms`, [
      [`ping ${ping}`, draw("ping", (x, duration) => `L${place(x, duration)}`).replace("L", "M")],
      [`ack ${ack} ms`, draw("ack", (x, duration) => `M${place(x, duration)}h0`)],
    ]);
  }

  #show(name, label, parts) {
    const figure = this.#root.querySelector(`.${name}`);
    figure.querySelector("svg").ariaLabel = label;
    parts.forEach(([text, path], index) => {
      figure.querySelectorAll("span")[index].textContent = text;
      figure.querySelectorAll("path")[index].setAttribute("d", path);
    });
  }
}

const blank = () => ({ sent: 0, received: 0 });

const inWords = (duration) => (duration === undefined ? "–" : duration.toFixed(duration < 10 ? 1 : 0));
