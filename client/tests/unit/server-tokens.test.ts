// Tokens that a back end mints with `createToken`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createToken } from "../../src/server.ts";
import { SECRET, failsWith, part, signedWith } from "./door.ts";

test("T1, T2: a token has a header and the claims that were asked for, signed with HS256", async () => {
  const token = await createToken({
    secret: SECRET,
    user: "añá 😀",
    room: ["lobby", "team-7:*"],
    can: ["subscribe"],
    info: { name: "Ána" },
    expiresIn: 60,
    issuer: "shop",
    audience: ["rooms", "more"],
    now: 1_795_257_803_999,
  });
  assert.ok(signedWith(token, SECRET));
  assert.deepEqual(part(token, 0), { alg: "HS256", typ: "JWT" });
  assert.deepEqual(part(token, 1), {
    sub: "añá 😀",
    exp: 1_795_257_863,
    room: ["lobby", "team-7:*"],
    can: ["subscribe"],
    info: { name: "Ána" },
    iss: "shop",
    aud: ["rooms", "more"],
  });
});

test("T2: what is not given is no claim, but for the end in ten minutes", async () => {
  const claims = part(await createToken({ secret: SECRET, user: "ana", room: "lobby" }), 1);
  assert.deepEqual(Object.keys(claims).sort(), ["exp", "room", "sub"]);
  assert.ok(Math.abs(claims.exp - Date.now() / 1_000 - 600) < 5);
});

test("T1: of a list the first secret signs, with its kid if it has one", async () => {
  const cases: [entry: string, kid: string | undefined, secret: string][] = [
    [`k-1_A:${SECRET}`, "k-1_A", SECRET],
    [`new:${SECRET},old:${"o".repeat(32)}`, "new", SECRET],
    [`\n , ${SECRET} ,old:${"o".repeat(32)}\n`, undefined, SECRET],
    [`k:${SECRET}:x`, "k", `${SECRET}:x`],
    [`a b:${SECRET}`, undefined, `a b:${SECRET}`],
    [`:${SECRET}`, undefined, `:${SECRET}`],
    [`ü:${SECRET}`, undefined, `ü:${SECRET}`],
    [`${"k".repeat(33)}:${SECRET}`, undefined, `${"k".repeat(33)}:${SECRET}`],
    [`${"k".repeat(32)}:${SECRET}`, "k".repeat(32), SECRET],
    ["ü".repeat(16), undefined, "ü".repeat(16)],
  ];
  for (const [secret, kid, signer] of cases) {
    const token = await createToken({ secret, user: "ana", room: "lobby" });
    assert.ok(signedWith(token, signer), secret);
    assert.equal(part(token, 0).kid, kid, secret);
  }
});

test("T1: a secret that is missing or too short is refused, and not told", async () => {
  for (const secret of [undefined, null, "", 7, "s".repeat(31), `kid:${"s".repeat(31)}`, " , ", "kid:  "]) {
    await assert.rejects(createToken({ secret, user: "ana", room: "lobby" } as never), (error: Error) => {
      assert.ok(!error.message.includes("sss"), error.message);
      return failsWith("invalid_argument", /`secret`.*ROOMFUL_SECRETS.*32/)(error);
    });
  }
});

test("T2: nobody and nowhere are refused by name", async () => {
  const right = { secret: SECRET, user: "ana", room: "lobby" };
  for (const [name, values] of [["user", [undefined, null, ""]], ["room", [undefined, null, "", [], [""]]]] as const) {
    for (const value of values) {
      const made = createToken({ ...right, [name]: value } as never);
      await assert.rejects(made, failsWith("invalid_argument", new RegExp(`\`${name}\``)), JSON.stringify(value));
    }
  }
  for (const room of ["*", "a*", "A-Z_a.z:0~9@x", "r".repeat(128)]) await createToken({ ...right, room });
  await createToken({ ...right, user: "😀".repeat(128), info: { x: "y".repeat(2_040) }, can: [] });
});
