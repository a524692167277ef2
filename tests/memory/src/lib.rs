//! Storage of a room in memory, for tests, fuzzing and benchmarks.
//!
//! It is as strict as a database and stricter: what no room may write is a panic. Which calls fail is
//! decided by its [`Faults`].

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use roomful::protocol::{ConnectionId, Json};
use roomful::room::{Direction, LogHead, LogRow, MemberRow, Meta, Place, Store, StoreResult};

/// More than this no row of SQLite in a Durable Object may hold.
const ROW_BYTES: usize = 2_000_000;

/// What goes wrong with storage.
pub trait Faults {
    /// Asked before each call, with the name of its method: an error is what the call ends with.
    fn judge(&mut self, call: &'static str) -> StoreResult<()>;
}

/// Nothing goes wrong.
impl Faults for () {
    fn judge(&mut self, _: &'static str) -> StoreResult<()> {
        Ok(())
    }
}

/// The rows of one room, and what was done to them.
#[derive(Clone, Debug, Default)]
pub struct Memory<F = ()> {
    /// What makes it this room.
    pub meta: Option<Meta>,
    /// Members' rows.
    pub members: BTreeMap<ConnectionId, MemberRow>,
    /// Until when (milliseconds) users are banned.
    pub bans: BTreeMap<String, u64>,
    /// Rows of the log, by their `first`.
    pub log: BTreeMap<u64, LogRow>,
    /// What the database takes, in bytes, if somebody asks.
    pub size: u64,

    /// Which calls fail.
    pub faults: F,
    /// Rows may be what no room has written.
    pub made_up: bool,

    /// Rows written so far.
    pub rows_written: u64,
    /// How often everything was erased, the alarm included.
    pub erased: u64,
    /// Members' rows that were read as a whole.
    pub members_read: usize,
    /// How often messages were added.
    pub appends: u64,
    /// How many of these went into a row that was there.
    pub grown: u64,
}

impl<F> Memory<F> {
    /// Offset of the last stored message, 0 if there is none.
    pub fn newest_offset(&self) -> u64 {
        self.log.last_key_value().map_or(0, |(_, row)| row.last)
    }

    /// Becomes what was saved. What was counted stays, and so do the faults.
    pub fn roll_back(&mut self, saved: Memory<F>) {
        (self.meta, self.members) = (saved.meta, saved.members);
        (self.bans, self.log) = (saved.bans, saved.log);
        self.size = saved.size;
    }

    /// Panics unless the row is one that a room may write there.
    fn check(&self, row: &LogRow, place: Place) {
        assert_eq!(row.first, self.newest_offset() + 1, "offsets are dense");
        assert!(row.last >= row.first, "no row is empty");
        let Some((first, newest)) = self.log.last_key_value() else {
            return;
        };
        assert!(row.at >= newest.at, "times of rows do not fall");
        let comma = u64::from(matches!(place, Place::Onto(_)));
        let total = newest.total + comma + row.bytes();
        assert_eq!(row.total, total, "totals add up");
        if let Place::Onto(onto) = place {
            assert_eq!(*first, onto, "the newest row grows");
            let empty = newest.messages.is_empty() || row.messages.is_empty();
            assert!(!empty, "a comma stands between messages");
        }
    }
}

impl<F: Faults> Memory<F> {
    fn write(&mut self, call: &'static str) -> StoreResult<()> {
        self.faults.judge(call)?;
        self.rows_written += 1;
        Ok(())
    }
}

impl<F: Faults> Store for Memory<F> {
    fn meta(&mut self) -> StoreResult<Option<Meta>> {
        self.faults.judge("meta")?;
        Ok(self.meta.clone())
    }

    fn put_meta(&mut self, meta: &Meta) -> StoreResult<()> {
        self.write("put_meta")?;
        self.meta = Some(meta.clone());
        Ok(())
    }

    fn members(
        &mut self,
        wanted: &mut dyn FnMut(ConnectionId, bool) -> bool,
    ) -> StoreResult<Vec<MemberRow>> {
        self.faults.judge("members")?;
        let rows = self.members.values();
        let is_wanted = |row: &&MemberRow| wanted(row.connection, !row.state.is_null());
        let read: Vec<MemberRow> = rows.filter(is_wanted).cloned().collect();
        self.members_read += read.len();
        Ok(read)
    }

    fn put_member(&mut self, row: &MemberRow) -> StoreResult<()> {
        self.write("put_member")?;
        self.members.insert(row.connection, row.clone());
        Ok(())
    }

    fn set_state(&mut self, connection: ConnectionId, state: &Json<'_>) -> StoreResult<()> {
        self.write("set_state")?;
        if let Some(row) = self.members.get_mut(&connection) {
            row.state = state.clone().into_owned();
        }
        Ok(())
    }

    fn delete_member(&mut self, connection: ConnectionId) -> StoreResult<()> {
        self.write("delete_member")?;
        self.members.remove(&connection);
        Ok(())
    }

    fn ban(&mut self, user: &str) -> StoreResult<Option<u64>> {
        self.faults.judge("ban")?;
        Ok(self.bans.get(user).copied())
    }

    fn put_ban(&mut self, user: &str, until: u64) -> StoreResult<()> {
        self.write("put_ban")?;
        self.bans.insert(user.to_owned(), until);
        Ok(())
    }

    fn count_bans(&mut self, now: u64) -> StoreResult<u64> {
        self.write("count_bans")?;
        self.bans.retain(|_, until| *until > now);
        Ok(self.bans.len() as u64)
    }

    fn forget_ban(&mut self, now: u64) -> StoreResult<bool> {
        self.write("forget_ban")?;
        let ended = self.bans.iter().filter(|(_, until)| **until <= now);
        let first = ended.min_by_key(|(_, until)| **until);
        let user = first.map(|(user, _)| user.clone());
        Ok(user.is_some_and(|user| self.bans.remove(&user).is_some()))
    }

    fn heads(
        &mut self,
        after: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogHead) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        self.faults.judge("heads")?;
        let rows = self.log.values().filter(|row| row.last > after);
        let _ = match direction {
            Direction::Forward => rows.map(LogRow::head).try_for_each(visit),
            Direction::Backward => rows.rev().map(LogRow::head).try_for_each(visit),
        };
        Ok(())
    }

    fn rows(
        &mut self,
        after: u64,
        before: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogRow) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        self.faults.judge("rows")?;
        let holds = |row: &&LogRow| row.last > after && row.first < before;
        let mut rows = self.log.values().filter(holds).cloned();
        let _ = match direction {
            Direction::Forward => rows.try_for_each(visit),
            Direction::Backward => rows.rev().try_for_each(visit),
        };
        Ok(())
    }

    fn ids(&mut self, after: u64, visit: &mut dyn FnMut(LogHead, &str)) -> StoreResult<()> {
        self.faults.judge("ids")?;
        let rows = self.log.values().filter(|row| row.last > after);
        for row in rows.filter(|row| !row.ids.is_empty()) {
            visit(row.head(), &row.ids);
        }
        Ok(())
    }

    fn append(&mut self, row: &LogRow, place: Place) -> StoreResult<()> {
        self.write("append")?;
        self.appends += 1;
        assert!(row.messages.len() + row.ids.len() + row.skips.len() < ROW_BYTES);
        if !self.made_up {
            self.check(row, place);
        }
        match place {
            Place::New => {}
            Place::Over(first) => {
                let old = self.log.remove(&first);
                assert!(old.is_some(), "the row to reuse is there");
            }
            Place::Onto(first) => {
                self.grown += 1;
                let grown = self.log.get_mut(&first).expect("the row to grow is there");
                (grown.last, grown.at, grown.total) = (row.last, row.at, row.total);
                join(&mut grown.ids, &row.ids);
                join(&mut grown.skips, &row.skips);
                grown.messages.push(',');
                grown.messages.push_str(&row.messages);
                return Ok(());
            }
        }
        self.log.insert(row.first, row.clone());
        Ok(())
    }

    fn forget(&mut self, first: u64, text: bool) -> StoreResult<()> {
        self.faults.judge("forget")?;
        let before = self.log.len();
        self.log.retain(|_, row| row.first >= first);
        self.rows_written += (before - self.log.len()) as u64;
        if text {
            self.rows_written += 1;
            let row = self.log.get_mut(&first);
            assert!(self.made_up || row.is_some(), "the row to empty is there");
            if let Some(row) = row {
                (row.ids, row.skips, row.messages) = Default::default();
            }
        }
        let kept = before == 0 || !self.log.is_empty();
        assert!(self.made_up || kept, "the offset is kept");
        Ok(())
    }

    fn size(&mut self) -> StoreResult<u64> {
        self.faults.judge("size")?;
        Ok(self.size)
    }

    fn erase(&mut self, now: u64) -> StoreResult<Option<u64>> {
        self.write("erase")?;
        self.erased += 1;
        self.meta = None;
        self.members.clear();
        self.log.clear();
        self.bans.retain(|_, until| *until > now);
        Ok(self.bans.values().max().copied())
    }

    fn rows_written(&mut self) -> u64 {
        self.rows_written
    }
}

/// Adds a JSON array to another one as the Worker's SQL does. No text is an empty one.
fn join(list: &mut String, more: &str) {
    if list.is_empty() {
        list.push_str(more);
    } else if let Some(more) = more.strip_prefix('[') {
        list.pop();
        list.push(',');
        list.push_str(more);
    }
}
