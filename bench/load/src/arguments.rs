//! What is asked for on the command line: a workload, then pairs of `--name value`.

use std::collections::BTreeMap;
use std::str::FromStr;

pub struct Arguments {
    values: BTreeMap<String, String>,
}

impl Arguments {
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut values = BTreeMap::new();
        while let Some(argument) = args.next() {
            let name = argument
                .strip_prefix("--")
                .ok_or_else(|| format!("{argument} is no option"))?;
            let value = args
                .next()
                .ok_or_else(|| format!("--{name} needs a value"))?;
            values.insert(name.to_owned(), value);
        }
        Ok(Arguments { values })
    }

    /// Each option may be taken once.
    pub fn optional<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let parse = |value: String| {
            let wrong = |_| format!("cannot take --{name} {value}");
            value.parse().map_err(wrong)
        };
        self.values.remove(name).map(parse).transpose()
    }

    pub fn take<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    pub fn required<T: FromStr>(&mut self, name: &str) -> Result<T, String> {
        self.optional(name)?
            .ok_or_else(|| format!("--{name} is needed"))
    }

    /// A number of people, messages and the like: at least one.
    pub fn count(&mut self, name: &str, default: usize) -> Result<usize, String> {
        match self.take(name, default)? {
            0 => Err(format!("--{name} from 1")),
            count => Ok(count),
        }
    }

    /// Seconds, as microseconds.
    pub fn seconds(&mut self, name: &str, default: f64) -> Result<u64, String> {
        let seconds = self.take(name, default)?;
        if (0.0..=86_400.0).contains(&seconds) {
            Ok((seconds * 1e6) as u64)
        } else {
            Err(format!("--{name} from 0 to 86400"))
        }
    }

    /// Once everything was taken: what is left is misspelt, or asked of the wrong workload.
    pub fn finish(self) -> Result<(), String> {
        match self.values.into_keys().next() {
            Some(name) => Err(format!("this workload has no --{name}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Arguments {
        Arguments::parse(text.split(' ').map(str::to_owned)).expect("pairs")
    }

    #[test]
    fn what_is_not_taken_is_refused() {
        let mut some = arguments("--people 5 --seconds 0.5 --spelt wrong");
        assert_eq!(some.count("people", 1), Ok(5));
        assert_eq!(some.seconds("seconds", 1.0), Ok(500_000));
        assert_eq!(some.take("rate", 20.0), Ok(20.0));
        assert!(some.finish().is_err());
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert!(arguments("--people none").count("people", 1).is_err());
        assert!(arguments("--people 0").count("people", 1).is_err());
        assert!(arguments("--seconds -1").seconds("seconds", 1.0).is_err());
        assert!(Arguments::parse(["--people".to_owned()].into_iter()).is_err());
    }
}
