import assert from "node:assert/strict";
import { test } from "node:test";
import { rules, rustIds, scriptIds } from "../../scripts/rules.mjs";

test("a rule is stated by its id in bold", () => {
  assert.deepEqual(rules("- **M4** With an `id` …\n- **R10** see M4, **bold** and **N1**."), ["M4", "R10", "N1"]);
});

test("a Rust test carries the ids that its name begins with", () => {
  const text = `
    #[test]
    fn m4_an_id_counts_once() {}

    #[test]
    #[should_panic]
    fn r2_p5_both() {}

    #[tokio::test]
    async fn c3_ping() {}

    proptest! {
        #[test]
        fn n1_any_name(name in ".*") {}
    }`;
  assert.deepEqual(rustIds(text), ["M4", "R2", "P5", "C3", "N1"]);
});

test("what is no test, and a test that is ignored, carries nothing", () => {
  const text = `
    fn m1_helper() {}
    #[inline]
    fn m2_helper() {}
    #[test]
    #[ignore = "slow"]
    fn m3_slow() {}
    #[test]
    fn base64_is_read() {}
    #[test]
    fn e2e_is_no_rule() {}`;
  assert.deepEqual(rustIds(text), []);
});

test("a JavaScript test carries the ids that its title begins with", () => {
  const text = `
    test("m4: an id counts once", () => {});
    it('R2, P5: both', async () => {});
    describe(\`c3_ping\`, () => {});
    await t.test("N1 any name", () => {});
    test.skip("M5: later", () => {});
    test.todo("M6: later");
    test("http2 is no rule, nor is this M7", () => {});`;
  assert.deepEqual(scriptIds(text), ["M4", "R2", "P5", "C3", "N1"]);
});
