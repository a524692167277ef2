//! What a bearer may do in a room (T2).

use std::fmt;
use std::ops::BitOr;

use serde::{Serialize, Serializer};

use crate::protocol::{Error, ErrorCode};

/// A set of rights.
///
/// [`ADMIN`](Rights::ADMIN) is the set of all of them, so [`has`](Rights::has)
/// needs no special case for it.
///
/// ```
/// use roomful::auth::Rights;
///
/// let can = Rights::from_names(["subscribe", "publish", "fly"]);
/// assert!(can.has(Rights::PUBLISH) && !can.has(Rights::HISTORY));
/// assert!(Rights::ADMIN.has(Rights::HISTORY));
/// ```
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// Nothing at all: what `"can":[]` gives.
    pub const NONE: Rights = Rights(0);
    /// To receive messages.
    pub const SUBSCRIBE: Rights = Rights(1);
    /// To publish messages.
    pub const PUBLISH: Rights = Rights(1 << 1);
    /// To be listed, and to see who is.
    pub const PRESENCE: Rights = Rights(1 << 2);
    /// To read what was published before.
    pub const HISTORY: Rights = Rights(1 << 3);
    /// What a token without `can` gives: all but [`ADMIN`](Rights::ADMIN).
    pub const DEFAULT: Rights = Rights(0b1111);
    /// Everything, the administration of the room over HTTP included.
    pub const ADMIN: Rights = Rights(0b1_1111);
    /// The same as [`ADMIN`](Rights::ADMIN), which includes every right.
    pub const ALL: Rights = Rights::ADMIN;

    /// Each right by its name, in the order in which lists of rights are shown.
    const NAMED: [(&'static str, Rights); 5] = [
        ("subscribe", Rights::SUBSCRIBE),
        ("publish", Rights::PUBLISH),
        ("presence", Rights::PRESENCE),
        ("history", Rights::HISTORY),
        ("admin", Rights::ADMIN),
    ];

    /// The rights of these names. A name that this version does not know gives
    /// nothing, so that a token may name rights of a later one.
    pub fn from_names<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Rights {
        names.into_iter().fold(Rights::NONE, |rights, name| {
            Self::NAMED
                .iter()
                .filter(|(known, _)| *known == name.as_ref())
                .fold(rights, |rights, (_, right)| rights | *right)
        })
    }

    /// Whether all of `needed` are in this set.
    pub const fn has(self, needed: Rights) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Nothing if all of `needed` are in this set.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Forbidden`], with the names of what is missing.
    pub fn require(self, needed: Rights) -> Result<(), Error> {
        if self.has(needed) {
            return Ok(());
        }
        let missing = if needed.has(Rights::ADMIN) {
            "admin".to_owned()
        } else {
            Rights(needed.0 & !self.0)
                .names()
                .collect::<Vec<_>>()
                .join(", ")
        };
        Err(Error::new(ErrorCode::Forbidden).with_message(format!(
            "The token does not give the right to this: {missing}."
        )))
    }

    /// The names of the rights that hold, in the order of T2.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED
            .into_iter()
            .filter(move |(_, right)| self.has(*right))
            .map(|(name, _)| name)
    }

    /// The set as one small number, for storage that counts its bytes.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set that [`bits`](Rights::bits) wrote. Unknown bits are dropped.
    pub const fn from_bits(bits: u8) -> Rights {
        let known = bits & Rights::ALL.0;
        if known & !Rights::DEFAULT.0 == 0 {
            Rights(known)
        } else {
            Rights::ALL
        }
    }
}

impl BitOr for Rights {
    type Output = Rights;

    fn bitor(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }
}

impl Default for Rights {
    fn default() -> Self {
        Rights::DEFAULT
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// A JSON list of names.
impl Serialize for Rights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_unknown_names_give_nothing() {
        assert_eq!(
            Rights::from_names(["fly", "Publish", "", "admin "]),
            Rights::NONE
        );
        assert_eq!(Rights::from_names(["fly", "history"]), Rights::HISTORY);
    }

    #[test]
    fn t2_admin_includes_all() {
        let admin = Rights::from_names(["admin"]);
        for (name, right) in Rights::NAMED {
            assert!(admin.has(right), "{name}");
        }
        assert_eq!(
            serde_json::to_string(&admin).expect("a list"),
            r#"["subscribe","publish","presence","history","admin"]"#
        );
    }

    #[test]
    fn t2_the_first_four_together_are_not_admin() {
        assert!(!Rights::DEFAULT.has(Rights::ADMIN));
        let four = Rights::from_names(["history", "presence", "publish", "subscribe"]);
        assert_eq!(four, Rights::DEFAULT);
    }

    #[test]
    fn t2_a_missing_right_is_named() {
        let error = Rights::SUBSCRIBE.require(Rights::PUBLISH | Rights::SUBSCRIBE);
        let error = error.expect_err("publish is missing");
        assert_eq!(error.code, ErrorCode::Forbidden);
        assert!(error.message.ends_with(": publish."), "{}", error.message);
        let error = Rights::DEFAULT
            .require(Rights::ADMIN)
            .expect_err("no admin");
        assert!(error.message.ends_with(": admin."), "{}", error.message);
        assert_eq!(Rights::ADMIN.require(Rights::ADMIN), Ok(()));
    }

    #[test]
    fn t2_bits_come_back_as_they_were() {
        for bits in 0..=u8::MAX {
            let rights = Rights::from_bits(bits);
            assert_eq!(Rights::from_bits(rights.bits()), rights);
            assert_eq!(rights.has(Rights::ADMIN), rights == Rights::ALL);
        }
        assert_eq!(Rights::from_bits(0b1_0000), Rights::ALL);
        assert_eq!(Rights::from_bits(0b1110_0000), Rights::NONE);
    }
}
