import { element, onceAFrame } from "./element.js";
import { explain } from "./explain.js";

const LIMIT = 500;

/**
 * Shows the last frames that passed on a connection. Gives what records one: a text, or an object for what is no
 * frame. While it is closed they are kept as they are, and nothing else is done.
 */
export function openInspector(root, here) {
  const find = (part) => root.querySelector(`.${part}`);
  const list = find("frames");
  const types = find("types");
  const unwanted = new Set(["ping", "pong"]); // types
  let frames = []; // { number, at, sent, what }
  let shown = []; // those that have a row: what digest() gives
  let passed = 0;
  let selected;

  const isOn = (name, state) => find(name)[state] === "true";
  const stale = onceAFrame(() => {
    if (isOn("inspect", "ariaExpanded") && !isOn("pause", "ariaPressed")) draw();
  });

  function draw() {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 30;
    const first = frames[0]?.number ?? Infinity;
    const last = shown.at(-1)?.number ?? 0;
    for (const { number, row } of shown) if (number < first) row.remove();
    const fresh = frames.filter(({ number }) => number > last).map(digest);
    shown = [...shown.filter(({ number }) => number >= first), ...fresh];
    list.append(...fresh.map(({ row }) => row));
    // Whoever reads one does not want it to move away.
    if (atEnd && !selected) list.scrollTop = list.scrollHeight;
  }

  function digest({ number, at, sent, what }) {
    const isFrame = typeof what === "string";
    const text = isFrame ? what : JSON.stringify(what);
    const messages = isPlain(text) ? [{ type: text }] : [JSON.parse(text)].flat();
    const times = {};
    for (const { type } of messages) times[type] = (times[type] ?? 0) + 1;
    const names = Object.entries(times).map(([type, count]) => (count > 1 ? `${type} ×${count}` : type));
    const size = isFrame ? `${new TextEncoder().encode(text).length.toLocaleString("en")} B` : "";
    const time = `${new Date(at).toTimeString().slice(0, 8)}.${String(at % 1000).padStart(3, "0")}`;
    const way = sent ? ["up", "↑"] : ["down", "↓"];
    way.push(element("span", "unseen", sent ? "sent" : "received"));
    const row = element(
      "li",
      "",
      element("span", "time", time),
      element("span", ...way),
      element("span", "names cut", names.join(", ")),
      element("span", "size", size),
      element("span", "start cut", text.slice(0, 200)),
    );
    row.lastChild.ariaHidden = true;
    Object.assign(row, { role: "option", id: `${root.id}-${number}`, ariaSelected: "false" });
    Object.keys(times).forEach(offer);
    filter({ row, times });
    return { number, sent, text, messages, times, row };
  }

  /** A button for each type that was seen shows or hides it. */
  function offer(type) {
    if (types.querySelector(`[name="${CSS.escape(type)}"]`)) return;
    const button = element("button", "", type);
    Object.assign(button, { type: "button", name: type, ariaPressed: !unwanted.has(type) });
    types.append(button);
  }

  function filter({ row, times }) {
    row.hidden = Object.keys(times).every((type) => unwanted.has(type));
  }

  function select(row) {
    if (selected) selected.row.ariaSelected = "false";
    selected = shown.find((frame) => frame.row === row);
    if (row) row.ariaSelected = "true";
    list.setAttribute("aria-activedescendant", row?.id ?? "");
    // What it tells takes room from the list.
    tell();
    row?.scrollIntoView({ block: "nearest" });
  }

  /** Tells what the selected frame is about. */
  function tell() {
    find("hint").hidden = Boolean(selected);
    find("detail").hidden = !selected;
    if (!selected) return;
    const { messages, times, text, sent } = selected;
    const first = (type) => messages.find((message) => message.type === type);
    const said = Object.keys(times).map((type) => [type, ...explain(first(type), sent, here.me)]);
    const { length } = messages;
    if (length > 1) said.unshift([length, "messages in one frame: a busy room gathers them.", "C1 M6"]);
    find("meaning").replaceChildren(
      ...said.map(([what, sentence, rules]) =>
        element("p", "", element("b", "", what), ` ${sentence} `, element("span", "rule", rules)),
      ),
    );
    const parts = isOn("pretty", "ariaPressed") && !isPlain(text);
    find("raw").textContent = parts ? JSON.stringify(JSON.parse(text), null, 2) : text;
  }

  list.onclick = ({ target }) => select(target.closest("li"));
  list.onkeydown = (event) => {
    const rows = shown.map(({ row }) => row).filter((row) => !row.hidden);
    const index = rows.indexOf(selected?.row);
    const last = rows.length - 1;
    const up = index < 0 ? last : Math.max(0, index - 1);
    const to = { ArrowDown: Math.min(last, index + 1), ArrowUp: up, Home: 0, End: last, Escape: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    select(rows[to]);
  };
  types.onclick = ({ target }) => {
    if (!target.name) return;
    target.ariaPressed = unwanted.delete(target.name);
    if (target.ariaPressed === "false") unwanted.add(target.name);
    shown.forEach(filter);
  };
  const toggle = (name, state, then) => {
    find(name).onclick = ({ currentTarget: button }) => {
      button[state] = button[state] !== "true";
      then(button[state] !== "true");
    };
  };
  toggle("inspect", "ariaExpanded", (closed) => {
    find("inspector").hidden = closed;
    stale();
  });
  toggle("pause", "ariaPressed", stale);
  toggle("pretty", "ariaPressed", tell);
  find("clear").onclick = () => {
    frames = [];
    select();
    draw();
  };

  return function record(sent, what) {
    passed += 1;
    frames.push({ number: passed, at: Date.now(), sent, what });
    if (frames.length > LIMIT) frames.shift();
    stale();
  };
}

/** Those two are no JSON (C3). */
const isPlain = (text) => text === "ping" || text === "pong";
