//! Connections to the file of the inventory: how they lock and wait, and what is checked whenever one is opened.
//!
//! A connection holds SQLite's exclusive lock until it is closed, so the write-ahead log needs no shared memory. It is closed
//! after each operation.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, ffi};
use tempfile::TempDir;

use super::files::{self, beside, check_places, is_writable, open_alone, open_file, set_aside};
use super::schema;
use super::wait::Wait;
use super::wal::{Main, Verdict, Wal};
use crate::failure::Failure;
use crate::store;

/// With a write-ahead log, SQLite only syncs a new log and checkpoints. It would sync the folder with each first transaction
/// of a connection, so [`Opened::sync`] syncs the transactions.
const SETTINGS: &str = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = 1048576;";

/// Where SQLite cannot use a write-ahead log. The journal keeps its blocks, because making and freeing them for each
/// transaction takes as long as syncing them.
const ROLLBACK: &str = "PRAGMA journal_mode = PERSIST; PRAGMA synchronous = FULL;";

/// What a connection is opened for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    Reading,
    Writing,
}

/// How a connection keeps others out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Locking {
    /// Completely, without shared memory.
    Exclusive,
    /// By transaction, with shared memory in `inventory.db-shm`: another program keeps the database open.
    Shared,
}

/// Where transactions are written first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Journal {
    /// The connection is not prepared for writing.
    None,
    /// The write-ahead log, which stays when the connection is closed.
    Log,
    /// A rollback journal.
    Rollback,
}

/// Why a file cannot be opened.
pub(super) enum Fault {
    Sqlite(Error),
    /// What is wrong with the file, or with the log beside it.
    Damaged(String),
    /// A log that does not belong to the file was in the way, and has another name now.
    SetAside(PathBuf),
    Other(Failure),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

/// An open inventory.
pub(super) struct Opened {
    pub(super) connection: Connection,
    /// The log that was found beside the database, if it does not belong to it. It is not read.
    pub(super) stray: Option<PathBuf>,
    /// Whether the log of the database is missing.
    pub(super) lost_log: bool,
    /// Whether the database without its log is a state of its own.
    is_whole_alone: bool,
    path: PathBuf,
    log: PathBuf,
    locking: Locking,
    journal: Journal,
    /// Holds the lock, if `connection` does not.
    lock: Option<Connection>,
    /// The database, open until the connections are closed: to close it earlier would release their lock.
    main: Option<File>,
    /// The private copy that is read, if the user cannot write to the original.
    copy: Option<TempDir>,
}

/// Opens an existing file that is not empty. Waits for others that use it. Nothing is changed before `examine` accepts what
/// the file contains.
pub(super) fn open(
    path: &Path,
    purpose: Purpose,
    examine: &dyn Fn(&Connection) -> Result<(), Fault>,
) -> Result<Opened, Fault> {
    /// After this time, the connection may share the lock with a program that keeps the database open.
    const ALONE: Duration = Duration::from_millis(100);
    const STEP: Duration = Duration::from_millis(3);
    check_places(path)?;
    // SQLite takes a name that begins with `file:` for a URI, whose query can ask for a database in memory.
    let path = store::absolute(path)?;
    let (mut wait, mut locking) = (Wait::begin(), Locking::Exclusive);
    let mut stray = None;
    loop {
        let prepared = attempt(&path, locking, wait).and_then(|mut opened| {
            examine(&opened.connection)?;
            opened.prepare(purpose)?;
            Ok(opened)
        });
        match prepared {
            Err(Fault::Sqlite(error)) if is_busy(&error) && wait.goes_on() => {}
            Err(Fault::SetAside(log)) => {
                stray = Some(log);
                continue;
            }
            Ok(mut opened) => {
                opened.stray = opened.stray.take().or(stray);
                return Ok(opened);
            }
            fault => return fault,
        }
        locking = match locking {
            Locking::Exclusive if wait.elapsed() >= ALONE => Locking::Shared,
            _ => Locking::Exclusive,
        };
        // Two that wait for each other do not wait equally long.
        let uneven = wait.elapsed().subsec_nanos() % 4096;
        thread::sleep(STEP + Duration::from_micros(u64::from(uneven)));
    }
}

fn attempt(path: &Path, locking: Locking, wait: Wait) -> Result<Opened, Fault> {
    if is_writable(path) {
        return connect(path, None, locking, wait);
    }
    let copy = files::copy(path)?.ok_or_else(|| sqlite(ffi::SQLITE_BUSY))?;
    let file = copy.path().join(path.file_name().unwrap_or_default());
    connect(&file, Some(copy), locking, wait)
}

fn connect(
    path: &Path,
    copy: Option<TempDir>,
    locking: Locking,
    mut wait: Wait,
) -> Result<Opened, Fault> {
    let log = beside(path, "-wal");
    let mut connection = open_file(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match locking {
        Locking::Exclusive => {
            // Two connections that have a part of the lock wait for each other in vain.
            connection.busy_timeout(Duration::ZERO)?;
            connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
        }
        Locking::Shared => connection.busy_handler(Some(move |_| {
            thread::sleep(Duration::from_millis(10));
            wait.goes_on()
        }))?,
    }
    connection.execute_batch(SETTINGS)?;
    // When the connection is closed, the log stays as it is.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let mut opened = Opened {
        connection,
        stray: None,
        lost_log: false,
        is_whole_alone: false,
        path: path.to_owned(),
        log,
        locking,
        journal: Journal::None,
        lock: None,
        main: None,
        copy,
    };
    // The first statement takes the lock.
    match opened.mark() {
        Err(error) if is_damage(&error) => opened.check_log(Some(error))?,
        Err(error) => return Err(error.into()),
        Ok(_) => match opened.check_log(None) {
            // Another program that keeps the database open can begin the log again meanwhile.
            Err(Fault::Damaged(_)) if locking == Locking::Shared => opened.check_log(None)?,
            checked => checked?,
        },
    }
    if opened.stray.is_some() {
        // The lock stays, so nobody else uses the log.
        let alone = open_alone(path)?;
        opened.lock = Some(std::mem::replace(&mut opened.connection, alone));
    }
    Ok(opened)
}

impl Opened {
    /// Checks that the database and its log are whole and belong together.
    fn check_log(&mut self, error: Option<Error>) -> Result<(), Fault> {
        let wal =
            Wal::read(&self.log).map_err(|error| Failure::file("reading", &self.log, &error))?;
        if wal.is_empty() {
            // A log that begins with the next transaction has a header.
            let expects = error.is_none() && schema::expects_log(self.mark()?);
            self.lost_log = expects && fs::metadata(&self.log).map_or(true, |log| log.len() == 0);
            return error.map_or(Ok(()), |error| Err(error.into()));
        }
        let readable = match error {
            None => usize::try_from(frames(&self.connection)?).unwrap_or(0),
            Some(_) => usize::MAX,
        };
        let failed = |error: io::Error| Failure::file("reading", &self.path, &error);
        let file = match &mut self.main {
            Some(file) => file,
            none => none.insert(File::open(&self.path).map_err(failed)?),
        };
        let main = Main::read(file).map_err(failed)?.ok_or_else(|| sqlite(ffi::SQLITE_NOTADB))?;
        match wal.compare(&self.log, readable, &main) {
            Verdict::Stray => self.stray = Some(self.log.clone()),
            Verdict::Damaged(what) => return Err(Fault::Damaged(what)),
            Verdict::Whole => self.is_whole_alone = true,
            Verdict::Unfinished => {}
        }
        match error {
            Some(error) if self.stray.is_none() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The database without its log, if that is a state of its own.
    pub(super) fn alone(&self) -> Result<Option<Connection>, Error> {
        self.is_whole_alone.then(|| open_alone(&self.path)).transpose()
    }

    /// Makes it usable for this purpose.
    fn prepare(&mut self, purpose: Purpose) -> Result<(), Fault> {
        if purpose == Purpose::Reading {
            return Ok(());
        }
        if self.copy.is_some() {
            return Err(sqlite(ffi::SQLITE_READONLY).into());
        }
        match (&self.stray, self.locking) {
            (None, _) => {}
            (Some(log), Locking::Exclusive) => {
                set_aside(log, "old")?;
                return Err(Fault::SetAside(log.clone()));
            }
            (Some(_), Locking::Shared) => return Err(sqlite(ffi::SQLITE_BUSY).into()),
        }
        let connection = &self.connection;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        self.journal = if mode == "wal" { Journal::Log } else { Journal::Rollback };
        if self.journal == Journal::Rollback {
            connection.execute_batch(ROLLBACK)?;
        }
        Ok(())
    }

    /// Waits until the transactions that were committed are on disk.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        if self.journal != Journal::Log {
            return Ok(());
        }
        let synced = File::open(&self.log).and_then(|log| log.sync_data());
        synced.map_err(|error| Failure::file("writing", &self.log, &error))
    }

    /// Whether it can be used for this purpose.
    pub(super) fn is_for(&self, purpose: Purpose) -> bool {
        purpose == Purpose::Reading || self.journal != Journal::None
    }

    /// The mark of the database. 0 if it has none yet.
    fn mark(&self) -> Result<i32, Error> {
        schema::mark_of(&self.connection)
    }

    /// Moves what the log has to the database if that is due: when the log has become long, because every command reads all
    /// of it, or when the database has no mark yet. The records are on disk in either case, so a failure does no harm.
    pub(super) fn checkpoint_if_due(&mut self) {
        /// As many pages as about seven certificates of `issue` need.
        const LONG: i64 = 48;
        let is_long = frames(&self.connection).is_ok_and(|frames| frames > LONG);
        if is_long || self.mark().is_ok_and(|mark| mark == 0) {
            let _ = self.checkpoint();
        }
    }

    /// Moves what the log has to the database, and begins the log again.
    pub(super) fn checkpoint(&mut self) -> Result<(), Error> {
        if self.locking == Locking::Shared || self.journal != Journal::Log {
            return Ok(());
        }
        schema::mark(&self.connection)?;
        // The file stays as it is until the next transaction begins the log again, so there always is one.
        self.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))?;
        self.begin_log()
    }

    /// Writes the first page to the log. A log that has begun needs one sync for each transaction; a new one needs three.
    pub(super) fn begin_log(&mut self) -> Result<(), Error> {
        schema::clear_expectation(&self.connection)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SQLite creates the log even to read. An empty one is removed again.
        if fs::metadata(&self.log).is_ok_and(|log| log.len() == 0) {
            let keep = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            let connection = self.lock.as_ref().unwrap_or(&self.connection);
            let _ = connection.set_db_config(keep, false);
        }
    }
}

/// How many frames of the log SQLite can read.
fn frames(connection: &Connection) -> Result<i64, Error> {
    connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1))
}

fn sqlite(code: i32) -> Error {
    Error::SqliteFailure(ffi::Error::new(code), Some(ffi::code_to_str(code).to_owned()))
}

fn is_busy(error: &Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

pub(super) fn is_damage(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}
