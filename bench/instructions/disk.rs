//! Storage that costs next to nothing, so that what is counted is the room.

use std::ops::ControlFlow;

use roomful::protocol::{ConnectionId, Json};
use roomful::room::{Direction, LogHead, LogRow, MemberRow, Meta, Store, StoreResult};

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

    fn members(&mut self) -> StoreResult<Vec<MemberRow>> {
        Ok(self.members.clone())
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

    fn end(&mut self, direction: Direction) -> StoreResult<Option<LogHead>> {
        let row = match direction {
            Direction::Forward => self.log.first(),
            Direction::Backward => self.log.last(),
        };
        Ok(row.map(LogRow::head))
    }

    fn heads(&mut self, visit: &mut dyn FnMut(LogHead) -> ControlFlow<()>) -> StoreResult<()> {
        let _ = self.log.iter().try_for_each(|row| visit(row.head()));
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

    fn append(&mut self, row: &LogRow, reuse: Option<u64>) -> StoreResult<()> {
        self.log.retain(|old| Some(old.first) != reuse);
        self.log.push(row.clone());
        Ok(())
    }

    fn erase(&mut self, _: u64) -> StoreResult<()> {
        *self = Disk::default();
        Ok(())
    }
}
