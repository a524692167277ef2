//! Which older messages are wanted.

use super::object::{Object, integer, wrong};
use super::{Error, MAX_HISTORY_LIMIT};

/// How many messages a query without `limit` asks for.
const DEFAULT_LIMIT: u32 = 100;

/// A question for older messages (R6). Without `after` it asks for the newest before `before`, or
/// before the end; with `after` for the oldest after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Comes back in the answer.
    pub id: Option<Box<str>>,
    /// Only messages with a smaller offset.
    pub before: Option<u64>,
    /// Only messages with a greater offset.
    pub after: Option<u64>,
    /// How many messages at most: 1 to [`MAX_HISTORY_LIMIT`].
    pub limit: u32,
}

impl HistoryQuery {
    /// Reads the query string of an HTTP request, with or without its `?` (H3). Other parameters
    /// are ignored, empty ones count as absent, and of repeated ones the first counts.
    ///
    /// ```
    /// use roomful::protocol::HistoryQuery;
    ///
    /// let query = HistoryQuery::from_query("after=41&limit=9999")?;
    /// assert_eq!((query.after, query.before, query.limit), (Some(41), None, 500));
    /// # Ok::<(), roomful::protocol::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`super::ErrorCode::BadMessage`] for what is no whole number, and for a limit of 0.
    pub fn from_query(query: &str) -> Result<Self, Error> {
        let query = query.strip_prefix('?').unwrap_or(query);
        let number = |name: &'static str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = pairs.find(|(key, value)| *key == name && !value.is_empty());
            value.map(|(_, value)| integer(name, value)).transpose()
        };
        Ok(HistoryQuery {
            id: None,
            before: number("before")?,
            after: number("after")?,
            limit: limit(number("limit")?)?,
        })
    }

    pub(crate) fn decode(object: &Object<'_>) -> Result<Self, Error> {
        Ok(HistoryQuery {
            id: object.id()?,
            before: object.integer("before")?,
            after: object.integer("after")?,
            limit: limit(object.integer("limit")?)?,
        })
    }
}

fn limit(asked: Option<u64>) -> Result<u32, Error> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(0) => Err(wrong("limit", "must be at least 1")),
        Some(asked) => Ok(u32::try_from(asked)
            .unwrap_or(u32::MAX)
            .min(MAX_HISTORY_LIMIT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ErrorCode;

    #[test]
    fn h3_a_query_string_asks_like_a_message() {
        let query = HistoryQuery::from_query("?after=3&before=9&limit=7&x=1").unwrap();
        let expected = HistoryQuery {
            id: None,
            before: Some(9),
            after: Some(3),
            limit: 7,
        };
        assert_eq!(query, expected);
        for empty in ["", "?", "after=&before=&limit=", "&&", "after", "afterx=1"] {
            let query = HistoryQuery::from_query(empty).unwrap();
            assert_eq!((query.before, query.after, query.limit), (None, None, 100));
        }
        assert_eq!(HistoryQuery::from_query("limit=501").unwrap().limit, 500);
    }

    #[test]
    fn h3_a_query_string_with_other_numbers_is_refused() {
        for query in [
            "limit=0",
            "limit=-1",
            "limit=1.5",
            "limit=ten",
            "after=-1",
            "after=%31",
            "after=+1",
            "before=9007199254740992",
            "before=99999999999999999999",
        ] {
            let error = HistoryQuery::from_query(query).unwrap_err();
            assert_eq!(error.code, ErrorCode::BadMessage, "{query}");
        }
    }
}
