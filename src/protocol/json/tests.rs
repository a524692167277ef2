use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::string::{unescape, write_string};
use super::{Json, JsonError, MAX_DEPTH};

fn kept(text: &str) -> String {
    Json::parse(text).unwrap().as_str().to_owned()
}

fn malformed_at(text: &str) -> usize {
    match Json::parse(text) {
        Err(JsonError::Malformed(malformed)) => malformed.at,
        other => panic!("{text:?} gave {other:?}"),
    }
}

#[test]
fn m1_text_is_kept_byte_for_byte() {
    for text in [
        "null",
        "true",
        "-0",
        "1.0",
        "1e400",
        "0.10E-7",
        "9007199254740993",
        "123456789012345678901234567890",
        r#""""#,
        r#""\u00e9\/\u0041""#,
        r#""é 😀 \ud83d\ude00""#,
        r#""  a \" b  ""#,
        "\"\u{7f}\u{2028}\"",
        "[]",
        "{}",
        r#"[[],{},[{}],[null,1,"x"]]"#,
        r#"{"b":1,"a":{"b":[2]},"":3}"#,
        r#"{"a":1,"a":2}"#,
    ] {
        assert_eq!(kept(text), text);
    }
}

#[test]
fn m1_whitespace_goes_except_in_strings() {
    assert_eq!(kept(" \t\r\n1 \n"), "1");
    assert_eq!(
        kept(" { \"a b\" :\t[ 1 ,\r\n2 , \" x \\\" y \" ] , \"c\" : { } } "),
        r#"{"a b":[1,2," x \" y "],"c":{}}"#
    );
    assert_eq!(kept(r#"[ "\\" , "a b" ]"#), r#"["\\","a b"]"#);
}

#[test]
fn c6_malformed_text_is_refused_where_it_stops_being_json() {
    for (text, at) in [
        ("", 0),
        ("  ", 2),
        ("nul", 0),
        ("nulll", 4),
        ("True", 0),
        ("+1", 0),
        ("01", 1),
        ("-", 1),
        ("1.", 2),
        (".5", 0),
        ("1e", 2),
        ("1e+", 3),
        ("0x1", 1),
        ("NaN", 0),
        ("'a'", 0),
        ("\"a", 2),
        ("\"a\\", 3),
        ("\"\\x\"", 2),
        ("\"\\u12g4\"", 5),
        ("\"\\u+123\"", 3),
        ("\"a\nb\"", 2),
        ("\"\0\"", 1),
        ("[", 1),
        ("[1", 2),
        ("[1,]", 3),
        ("[,1]", 1),
        ("[1 2]", 3),
        ("[1}", 2),
        ("{", 1),
        ("{a:1}", 1),
        ("{\"a\"}", 4),
        ("{\"a\":}", 5),
        ("{\"a\":1,}", 7),
        ("{\"a\":1]", 6),
        ("1 1", 2),
        ("\u{feff}1", 0),
        ("\u{a0}1", 0),
        ("// c\n1", 0),
    ] {
        assert_eq!(malformed_at(text), at, "{text:?}");
    }
}

#[test]
fn c6_nesting_ends_at_64() {
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(kept(&arrays(MAX_DEPTH)), arrays(MAX_DEPTH));
    assert_eq!(Json::parse(&arrays(MAX_DEPTH + 1)), Err(JsonError::TooDeep));
    let mixed = |depth: usize| "[{\"a\":".repeat(depth / 2) + "1" + &"}]".repeat(depth / 2);
    assert_eq!(kept(&mixed(64)), mixed(64));
    assert_eq!(Json::parse(&mixed(66)), Err(JsonError::TooDeep));
}

#[test]
fn c6_a_million_levels_do_not_exhaust_the_stack() {
    let million = 1_000_000;
    let closed = "[".repeat(million) + &"]".repeat(million);
    assert_eq!(Json::parse(&closed), Err(JsonError::TooDeep));
    assert_eq!(malformed_at(&"[".repeat(million)), million);
    let objects = "{\"a\":".repeat(million) + "1" + &"}".repeat(million);
    assert_eq!(Json::parse(&objects), Err(JsonError::TooDeep));
    // Far down, a bracket still has to belong to its opening one.
    let crossed = "[".repeat(200) + "{\"a\":[1}]" + &"]".repeat(200);
    assert_eq!(malformed_at(&crossed), 207);
    let alternating = "[{\"a\":".repeat(100) + "1" + &"}]".repeat(99) + "]}";
    assert_eq!(malformed_at(&alternating), 799);
}

#[test]
fn c6_lone_surrogates_are_refused_wherever_they_are() {
    for text in [
        r#""\ud800""#,
        r#""\uDBFFx""#,
        r#""\udc00""#,
        r#""\uDFFF\uD800""#,
        r#""\ud800\ud800\udc00""#,
        r#""\ud800\n\udc00""#,
        r#""\ud83d\u0041""#,
        r#"{"\ud800":1}"#,
        r#"[1,{"a":["\udead"]}]"#,
    ] {
        assert_eq!(Json::parse(text), Err(JsonError::LoneSurrogate), "{text}");
    }
    for text in [r#""\\ud800""#, r#""\ud83d\ude00""#, r#""\ud7ff\ue000""#] {
        assert_eq!(kept(text), text);
    }
    assert_eq!(malformed_at(r#""\ud800\u12""#), 11);
}

#[test]
fn n8_length_is_in_bytes() {
    assert_eq!(Json::parse(" \"é\" ").unwrap().len(), 4);
}

#[test]
fn m1_kinds_are_told_apart() {
    assert!(Json::parse(" null").unwrap().is_null());
    assert!(Json::NULL.is_null() && !Json::EMPTY_OBJECT.is_null());
    assert!(Json::parse(" {}").unwrap().is_object());
    assert!(!Json::parse("[{}]").unwrap().is_object());
}

/// Text that is nearly JSON: a value, written by another encoder, with a few characters changed.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\\ud83d\\ude00"),
        Just("\\ud83d"),
        Just("\\udc00"),
        Just("\\n"),
        Just("\\"),
        Just("\""),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(","),
        Just(":"),
        Just(" "),
        Just("\t"),
        Just("0"),
        Just("-"),
        Just(".5"),
        Just("e9"),
        Just("é"),
        Just(""),
    ];
    (
        value(),
        prop::collection::vec((any::<prop::sample::Index>(), piece), 0..4),
    )
        .prop_map(|(value, changes)| {
            let mut chars: Vec<String> = value.to_string().chars().map(String::from).collect();
            for (place, piece) in changes {
                let place = place.index(chars.len());
                chars[place] = piece.to_owned();
            }
            chars.concat()
        })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-c\"\\\\é\n ]{0,3}", inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn c6_any_text_gives_an_answer(text in any::<String>()) {
        let _ = Json::parse(&text);
    }

    #[test]
    fn c6_what_is_json_is_what_another_parser_says(text in nearly_json()) {
        // This one ignores lone surrogates and the size of numbers, as the scan does.
        let theirs = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        let ours = !matches!(Json::parse(&text), Err(JsonError::Malformed(_)));
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn m1_what_is_kept_means_the_same(text in nearly_json()) {
        if let Ok(json) = Json::parse(&text) {
            let before: Option<Value> = serde_json::from_str(&text).ok();
            let after: Option<Value> = serde_json::from_str(json.as_str()).ok();
            prop_assert_eq!(before, after);
            prop_assert_eq!(Json::parse(json.as_str()), Ok(json.clone()));
        }
    }

    #[test]
    fn m1_indented_text_becomes_compact(value in value()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(kept(&pretty), value.to_string());
    }

    #[test]
    fn m1_strings_are_written_and_read_as_another_parser_does(text in any::<String>()) {
        let mut written = String::new();
        write_string(&mut written, &text);
        prop_assert_eq!(&serde_json::from_str::<String>(&written).unwrap(), &text);
        prop_assert_eq!(&*unescape(&written), text.as_str());
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
        let escaped = format!("\"{}\"", units.collect::<String>());
        prop_assert_eq!(&*unescape(&escaped), text.as_str());
    }
}

#[test]
fn m1_control_characters_are_escaped() {
    let mut out = String::new();
    write_string(&mut out, "a\u{0}\u{8}\u{c}\u{1f}\u{7f}\t\r\n\"\\/é😀");
    assert_eq!(
        out,
        "\"a\\u0000\\u0008\\u000c\\u001f\u{7f}\\t\\r\\n\\\"\\\\/é😀\""
    );
    assert_eq!(
        unescape(r#""\b\f\n\r\t\/\\\"\u00e9\ud83d\ude00""#),
        "\u{8}\u{c}\n\r\t/\\\"é😀"
    );
}
