//! A copy of the inventory that is whole, while others write to it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{Database, Inventory};
use crate::failure::{Failure, shown};
use crate::store::{Access, Batch, Existing};

impl Inventory {
    /// Writes a copy to a new file, which only its owner can read. SQLite makes it in one read transaction, so it has each
    /// transaction of the others as a whole or not at all. Returns how many certificates it has.
    pub(crate) fn back_up(&self, to: &Path) -> Result<u32, Failure> {
        let mut batch = Batch::new(Existing::Keep);
        let mut count = 0;
        batch.stage_with(to.to_owned(), Access::Secret, |file, _| {
            let copy = file.path();
            self.0.read(|connection| copy_into(connection, copy))?.ok_or_else(|| {
                Failure::environment(format!("{} is missing or empty", shown(self.path())))
                    .hinted("etcdpki check says what can be restored")
            })?;
            count = Database::of(copy.to_owned()).check_copy()?;
            Ok(())
        })?;
        batch.commit()?;
        Ok(count)
    }
}

fn copy_into(connection: &Connection, copy: &Path) -> Result<(), rusqlite::Error> {
    // SQLite takes a name that begins with `file:` for a URI.
    let copy = std::path::absolute(copy).unwrap_or_else(|_| copy.to_owned());
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).map(drop)
}

impl Database {
    /// Checks a copy that nobody else uses, and counts its certificates.
    fn check_copy(&self) -> Result<u32, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let count = || -> Result<u32, rusqlite::Error> {
            let path = std::path::absolute(self.path()).unwrap_or_else(|_| self.path().to_owned());
            let copy = Connection::open_with_flags(path, flags)?;
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
