// What every part of the page draws with.

/** An element. Whatever others wrote gets into the page as text only. */
export function element(name, className, ...children) {
  const node = document.createElement(name);
  node.className = className;
  node.append(...children);
  return node;
}

/** Gives a person's colour, the same in every browser, to an element. */
export function tint(node, user) {
  let hash = 0x811c9dc5;
  for (const character of user) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  node.classList.add("tinted");
  node.style.setProperty("--hue", (hash >>> 0) % 360);
  return node;
}

export function face(user) {
  const node = element("span", "face", ([...user][0] ?? "?").toUpperCase());
  node.setAttribute("aria-hidden", "true");
  return node;
}

/** What draws when it is called: at most once a frame, however often that is, and not at all in a hidden tab. */
export function onceAFrame(draw) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      draw();
    });
  };
}
