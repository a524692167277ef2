//! The map for what is looked up and never listed.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// A hash map without randomness: the same inserts give the same order, so that a room does the
/// same twice. Compiles to a third of a `BTreeMap`'s size, and there are many of them.
///
/// The keys of its hash are known to everybody. Whoever makes up ids that collide makes the map that
/// holds them slow, so it must be a map with a bound.
pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;
