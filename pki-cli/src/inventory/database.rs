//! The file of the inventory. It is opened when it is needed, checked, and read and written in transactions.
//!
//! SQLite writes each transaction to `inventory.db-wal`, the write-ahead log, with one sync. The log is kept when the file is
//! closed, and its contents are moved to `inventory.db` when it has become long ([`Opened::checkpoint_if_due`]). A
//! new inventory is complete without a log.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Error, ErrorCode, Transaction, TransactionBehavior};

use super::connection::{self, Fault, Opened, Purpose, is_damage};
use super::files::{beside, set_aside};
use super::schema::{self, COLUMNS, VERSION};
use crate::failure::{Failure, shown};
use crate::host;
use crate::store;

/// An SQLite file. It is opened for each operation, so that others can use it in between.
pub(super) struct Database {
    path: PathBuf,
    held: Mutex<Held>,
}

/// What is kept between operations.
#[derive(Default)]
struct Held {
    opened: Option<Opened>,
    /// How many callers keep it open.
    keepers: usize,
    /// Whether the user was told, or will be told, what is wrong with the log.
    told: bool,
}

impl Held {
    /// Closes the file, unless it is kept open.
    fn release(&mut self) {
        if self.keepers == 0 {
            self.opened = None;
        }
    }
}

/// While this exists, the file stays open and locked, because many operations follow each other.
pub(crate) struct KeptOpen<'a>(&'a Database);

impl Drop for KeptOpen<'_> {
    fn drop(&mut self) {
        let mut held = self.0.hold();
        held.keepers -= 1;
        held.release();
    }
}

impl Database {
    /// The database in this file. Nothing is read or created yet.
    pub(super) fn of(path: PathBuf) -> Self {
        Self { path, held: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the file open, once it is.
    pub(super) fn keep_open(&self) -> KeptOpen<'_> {
        self.hold().keepers += 1;
        KeptOpen(self)
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads, if the file and its table exist.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<Option<T>, Failure> {
        let mut held = self.hold();
        if held.opened.is_none() && self.is_empty()? {
            return Ok(None);
        }
        let opened = self.opened(&mut held, Purpose::Reading, &|_| Ok(()))?;
        let connection = &opened.connection;
        let result = match schema::has_table(connection, "certificates") {
            Ok(false) => Ok(None),
            Ok(true) => read(connection).map(Some),
            Err(error) => Err(error),
        };
        held.release();
        result.map_err(|error| self.failure(&error))
    }

    /// Writes in one transaction, which is on disk afterwards. A missing file is created.
    pub(super) fn write(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), Error>,
    ) -> Result<(), Failure> {
        self.write_if(|_| Ok(()), write)
    }

    /// The same, if `examine` accepts what an existing file contains. Nothing is changed before.
    pub(super) fn write_if(
        &self,
        examine: impl Fn(&Connection) -> Result<(), Fault>,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), Error>,
    ) -> Result<(), Failure> {
        let mut held = self.hold();
        if self.is_empty()? {
            held.opened = None;
            let log = beside(&self.path, "-wal");
            // SQLite would delete it.
            if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
                set_aside(&log, "old")?;
            }
            if !store::is_there(&self.path)? {
                return self.create(write);
            }
        }
        let opened = self.opened(&mut held, Purpose::Writing, &examine)?;
        let work = || {
            // A transaction that reads first fails at its first write, without waiting, if another one writes.
            let immediate = TransactionBehavior::Immediate;
            let transaction = opened.connection.transaction_with_behavior(immediate)?;
            // In the same transaction as the first row, because each transaction waits for the disk.
            schema::migrate(&transaction)?;
            if schema::expects_log(schema::mark_of(&transaction)?) {
                schema::clear_expectation(&transaction)?;
            }
            write(&transaction)?;
            transaction.commit()
        };
        let mut result = work().map_err(|error| self.failure(&error));
        if result.is_ok() {
            result = opened.sync();
        }
        if result.is_ok() {
            opened.checkpoint_if_due();
        }
        held.release();
        result
    }

    /// Moves everything from the log to the file. The records are on disk in either case.
    pub(super) fn checkpoint(&self) -> Result<(), Failure> {
        let mut held = self.hold();
        if self.is_empty()? {
            return Ok(());
        }
        let result = self.opened(&mut held, Purpose::Writing, &|_| Ok(()))?.checkpoint();
        held.release();
        result.map_err(|error| self.failure(&error))
    }

    /// The damage that SQLite finds in the file, if any. A missing or empty file is not damaged.
    pub(super) fn damage(&self) -> Result<Option<String>, Failure> {
        if self.is_empty()? {
            return Ok(None);
        }
        let mut held = self.hold();
        // Only one connection at a time holds the lock.
        held.opened = None;
        // The caller also asks for the problem of the log.
        held.told = true;
        drop(held);
        let damaged = |what: &str| Some(format!("{}: it is damaged: {what}", shown(&self.path)));
        let check = |connection: &Connection| -> Result<String, Error> {
            let mut query = connection.prepare("PRAGMA integrity_check(20)")?;
            let found: Vec<String> =
                query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(found.join("; "))
        };
        let opened = match connection::open(&self.path, Purpose::Reading, &|_| Ok(())) {
            Err(Fault::Damaged(what)) => return Ok(damaged(&what)),
            Err(Fault::Sqlite(error)) if is_damage(&error) => {
                return Ok(damaged(&error.to_string()));
            }
            opened => opened.map_err(|fault| self.fault(fault))?,
        };
        // The log can have whole pages in the place of damaged ones.
        let alone = opened.alone().map_err(|error| self.failure(&error))?;
        for connection in std::iter::once(&opened.connection).chain(&alone) {
            match check(connection) {
                Ok(found) if found == "ok" => {}
                Ok(found) => return Ok(damaged(&found)),
                Err(error) if is_damage(&error) => return Ok(damaged(&error.to_string())),
                Err(error) => return Err(self.failure(&error)),
            }
        }
        Ok(None)
    }

    /// What is wrong with the log, if it is lost, or does not belong to the file.
    pub(super) fn log_problem(&self) -> Result<Option<String>, Failure> {
        let log = beside(&self.path, "-wal");
        if self.is_empty()? {
            let has_log = fs::metadata(&log).is_ok_and(|log| log.len() > 0);
            return Ok(has_log.then(|| format!("{}: its inventory.db is lost", shown(&log))));
        }
        let mut held = self.hold();
        let opened = self.opened(&mut held, Purpose::Reading, &|_| Ok(()))?;
        let problem = self.about_log(opened);
        held.release();
        Ok(problem)
    }

    fn about_log(&self, opened: &Opened) -> Option<String> {
        let log = shown(&beside(&self.path, "-wal"));
        if opened.stray.is_some() {
            let path = shown(&self.path);
            return Some(format!(
                "{log} does not belong to {path}, which was replaced: what only the log has is not in the inventory"
            ));
        }
        opened.lost_log.then(|| {
            format!("{log} is missing: the certificates and revocations that were recorded last may be missing too")
        })
    }

    /// Whether there is no file, or nothing in it.
    pub(super) fn is_empty(&self) -> Result<bool, Failure> {
        Ok(!store::is_there(&self.path)?
            || fs::symlink_metadata(&self.path).is_ok_and(|file| file.is_file() && file.len() == 0))
    }

    /// The open file. It is opened and checked if it is not open for this purpose yet.
    fn opened<'a>(
        &self,
        held: &'a mut Held,
        purpose: Purpose,
        examine: &dyn Fn(&Connection) -> Result<(), Fault>,
    ) -> Result<&'a mut Opened, Failure> {
        if held.opened.as_ref().is_some_and(|opened| !opened.is_for(purpose)) {
            held.opened = None;
        }
        let Held { opened, told, .. } = held;
        match opened {
            Some(opened) => {
                examine(&opened.connection).map_err(|fault| self.fault(fault))?;
                Ok(opened)
            }
            none => {
                let new = connection::open(&self.path, purpose, &|connection| {
                    self.check(connection)?;
                    examine(connection)
                });
                let new = new.map_err(|fault| self.fault(fault))?;
                if let Some(problem) = self.about_log(&new).filter(|_| !*told) {
                    *told = true;
                    host::say(&format!(
                        "warning: {problem}\n  fix: restore it, or run etcdpki check --rebuild, which adds what the files have\n"
                    ));
                }
                Ok(none.insert(new))
            }
        }
    }

    /// Checks that this version can use the file.
    fn check(&self, connection: &Connection) -> Result<(), Failure> {
        let failed = |error| self.failure(&error);
        let version = schema::version(connection).map_err(failed)?;
        if version > VERSION {
            return Err(Failure::environment(format!(
                "{}: its version is {version}, but this etcdpki supports only versions up to {VERSION}",
                shown(&self.path),
            ))
            .hinted("a newer etcdpki has written to it; use that one"));
        }
        match columns(connection).map_err(failed)? {
            Some(columns) if columns != COLUMNS => Err(self.unusable(
                "another program made it: it has no table `certificates` with the columns of an inventory",
            )),
            _ => Ok(()),
        }
    }

    fn fault(&self, fault: Fault) -> Failure {
        match fault {
            Fault::Sqlite(error) => self.failure(&error),
            Fault::Damaged(what) => self.damaged(&what),
            Fault::SetAside(log) => Failure::bug("a log that was renamed").in_file(&log),
            Fault::Other(failure) => failure,
        }
    }

    /// The error about a file that cannot be the inventory of this CA, with the ways to get a usable one.
    pub(super) fn unusable(&self, problem: &str) -> Failure {
        let path = shown(&self.path);
        Failure::environment(format!("{path}: {problem}")).hinted(format!(
            "restore it from a backup; or start a new one: mv {path} {path}.old, then run this again"
        ))
    }

    fn damaged(&self, what: &str) -> Failure {
        let path = shown(&self.path);
        let log = if beside(&self.path, "-wal").exists() {
            format!(" && mv {path}-wal {path}.damaged-wal")
        } else {
            String::new()
        };
        Failure::environment(format!("{path}: it is damaged: {what}")).hinted(format!(
            "restore it from a backup; or run etcdpki check --rebuild; or recover what can be read: mv {path} {path}.damaged{log}, then \
             sqlite3 {path}.damaged .recover | sqlite3 {path}; or start a new one, then run this again"
        ))
    }

    pub(super) fn failure(&self, error: &Error) -> Failure {
        let path = shown(&self.path);
        let code = error.sqlite_error_code();
        let hint = match (error, code) {
            _ if is_damage(error) => {
                return self.damaged(&error.to_string());
            }
            (Error::StatementChangedRows(_), _) => {
                return self.unusable(
                    "it has another certificate with the same serial number, or a trigger discards the rows that are added",
                );
            }
            (_, Some(ErrorCode::DiskFull)) => "make room on the disk, then run this again",
            (_, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) => {
                "another program has been writing to it for a while; wait for it to end"
            }
            _ => "check that you own the file and can write to it",
        };
        Failure::environment(format!("{path}: {error}"))
            .hinted(format!("nothing was recorded; {hint}"))
    }
}

/// The columns of the table in order. `None` for an empty file.
fn columns(connection: &Connection) -> Result<Option<Vec<String>>, Error> {
    // Preparing a statement reads the schema, and is faster than `pragma_table_info`.
    match connection.prepare("SELECT * FROM certificates") {
        Ok(query) => Ok(Some(query.column_names().map(str::to_owned).collect())),
        // SQLITE_ERROR: there is no such table.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => {
            let count = "SELECT count(*) FROM sqlite_schema";
            let tables: u32 = connection.query_row(count, [], |row| row.get(0))?;
            Ok((tables > 0).then(Vec::new))
        }
        Err(error) => Err(error),
    }
}
