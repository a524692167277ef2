// What of the Next.js example needs no browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wayBack } from "../../examples/nextjs/app/sign-in/way-back.ts";

test("after signing in one is in the app, wherever a link wanted to lead", () => {
  for (const place of ["/", "/dashboard", "/room/general", "/room/friday-demo"]) assert.equal(wayBack(place), place);
  const elsewhere = ["//a.example", "/\\a.example", "/\t/a.example", "/\n\\a.example", "/.//a.example", "/room/..//a.example"];
  for (const place of [...elsewhere, "https://a.example", "javascript:0", "a", ""]) assert.equal(wayBack(place), "/", place);
});
