//! A new inventory, which is complete as soon as it is there.

use std::os::unix::fs::FileExt;

use rusqlite::{Error, OpenFlags, Transaction};

use super::connection::{self, Purpose};
use super::database::Database;
use super::files::open_plain;
use super::schema;
use crate::failure::Failure;
use crate::store::{self, Access};

impl Database {
    /// Creates the file with its first rows. It is complete as soon as it has its name.
    pub(super) fn create(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), Error>,
    ) -> Result<(), Failure> {
        /// The versions of the format that reading and writing need: 2 is that of a database with a write-ahead log.
        const VERSIONS: (&[u8], u64) = (&[2, 2], 18);
        store::create_whole(self.path(), Access::Secret, |file| {
            let create = || {
                let mut connection = open_plain(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                connection.execute_batch("PRAGMA synchronous = OFF")?;
                let transaction = connection.transaction()?;
                schema::migrate(&transaction)?;
                schema::mark(&transaction)?;
                write(&transaction)?;
                transaction.commit()
            };
            create().map_err(|error| self.failure(&error))?;
            let marked = file.as_file().write_all_at(VERSIONS.0, VERSIONS.1);
            marked.map_err(|error| Failure::file("writing", self.path(), &error))
        })?;
        // The next record begins a log if this does not.
        if let Ok(mut opened) = connection::open(self.path(), Purpose::Writing, &|_| Ok(())) {
            let _ = opened.begin_log();
        }
        Ok(())
    }
}
