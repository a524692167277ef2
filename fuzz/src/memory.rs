//! Storage in memory that is as strict as a database, and fails when told to.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use roomful::protocol::{ConnectionId, Json};
use roomful::room::{
    Direction, LogHead, LogRow, MemberRow, Meta, Place, Store, StoreError, StoreResult,
};

#[derive(Default)]
pub struct Memory {
    pub meta: Option<Meta>,
    pub members: BTreeMap<ConnectionId, MemberRow>,
    pub bans: BTreeMap<String, u64>,
    pub log: BTreeMap<u64, LogRow>,
    /// So many calls succeed before one fails; `None` if none is to fail.
    pub fails_after: Option<u8>,
    /// How much it claims to hold.
    pub size: u64,
    /// How often everything was forgotten, the alarm included.
    pub erased: u32,
    /// Whether rows may be what no room has written.
    pub made_up: bool,
}

impl Memory {
    /// Offset of the last stored message.
    pub fn offset(&self) -> u64 {
        self.log.last_key_value().map_or(0, |(_, row)| row.last)
    }

    fn call(&mut self) -> StoreResult<()> {
        let fails = self.fails_after == Some(0);
        self.fails_after = self.fails_after.and_then(|left| left.checked_sub(1));
        if fails {
            return Err(StoreError("told to fail".to_owned()));
        }
        Ok(())
    }
}

impl Store for Memory {
    fn meta(&mut self) -> StoreResult<Option<Meta>> {
        self.call()?;
        Ok(self.meta.clone())
    }

    fn put_meta(&mut self, meta: &Meta) -> StoreResult<()> {
        self.call()?;
        self.meta = Some(meta.clone());
        Ok(())
    }

    fn members(
        &mut self,
        wanted: &mut dyn FnMut(ConnectionId, bool) -> bool,
    ) -> StoreResult<Vec<MemberRow>> {
        self.call()?;
        let rows = self.members.values();
        let is_wanted = |row: &&MemberRow| wanted(row.connection, !row.state.is_null());
        Ok(rows.filter(is_wanted).cloned().collect())
    }

    fn put_member(&mut self, row: &MemberRow) -> StoreResult<()> {
        self.call()?;
        self.members.insert(row.connection, row.clone());
        Ok(())
    }

    fn set_state(&mut self, connection: ConnectionId, state: &Json<'_>) -> StoreResult<()> {
        self.call()?;
        if let Some(row) = self.members.get_mut(&connection) {
            row.state = state.clone().into_owned();
        }
        Ok(())
    }

    fn delete_member(&mut self, connection: ConnectionId) -> StoreResult<()> {
        self.call()?;
        self.members.remove(&connection);
        Ok(())
    }

    fn ban(&mut self, user: &str) -> StoreResult<Option<u64>> {
        self.call()?;
        Ok(self.bans.get(user).copied())
    }

    fn put_ban(&mut self, user: &str, until: u64) -> StoreResult<()> {
        self.call()?;
        self.bans.insert(user.to_owned(), until);
        Ok(())
    }

    fn count_bans(&mut self, now: u64) -> StoreResult<u64> {
        self.call()?;
        self.bans.retain(|_, until| *until > now);
        Ok(self.bans.len() as u64)
    }

    fn heads(
        &mut self,
        after: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogHead) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        self.call()?;
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
        self.call()?;
        let holds = |row: &&LogRow| row.last > after && row.first < before;
        let rows = self.log.values().filter(holds).cloned();
        let _ = match direction {
            Direction::Forward => rows.into_iter().try_for_each(visit),
            Direction::Backward => rows.rev().try_for_each(visit),
        };
        Ok(())
    }

    fn ids(&mut self, after: u64, visit: &mut dyn FnMut(LogHead, &str)) -> StoreResult<()> {
        self.call()?;
        let rows = self.log.values().filter(|row| row.last > after);
        for row in rows.filter(|row| !row.ids.is_empty()) {
            visit(row.head(), &row.ids);
        }
        Ok(())
    }

    fn append(&mut self, row: &LogRow, place: Place) -> StoreResult<()> {
        self.call()?;
        assert!(
            self.made_up || row.first == self.offset() + 1,
            "offsets are dense"
        );
        assert!(self.made_up || row.last >= row.first, "no row is empty");
        assert!(row.messages.len() + row.ids.len() + row.skips.len() < 2_000_000);
        if let Some((_, newest)) = self.log.last_key_value().filter(|_| !self.made_up) {
            assert!(row.at >= newest.at, "times of rows do not fall");
            let comma = u64::from(matches!(place, Place::Onto(_)));
            assert_eq!(row.total, newest.total + comma + row.bytes());
        }
        match place {
            Place::New => {}
            Place::Over(first) => {
                self.log.remove(&first).expect("the row to reuse is there");
            }
            Place::Onto(first) => {
                let newest = self.log.keys().next_back() == Some(&first);
                assert!(self.made_up || newest, "the newest row grows");
                let grown = self.log.get_mut(&first).expect("the row is there");
                grown.ids = joined(&grown.ids, &row.ids);
                grown.skips = joined(&grown.skips, &row.skips);
                grown.messages = format!("{},{}", grown.messages, row.messages);
                (grown.last, grown.at, grown.total) = (row.last, row.at, row.total);
                return Ok(());
            }
        }
        self.log.insert(row.first, row.clone());
        Ok(())
    }

    fn forget(&mut self, first: u64, text: bool) -> StoreResult<()> {
        self.call()?;
        self.log.retain(|key, _| *key >= first);
        if let Some(row) = self.log.get_mut(&first).filter(|_| text) {
            (row.ids, row.skips, row.messages) = Default::default();
        }
        Ok(())
    }

    fn size(&mut self) -> StoreResult<u64> {
        self.call()?;
        Ok(self.size)
    }

    fn erase(&mut self, now: u64) -> StoreResult<Option<u64>> {
        self.call()?;
        self.erased += 1;
        self.meta = None;
        self.members.clear();
        self.log.clear();
        self.bans.retain(|_, until| *until > now);
        Ok(self.bans.values().max().copied())
    }
}

/// Two lists as one, as SQL joins them; an empty one is no text.
fn joined(list: &str, more: &str) -> String {
    match (list.strip_suffix(']'), more.strip_prefix('[')) {
        (Some(list), Some(more)) => format!("{list},{more}"),
        _ => format!("{list}{more}"),
    }
}
