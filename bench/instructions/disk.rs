//! Storage that costs next to nothing, so that what is counted is the room.

use std::ops::ControlFlow;

use roomful::protocol::{ConnectionId, Json};
use roomful::room::{Direction, LogHead, LogRow, MemberRow, Meta, Place, Store, StoreResult};

#[derive(Clone, Default)]
pub struct Disk {
    pub meta: Option<Meta>,
    members: Vec<MemberRow>,
    log: Vec<LogRow>,
}

impl Store for Disk {
    fn meta(&mut self) -> StoreResult<Option<Meta>> {
        Ok(self.meta.clone())
    }

    fn put_meta(&mut self, meta: &Meta) -> StoreResult<()> {
        self.meta = Some(meta.clone());
        Ok(())
    }

    fn members(
        &mut self,
        wanted: &mut dyn FnMut(ConnectionId, bool) -> bool,
    ) -> StoreResult<Vec<MemberRow>> {
        let rows = self.members.iter();
        Ok(rows
            .filter(|row| wanted(row.connection, !row.state.is_null()))
            .cloned()
            .collect())
    }

    fn put_member(&mut self, row: &MemberRow) -> StoreResult<()> {
        self.members.push(row.clone());
        Ok(())
    }

    fn set_state(&mut self, _: ConnectionId, _: &Json<'_>) -> StoreResult<()> {
        Ok(())
    }

    fn delete_member(&mut self, connection: ConnectionId) -> StoreResult<()> {
        self.members.retain(|row| row.connection != connection);
        Ok(())
    }

    fn ban(&mut self, _: &str) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    fn put_ban(&mut self, _: &str, _: u64) -> StoreResult<()> {
        Ok(())
    }

    fn count_bans(&mut self, _: u64) -> StoreResult<u64> {
        Ok(0)
    }

    fn heads(
        &mut self,
        after: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogHead) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        let rows = self.log.iter().filter(|row| row.last > after);
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
        let holds = |row: &&LogRow| row.last > after && row.first < before;
        let rows = self.log.iter().filter(holds).cloned();
        let _ = match direction {
            Direction::Forward => rows.into_iter().try_for_each(visit),
            Direction::Backward => rows.rev().try_for_each(visit),
        };
        Ok(())
    }

    fn ids(&mut self, after: u64, visit: &mut dyn FnMut(LogHead, &str)) -> StoreResult<()> {
        for row in self.log.iter().filter(|row| row.last > after) {
            visit(row.head(), &row.ids);
        }
        Ok(())
    }

    fn append(&mut self, row: &LogRow, place: Place) -> StoreResult<()> {
        if let Place::Over(first) = place {
            self.log.retain(|old| old.first != first);
        }
        if let Place::Onto(_) = place
            && let Some(old) = self.log.last_mut()
        {
            (old.last, old.at, old.total) = (row.last, row.at, row.total);
            old.messages.push(',');
            old.messages.push_str(&row.messages);
            return Ok(());
        }
        self.log.push(row.clone());
        Ok(())
    }

    fn forget(&mut self, first: u64, _: bool) -> StoreResult<()> {
        self.log.retain(|row| row.first >= first);
        Ok(())
    }

    fn size(&mut self) -> StoreResult<u64> {
        Ok(0)
    }

    fn erase(&mut self, _: u64) -> StoreResult<Option<u64>> {
        *self = Disk::default();
        Ok(None)
    }
}
