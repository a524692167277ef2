//! Everything that rooms said to clients and servers, to compare two runs that ought to be alike.

use std::collections::BTreeMap;

use crate::world::World;

#[derive(Default)]
pub struct Transcript {
    lines: Vec<String>,
    /// The stored epochs of each room, in order.
    lives: BTreeMap<String, Vec<String>>,
}

impl Transcript {
    /// Takes note of the room's epoch.
    pub fn look(&mut self, world: &World) {
        let Some(meta) = &world.store.meta else {
            return;
        };
        let lives = self.lives.entry(world.name.clone()).or_default();
        if !lives.contains(&meta.epoch) {
            lives.push(meta.epoch.clone());
        }
    }

    /// A room said `text` to `whom`. Its epochs are told by their number: which names they have
    /// depends on how often a room that nobody had used was put away.
    pub fn says(&mut self, time: u64, world: &World, whom: &str, text: &str) {
        let mut line = format!("{time} {} {whom} {text}", world.name);
        let lives = self.lives.get(&world.name).into_iter().flatten();
        for (number, epoch) in lives.enumerate() {
            if line.contains(&**epoch) {
                line = line.replace(&**epoch, &format!("#{number}"));
            }
        }
        self.lines.push(line);
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether the rooms were put away or not, everybody got the same bytes at the same time.
    pub fn compare(&self, slept: &Transcript) {
        for (stayed, slept) in self.lines.iter().zip(&slept.lines) {
            if stayed != slept {
                let (stayed, slept) = (mask(stayed), mask(slept));
                assert_eq!(stayed, slept, "it was noticed that the room slept");
            }
        }
        assert_eq!(self.lines.len(), slept.lines.len());
    }
}

/// Without what is random, and differs when a room that nobody had used was put away: its keys, and
/// epochs that are not stored.
fn mask(frame: &str) -> String {
    let mut text = frame.to_owned();
    for key in ["\"session\":\"", "\"epoch\":\"e"] {
        let mut from = 0;
        while let Some(place) = text[from..].find(key) {
            from += place + key.len();
            let end = text[from..].find('"').map_or(text.len(), |end| from + end);
            text.replace_range(from..end, "");
        }
    }
    text
}
