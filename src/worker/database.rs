//! The room's storage: the SQLite database of its Durable Object.
//!
//! Tables come into being with the first write, so that a room that nobody used leaves nothing behind
//! (H5). `roomful` holds one row, the version of the schema, from which [`Database::open`] migrates.
//!
//! While a deploy is under way, and after one that is rolled back, a room may meet a schema that is
//! newer than its code. It then refuses everybody with an error that is retryable, and touches
//! nothing: what it does not know it could only destroy. So a release that has to be rolled back
//! without that reads the new schema, and the one after it writes it. What older code can live with, a
//! column with a default, needs no such care: it names the columns that it writes.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use worker::{SqlStorage, SqlStorageValue, Storage};

use super::host::{Host, describe};
use crate::protocol::MAX_INTEGER;
use crate::room::{LogHead, StoreError, StoreResult};

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
pub struct Database {
    sql: SqlStorage,
    host: Rc<Host>,
    /// The version of the schema that is there: 0 for none at all.
    version: usize,
    /// Rows written in this life of the object, as they are billed.
    rows_written: Cell<u64>,
}

impl Database {
    /// Opens the database and migrates what is there.
    pub fn open(storage: &Storage, host: Rc<Host>) -> StoreResult<Database> {
        let mut this = Database {
            sql: storage.sql(),
            host,
            version: 0,
            rows_written: Cell::new(0),
        };
        let tables = this.first(
            "SELECT count(*) FROM sqlite_master WHERE name = 'roomful'",
            [],
            |row| row.integer(0),
        )?;
        if tables.unwrap_or(0) > 0 {
            let version = this.first("SELECT version FROM roomful", [], |row| row.integer(0))?;
            this.version = usize::try_from(version.unwrap_or(0)).unwrap_or(usize::MAX);
            if this.version > MIGRATIONS.len() {
                return Err(StoreError(
                    "the room was stored by a newer version".to_owned(),
                ));
            }
            this.migrate()?;
        }
        Ok(this)
    }

    /// Brings the schema to the newest version.
    fn migrate(&mut self) -> StoreResult<()> {
        while let Some(migration) = MIGRATIONS.get(self.version) {
            let version = self.version.saturating_add(1);
            // One that ended in the middle could not begin again: its first tables would be there.
            self.together(&format!(
                "{migration} UPDATE roomful SET version = {version}"
            ))?;
            self.version = version;
        }
        Ok(())
    }

    pub(super) fn exists(&self) -> bool {
        self.version > 0
    }

    /// Bytes of all pages in use.
    pub(super) fn size(&self) -> StoreResult<u64> {
        // That of the `worker` crate ends at 4 GiB.
        let size = self.host.database_size();
        size.map(|size| size as u64)
            .map_err(|error| StoreError(describe(&error)))
    }

    /// Before a write.
    pub(super) fn ensure(&mut self) -> StoreResult<()> {
        if self.exists() {
            Ok(())
        } else {
            self.migrate()
        }
    }

    /// Leaves nothing. Dropping everything costs nothing, while every deleted row is billed as one written.
    pub(super) fn clear(&mut self) -> StoreResult<()> {
        self.host
            .delete_all()
            .map_err(|error| StoreError(describe(&error)))?;
        self.version = 0;
        Ok(())
    }

    pub(super) fn run<const N: usize>(&self, query: &str, values: [JsValue; N]) -> StoreResult<()> {
        self.write(query, Vec::from(values)).map(|_| ())
    }

    /// As `run`, but it is an error if no row is written.
    pub(super) fn hit<const N: usize>(&self, query: &str, values: [JsValue; N]) -> StoreResult<()> {
        match self.write(query, Vec::from(values))? {
            0 => Err(StoreError("a stored row is not there".to_owned())),
            _ => Ok(()),
        }
    }

    /// Runs statements, with `;` between them: all of them or none.
    pub(super) fn together(&self, statements: &str) -> StoreResult<()> {
        let rows = self.host.together(statements);
        self.count(rows.map_err(|error| StoreError(describe(&error)))?);
        Ok(())
    }

    /// Tells how many rows were written.
    pub(super) fn write(&self, query: &str, values: Vec<JsValue>) -> StoreResult<u64> {
        let cursor = self.sql.exec_raw(query, values).map_err(failed)?;
        // Nobody else may ask: a cursor belongs to the event in which it was made.
        Ok(self.count(cursor.rows_written() as f64))
    }

    fn count(&self, rows: f64) -> u64 {
        let rows = rows as u64;
        self.rows_written
            .set(self.rows_written.get().saturating_add(rows));
        rows
    }

    pub(super) fn written(&self) -> u64 {
        self.rows_written.get()
    }

    /// The rows of a query, one at a time until `visit` breaks.
    pub(super) fn each<const N: usize>(
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

    pub(super) fn first<T, const N: usize>(
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
pub(super) struct Row(Vec<SqlStorageValue>);

impl Row {
    pub(super) fn integer(&self, column: usize) -> StoreResult<u64> {
        match self.0.get(column) {
            Some(SqlStorageValue::Integer(value)) => {
                u64::try_from(*value).map_err(|_| unexpected())
            }
            _ => Err(unexpected()),
        }
    }

    pub(super) fn text(&mut self, column: usize) -> StoreResult<String> {
        match self.0.get_mut(column) {
            Some(SqlStorageValue::String(value)) => Ok(std::mem::take(value)),
            _ => Err(unexpected()),
        }
    }

    pub(super) fn bytes(&mut self, column: usize) -> StoreResult<Vec<u8>> {
        match self.0.get_mut(column) {
            Some(SqlStorageValue::Blob(value)) => Ok(std::mem::take(value)),
            _ => Err(unexpected()),
        }
    }

    pub(super) fn head(&self) -> StoreResult<LogHead> {
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

pub(super) fn unexpected() -> StoreError {
    StoreError("a stored value is not of the expected type".to_owned())
}

/// A number for SQL: JavaScript's are exact up to 2^53. The one that may be meant to go beyond, the end of a ban, is then
/// as good as never.
pub(super) fn integer(value: u64) -> JsValue {
    JsValue::from_f64(value.min(MAX_INTEGER) as f64)
}

pub(super) fn text(value: &str) -> JsValue {
    JsValue::from_str(value)
}

/// Bytes for SQL.
pub(super) fn blob(bytes: &[u8]) -> JsValue {
    SqlStorageValue::Blob(bytes.to_vec()).into()
}
