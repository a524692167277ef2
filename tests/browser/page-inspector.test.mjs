// The inspector of the first page, which shows and explains what passes on a connection.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/project.mjs";
import { rules } from "../../scripts/rules.mjs";
import { explain } from "../../src/worker/page/explain.js";
import { startServer } from "../workerd/server.mjs";
import { openBrowser } from "./chromium.mjs";
import { Person, sitDown, sitTogether } from "./person.mjs";

const vars = { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true", GRACE_SECONDS: "3" };
const server = await startServer(test, { vars });
const browser = await openBrowser(test);

const beside = (t, room, place = server) => sitTogether(t, browser, place, { room });

/** The rows of a person's inspector, hidden ones as well. */
const listed = (person) =>
  person.part(".frames li").evaluateAll((rows) =>
    rows.map((row) => {
      const cell = (name) => row.querySelector(name)?.firstChild?.textContent ?? "";
      const [time, way, types, size] = [".time", ".up, .down", ".names", ".size"].map(cell);
      return { time, way, types, size, hidden: row.hidden };
    }),
  );

/** Selects the last frame of a type and waits for its explanation, beside which the frame itself stays in view. */
async function explains(person, way, type, pattern) {
  await person.see(async () => (await person.frame(way, type).count()) > 0, `a frame ${way} ${type}`);
  await person.frame(way, type).last().click();
  const meaning = async () => (await person.part(".meaning").textContent()) ?? "";
  await person.see(async () => pattern.test(await meaning()), async () => `${pattern} and saw "${await meaning()}"`);
  const inView = await person.part(".frames [aria-selected=true]").evaluate((row) => {
    const [list, own] = [row.parentNode.getBoundingClientRect(), row.getBoundingClientRect()];
    return own.top > list.top - 1 && own.bottom < list.bottom + 1;
  });
  assert.ok(inView, `the selected ${type} is out of view`);
}

test("C1, M1, M4: it shows each frame that passes, its direction, types and size", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const ana = new Person(context, await context.newPage());
  const passed = [];
  ana.page.on("websocket", (socket) => {
    passed.push({ way: "↑", types: "connect", size: "" });
    const pass = (way) => ({ payload }) => passed.push({ way, types: typesOf(payload), size: sizeOf(payload) });
    socket.on("framesent", pass("↑"));
    socket.on("framereceived", pass("↓"));
  });
  await ana.go(server, { room: "frames", user: "ana" });
  await ana.say("Grüße, 世界!");
  await ana.seesMessages(["Grüße, 世界!"]);
  // Nothing is drawn before it is opened, and then everything since the beginning.
  assert.equal(await ana.part(".frames li").count(), 0);
  await ana.press("Frames");
  await ana.see(async () => (await listed(ana)).some(({ types }) => types === "pong"), "a pong");
  const seen = async () => (await listed(ana)).map(({ way, types, size }) => ({ way, types, size }));
  await ana.see(
    async () => JSON.stringify(await seen()) === JSON.stringify(passed),
    async () => `${JSON.stringify(passed)} and saw ${JSON.stringify(await seen())}`,
  );
  for (const { time } of await listed(ana)) assert.match(time, /^\d\d:\d\d:\d\d\.\d{3}$/);
});

function typesOf(text) {
  if (text === "ping" || text === "pong") return text;
  const counts = new Map();
  for (const { type } of [JSON.parse(text)].flat()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => (count > 1 ? `${type} ×${count}` : type)).join(", ");
}

const sizeOf = (text) => `${Buffer.byteLength(text).toLocaleString("en")} B`;

test("C2, M1, M3, M4, P1, P2, R6: a frame that is selected is explained, with the rule's id", async (t) => {
  const [ana, bo] = await beside(t, "explained");
  for (const person of [ana, bo]) await person.press("Frames");
  await explains(ana, "↑", "connect", /^connect Opens a WebSocket in the room\. C1$/);
  await explains(ana, "↓", "welcome", /^welcome Lets in connection .+ C2$/);
  await explains(ana, "↓", "join", /^join bo came in, as connection .+ P2$/);
  await bo.say("Hello");
  await explains(bo, "↑", "publish", /^publish Publishes: .+ M1 M4$/);
  await explains(ana, "↓", "message", /^message A message, stored with offset 1: .+ M1$/);
  await explains(bo, "↓", "message, ack", /^2 messages in one frame.+ own message.+ack The publish/);
  await explains(ana, "↓", "states", /^states What changed within a tick.+ P2$/);
  await explains(bo, "↑", "state", /^state Changes typing in what others see.+ P1$/);

  const [, connection] = /"connection":"(\w+)"/.exec(await textOf(ana, "↓", "welcome"));
  const body = JSON.stringify({ event: "chat", data: "not for ana", except: [connection] });
  await fetch(`${server.url}/room/explained/publish?user=cy`, { method: "POST", body });
  await explains(ana, "↓", "skip", /^skip Message 2 is not for this connection.+ M3$/);

  await bo.press("Leave");
  await explains(bo, "↑", "close", /^close A normal close means to leave.+ R4$/);
  await explains(ana, "↓", "leave", /^leave Connection .+ of bo left.+ P2 R4$/);
  await bo.part(".leave").click();
  await explains(bo, "↑", "connect", /^connect Comes in anew.+ R2$/);

  const late = await sitDown(t, browser, server, { room: "explained", user: "dee" });
  await late.press("Frames");
  await explains(late, "↑", "history", /^history Asks for the last 50 stored messages before offset 3\. R6$/);
  await explains(late, "↓", "history", /^history Older messages, oldest first: 2\. There are none before\. R6$/);
});

async function textOf(person, way, type) {
  await person.frame(way, type).last().click();
  return person.part(".raw").textContent();
}

test("R1, R2, R4: it shows how a connection is lost and comes back", async (t) => {
  const [ana] = await beside(t, "lost");
  await ana.press("Frames");
  await ana.press("Cut");
  await ana.see(async () => (await ana.frame("↓", "welcome").count()) === 2, "the second welcome");
  await explains(ana, "↑", "close", /^close Closes as a lost network does: .+ R4$/);
  await explains(ana, "↑", "connect", /^connect Comes back: .+ R1$/);
  assert.match(await textOf(ana, "↑", "connect"), /epoch=.+offset=0.+"roomful\.session\./);
  await explains(ana, "↓", "welcome", /^welcome Gives connection .+ its place.+ R2$/);
});

test("E1, E2, H5, N6: it explains refusals and closes", async (t) => {
  // Less than a busy machine's browser sends.
  const strict = await startServer(t, { vars: { ...vars, RATE_PER_SECOND: "50", RATE_BURST: "100" } });
  const [ana, bo] = await beside(t, "refused", strict);
  await bo.press("Frames");
  await bo.part(".many").evaluate((button) => {
    for (let times = 0; times < 5; times += 1) button.click();
  });
  const texts = () => bo.part(".frames .names").allTextContents();
  await bo.see(async () => (await texts()).some((types) => types.includes("error")), "a refusal");
  await bo.part(".frames li").filter({ has: bo.page.locator('.names:has-text("error")') }).last().click();
  const meaning = await bo.part(".meaning").textContent();
  assert.match(meaning, /error Too many messages; this one was not taken\. It may succeed later\. E1/);
  // It does, a little later.
  await bo.see(async () => (await bo.unsent()) === 0, "all to be sent");
  await ana.see(async () => (await ana.messages()).length === 250, "250 messages");

  await ana.press("Forget…");
  await ana.page.click("dialog >> text=Forget it");
  await explains(bo, "↓", "close", /^close The room was deleted.+ H5$/);
});

test("it can be filtered by type, paused and cleared, and hides pings at first", async (t) => {
  const [ana, bo] = await beside(t, "filtered");
  await ana.press("Frames");
  const visible = async () => (await listed(ana)).filter(({ hidden }) => !hidden).map(({ types }) => types);
  const all = async () => (await listed(ana)).map(({ types }) => types);
  await ana.see(async () => (await all()).includes("pong"), "a pong");
  assert.equal((await visible()).includes("pong"), false);
  assert.equal((await visible()).includes("welcome"), true);
  await ana.press("pong");
  assert.equal((await visible()).includes("pong"), true);
  await ana.press("welcome");
  assert.equal((await visible()).includes("welcome"), false);

  await ana.press("Pause");
  await bo.say("while paused");
  await ana.seesMessages(["while paused"]);
  assert.equal((await all()).includes("message"), false);
  await ana.press("Pause");
  await ana.see(async () => (await all()).includes("message"), "the message, after the pause");

  await ana.press("Clear");
  // States may follow, of those who have moved or typed.
  assert.deepEqual((await all()).filter((types) => !/^(p[io]ng|states?)$/.test(types)), []);
  await bo.say("after");
  await ana.see(async () => (await visible()).includes("message"), "the next message");
});

test("it shows a frame's text as it was sent, and pretty on demand", async (t) => {
  const [ana] = await beside(t, "pretty");
  await ana.press("Frames");
  const raw = await textOf(ana, "↓", "welcome");
  assert.match(raw, /^\{"type":"welcome","protocol":1,"room":"pretty",/);
  await ana.press("Pretty");
  assert.equal(await ana.part(".raw").textContent(), JSON.stringify(JSON.parse(raw), null, 2));
  await ana.press("pong");
  assert.equal(await textOf(ana, "↓", "pong"), "pong");
});

test("it keeps the last 500 frames", async (t) => {
  const generous = await startServer(t, { vars: { ...vars, RATE_PER_SECOND: "10000", RATE_BURST: "100000" } });
  const [ana] = await beside(t, "many", generous);
  await ana.press("Frames");
  for (let times = 0; times < 11; times += 1) await ana.press("Send 50");
  await ana.see(async () => (await ana.messages()).length === 550 && (await ana.unsent()) === 0, "550 messages");
  const rows = () => ana.part(".frames li").count();
  await ana.see(async () => (await rows()) === 500, async () => `500 frames, having ${await rows()}`);
  assert.equal(await ana.frame("↓", "welcome").count(), 0);
  // The newest is in view as long as none is selected.
  const list = ana.part(".frames");
  const atEnd = () => list.evaluate((frames) => frames.scrollHeight - frames.scrollTop - frames.clientHeight < 30);
  await ana.see(atEnd, "the newest frame to be in view");
});

test("what it says refers to rules that exist, and knows every type of the protocol", () => {
  const page = readFileSync(at("docs", "protocol.md"), "utf8");
  const [, received] = /What a room may send: ([^]+?)\n\n/.exec(page);
  const rows = page.matchAll(/^\| (?:the text )?`(\w+)` \| [^|]*\| [^|]*\| [^|]*\|$/gm);
  const sent = [...rows].map(([, type]) => type);
  assert.ok(sent.includes("publish") && sent.includes("ping"), `${sent}`);
  const fields = { protocols: ["roomful.v1"], path: "", states: {}, messages: [], member: { user: { id: "Ana" } }, reason: "" };
  const stated = rules(page);
  const check = (message, wasSent) => {
    const [sentence, ids] = explain(message, wasSent, "1");
    assert.notEqual(ids, "C5", `${message.type} is not known`);
    assert.match(sentence, /^[A-Z].+[.!]$/);
    for (const id of ids.split(" ")) assert.ok(stated.includes(id), `${message.type}: ${id}`);
  };
  for (const type of ["connect", "close", ...sent]) check({ type, ...fields, code: 3000 }, true);
  for (const [, type] of received.matchAll(/`(\w+)`/g)) {
    const more = { message: "Refused.", hint: "Stop." };
    for (const recovered of [null, true, false]) check({ type, ...fields, ...more, recovered }, false);
  }
  const codes = [...page.matchAll(/^\| `\w+` \| \d* \| (\d{4}) \|/gm)].map(([, code]) => Number(code));
  assert.ok(codes.includes(4506));
  for (const code of [1000, 1006, ...codes]) check({ type: "close", ...fields, code }, false);
  assert.match(explain({ type: "new" }, false)[0], /does not know/);
});
