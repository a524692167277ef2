//! The room's storage: the SQLite database of its Durable Object.
//!
//! Tables come into being with the first write, so that a room that nobody used leaves nothing behind
//! (H5). `roomful` holds one row, the version of the schema, from which [`Sql::open`] migrates.

use std::ops::ControlFlow;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use worker::{SqlStorage, SqlStorageValue, Storage};

use super::host::{self, Host};

use crate::protocol::{ConnectionId, Json, MAX_INTEGER};
use crate::room::{Direction, LogHead, LogRow, MemberRow, Meta, Store, StoreError, StoreResult};

/// Each entry takes the schema from the version of its index to the next. Old entries are never edited.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE roomful (version INTEGER NOT NULL);
    INSERT INTO roomful VALUES (0);
    CREATE TABLE meta (
        id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, secret BLOB NOT NULL, created_at INTEGER NOT NULL,
        crowded INTEGER NOT NULL);
    CREATE TABLE members (
        connection INTEGER PRIMARY KEY, user TEXT NOT NULL, info TEXT NOT NULL, state TEXT NOT NULL,
        at INTEGER NOT NULL);
    CREATE TABLE bans (user TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE log (
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at INTEGER NOT NULL, total INTEGER NOT NULL,
        bytes INTEGER NOT NULL, ids TEXT NOT NULL, skips TEXT NOT NULL, messages TEXT NOT NULL);
"];

/// The database of one room.
pub struct Sql {
    sql: SqlStorage,
    host: Rc<Host>,
    /// The version of the schema that is there: 0 for none at all.
    version: usize,
}

impl Sql {
    /// Opens the database and migrates what is there.
    pub fn open(storage: &Storage, host: Rc<Host>) -> StoreResult<Sql> {
        let mut this = Sql {
            sql: storage.sql(),
            host,
            version: 0,
        };
        let tables = this.first(
            "SELECT count(*) FROM sqlite_master WHERE name = 'roomful'",
            [],
            |row| row.integer(0),
        )?;
        if tables.unwrap_or(0) > 0 {
            let version = this.first("SELECT version FROM roomful", [], |row| row.integer(0))?;
            this.version = usize::try_from(version.unwrap_or(0)).unwrap_or(usize::MAX);
            this.migrate()?;
        }
        Ok(this)
    }

    /// Brings the schema to the newest version. One from the future, met while a deploy is rolled back, is left alone.
    fn migrate(&mut self) -> StoreResult<()> {
        while let Some(migration) = MIGRATIONS.get(self.version) {
            self.run(migration, [])?;
            self.version = self.version.saturating_add(1);
            self.run(
                "UPDATE roomful SET version = ?",
                [integer(self.version as u64)],
            )?;
        }
        Ok(())
    }

    fn exists(&self) -> bool {
        self.version > 0
    }

    /// Before a write.
    fn ensure(&mut self) -> StoreResult<()> {
        if self.exists() {
            Ok(())
        } else {
            self.migrate()
        }
    }

    fn run<const N: usize>(&self, query: &str, values: [JsValue; N]) -> StoreResult<()> {
        self.sql
            .exec_raw(query, Vec::from(values))
            .map(|_| ())
            .map_err(failed)
    }

    /// The rows of a query, one at a time until `visit` breaks.
    fn each<const N: usize>(
        &self,
        query: &str,
        values: [JsValue; N],
        mut visit: impl FnMut(Row) -> StoreResult<ControlFlow<()>>,
    ) -> StoreResult<()> {
        for row in self
            .sql
            .exec_raw(query, Vec::from(values))
            .map_err(failed)?
            .raw()
        {
            if visit(Row(row.map_err(failed)?))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn first<T, const N: usize>(
        &self,
        query: &str,
        values: [JsValue; N],
        read: impl Fn(&Row) -> StoreResult<T>,
    ) -> StoreResult<Option<T>> {
        let mut found = None;
        self.each(query, values, |row| {
            found = Some(read(&row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }
}

/// One row of a result.
struct Row(Vec<SqlStorageValue>);

impl Row {
    fn integer(&self, column: usize) -> StoreResult<u64> {
        match self.0.get(column) {
            Some(SqlStorageValue::Integer(value)) => {
                u64::try_from(*value).map_err(|_| unexpected())
            }
            _ => Err(unexpected()),
        }
    }

    fn text(&mut self, column: usize) -> StoreResult<String> {
        match self.0.get_mut(column) {
            Some(SqlStorageValue::String(value)) => Ok(std::mem::take(value)),
            _ => Err(unexpected()),
        }
    }

    fn bytes(&mut self, column: usize) -> StoreResult<Vec<u8>> {
        match self.0.get_mut(column) {
            Some(SqlStorageValue::Blob(value)) => Ok(std::mem::take(value)),
            _ => Err(unexpected()),
        }
    }

    fn head(&self) -> StoreResult<LogHead> {
        Ok(LogHead {
            first: self.integer(0)?,
            last: self.integer(1)?,
            at: self.integer(2)?,
            total: self.integer(3)?,
            bytes: self.integer(4)?,
        })
    }
}

fn failed(error: worker::Error) -> StoreError {
    StoreError(error.to_string())
}

fn unexpected() -> StoreError {
    StoreError("a stored value is not of the expected type".to_owned())
}

/// A number for SQL: JavaScript's are exact up to 2^53. The one that may be meant to go beyond, the end of a ban, is then
/// as good as never.
fn integer(value: u64) -> JsValue {
    JsValue::from_f64(value.min(MAX_INTEGER) as f64)
}

fn text(value: &str) -> JsValue {
    JsValue::from_str(value)
}

impl Store for Sql {
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
            "INSERT OR REPLACE INTO meta VALUES (1, ?, ?, ?, ?)",
            [
                text(&meta.epoch),
                SqlStorageValue::Blob(meta.key.to_vec()).into(),
                integer(meta.created_at),
                integer(meta.crowded.into()),
            ],
        )
    }

    fn members(&mut self) -> StoreResult<Vec<MemberRow>> {
        let mut members = Vec::new();
        if !self.exists() {
            return Ok(members);
        }
        self.each(
            "SELECT connection, user, info, state, at FROM members ORDER BY connection",
            [],
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
            "INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?, ?)",
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
            "INSERT OR REPLACE INTO bans VALUES (?, ?)",
            [text(user), integer(until)],
        )
    }

    fn end(&mut self, direction: Direction) -> StoreResult<Option<LogHead>> {
        if !self.exists() {
            return Ok(None);
        }
        let query = match direction {
            Direction::Forward => {
                "SELECT first, last, at, total, bytes FROM log ORDER BY first LIMIT 1"
            }
            Direction::Backward => {
                "SELECT first, last, at, total, bytes FROM log ORDER BY first DESC LIMIT 1"
            }
        };
        self.first(query, [], Row::head)
    }

    fn heads(&mut self, visit: &mut dyn FnMut(LogHead) -> ControlFlow<()>) -> StoreResult<()> {
        if !self.exists() {
            return Ok(());
        }
        self.each(
            "SELECT first, last, at, total, bytes FROM log ORDER BY first",
            [],
            |row| Ok(visit(row.head()?)),
        )
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
        // Rows are dense and do not overlap, so the one that holds `after + 1` is the last that begins at or before it.
        let query = match direction {
            Direction::Forward => {
                "SELECT first, last, at, total, bytes, ids, skips, messages FROM log
                 WHERE first >= (SELECT coalesce(max(first), 0) FROM log WHERE first <= ?1) AND last >= ?1 AND first < ?2
                 ORDER BY first"
            }
            Direction::Backward => {
                "SELECT first, last, at, total, bytes, ids, skips, messages FROM log
                 WHERE first < ?2 AND last >= ?1 ORDER BY first DESC"
            }
        };
        let before = before.min(crate::protocol::MAX_INTEGER);
        self.each(
            query,
            [integer(after.saturating_add(1)), integer(before)],
            |mut row| {
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
            },
        )
    }

    fn ids(&mut self, after: u64, visit: &mut dyn FnMut(LogHead, &str)) -> StoreResult<()> {
        if !self.exists() {
            return Ok(());
        }
        let query = "SELECT first, last, at, total, bytes, ids FROM log WHERE last > ? AND ids <> '' ORDER BY first";
        self.each(query, [integer(after)], |mut row| {
            let head = row.head()?;
            visit(head, &row.text(5)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    fn append(&mut self, row: &LogRow, reuse: Option<u64>) -> StoreResult<()> {
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
        match reuse {
            Some(old) => self.run(
                "UPDATE log SET first = ?, last = ?, at = ?, total = ?, bytes = ?, ids = ?, skips = ?, messages = ?
                 WHERE first = ?",
                [first, last, at, total, bytes, ids, skips, messages, integer(old)],
            ),
            None => self.run(
                "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [first, last, at, total, bytes, ids, skips, messages],
            ),
        }
    }

    fn erase(&mut self, now: u64) -> StoreResult<()> {
        if !self.exists() {
            return Ok(());
        }
        let mut bans = Vec::new();
        self.each(
            "SELECT user, until FROM bans WHERE until > ?",
            [integer(now)],
            |mut row| {
                bans.push((row.text(0)?, row.integer(1)?));
                Ok(ControlFlow::Continue(()))
            },
        )?;
        // Dropping everything costs nothing, while every deleted row is billed as one written.
        self.host
            .delete_all()
            .map_err(|error| StoreError(host::describe(&error)))?;
        self.version = 0;
        bans.iter()
            .try_for_each(|(user, until)| self.put_ban(user, *until))
    }
}
