// What of the Next.js example needs no browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isPersonId, nameOf, personId } from "../../examples/nextjs/realtime/person.ts";
import { wayBack } from "../../examples/nextjs/app/sign-in/way-back.ts";

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
