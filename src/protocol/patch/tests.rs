use proptest::prelude::*;
use serde_json::{Map, Value};

use super::Patch;
use crate::protocol::{ErrorCode, Json};

fn json(text: &str) -> Json<'_> {
    Json::parse(text).unwrap()
}

fn applied(state: &str, patch: &str) -> String {
    let patch = Patch::parse(json(patch)).unwrap();
    patch.apply(&json(state)).as_str().to_owned()
}

#[test]
fn p1_a_patch_merges_top_level_keys() {
    assert_eq!(applied("{}", r#"{"a":1}"#), r#"{"a":1}"#);
    assert_eq!(
        applied(r#"{"a":1,"b":{"c":2}}"#, r#"{"b":{"d":3},"e":[4]}"#),
        r#"{"a":1,"b":{"d":3},"e":[4]}"#
    );
    assert_eq!(applied(r#"{"a":1}"#, "{}"), r#"{"a":1}"#);
}

#[test]
fn p1_null_removes_a_key() {
    assert_eq!(applied(r#"{"a":1,"b":2}"#, r#"{"a":null}"#), r#"{"b":2}"#);
    assert_eq!(applied(r#"{"a":1}"#, r#"{"a":null,"b":null}"#), "{}");
    // A null that was set as part of a whole state is a value.
    assert_eq!(
        applied(r#"{"a":null}"#, r#"{"b":1}"#),
        r#"{"a":null,"b":1}"#
    );
}

#[test]
fn p1_a_state_that_is_no_object_counts_as_empty() {
    for state in ["null", "1", "\"x\"", "[1,2]", "true"] {
        assert_eq!(applied(state, r#"{"a":1}"#), r#"{"a":1}"#);
    }
}

#[test]
fn p1_keys_are_the_same_if_they_mean_the_same() {
    assert_eq!(applied(r#"{"\u0061":1}"#, r#"{"a":2}"#), r#"{"\u0061":2}"#);
    assert_eq!(applied(r#"{"é":1}"#, r#"{"\u00e9":null}"#), "{}");
}

#[test]
fn p1_texts_are_kept() {
    assert_eq!(
        applied(
            r#"{"n":1.0,"\/":9007199254740993}"#,
            r#"{"m":1e0,"s":"\u0041"}"#
        ),
        r#"{"n":1.0,"\/":9007199254740993,"m":1e0,"s":"\u0041"}"#
    );
}

#[test]
fn p1_of_a_key_that_a_state_has_twice_the_last_counts() {
    let twice = r#"{"a":1,"b":2,"a":3}"#;
    assert_eq!(applied(twice, r#"{"c":4}"#), r#"{"a":1,"b":2,"a":3,"c":4}"#);
    assert_eq!(applied(twice, r#"{"a":4}"#), r#"{"a":4,"b":2}"#);
    assert_eq!(applied(twice, r#"{"a":null}"#), r#"{"b":2}"#);
}

#[test]
fn p1_only_an_object_is_a_patch() {
    for text in ["null", "1", "[]", "\"a\""] {
        let error = Patch::parse(json(text)).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadMessage);
        assert_eq!(error.message, "\"patch\" must be an object");
    }
}

#[test]
fn p1_a_key_twice_in_a_patch_is_refused() {
    for text in [r#"{"a":1,"a":2}"#, r#"{ "a":1, "\u0061":null }"#] {
        let error = Patch::parse(json(text)).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadMessage);
        assert_eq!(error.message, "duplicate key \"a\"");
    }
    let many: Vec<_> = (0..5_000).map(|key| format!("\"{key}\":1")).collect();
    assert!(Patch::parse(json(&format!("{{{}}}", many.join(",")))).is_ok());
    assert!(Patch::parse(json(&format!("{{{},\"77\":1}}", many.join(",")))).is_err());
}

#[test]
fn p2_a_merged_patch_keeps_removals() {
    let mut patch = Patch::parse(json(r#"{"a":1,"b":2}"#)).unwrap();
    patch.merge(&Patch::parse(json(r#"{"b":null,"c":3}"#)).unwrap());
    assert_eq!(patch.as_json().as_str(), r#"{"a":1,"b":null,"c":3}"#);
    assert_eq!(
        patch.apply(&json(r#"{"b":7}"#)).as_str(),
        r#"{"a":1,"c":3}"#
    );
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from)];
    prop::collection::vec(("[a-e]", value), 0..6).prop_map(|pairs| pairs.into_iter().collect())
}

fn patch_of(map: &Map<String, Value>) -> Patch<'static> {
    let text = Value::Object(map.clone()).to_string();
    Patch::parse(json(&text)).unwrap().into_owned()
}

fn read(json: &Json<'_>) -> Value {
    serde_json::from_str(json.as_str()).unwrap()
}

proptest! {
    #[test]
    fn p1_a_patch_does_what_a_loop_over_its_keys_does(state in object(), patch in object()) {
        let mut expected = state.clone();
        for (key, value) in &patch {
            if value.is_null() {
                expected.remove(key);
            } else {
                expected.insert(key.clone(), value.clone());
            }
        }
        let text = Value::Object(state).to_string();
        let after = patch_of(&patch).apply(&json(&text));
        prop_assert_eq!(read(&after), Value::Object(expected));
    }

    #[test]
    fn p2_merged_patches_do_what_they_did_in_a_row(
        state in object(), first in object(), second in object(),
    ) {
        let text = Value::Object(state).to_string();
        let state = json(&text);
        let in_a_row = patch_of(&second).apply(&patch_of(&first).apply(&state));
        let mut merged = patch_of(&first);
        merged.merge(&patch_of(&second));
        prop_assert_eq!(read(&merged.apply(&state)), read(&in_a_row));
        prop_assert_eq!(Patch::parse(merged.as_json().clone()).unwrap(), merged.clone());
    }
}
