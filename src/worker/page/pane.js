import { face, tint } from "./element.js";
import { openInspector } from "./inspector.js";
import { showMessages } from "./messages.js";
import { Meter } from "./meter.js";
import { showPeople } from "./people.js";
import { enterRoom } from "./room.js";

/**
 * Mounts one person's view of a room into an element: independent of every other one, but for what the room says.
 * `page` is what they share: announce(text, user), forget(), onUser() and onSpoken(author, user).
 */
export function mountRoom(root, { room: name, user, kept, page }) {
  root.append(document.getElementById("pane").content.cloneNode(true));
  const find = (part) => root.querySelector(`.${part}`);
  const here = { user, members: new Map(), occupancy: { connections: 0, users: 0 }, crowded: false };
  const people = showPeople(root, here);
  const shown = showMessages(root, here);
  const meter = new Meter(root);
  const record = openInspector(root, here);
  const announce = (text) => page.announce(text, here.user);
  const tell = {
    onStatus: showStatus,
    onWelcome: showReturn,
    onPong: (duration) => meter.took("ping", duration),
    onAck: (duration) => meter.took("ack", duration),
    onTrouble: announce,
    onSpoken(author) {
      if (author !== here.user) shown.showNew();
      page.onSpoken(author, here.user);
    },
    onUser() {
      showUser();
      page.onUser();
    },
    onFrame(sent, what) {
      if (typeof what === "string") meter.frame(sent);
      record(sent, what);
    },
  };
  const room = enterRoom({ room: name, here, people, shown, kept, tell });
  const { connection } = room;
  const open = () => connection.open();

  // ------------------------------------------------------------------------------------------ How it stands

  const notice = find("notice");
  let timer;
  let announced = "connecting";

  function showStatus({ name: status, at, why, code }) {
    clearInterval(timer);
    root.dataset.status = status;
    find("status").textContent = status[0].toUpperCase() + status.slice(1);
    find("cut-off").ariaDisabled = status !== "connected";
    find("unplug").ariaPressed = status === "offline";
    find("leave").textContent = status === "left" ? "Join" : "Leave";
    notice.classList.toggle("late", status === "reconnecting");
    if (status === "reconnecting") {
      const write = () => {
        find("status").textContent = `Reconnecting in ${Math.max(0, Math.ceil((at - Date.now()) / 1000))} s`;
      };
      write();
      timer = setInterval(write, 250);
    }
    const [text, action] = {
      reconnecting: [why, "Try now"],
      disconnected: [why, "Reconnect"],
      deleted: ["The room was deleted, with all that it had (H5).", "Start anew"],
      offline: ["Offline: what you write waits, and goes out once when you are back (M4).", "Go online"],
      left: ["You left, and the others saw it at once (R4).", "Join"],
    }[code === 4506 ? "deleted" : status] ?? [];
    // While it is being tried again the notice stays, so that it does not flicker.
    if (text) note(text, action);
    else if (status === "connected") hideNotice();
    if (status === "connecting" || status === announced) return;
    announced = status;
    announce(text ?? "Connected.");
  }

  function note(text, action) {
    const [words, button] = notice.children;
    notice.hidden = false;
    words.textContent = text;
    button.hidden = !action;
    button.textContent = action;
  }
  notice.querySelector("button").onclick = open;

  function hideNotice() {
    // Whoever pressed its button would be nowhere.
    if (notice.contains(document.activeElement)) find("log").focus();
    notice.hidden = true;
  }

  /** What came of coming back, for as long as it takes to read. */
  function showReturn({ recovered, connection: id, offset }, place) {
    if (recovered === null) return;
    const missed = offset - place.offset;
    const what = missed > 1 ? `${missed} messages, which follow` : missed ? "a message, which follows" : "nothing";
    note(
      recovered
        ? `Back as connection ${id}, having missed ${what} (R2).`
        : `In as connection ${id}. What was missed is not replayed: this is the end of the log (R3).`,
    );
    timer = setTimeout(hideNotice, 5000);
  }

  function showUser() {
    find("who").replaceChildren(face(here.user));
    tint(find("who"), here.user);
    root.ariaLabel = here.user;
    find("name").value = here.user;
    people.changed();
  }

  // ------------------------------------------------------------------------------------------ What people do

  const chat = find("chat");
  const hideCursor = () => room.setState("cursor", null);
  chat.onpointerleave = hideCursor;
  chat.onpointermove = ({ clientX, clientY }) => {
    const { left, top, width, height } = chat.getBoundingClientRect();
    const share = (part, whole) => Math.round((part / whole) * 10_000) / 10_000;
    room.setState("cursor", [share(clientX - left, width), share(clientY - top, height)]);
  };

  let typingTimer;
  function setTyping(typing) {
    clearTimeout(typingTimer);
    room.setState("typing", typing || null);
    if (typing) typingTimer = setTimeout(setTyping, 4000, false);
  }

  const text = find("text");
  text.oninput = () => setTyping(text.value.trim() !== "");
  text.onkeydown = (event) => {
    // While an input method composes, Enter chooses a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    find("composer").requestSubmit();
  };
  find("composer").onsubmit = (event) => {
    event.preventDefault();
    const written = text.value.trim();
    if (!written) return;
    text.value = "";
    setTyping(false);
    room.say(written);
  };
  editable(find("name"), room.nextUser, room.rename);

  find("cut-off").onclick = () => connection.cut();
  find("unplug").onclick = () => (connection.status.name === "offline" ? open() : connection.unplug());
  find("leave").onclick = () => (connection.status.name === "left" ? open() : room.leave());
  find("forget").onclick = page.forget;
  find("many").onclick = () => {
    for (let n = 1; n <= 50; n += 1) room.say(`${n} of 50`);
  };

  showUser();
  open();
  return {
    ...{ root, connection },
    keep: room.keep,
    tick: () => meter.tick(),
    user: () => here.user,
    rest() {
      hideCursor();
      setTyping(false);
    },
  };
}

/** A field that changes something when Enter is pressed or it is left; Escape takes back what was typed. */
export function editable(input, current, change) {
  const reset = () => (input.value = current());
  input.onkeydown = ({ key, isComposing }) => {
    if (key === "Escape") reset();
    if (key === "Enter" && !isComposing) input.onchange();
  };
  input.onchange = () => {
    const value = input.value.trim();
    if (value && value !== current()) change(value);
    reset();
  };
}
