import { element, face, onceAFrame, tint } from "./element.js";

/** Shows what is said in a pane: what has settled, and below it what has not. */
export function showMessages(root, here) {
  const find = (part) => root.querySelector(`.${part}`);
  const view = find("log");
  const settled = find("messages");
  const unsent = find("outbox");
  const newer = find("newer");
  const facts = new WeakMap(); // line → { user, at, chat }
  let atEnd = true; // whether the view follows the newest message
  let top = 0; // how far it was scrolled

  /** Stays at the newest message, if that is where the reader is. */
  function follow() {
    if (atEnd) view.scrollTop = view.scrollHeight;
    find("empty").hidden = !shown.loaded || settled.childElementCount > 0 || unsent.childElementCount > 0;
    find("earlier").hidden = !shown.more || !shown.loaded;
  }
  const stale = onceAFrame(follow);

  /** What one person says in a row stands together, under one name. */
  function group(...lines) {
    for (const line of lines) {
      if (!line) continue;
      const before = line.previousElementSibling ?? (line.parentNode === unsent && settled.lastElementChild);
      const [a, b] = [facts.get(before || undefined), facts.get(line)];
      line.classList.toggle("more", Boolean(a && a.chat && b.chat && a.user === b.user && b.at - a.at < 300_000));
    }
  }

  const shown = {
    more: true, // whether there may be older ones
    loaded: false, // whether any history came
    onEarlier: undefined, // wants older ones

    newLine({ event, data, user, at }) {
      const text = event === "chat" ? (typeof data === "string" ? data : data?.text) : undefined;
      const chat = typeof text === "string";
      const about = element("div", "about", element("b", "cut", user), newTime(at));
      const said = element("div", "said", chat ? text : `${event} ${JSON.stringify(data)}`);
      const line = element("li", "line", about, face(user), said);
      line.classList.toggle("own", chat && user === here.user);
      line.classList.toggle("event", !chat);
      facts.set(line, { user, at, chat });
      return tint(line, user);
    },

    /** Puts a line before another, or at the end. */
    show(line, next, { at }) {
      line.querySelector("i")?.remove();
      line.querySelector("time").replaceWith(newTime(at));
      facts.get(line).at = at;
      settled.insertBefore(line, next ?? null);
      group(line, line.nextElementSibling, unsent.firstElementChild);
      stale();
    },

    showUnsent(line) {
      line.querySelector(".about").append(element("i", "", "waiting…"));
      unsent.append(line);
      group(line);
      atEnd = true;
      stale();
    },

    /** Somebody else's message is new. */
    showNew() {
      newer.hidden = atEnd;
    },

    fail(line, why) {
      line.classList.add("failed");
      line.querySelector("i").textContent = `not sent: ${why}`;
    },

    clear() {
      settled.replaceChildren();
      group(unsent.firstElementChild);
      atEnd = true;
      stale();
    },

    /** Adds above what is being read without moving it. */
    keeping(change) {
      const below = view.scrollHeight - view.scrollTop;
      change();
      follow();
      if (!atEnd) view.scrollTop = view.scrollHeight - below;
    },
  };

  view.addEventListener("scroll", () => {
    // Only who scrolls up leaves the end: what came since may have put it far away.
    if (view.scrollHeight - view.scrollTop - view.clientHeight < 48) atEnd = newer.hidden = true;
    else if (view.scrollTop < top) atEnd = false;
    top = view.scrollTop;
    if (shown.loaded && !atEnd && view.scrollTop < 100) shown.onEarlier();
  });
  // Otherwise the keyboard of a phone hides the newest message.
  new ResizeObserver(follow).observe(view);
  find("earlier").onclick = () => shown.onEarlier();
  newer.onclick = () => {
    view.scrollTop = view.scrollHeight;
    find("text").focus();
  };
  return shown;
}

function newTime(at) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  const short = { hour: "2-digit", minute: "2-digit" };
  const text = date.toLocaleString([], today ? short : { day: "numeric", month: "short", ...short });
  const time = element("time", "", text);
  time.dateTime = date.toISOString();
  time.title = date.toLocaleString();
  return time;
}
