// What the browser tells of the network and the page, and what a connection makes of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { heard, settled, world } from "./fake.ts";

/** As much of a browser as the client looks at, for one test. What happens to the document bubbles to the window. */
function browser(t: TestContext) {
  const listeners = new Set<string>();
  const target = new EventTarget();
  const numbers = new Map<unknown, number>();
  const key = (type: string, listener: unknown) => {
    if (!numbers.has(listener)) numbers.set(listener, numbers.size);
    return `${type} ${numbers.get(listener)}`;
  };
  const page = { hidden: false, onLine: true };
  const globals: Record<string, unknown> = {
    addEventListener(type: string, listener: () => void) {
      listeners.add(key(type, listener));
      target.addEventListener(type, listener);
    },
    removeEventListener(type: string, listener: () => void) {
      listeners.delete(key(type, listener));
      target.removeEventListener(type, listener);
    },
    document: Object.defineProperty({}, "hidden", { get: () => page.hidden }),
    navigator: Object.defineProperty({}, "onLine", { get: () => page.onLine }),
  };
  for (const [name, value] of Object.entries(globals)) {
    const old = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => (old ? Object.defineProperty(globalThis, name, old) : delete (globalThis as any)[name]));
  }
  const happens = (type: string, details = {}) => target.dispatchEvent(Object.assign(new Event(type), details));
  return {
    listeners,
    happens,
    hide(hidden = true) {
      page.hidden = hidden;
      happens("visibilitychange");
    },
    show: () => {
      page.hidden = false;
      happens("visibilitychange");
    },
    offline() {
      page.onLine = false;
      happens("offline");
    },
    online() {
      page.onLine = true;
      happens("online");
    },
  };
}

test("nothing of the page is touched by the import, a client, or a room that waits", async (t) => {
  const page = browser(t);
  const { createClient } = await import(`../../src/client.ts?${Math.random()}`);
  createClient({ url: "https://rooms.example" }).room("lobby", { enabled: false });
  assert.equal(page.listeners.size, 0);
});

test("it listens while it may have to come back, and no longer", async (t) => {
  const page = browser(t);
  const it = world(t);
  const room = it.room();
  assert.equal(page.listeners.size, 5);
  it.socket.welcome();
  it.socket.end();
  await it.next();
  it.socket.welcome();
  room.connect();
  assert.equal(page.listeners.size, 5);
  room.leave();
  assert.equal(page.listeners.size, 0);
  room.connect();
  assert.equal(page.listeners.size, 5);
  it.socket.end(4500);
  assert.equal(page.listeners.size, 0, "refused for good");
  room.connect();
  assert.equal(page.listeners.size, 5);
  room.leave();
  assert.equal(page.listeners.size, 0);
  assert.equal(it.timers, 0, "nor does a timer run");
});

for (const way of ["online", "visibilitychange", "pageshow"]) {
  test(`${way}: a lost connection is tried at once`, async (t) => {
    const page = browser(t);
    const it = world(t);
    const room = await it.enter();
    it.socket.end();
    page.happens(way);
    await settled();
    assert.equal(it.sockets.length, 2);
    it.socket.welcome();
    await it.pass(20_000);
    assert.equal(it.sockets.length, 2, "and not once more after the pause");
    assert.equal(room.status, "connected");
  });

  test(`${way}: a live connection is asked whether it still is, and has 3 s`, async (t) => {
    const page = browser(t);
    const it = world(t);
    const room = await it.enter();
    page.happens(way);
    assert.equal(it.socket.pings, 1);
    await it.pass(2_999);
    assert.equal(room.status, "connected");
    await it.pass(1);
    assert.equal(room.status, "reconnecting");
  });
}

test("a pong in time is all it takes", async (t) => {
  const page = browser(t);
  const it = world(t);
  const room = await it.enter();
  page.hide();
  page.offline();
  page.online();
  page.show();
  assert.equal(it.socket.pings, 4);
  it.socket.frame("pong");
  await it.pass(10_000);
  assert.equal(room.status, "connected");
  assert.equal(it.sockets.length, 1);
});

test("offline: a live connection is doubted, a lost one is not tried", async (t) => {
  const page = browser(t);
  const it = world(t);
  const room = await it.enter();
  page.offline();
  assert.equal(it.socket.pings, 1);
  await it.pass(3_000);
  assert.equal(room.status, "reconnecting");
  page.happens("offline");
  await settled();
  assert.equal(it.sockets.length, 1);
  // Whoever looks at the page sees it tried: `onLine` is not to be relied on.
  await it.next();
});

test("online: an attempt that is under way may hang, and is made anew; becoming visible leaves it alone", async (t) => {
  const page = browser(t);
  const it = world(t);
  it.room();
  await it.pass(1_000);
  page.hide();
  page.show();
  page.happens("pageshow");
  await settled();
  assert.equal(it.sockets.length, 1);
  page.online();
  await settled();
  assert.equal(it.sockets.length, 2);
  assert.equal(it.sockets[0]!.closed, 3000);
});

test("E2: who is to come back slowly is not hurried", async (t) => {
  const page = browser(t);
  const it = world(t);
  await it.enter();
  it.socket.refuse(4300, { code: "rate_limited" });
  page.hide();
  page.show();
  page.online();
  page.happens("pageshow");
  await it.pass(10_000);
  assert.equal(it.sockets.length, 1);
  await it.pass(250);
  assert.equal(it.sockets.length, 2);
});

test("hidden but online: it comes back as ever", async (t) => {
  const page = browser(t);
  const it = world(t);
  const room = await it.enter();
  page.hide();
  it.socket.end();
  await it.next();
  it.socket.welcome();
  assert.equal(room.status, "connected");
});

for (const way of ["show", "online"] as const) {
  test(`hidden and offline: nothing is tried before ${way}`, async (t) => {
    const page = browser(t);
    const it = world(t);
    const room = await it.enter();
    page.hide();
    page.offline();
    await it.pass(120_000);
    assert.equal(it.sockets.length, 1);
    assert.equal(it.timers, 0);
    page[way]();
    await settled();
    assert.equal(it.sockets.length, 2);
    it.socket.welcome();
    assert.equal(room.status, "connected");
  });
}

test("pagehide: a page that is kept gives its place up, and comes back when it is shown", async (t) => {
  const page = browser(t);
  const it = world(t);
  const room = await it.enter({}, { offset: 3 });
  const statuses = heard(room, "status");
  page.happens("pagehide", { persisted: true });
  assert.equal(it.socket.closed, 1000);
  assert.equal(room.status, "reconnecting");
  await it.pass(120_000);
  assert.equal(it.sockets.length, 1, "nothing runs in a page that is kept");
  page.happens("pageshow", { persisted: true });
  await settled();
  assert.equal(it.socket.url.search, "?epoch=e1&offset=3");
  it.socket.welcome();
  assert.deepEqual(statuses, ["reconnecting", "connected"]);
});

test("pagehide: a page that ends does nothing, for the browser says it", async (t) => {
  const page = browser(t);
  const it = world(t);
  const room = await it.enter();
  page.happens("pagehide", { persisted: false });
  assert.equal(it.socket.closed, undefined);
  assert.equal(room.status, "connected");
});

test("pagehide while it waits or connects: nothing goes on", async (t) => {
  for (const waits of [true, false]) {
    const page = browser(t);
    const it = world(t);
    const room = it.room();
    if (waits) it.socket.end();
    page.happens("pagehide", { persisted: true });
    assert.equal(room.status, "connecting");
    await it.pass(60_000);
    assert.equal(it.sockets.length, 1);
    page.happens("pageshow", { persisted: true });
    await settled();
    assert.equal(it.sockets.length, 2);
    room.leave();
    t.mock.restoreAll();
  }
});

test("without a page there is nothing to hear, and retries go on", async (t) => {
  const it = world(t);
  await it.enter();
  it.socket.end();
  await it.next();
});
