//! The file of the inventory. It is opened when it is needed, checked once, and read and written in transactions.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::schema::{self, COLUMNS, VERSION};
use crate::failure::{Failure, shown};
use crate::host;
use crate::store::{self, Batch, Existing};

/// How a connection writes. A certificate must not leave before its row is on disk, so every transaction waits for it.
///
/// The rollback journal keeps its blocks, because making and freeing them for each transaction takes as long as syncing them. A
/// write-ahead log needs fewer syncs, but a copy of `inventory.db` without the log lacks the last certificates, a backup that is
/// restored beside an old log is damaged by it, and nobody can read the file on a read-only file system.
const WRITING: &str = "PRAGMA journal_mode = PERSIST; PRAGMA journal_size_limit = 1048576;
    PRAGMA synchronous = FULL;";

/// An SQLite file. It is opened when it is first needed, and then stays open.
pub(super) struct Database {
    path: PathBuf,
    opened: Mutex<Option<Opened>>,
}

/// An open file, and what is known about it.
struct Opened {
    connection: Connection,
    /// Whether it has the table. Once it does, it always does.
    has_table: bool,
    prepared: Prepared,
}

/// What a connection is prepared for.
#[derive(Eq, PartialEq)]
enum Prepared {
    Reading,
    Writing,
}

impl Database {
    /// The database in this file. Nothing is read or created yet.
    pub(super) const fn of(path: PathBuf) -> Self {
        Self { path, opened: Mutex::new(None) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads, if the file and its table exist.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<Option<T>, Failure> {
        let mut held = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match &mut *held {
            Some(opened) => opened,
            None if !store::is_there(&self.path)? => return Ok(None),
            none => none.insert(self.open()?),
        };
        let failed = |error| self.failure(&error);
        if !opened.has_table {
            let table = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'certificates')";
            opened.has_table =
                opened.connection.query_row(table, [], |row| row.get(0)).map_err(failed)?;
        }
        if opened.has_table { read(&opened.connection).map(Some).map_err(failed) } else { Ok(None) }
    }

    /// Writes in one transaction, which is on disk afterwards. A missing file is created.
    pub(super) fn write(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), Error>,
    ) -> Result<(), Failure> {
        let mut held = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match &mut *held {
            Some(opened) => opened,
            none => {
                store::touch_secret(&self.path)?;
                none.insert(self.open()?)
            }
        };
        let work = || {
            if opened.prepared == Prepared::Reading {
                opened.connection.execute_batch(WRITING)?;
                opened.prepared = Prepared::Writing;
            }
            // A transaction that reads first fails at its first write, without waiting, if another one writes.
            let immediate = TransactionBehavior::Immediate;
            let transaction = opened.connection.transaction_with_behavior(immediate)?;
            // In the same transaction as the first row, because each transaction waits for the disk five times.
            schema::migrate(&transaction)?;
            write(&transaction)?;
            transaction.commit()
        };
        work().map_err(|error| self.failure(&error))
    }

    /// The damage that SQLite finds in the file, if any. A missing or empty file is not damaged.
    pub(super) fn damage(&self) -> Result<Option<String>, Failure> {
        if !store::is_there(&self.path)? {
            return Ok(None);
        }
        let path = std::path::absolute(&self.path)
            .map_err(|error| Failure::file("opening", &self.path, &error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let check = || -> Result<Vec<String>, Error> {
            let connection = Connection::open_with_flags(path, flags)?;
            let mut query = connection.prepare("PRAGMA integrity_check(20)")?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        let damaged = |what: &str| Some(format!("{}: it is damaged: {what}", shown(&self.path)));
        match check() {
            Ok(found) if found == ["ok"] => Ok(None),
            Ok(found) => Ok(damaged(&found.join("; "))),
            Err(error) if is_damage(&error) => Ok(damaged(&error.to_string())),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Opens an existing file, and checks that this version can write to it.
    fn open(&self) -> Result<Opened, Failure> {
        Batch::new(Existing::Replace).check_place(&self.path)?;
        // SQLite takes a name that begins with `file:` for a URI, whose query can ask for a database in memory.
        let path = std::path::absolute(&self.path)
            .map_err(|error| Failure::file("opening", &self.path, &error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&path, flags).and_then(|mut connection| {
            connection.busy_handler(Some(wait))?;
            Ok((schema::version(&connection)?, columns(&connection)?, connection))
        });
        let (version, columns, connection) = opened.map_err(|error| self.failure(&error))?;
        if version > VERSION {
            return Err(Failure::environment(format!(
                "{}: its version is {version}, but this etcdpki supports only versions up to {VERSION}",
                shown(&self.path),
            ))
            .hinted("a newer etcdpki has written to it; use that one"));
        }
        match columns {
            Some(columns) if columns != COLUMNS => Err(self.unusable(
                "another program made it: it has no table `certificates` with the columns of an inventory",
            )),
            columns => Ok(Opened {
                connection,
                has_table: columns.is_some(),
                prepared: Prepared::Reading,
            }),
        }
    }

    /// The error about a file that cannot be the inventory of this CA, with the ways to get a usable one.
    pub(super) fn unusable(&self, problem: &str) -> Failure {
        let path = shown(&self.path);
        Failure::environment(format!("{path}: {problem}")).hinted(format!(
            "restore it from a backup; or start a new one: mv {path} {path}.old, then run this again"
        ))
    }

    fn failure(&self, error: &Error) -> Failure {
        let path = shown(&self.path);
        let code = error.sqlite_error_code();
        let hint = match (error, code) {
            _ if is_damage(error) => {
                return Failure::environment(format!("{path}: it is damaged: {error}")).hinted(format!(
                    "restore it from a backup; or run etcdpki check --rebuild; or recover what can be read: mv {path} {path}.damaged, then \
                     sqlite3 {path}.damaged .recover | sqlite3 {path}; or start a new one, then run this again"
                ));
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

/// Opens a file that is not the inventory, or that was not checked yet. A file that is written gets no journal, which a
/// killed run would leave behind: the file is new, and is put in place only when it is complete.
pub(super) fn open_plain(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    // SQLite takes a name that begins with `file:` for a URI.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        connection.execute_batch("PRAGMA journal_mode = OFF")?;
    }
    Ok(connection)
}

/// Waits five seconds for another process that writes, and says so after one. SQLite calls it with the number of
/// earlier calls.
fn wait(calls: i32) -> bool {
    const STEP: Duration = Duration::from_millis(10);
    const QUIET: i32 = 100;
    const PATIENCE: i32 = 500;
    if calls == QUIET {
        host::say("waiting: another program writes to the inventory\n");
    }
    thread::sleep(STEP);
    calls < PATIENCE
}

fn is_damage(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
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
