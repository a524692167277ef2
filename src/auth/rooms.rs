//! Which rooms a token reaches (T2).

/// The rooms of a token's `room` claim: names, and beginnings of names.
///
/// ```
/// use roomful::auth::Rooms;
///
/// let rooms = Rooms::new(["lobby", "team-7:*"]);
/// assert!(rooms.contains("lobby") && rooms.contains("team-7:plans"));
/// assert!(!rooms.contains("lobby2") && !rooms.contains("team-8:plans"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rooms(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exact(Box<str>),
    Prefix(Box<str>),
}

/// How many entries a token's `room` may have.
pub(super) const MAX_ROOMS: usize = 100;

impl Rooms {
    /// The rooms that these entries name. A final `*` stands for any rest, the
    /// empty one included; anywhere else it stands for itself and so, as no room
    /// name has one, for no room.
    pub fn new<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Rooms {
        let pattern = |entry: S| match entry.as_ref().strip_suffix('*') {
            Some(prefix) => Pattern::Prefix(prefix.into()),
            None => Pattern::Exact(entry.as_ref().into()),
        };
        Rooms(entries.into_iter().map(pattern).collect())
    }

    /// Every room there is.
    pub fn every() -> Rooms {
        Rooms::new(["*"])
    }

    /// Whether an entry is `*` alone, which no list of names and beginnings comes up to.
    pub fn are_all(&self) -> bool {
        self.0
            .iter()
            .any(|pattern| matches!(pattern, Pattern::Prefix(prefix) if prefix.is_empty()))
    }

    /// Whether this room, by its decoded name, is one of them.
    pub fn contains(&self, room: &str) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Exact(name) => **name == *room,
            Pattern::Prefix(prefix) => room.starts_with(&**prefix),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_without_entries_no_room_is_reached() {
        let none: [&str; 0] = [];
        for room in ["lobby", "*", "a"] {
            assert!(!Rooms::new(none).contains(room));
            assert!(!Rooms::default().contains(room));
            assert!(!Rooms::new([""]).contains(room));
        }
    }

    #[test]
    fn t2_a_name_matches_itself_alone() {
        let rooms = Rooms::new(["lobby"]);
        assert!(rooms.contains("lobby"));
        for room in ["Lobby", "lobby ", "lobb", "lobby:1", ""] {
            assert!(!rooms.contains(room), "{room}");
        }
    }

    #[test]
    fn t2_a_final_star_matches_any_rest() {
        let rooms = Rooms::new(["doc:*"]);
        for room in ["doc:", "doc:1", "doc:1:2"] {
            assert!(rooms.contains(room), "{room}");
        }
        for room in ["doc", "docs:1", "xdoc:1"] {
            assert!(!rooms.contains(room), "{room}");
        }
        assert!(Rooms::every().contains("anything"));
    }

    #[test]
    fn h9_only_a_star_alone_is_all_rooms() {
        for entries in [&["*"][..], &["lobby", "*"], &["**", "*"]] {
            assert!(Rooms::new(entries).are_all(), "{entries:?}");
        }
        assert!(Rooms::every().are_all());
        for entries in [&[][..], &[""], &["a*"], &["**"], &["*a*", " *", "* "]] {
            assert!(!Rooms::new(entries).are_all(), "{entries:?}");
        }
    }

    #[test]
    fn t2_a_star_elsewhere_matches_nothing() {
        let rooms = Rooms::new(["a*b", "*a", "x**"]);
        for room in ["aXb", "ab", "Xa", "x", "xy"] {
            assert!(!rooms.contains(room), "{room}");
        }
    }
}
