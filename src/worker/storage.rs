//! What a room keeps, in tables: the room's port to its database.

use std::ops::ControlFlow;

use wasm_bindgen::JsValue;

use super::database::{Database, blob, integer, text, unexpected};
use crate::protocol::{ConnectionId, Json};
use crate::room::{Direction, LogHead, LogRow, MemberRow, Meta, Place, Store, StoreResult};

/// Rows of the log that hold an offset from `?1` on. Rows are dense and do not overlap, so the one that holds `?1` is the
/// last that begins at or before it, and what is older is not even looked at, since each row that is counts as one read.
macro_rules! from_log {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM log WHERE first >= (SELECT coalesce(max(first), 0) FROM log WHERE first <= ?1) AND last >= ?1 ",
            $rest
        )
    };
}

/// The offset after this one.
fn next(after: u64) -> JsValue {
    integer(after.saturating_add(1))
}

impl Store for Database {
    fn meta(&mut self) -> StoreResult<Option<Meta>> {
        if !self.exists() {
            return Ok(None);
        }
        let mut meta = None;
        self.each(
            "SELECT epoch, secret, created_at, crowded FROM meta",
            [],
            |mut row| {
                let key = <[u8; 32]>::try_from(row.bytes(1)?).map_err(|_| unexpected())?;
                meta = Some(Meta {
                    epoch: row.text(0)?,
                    key,
                    created_at: row.integer(2)?,
                    crowded: row.integer(3)? != 0,
                });
                Ok(ControlFlow::Break(()))
            },
        )?;
        Ok(meta)
    }

    fn put_meta(&mut self, meta: &Meta) -> StoreResult<()> {
        self.ensure()?;
        self.run(
            "INSERT OR REPLACE INTO meta (id, epoch, secret, created_at, crowded) VALUES (1, ?, ?, ?, ?)",
            [
                text(&meta.epoch),
                blob(&meta.key),
                integer(meta.created_at),
                integer(meta.crowded.into()),
            ],
        )
    }

    fn members(
        &mut self,
        wanted: &mut dyn FnMut(ConnectionId, bool) -> bool,
    ) -> StoreResult<Vec<MemberRow>> {
        let mut members = Vec::new();
        if !self.exists() {
            return Ok(members);
        }
        // All of them in one value, a number each: its last bit says whether the row keeps a state. A row, and each column
        // of it, would cross from JavaScript by itself.
        let all =
            "SELECT coalesce(group_concat(connection * 2 + (state <> 'null')), '') FROM members";
        let mut ids = String::new();
        self.each(all, [], |mut row| {
            for number in row.text(0)?.split_terminator(',') {
                let number: u64 = number.parse().map_err(|_| unexpected())?;
                let id = ConnectionId::new(number >> 1).ok_or_else(unexpected)?;
                if wanted(id, number & 1 == 1) {
                    ids.push(if ids.is_empty() { '[' } else { ',' });
                    ids.push_str(&id.get().to_string());
                }
            }
            Ok(ControlFlow::Break(()))
        })?;
        if ids.is_empty() {
            return Ok(members);
        }
        ids.push(']');
        self.each(
            "SELECT connection, user, info, state, at FROM members
             WHERE connection IN (SELECT value FROM json_each(?)) ORDER BY connection",
            [text(&ids)],
            |mut row| {
                members.push(MemberRow {
                    connection: ConnectionId::new(row.integer(0)?).ok_or_else(unexpected)?,
                    user: row.text(1)?,
                    info: Json::trusted(row.text(2)?),
                    state: Json::trusted(row.text(3)?),
                    at: row.integer(4)?,
                });
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok(members)
    }

    fn put_member(&mut self, row: &MemberRow) -> StoreResult<()> {
        self.ensure()?;
        self.run(
            "INSERT OR REPLACE INTO members (connection, user, info, state, at) VALUES (?, ?, ?, ?, ?)",
            [
                integer(row.connection.get()),
                text(&row.user),
                text(row.info.as_str()),
                text(row.state.as_str()),
                integer(row.at),
            ],
        )
    }

    fn set_state(&mut self, connection: ConnectionId, state: &Json<'_>) -> StoreResult<()> {
        self.ensure()?;
        self.run(
            "UPDATE members SET state = ? WHERE connection = ?",
            [text(state.as_str()), integer(connection.get())],
        )
    }

    fn delete_member(&mut self, connection: ConnectionId) -> StoreResult<()> {
        self.ensure()?;
        self.run(
            "DELETE FROM members WHERE connection = ?",
            [integer(connection.get())],
        )
    }

    fn ban(&mut self, user: &str) -> StoreResult<Option<u64>> {
        if !self.exists() {
            return Ok(None);
        }
        self.first(
            "SELECT until FROM bans WHERE user = ?",
            [text(user)],
            |row| row.integer(0),
        )
    }

    fn put_ban(&mut self, user: &str, until: u64) -> StoreResult<()> {
        self.ensure()?;
        self.run(
            "INSERT OR REPLACE INTO bans (user, until) VALUES (?, ?)",
            [text(user), integer(until)],
        )
    }

    fn count_bans(&mut self, now: u64) -> StoreResult<u64> {
        if !self.exists() {
            return Ok(0);
        }
        self.run("DELETE FROM bans WHERE until <= ?", [integer(now)])?;
        let count = self.first("SELECT count(*) FROM bans", [], |row| row.integer(0))?;
        Ok(count.unwrap_or(0))
    }

    fn forget_ban(&mut self, now: u64) -> StoreResult<bool> {
        if !self.exists() {
            return Ok(false);
        }
        let rows = self.write(
            "DELETE FROM bans WHERE user = (SELECT user FROM bans WHERE until <= ? ORDER BY until LIMIT 1)",
            vec![integer(now)],
        )?;
        Ok(rows > 0)
    }

    fn heads(
        &mut self,
        after: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogHead) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        if !self.exists() {
            return Ok(());
        }
        let query = match direction {
            Direction::Forward => from_log!("first, last, at, total, bytes", "ORDER BY first"),
            Direction::Backward => {
                from_log!("first, last, at, total, bytes", "ORDER BY first DESC")
            }
        };
        self.each(query, [next(after)], |row| Ok(visit(row.head()?)))
    }

    fn rows(
        &mut self,
        after: u64,
        before: u64,
        direction: Direction,
        visit: &mut dyn FnMut(LogRow) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        if !self.exists() {
            return Ok(());
        }
        let query = match direction {
            Direction::Forward => {
                from_log!(
                    "first, last, at, total, bytes, ids, skips, messages",
                    "AND first < ?2 ORDER BY first"
                )
            }
            Direction::Backward => {
                from_log!(
                    "first, last, at, total, bytes, ids, skips, messages",
                    "AND first < ?2 ORDER BY first DESC"
                )
            }
        };
        let before = before.min(crate::protocol::MAX_INTEGER);
        self.each(query, [next(after), integer(before)], |mut row| {
            let LogHead {
                first,
                last,
                at,
                total,
                ..
            } = row.head()?;
            let (ids, skips, messages) = (row.text(5)?, row.text(6)?, row.text(7)?);
            Ok(visit(LogRow {
                first,
                last,
                at,
                total,
                ids,
                skips,
                messages,
            }))
        })
    }

    fn ids(&mut self, after: u64, visit: &mut dyn FnMut(LogHead, &str)) -> StoreResult<()> {
        if !self.exists() {
            return Ok(());
        }
        let query = from_log!(
            "first, last, at, total, bytes, ids",
            "AND ids <> '' ORDER BY first"
        );
        self.each(query, [next(after)], |mut row| {
            let head = row.head()?;
            visit(head, &row.text(5)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    fn append(&mut self, row: &LogRow, place: Place) -> StoreResult<()> {
        self.ensure()?;
        let first = integer(row.first);
        let rest = (
            [
                integer(row.last),
                integer(row.at),
                integer(row.total),
                integer(row.bytes()),
            ],
            [text(&row.ids), text(&row.skips), text(&row.messages)],
        );
        let ([last, at, total, bytes], [ids, skips, messages]) = rest;
        match place {
            // An UPDATE that finds no row is none for SQL, but its messages would be gone.
            Place::Over(old) => self.hit(
                "UPDATE log SET first = ?, last = ?, at = ?, total = ?, bytes = ?, ids = ?, skips = ?, messages = ?
                 WHERE first = ?",
                [first, last, at, total, bytes, ids, skips, messages, integer(old)],
            ),
            // Lists are JSON arrays, so what is added goes in before the bracket.
            Place::Onto(first) => self.hit(
                "UPDATE log SET last = ?2, at = ?3, total = ?4, bytes = bytes + 1 + ?5,
                 ids = CASE '' WHEN ids THEN ?6 WHEN ?6 THEN ids ELSE substr(ids, 1, length(ids) - 1) || ',' || substr(?6, 2) END,
                 skips = CASE '' WHEN skips THEN ?7 WHEN ?7 THEN skips ELSE substr(skips, 1, length(skips) - 1) || ',' || substr(?7, 2) END,
                 messages = messages || ',' || ?8 WHERE first = ?1",
                [integer(first), last, at, total, bytes, ids, skips, messages],
            ),
            Place::New => self.run(
                "INSERT INTO log (first, last, at, total, bytes, ids, skips, messages) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [first, last, at, total, bytes, ids, skips, messages],
            ),
        }
    }

    fn forget(&mut self, first: u64, text: bool) -> StoreResult<()> {
        if !self.exists() {
            return Ok(());
        }
        // What one event writes without waiting is committed together (Cloudflare's automatic write coalescing), so no crash
        // comes between the two. Should the second fail, the first has taken nothing that is in the history.
        self.run("DELETE FROM log WHERE first < ?", [integer(first)])?;
        if text {
            self.run(
                "UPDATE log SET bytes = 0, ids = '', skips = '', messages = '' WHERE first = ?",
                [integer(first)],
            )?;
        }
        Ok(())
    }

    fn size(&mut self) -> StoreResult<u64> {
        Database::size(self)
    }

    fn erase(&mut self, now: u64) -> StoreResult<Option<u64>> {
        if !self.exists() {
            return Ok(None);
        }
        let last = self.first("SELECT coalesce(max(until), 0) FROM bans", [], |row| {
            row.integer(0)
        })?;
        let Some(until) = last.filter(|until| *until > now) else {
            self.clear()?;
            return Ok(None);
        };
        // `clear` takes effect at once, whatever becomes of the turn: bans that were put back after it would be lost if that
        // failed, or the commit. To drop the other tables would cost nothing either, but is refused (SQLITE_LOCKED) while any
        // cursor is open that was not read to its end (workerd of 2026-11).
        self.together(&format!(
            "DELETE FROM log; DELETE FROM members; DELETE FROM meta; DELETE FROM bans WHERE until <= {now}"
        ))?;
        Ok(Some(until))
    }

    fn rows_written(&mut self) -> u64 {
        self.written()
    }
}
