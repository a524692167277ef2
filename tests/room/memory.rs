//! Storage in memory that is as strict as a database, and fails on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use roomful::protocol::{ConnectionId, Json};
use roomful::room::{
    Direction, LogHead, LogRow, MemberRow, Meta, Place, Store, StoreError, StoreResult,
};

#[derive(Clone, Default)]
pub struct Memory {
    pub meta: Option<Meta>,
    pub members: BTreeMap<ConnectionId, MemberRow>,
    pub bans: BTreeMap<String, u64>,
    pub log: BTreeMap<u64, LogRow>,
    /// Calls of these names fail.
    pub failing: BTreeSet<&'static str>,
    /// What fails does so because the database is full.
    pub full: bool,
    /// So many calls of `append` succeed before one fails.
    pub append_fails_after: Option<u32>,
    /// So many calls of `heads` succeed before the others fail.
    pub heads_fail_after: Option<u32>,
    /// A seed of failures: one call in `one_in` fails.
    pub random: Option<(crate::simulation::Random, u64)>,
    pub rows_written: u64,
    /// What the database takes, if somebody asks.
    pub size: u64,
    /// Failures after which a room does not know its oldest row, since it was erased last.
    pub oldest_lost: u64,
    /// How often everything was erased, the alarm included.
    pub erased: u64,
    /// Members' rows that were read as a whole.
    pub members_read: usize,
    pub appends: u64,
    /// How many of them went into a row that was there.
    pub grown: u64,
}

impl Memory {
    pub fn newest_offset(&self) -> u64 {
        self.log.last_key_value().map_or(0, |(_, row)| row.last)
    }

    /// Becomes what was saved, but for what a test has set and counts.
    pub fn roll_back(&mut self, saved: Memory) {
        *self = Memory {
            failing: std::mem::take(&mut self.failing),
            append_fails_after: self.append_fails_after,
            heads_fail_after: self.heads_fail_after,
            random: self.random.take(),
            rows_written: self.rows_written,
            oldest_lost: self.oldest_lost,
            erased: self.erased,
            full: self.full,
            members_read: self.members_read,
            appends: self.appends,
            grown: self.grown,
            ..saved
        };
    }

    fn call(&mut self, name: &'static str) -> StoreResult<()> {
        let unlucky = match &mut self.random {
            Some((random, one_in)) => random.below(*one_in) == 0,
            None => false,
        };
        if self.failing.contains(name) || unlucky {
            self.oldest_lost += u64::from(matches!(name, "heads" | "forget"));
            let reason = if self.full { ": SQLITE_FULL" } else { "" };
            return Err(StoreError(format!("{name} fails{reason}")));
        }
        Ok(())
    }

    fn write(&mut self, name: &'static str) -> StoreResult<()> {
        self.call(name)?;
        self.rows_written += 1;
        Ok(())
    }
}

impl Store for Memory {
    fn meta(&mut self) -> StoreResult<Option<Meta>> {
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
        let rows = self.members.values();
        let read: Vec<MemberRow> = rows
            .filter(|row| wanted(row.connection, !row.state.is_null()))
            .cloned()
            .collect();
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
        self.call("ban")?;
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

    fn heads(
        &mut self,
        after: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogHead) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        self.call("heads")?;
        if self.heads_fail_after == Some(0) {
            return Err(StoreError("heads fails".to_owned()));
        }
        self.heads_fail_after = self.heads_fail_after.map(|left| left - 1);
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
        self.call("rows")?;
        let holds = |row: &&LogRow| row.last > after && row.first < before;
        let mut rows: Vec<LogRow> = self.log.values().filter(holds).cloned().collect();
        if direction == Direction::Backward {
            rows.reverse();
        }
        for row in rows {
            if visit(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn ids(&mut self, after: u64, visit: &mut dyn FnMut(LogHead, &str)) -> StoreResult<()> {
        self.call("ids")?;
        for row in self
            .log
            .values()
            .filter(|row| row.last > after && !row.ids.is_empty())
        {
            visit(row.head(), &row.ids);
        }
        Ok(())
    }

    fn append(&mut self, row: &LogRow, place: Place) -> StoreResult<()> {
        if self.append_fails_after == Some(0) {
            return Err(StoreError("append fails".to_owned()));
        }
        self.append_fails_after = self.append_fails_after.map(|left| left - 1);
        self.write("append")?;
        self.appends += 1;
        assert_eq!(row.first, self.newest_offset() + 1, "offsets are dense");
        assert!(row.last >= row.first, "no row is empty");
        if let Some((_, newest)) = self.log.last_key_value() {
            assert!(row.at >= newest.at, "times of rows do not fall");
            let comma = u64::from(matches!(place, Place::Onto(_)));
            let total = newest.total + comma + row.bytes();
            assert_eq!(row.total, total, "totals add up");
        }
        assert!(row.messages.len() + row.ids.len() + row.skips.len() < 2_000_000);
        if let Place::Over(first) = place {
            assert!(
                self.log.remove(&first).is_some(),
                "the row to reuse is there"
            );
        }
        if let Place::Onto(first) = place {
            self.grown += 1;
            let (newest, old) = self.log.last_key_value().expect("there is a row");
            assert_eq!(*newest, first, "the newest row grows");
            assert!(!old.messages.is_empty() && !row.messages.is_empty());
            let grown = LogRow {
                first,
                ids: joined(&old.ids, &row.ids),
                skips: joined(&old.skips, &row.skips),
                messages: format!("{},{}", old.messages, row.messages),
                ..*row
            };
            self.log.insert(first, grown);
            return Ok(());
        }
        self.log.insert(row.first, row.clone());
        Ok(())
    }

    fn forget(&mut self, first: u64, text: bool) -> StoreResult<()> {
        self.call("forget")?;
        let before = self.log.len();
        self.log.retain(|_, row| row.first >= first);
        self.rows_written += (before - self.log.len()) as u64;
        if text {
            self.rows_written += 1;
            let row = self.log.get_mut(&first).expect("the row is there");
            (row.ids, row.skips, row.messages) = Default::default();
        }
        assert!(before == 0 || !self.log.is_empty(), "the offset is kept");
        Ok(())
    }

    fn size(&mut self) -> StoreResult<u64> {
        self.call("size")?;
        Ok(self.size)
    }

    fn erase(&mut self, now: u64) -> StoreResult<Option<u64>> {
        self.write("erase")?;
        (self.erased, self.oldest_lost) = (self.erased + 1, 0);
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

/// Two lists as one; an empty one is no text.
fn joined(list: &str, more: &str) -> String {
    let mut whole = Vec::new();
    for text in [list, more].into_iter().filter(|text| !text.is_empty()) {
        whole.extend(serde_json::from_str::<Vec<serde_json::Value>>(text).expect("a list"));
    }
    match whole.len() {
        0 => String::new(),
        _ => serde_json::to_string(&whole).unwrap(),
    }
}
