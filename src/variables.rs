//! The names of the deployment's variables, and what an operator probably meant by another one.

use crate::protocol::{InvalidVariable, Limits};

/// Those that are no limits ([`Limits::VARIABLES`]).
pub const NAMES: [&str; 8] = [
    "ROOMFUL_SECRETS",
    "ROOMFUL_JWKS_URL",
    "ROOMFUL_AUDIENCE",
    "ROOMFUL_ISSUER",
    "ROOMFUL_ANONYMOUS",
    "ALLOWED_ORIGINS",
    "ROOM_JURISDICTION",
    "ROOM_LOCATION",
];

/// All that are read.
pub fn known() -> impl Iterator<Item = &'static str> {
    let limits = Limits::VARIABLES.iter().map(|variable| variable.name);
    NAMES.into_iter().chain(limits)
}

/// What the names that belong to nobody else begin with.
const PREFIX: &str = "ROOMFUL_";

/// How many characters a misspelt name may be away from the one that was meant.
const SLIPS: usize = 2;

/// Where Cloudflare can keep an object: what `ROOM_JURISDICTION` may be (H8).
const JURISDICTIONS: &str = "must be one of eu, us, fedramp, fedramp-high";
/// Where Cloudflare can make an object: what `ROOM_LOCATION` may be (H8).
const LOCATIONS: &str = "must be one of wnam, enam, sam, weur, eeur, apac, oc, afr, me";

/// Where rooms are to be (H8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// `ROOM_JURISDICTION`: where the rooms' objects must stay.
    pub jurisdiction: Option<String>,
    /// `ROOM_LOCATION`: where they should begin.
    pub location: Option<String>,
}

impl Placement {
    /// Reads the variables through `get`. One that is absent or blank is unset.
    ///
    /// # Errors
    /// [`InvalidVariable`] for a place that Cloudflare does not have: better than rooms that
    /// cannot be reached, or that are somewhere else.
    pub fn from_variables(
        get: impl Fn(&str) -> Option<String>,
    ) -> Result<Placement, InvalidVariable> {
        let read = |name: &'static str, places: &'static str| {
            let value = get(name).map(|value| value.trim().to_owned());
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                return Ok(None);
            };
            let known = places.split([' ', ',']).skip(4).any(|place| place == value);
            let invalid = InvalidVariable {
                name,
                reason: places.into(),
            };
            known.then_some(Some(value)).ok_or(invalid)
        };
        Ok(Placement {
            jurisdiction: read("ROOM_JURISDICTION", JURISDICTIONS)?,
            location: read("ROOM_LOCATION", LOCATIONS)?,
        })
    }
}

/// A variable that is set, that nothing reads, and that looks as if something should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misspelt {
    /// The name that was probably meant.
    pub meant: Option<&'static str>,
}

/// Judges the name of a variable that is set.
///
/// ```
/// use roomful::variables::misspelt;
///
/// assert_eq!(misspelt("ROOMFUL_SECRET").and_then(|it| it.meant), Some("ROOMFUL_SECRETS"));
/// assert_eq!(misspelt("ROOMFUL_SECRETS"), None);
/// assert_eq!(misspelt("DATABASE_URL"), None);
/// ```
pub fn misspelt(name: &str) -> Option<Misspelt> {
    if known().any(|it| it == name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let ours = upper.strip_prefix(PREFIX);
    let near = |it: &&'static str| {
        let bare = it.strip_prefix(PREFIX).unwrap_or(it);
        is_near(&upper, it) || ours.is_some_and(|rest| is_near(rest, bare))
    };
    let meant = known().find(near);
    (meant.is_some() || ours.is_some()).then_some(Misspelt { meant })
}

/// Whether so few letters were changed, left out or added. Changes in the middle alone are found: what the two have in
/// common at their beginning and at their end is taken off, and little may be left.
fn is_near(one: &str, other: &str) -> bool {
    let start = one
        .bytes()
        .zip(other.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let rest = |text: &str| text.len().saturating_sub(start);
    let end = one
        .bytes()
        .rev()
        .zip(other.bytes().rev())
        .take(rest(one).min(rest(other)))
        .take_while(|(a, b)| a == b)
        .count();
    rest(one).max(rest(other)).saturating_sub(end) <= SLIPS
}

#[cfg(test)]
mod tests;
