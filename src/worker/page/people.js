import { element, face, onceAFrame, tint } from "./element.js";

/** Shows who is `here` in a pane: the list, who is typing, and where they point. */
export function showPeople(root, here) {
  const find = (part) => root.querySelector(`.${part}`);
  const rows = new Map(); // user → its row in the list
  const cursors = new Map(); // connection id → its cursor
  const { members } = here;

  /** People rather than connections: one user's tabs share a row. Oneself first, then in order of arrival. */
  function drawMembers() {
    const tabs = new Map();
    for (const { user } of [...members.values()].sort((a, b) => a.at - b.at)) {
      tabs.set(user.id, (tabs.get(user.id) ?? 0) + 1);
    }
    const users = [...tabs.keys()].sort((a, b) => (b === here.user) - (a === here.user));
    for (const [gone, row] of rows) {
      if (tabs.has(gone)) continue;
      row.remove();
      rows.delete(gone);
    }
    const list = find("members");
    users.forEach((id, index) => {
      if (!rows.has(id)) rows.set(id, tint(newRow(id), id));
      const row = rows.get(id);
      const own = id === here.user;
      row.classList.toggle("self", own);
      row.querySelector(".you").hidden = !own;
      const count = row.querySelector(".count");
      count.hidden = tabs.get(id) === 1;
      count.textContent = `×${tabs.get(id)}`;
      count.title = `${tabs.get(id)} tabs`;
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    });
    const { connections, users: people } = here.occupancy;
    find("number").textContent = here.crowded
      ? `${people.toLocaleString()} people in ${connections.toLocaleString()} tabs, too many to list`
      : users.length;
  }

  /** What people are doing: cursors, and who is typing. */
  function drawActivity() {
    const typing = new Set();
    const pointing = new Map();
    for (const [id, { user, state }] of members) {
      if (id === here.me) continue;
      if (state?.typing === true && user.id !== here.user) typing.add(user.id);
      const at = state?.cursor;
      if (Array.isArray(at) && at.length === 2 && at.every(Number.isFinite)) pointing.set(id, [user.id, at]);
    }
    const [first, second] = typing;
    const texts = ["", `${first} is typing…`, `${first} and ${second} are typing…`];
    const text = texts[typing.size] ?? `${typing.size} people are typing…`;
    if (find("typing").textContent !== text) find("typing").textContent = text;

    for (const [id, node] of cursors) {
      if (pointing.has(id)) continue;
      node.remove();
      cursors.delete(id);
    }
    for (const [id, [owner, [x, y]]] of pointing) {
      if (!cursors.has(id)) cursors.set(id, newCursor(owner));
      const node = cursors.get(id);
      const share = (part) => Math.min(1, Math.max(0, part)) * 100;
      // Everybody's chat has its own size, so positions are shares of it.
      node.style.translate = `${share(x)}cqw ${share(y)}cqh`;
      node.classList.toggle("flip", x > 0.8);
      if (!node.isConnected) find("cursors").append(node);
    }
  }

  const acted = onceAFrame(drawActivity);
  const counted = onceAFrame(drawMembers);
  return {
    acted,
    changed() {
      counted();
      acted();
    },
  };
}

function newRow(id) {
  const tags = [element("span", "tag count"), element("span", "tag you", "you")];
  return element("li", "", face(id), element("span", "cut", id), ...tags);
}

function newCursor(owner) {
  const arrow = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  arrow.setAttribute("viewBox", "0 0 20 20");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M1 1l5.4 16.5 3.3-6.6 6.9-3z");
  arrow.append(path);
  return tint(element("div", "cursor", arrow, element("span", "cut", owner)), owner);
}
