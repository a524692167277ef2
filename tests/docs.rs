//! The tables of the documentation are those of the code.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Mutex;

use roomful::metrics::Isolate;
use roomful::protocol::{ErrorCode, Limits};
use roomful::room::{Report, Room};

#[test]
fn e1_e2_the_documented_table_is_the_one_in_the_code() {
    check("docs/protocol.md", "errors", &ErrorCode::markdown_table());
}

#[test]
fn n4_n5_n6_n7_the_documented_limits_are_those_in_the_code() {
    for page in ["docs/protocol.md", "docs/operations.md"] {
        check(page, "limits", &Limits::markdown_table());
    }
}

#[test]
fn h9_the_documented_metrics_are_those_in_the_code() {
    let page = "docs/operations.md";
    check(page, "room metrics", &Room::metrics_table());
    check(page, "worker metrics", &Isolate::metrics_table());
    let mut points =
        String::from("| column | point of a room | point of the Worker |\n| --- | --- | --- |\n");
    for (place, number) in Report::NUMBERS.into_iter().enumerate() {
        let worker = Isolate::NUMBERS.get(place).copied().unwrap_or("");
        points += &format!("| `double{}` | {number} | {worker} |\n", place + 1);
    }
    check(page, "points", &points);
}

#[test]
fn n4_wrangler_toml_shows_each_limit_with_its_default() {
    let text = std::fs::read_to_string(root().join("wrangler.toml")).unwrap();
    for variable in Limits::VARIABLES {
        let line = format!("{} = {} ", variable.name, variable.default);
        let shown = text.lines().any(|l| {
            let l = l.strip_prefix("# ").unwrap_or(l);
            format!("{l} ").starts_with(&line)
        });
        assert!(shown, "wrangler.toml does not show `{}`", line.trim());
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Several tests may bring one page up to date.
static WRITING: Mutex<()> = Mutex::new(());

/// Compares what stands between `<!-- name -->` and `<!-- /name -->` with `table`, or puts it there.
fn check(page: &str, name: &str, table: &str) {
    let _writing = WRITING.lock();
    let path = root().join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text
        .split_once(&open)
        .unwrap_or_else(|| panic!("{page} lacks <!-- {name} -->"));
    let (documented, after) = rest
        .split_once(&close)
        .unwrap_or_else(|| panic!("{page} lacks {close}"));
    if documented == table {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, [before, &open, table, &close, after].concat()).unwrap();
        return;
    }
    panic!(
        "the table between <!-- {name} --> and {close} in {page} is not the code's. Bring it up to date with\n\n    \
         UPDATE_DOCS=1 cargo test --test docs\n\n{table}"
    );
}
