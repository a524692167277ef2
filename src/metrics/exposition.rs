//! The text that a Prometheus server scrapes (H9): exposition format 0.0.4.

#[cfg(not(target_arch = "wasm32"))]
use std::fmt::Write;

use crate::protocol::ErrorCode;

/// Samples of one name: what they mean, and what tells them apart.
///
/// Families stand in a table, as text (a table of pointers would be three times as large in the Worker): a
/// line for each, with `|` between name, type, label, the label's values and help. `*` are all codes of
/// errors.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name, without the prefix that all families of a text share.
    pub name: &'static str,
    /// `counter`: only grows, but begins anew with the object or isolate that counts. `gauge`: goes up
    /// and down. `histogram`: how many values lie below each of some bounds.
    pub kind: &'static str,
    /// The label that tells its samples apart; empty if there is one only.
    pub label: &'static str,
    values: &'static str,
    /// What it counts or measures.
    pub help: &'static str,
}

impl Family {
    /// The families of a table.
    pub fn all(table: &'static str) -> impl Iterator<Item = Family> {
        table.split('\n').map(|line| {
            let mut parts = line.split('|');
            let mut part = || parts.next().unwrap_or_default();
            Family {
                name: part(),
                kind: part(),
                label: part(),
                values: part(),
                help: part(),
            }
        })
    }

    /// The label's values, one for each sample; one empty value if there is no label.
    pub fn values(&self) -> impl Iterator<Item = &'static str> {
        let values = match self.values {
            "*" => ErrorCode::NAMES.strip_suffix(' ').unwrap_or_default(),
            values => values,
        };
        values.split(' ')
    }

    /// Tables of families as a Markdown table, for the documentation.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn markdown_table(prefix: &str, tables: &[&'static str]) -> String {
        let mut table = String::from("| metric | type | meaning |\n| --- | --- | --- |\n");
        for family in tables.iter().flat_map(|table| Family::all(table)) {
            let label = match (family.label, family.values) {
                ("", _) => String::new(),
                // They stand in another table.
                ("code" | "le", _) => format!("{{{}}}", family.label),
                (label, values) => format!("{{{label}=\"{}\"}}", values.replace(' ', "\"/\"")),
            };
            let (name, kind, help) = (family.name, family.kind, family.help);
            // Writing to a String cannot fail.
            let _ = writeln!(table, "| `{prefix}{name}{label}` | {kind} | {help} |");
        }
        table
    }
}

/// A text under construction.
///
/// ```
/// use roomful::metrics::Exposition;
///
/// let mut text = Exposition::new("roomful_room_", "room", "lobby");
/// text.families("closes_total|counter|code|4101 4102|Ended.", &[3, 0]);
/// let text = text.into_text();
/// assert!(text.contains("roomful_room_closes_total{room=\"lobby\",code=\"4101\"} 3\n"));
/// ```
#[derive(Debug)]
pub struct Exposition {
    text: String,
    prefix: &'static str,
    /// What every sample has: `name="value"`.
    common: String,
}

impl Exposition {
    /// An empty text in which all names begin with `prefix` and all samples have the label `name`.
    pub fn new(prefix: &'static str, name: &str, value: &str) -> Exposition {
        let mut common = String::new();
        push_label(&mut common, name, value);
        Exposition {
            text: String::new(),
            prefix,
            common,
        }
    }

    /// Says what the samples of a family mean, before the first of them.
    fn begin(&mut self, family: &Family) {
        for (line, rest) in [("# HELP ", family.help), ("# TYPE ", family.kind)] {
            self.text.push_str(line);
            self.push_name(family.name);
            self.text.push(' ');
            self.text.push_str(rest);
            self.text.push('\n');
        }
    }

    /// The families of a table, whose numbers stand in `numbers` one after the other; times in
    /// milliseconds. A histogram's are how many values there are up to each bound and above the one
    /// before, and their sum.
    pub fn families(&mut self, table: &'static str, numbers: &[u64]) {
        let mut numbers = numbers.iter();
        let mut next = || numbers.next().copied().unwrap_or(0);
        for family in Family::all(table) {
            self.begin(&family);
            let Family { name, label, .. } = family;
            let mut below = 0_u64;
            let (histogram, times) = (family.kind == "histogram", name.ends_with("_seconds"));
            let bucket = if histogram { "_bucket" } else { "" };
            for value in family.values() {
                let number = next();
                below = below.saturating_add(number);
                let shown = if histogram { below } else { number };
                self.sample(name, bucket, (label, value), shown, times && !histogram);
            }
            if histogram {
                self.sample(name, "_sum", ("", ""), next(), times);
                self.sample(name, "_count", ("", ""), below, false);
            }
        }
    }

    /// One sample, with a label unless its name is empty. Prometheus has times in seconds.
    fn sample(&mut self, name: &str, suffix: &str, label: (&str, &str), number: u64, time: bool) {
        self.push_name(name);
        self.text.push_str(suffix);
        self.text.push('{');
        self.text.push_str(&self.common);
        if !label.0.is_empty() {
            self.text.push(',');
            push_label(&mut self.text, label.0, label.1);
        }
        self.text.push_str("} ");
        let mut digits = number.to_string();
        if time {
            // Without a float's rounding.
            while digits.len() < 4 {
                digits.insert(0, '0');
            }
            digits.insert(digits.len().saturating_sub(3), '.');
        }
        self.text.push_str(&digits);
        self.text.push('\n');
    }

    fn push_name(&mut self, name: &str) {
        self.text.push_str(self.prefix);
        self.text.push_str(name);
    }

    /// The text, to be answered as `text/plain; version=0.0.4`.
    pub fn into_text(self) -> String {
        self.text
    }
}

fn push_label(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str("=\"");
    for character in value.chars() {
        if matches!(character, '\n' | '"' | '\\') {
            out.push('\\');
        }
        out.push(if character == '\n' { 'n' } else { character });
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h9_labels_are_escaped() {
        let mut text = Exposition::new("x_", "room", "a\\b\"c\nd");
        text.sample("y", "", ("z", "é"), 1, false);
        assert_eq!(
            text.into_text(),
            "x_y{room=\"a\\\\b\\\"c\\nd\",z=\"é\"} 1\n"
        );
    }

    #[test]
    fn h9_times_are_in_seconds() {
        for (milliseconds, number) in [(0, "0.000"), (7, "0.007"), (12_050, "12.050")] {
            let mut text = Exposition::new("", "a", "b");
            text.families("c_seconds|gauge|||d", &[milliseconds]);
            let line = format!("\nc_seconds{{a=\"b\"}} {number}\n");
            assert!(text.into_text().ends_with(&line));
        }
    }
}
