//! A copy of the inventory that is whole, while others write to it.

use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, ffi};
use tempfile::NamedTempFile;

use super::database::Database;
use super::files::open_plain;
use super::{Inventory, schema};
use crate::failure::{Failure, shown};
use crate::store::{Access, Batch, Existing};

impl Inventory {
    /// Writes a copy to a new file, which only its owner can read. SQLite makes it in one read transaction, so it has each
    /// transaction of the others as a whole or not at all. Returns how many certificates it has.
    pub(crate) fn back_up(&self, to: &Path) -> Result<u32, Failure> {
        let mut batch = Batch::new(Existing::Keep);
        let mut count = 0;
        batch.stage_with(to.to_owned(), Access::Secret, |file, place| {
            let copy = file.path();
            self.0.read(|connection| copy_into(connection, copy))?.ok_or_else(|| {
                Failure::environment(format!("{} is missing or empty", shown(self.path())))
                    .hinted("etcdpki check says what can be restored")
            })?;
            separate(file, place)?;
            count = Database::of(copy.to_owned()).check_copy()?;
            Ok(())
        })?;
        batch.commit()?;
        Ok(count)
    }
}

fn copy_into(connection: &Connection, copy: &Path) -> Result<(), rusqlite::Error> {
    let mut copy = open_plain(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // All pages in one step, under one read lock. Others can read meanwhile, and writers wait.
    let backup = Backup::new(connection, &mut copy)?;
    match backup.step(-1)? {
        StepResult::Done => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None)),
    }
}

/// Makes the copy independent of a log: it is not read with one, and the log of the original does not belong to it.
fn separate(copy: &NamedTempFile, place: &Path) -> Result<(), Failure> {
    /// The versions of the format that reading and writing need: 1 is that of a database without a write-ahead log.
    const VERSIONS: (&[u8], u64) = (&[1, 1], 18);
    let marked = copy.as_file().write_all_at(VERSIONS.0, VERSIONS.1);
    marked.map_err(|error| Failure::file("writing", place, &error))?;
    let mark = || {
        let copy = open_plain(copy.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::mark(&copy)?;
        schema::clear_expectation(&copy)
    };
    mark().map_err(|error| Failure::environment(format!("writing {}: {error}", shown(place))))
}

impl Database {
    /// Checks a copy that nobody else uses, and counts its certificates.
    fn check_copy(&self) -> Result<u32, Failure> {
        let count = || -> Result<u32, rusqlite::Error> {
            let copy = open_plain(self.path(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let problem: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if problem != "ok" {
                return Err(rusqlite::Error::InvalidQuery);
            }
            copy.query_row("SELECT count(*) FROM certificates", [], |row| row.get(0))
        };
        count().map_err(|error| {
            Failure::environment(format!("the copy of the inventory cannot be read: {error}"))
                .hinted("check the inventory with etcdpki check")
        })
    }
}
