import { editable, mountRoom } from "./pane.js";

// ---------------------------------------------------------------------------------------------- Who and where

const query = new URLSearchParams(location.hash.length > 1 ? location.hash.slice(1) : location.search);
const room = query.get("room") || "lobby";
const asked = query.getAll("user").filter(Boolean).slice(0, 2);
// Who follows a link to a room is one person in it; who just came sees two.
const users = asked.length ? asked : query.has("room") ? [randomName()] : ["ana", "bob"];

// A reload keeps its place: nobody sees it leave, and what was not sent yet is sent. Only a page that is gone has
// left its places here, so a duplicated tab does not take them from the original.
const KEPT = "roomful.places";
const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
sessionStorage.removeItem(KEPT);

function take(user) {
  const index = kept.findIndex((place) => place.room === room && place.user === user);
  return index < 0 ? undefined : kept.splice(index, 1)[0];
}

function randomName() {
  const pick = (words) => words.split(" ")[Math.floor(Math.random() * words.split(" ").length)];
  const manner = pick("bold brave calm clever gentle happy keen kind lucky merry proud quick sunny warm witty");
  return `${manner}-${pick("badger crane falcon ferret finch fox hare heron ibex lynx otter owl panda robin seal")}`;
}

// ---------------------------------------------------------------------------------------------- The page

const byId = (id) => document.getElementById(id);
const panes = [];
let unread = 0;

const page = {
  /** Tells those who listen rather than look. */
  announce(text, user) {
    byId("announcement").textContent = panes.length > 1 ? `${user}: ${text}` : text;
  },
  onUser: showPlace,
  onSpoken(author, user) {
    if (document.hidden && user === panes[0].user() && !panes.some((pane) => pane.user() === author)) unread += 1;
    showTitle();
  },
  forget() {
    byId("forgetting").returnValue = "";
    byId("forgetting").showModal();
  },
};

users.forEach((user, index) => {
  const root = document.createElement("section");
  root.className = "pane";
  root.id = `pane-${index}`;
  byId("panes").append(root);
  panes.push(mountRoom(root, { room, user, kept: take(user), page }));
  byId("turns").children[index].onclick = () => turnTo(index);
});
byId("turns").hidden = users.length < 2;
setInterval(() => panes.forEach((pane) => pane.tick()), 1000);

/** On a narrow screen one pane shows at a time. And what both panes hear is read out in one of them only. */
function turnTo(turn) {
  document.body.dataset.turn = turn;
  panes.forEach(({ root }, index) => {
    byId("turns").children[index].ariaPressed = index === turn;
    for (const part of root.querySelectorAll("[aria-live]")) part.ariaLive = index === turn ? "polite" : "off";
  });
}
addEventListener("focusin", ({ target }) => {
  const turn = panes.findIndex(({ root }) => root.contains(target));
  if (turn >= 0) turnTo(turn);
});

function showPlace() {
  const names = panes.map(({ user }) => user());
  history.replaceState(null, "", link(room, names));
  byId("room").value = room;
  byId("one").href = link(room, [names[0]]);
  byId("two").href = link(room, [names[0], names[1] ?? (names[0] === "bob" ? "ana" : "bob")]);
  byId(names.length > 1 ? "two" : "one").ariaCurrent = "page";
  byId("another").href = link(room, []);
  names.forEach((name, index) => (byId("turns").children[index].textContent = name));
  // A link may call the room anything; what people paste into a shell must not end its quotes.
  const path = `/room/${encodeURIComponent(room).replaceAll("'", "%27")}/publish`;
  byId("curl").textContent =
    `curl '${location.origin}${path}?user=curl' ` +
    `-d '{"event":"chat","data":{"text":"Hello from a terminal"}}'`;
  showTitle();
}

function link(name, people) {
  return `/?${new URLSearchParams([["room", name], ...people.map((user) => ["user", user])])}`;
}

function showTitle() {
  document.title = `${unread ? `(${unread}) ` : ""}${room} · Roomful`;
}

const goTo = (name) => location.assign(link(name, panes.map(({ user }) => user())));
editable(byId("room"), () => room, goTo);

byId("copy").onclick = async ({ target }) => {
  const copied = await navigator.clipboard?.writeText(byId("another").href).then(() => true, () => false);
  target.textContent = copied ? "Link copied" : "Copying is not allowed here";
  setTimeout(() => (target.textContent = "Copy link to this room"), 2000);
};

byId("forgetting").onclose = async ({ target }) => {
  if (target.returnValue !== "forget") return;
  const answer = await fetch(`/room/${encodeURIComponent(room)}`, { method: "DELETE" }).catch(() => undefined);
  if (!answer?.ok) page.announce("The server did not forget the room.", "");
};

// ---------------------------------------------------------------------------------------------- The browser

const each = (act) => panes.forEach(({ connection }) => act(connection));
addEventListener("pagehide", () => sessionStorage.setItem(KEPT, JSON.stringify(panes.map((pane) => pane.keep()))));
addEventListener("pageshow", () => {
  sessionStorage.removeItem(KEPT);
  each((connection) => connection.wake());
});
addEventListener("online", () => each((connection) => connection.wake()));
addEventListener("offline", () => each((connection) => connection.doubt()));
document.addEventListener("visibilitychange", () => {
  unread = 0;
  showTitle();
  for (const pane of panes) document.hidden ? pane.rest() : pane.connection.wake();
});

byId("logo").src = document.querySelector("[rel=icon]").href;
showPlace();
turnTo(0);
if (matchMedia("(pointer: fine)").matches) document.querySelector(".text").focus();
