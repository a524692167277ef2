// A disk without room for one more byte, while people talk.
//
// What SQLite cannot write workerd finds out when it commits, after the room has done its part: nothing of that turn is
// sent to anybody, and the object is reset. So people are cut off rather than told, come back, and find a room that cannot
// be opened (`room_busy`, 4103) until there is space again. A room that has nothing to write goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, open, post, request } from "./client.mjs";
import { Crowd } from "./crowd.mjs";
import { limited, tiny } from "./disk.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const vars = { GRACE_SECONDS: 60, RATE_PER_SECOND: 10_000, RATE_BURST: 10_000, RECOVER_MESSAGES: 10_000 };
/** What may be said of it. */
const CODES = ["room_busy", "storage_failed", "storage_full"];

const disks = [
  ["no file can be written", limited, ["prlimit"]],
  ["the disk is full", tiny, ["unshare", "mount"]],
];

/** A server on such a disk; none if this system has none to give. */
async function startOn([, disk, refusals], t) {
  try {
    const server = await startServer(t, { vars, under: disk.under });
    disk.free(server);
    return server;
  } catch (error) {
    if (!refusals.some((refusal) => error.message.includes(refusal))) throw error;
    t.skip(`this system has no such disk to give: ${error.message}`);
  }
}

for (const kind of disks) {
  const [what, disk] = kind;
  test(`m4 m5 r1 p5 while ${what} nothing acknowledged is lost, and all goes on once there is space`, async (t) => {
    const server = await startOn(kind, t);
    if (!server) return;
    const { pid } = server;
    const busy = await new Crowd(server, freshRoom("busy")).join(4);
    const calm = await new Crowd(server, freshRoom("calm")).join(2);
    t.after(() => Promise.all([busy.disperse(), calm.disperse()]));
    busy.talk(10);
    await until(() => busy.ledger.acks > 100, "a busy room");

    disk.fill(server);
    const told = (who) => CODES.some((code) => who.errors[code]);
    await until(() => busy.people.every(told), "everybody to be told that it does not go on");
    const refused = async (room) => {
      const { status, body } = await post(server, `/room/${room}/publish`, { event: "e", data: 1 });
      assert.equal(status, 503, JSON.stringify(body));
      assert.ok(CODES.includes(body.error.code) && body.error.retryable, JSON.stringify(body));
    };
    await refused(busy.room);
    await refused(freshRoom("new"));
    // What nobody stores needs no disk.
    const [cleo, dora] = calm.people;
    for (let count = 1; count <= 20; count++) {
      cleo.murmur();
      cleo.show({ count });
      const heard = () => dora.told.message === count && dora.view.stateOf(cleo.connection)?.count === count;
      await until(heard, `murmur ${count}`);
    }
    assert.deepEqual([cleo.closes, dora.closes], [{}, {}]);
    await refused(calm.room);
    const { acks } = busy.ledger;
    assert.ok(busy.waiting > 0);

    disk.free(server);
    const id = cleo.publish();
    await until(() => busy.ledger.acks > acks + 100, "the busy room to go on");
    const messages = await busy.agree();
    assert.equal(messages.length, busy.ledger.acks);
    assert.deepEqual((await calm.agree()).map(({ data }) => data.id), [id]);
    assert.equal(server.pid, pid);
    assert.deepEqual([busy.flickered, calm.flickered], [[], []]);
    for (const who of [...busy.people, ...calm.people]) {
      assert.deepEqual(Object.keys(who.errors).filter((code) => !CODES.includes(code)), []);
      assert.deepEqual(Object.keys(who.closes).filter((code) => code >= 4300), []);
    }
    const [{ resumes, closes }] = busy.people;
    t.diagnostic(`${messages.length} messages; ${resumes} returns; ${JSON.stringify(closes)}`);
  });

  test(`h4 h5 a deletion while ${what} takes no ban along, whatever becomes of it`, async (t) => {
    const server = await startOn(kind, t);
    if (!server) return;
    const room = freshRoom();
    const publish = () => post(server, `/room/${room}/publish`, { event: "e" });
    await post(server, `/room/${room}/disconnect`, { user: "eve", ban_seconds: 3_600 });
    assert.equal((await publish()).body.offset, 1);
    disk.fill(server);
    const { status } = await request(server, "DELETE", `/room/${room}`);
    disk.free(server);
    let stored;
    await until(async () => (stored = await publish()).status === 200, "the room to go on");
    // What SQLite writes may fit into a file that it has already.
    assert.equal(stored.body.offset, status === 200 ? 1 : 2);
    assert.equal((await (await open(server, room, { user: "eve" })).end()).code, 4502);
    assert.equal((await request(server, "DELETE", `/room/${room}`)).status, 200);
    assert.equal((await publish()).body.offset, 1);
    assert.equal((await (await open(server, room, { user: "eve" })).end()).code, 4502);
  });
}
