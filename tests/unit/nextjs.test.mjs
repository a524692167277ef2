// What of the Next.js example needs no browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { isPersonId, nameOf, personId } from "../../examples/nextjs/realtime/person.ts";
import { wayBack } from "../../examples/nextjs/app/sign-in/way-back.ts";
import { environment } from "../../examples/nextjs/server/environment.ts";
import { at } from "../../scripts/project.mjs";

test("with the example's variables as they stand the app says that the secret is missing", () => {
  const { ROOMFUL_SECRET } = parseEnv(readFileSync(at("examples/nextjs/.env.example"), "utf8"));
  assert.notEqual(ROOMFUL_SECRET, undefined);
  process.env.ROOMFUL_SECRET = ROOMFUL_SECRET;
  assert.throws(() => environment("ROOMFUL_SECRET"), /^Error: ROOMFUL_SECRET is not set/);
});

test("after signing in one is in the app, wherever a link wanted to lead", () => {
  for (const place of ["/", "/dashboard", "/dashboard?room=general", "/room/general", "/room/friday-demo"]) assert.equal(wayBack(place), place);
  const elsewhere = ["//a.example", "/\\a.example", "/\t/a.example", "/\n\\a.example", "/.//a.example", "/room/..//a.example", "?//a.example", "/?/a"];
  for (const place of [...elsewhere, "https://a.example", "javascript:0", "a", ""]) assert.equal(wayBack(place), "/", place);
});

test("whoever has signed in can be removed, and the app's own server cannot", () => {
  const ana = personId("Ana ~ Bo", "4f2k9c");
  assert.deepEqual([isPersonId(ana), nameOf(ana)], [true, "Ana ~ Bo"]);
  for (const id of ["server", "", undefined, 7, { id: ana }]) assert.equal(isPersonId(id), false, String(id));
});
