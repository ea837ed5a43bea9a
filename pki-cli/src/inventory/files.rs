//! The files of an inventory: their names, private copies of them, and connections that check nothing.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error, OpenFlags};
use rustix::fs::{Access, AtFlags, CWD, FlockOperation, accessat, fcntl_lock};
use rustix::io::Errno;
use tempfile::TempDir;

use crate::failure::Failure;
use crate::store::{self, Batch, Existing};

/// The file beside a database, such as `inventory.db-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Refuses links, which SQLite would follow.
pub(super) fn check_places(path: &Path) -> Result<(), Failure> {
    let batch = Batch::new(Existing::Replace);
    batch.check_place(path)?;
    ["-wal", "-shm", "-journal"]
        .iter()
        .try_for_each(|suffix| batch.check_place(&beside(path, suffix)))
}

/// Whether SQLite can write to a database and to the files beside it. Reading a log needs that too.
pub(super) fn is_writable(path: &Path) -> bool {
    let can_write = |path: &Path| accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    let log = beside(path, "-wal");
    can_write(path)
        && path.parent().is_some_and(can_write)
        && (can_write(&log) || !fs::exists(log).unwrap_or(true))
}

/// Copies a database and the files beside it to a private folder. `None` if somebody writes to them.
pub(super) fn copy(path: &Path) -> Result<Option<TempDir>, Failure> {
    let failed = |error: &io::Error| Failure::file("reading", path, error);
    let original = File::open(path).map_err(|error| failed(&error))?;
    // It conflicts with SQLite's lock of a writer. Where files cannot be locked, nobody else can write either.
    match fcntl_lock(&original, FlockOperation::NonBlockingLockShared) {
        Err(error) if [Errno::AGAIN, Errno::ACCESS].contains(&error) => {
            return Ok(None);
        }
        _ => {}
    }
    let log = beside(path, "-wal");
    let before = begin_of(&log);
    let folder = tempfile::tempdir().map_err(|error| {
        let failure = Failure::environment(format!("making a temporary folder: {error}"));
        failure.hinted("name a folder for temporary files in TMPDIR")
    })?;
    let to = |path: &Path| File::create(folder.path().join(path.file_name().unwrap_or_default()));
    // Closing another descriptor of the database would release the lock.
    to(path)
        .and_then(|mut to| io::copy(&mut &original, &mut to))
        .map_err(|error| failed(&error))?;
    for suffix in ["-wal", "-journal"] {
        let from = beside(path, suffix);
        match File::open(&from).and_then(|mut file| io::copy(&mut file, &mut to(&from)?)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            copied => copied.map(drop).map_err(|error| Failure::file("reading", &from, &error))?,
        }
    }
    // A program that keeps the database open moves a log to it without that lock, and begins the log again.
    Ok((begin_of(&log) == before).then_some(folder))
}

/// The header of a log, which differs each time it begins. `None` if there is no log.
fn begin_of(log: &Path) -> Option<[u8; 32]> {
    let mut header = [0; 32];
    File::open(log).and_then(|mut log| log.read_exact(&mut header)).ok().map(|()| header)
}

/// Renames a file to NAME.old, or with a number if that exists. Returns the new name.
pub(super) fn set_aside(path: &Path, suffix: &str) -> Result<PathBuf, Failure> {
    let aside = unused(path, suffix)?;
    fs::rename(path, &aside).map_err(|error| Failure::file("renaming", path, &error))?;
    Ok(aside)
}

/// The first unused name of NAME.old, NAME.old-2, and so on.
pub(super) fn unused(path: &Path, suffix: &str) -> Result<PathBuf, Failure> {
    let mut aside = beside(path, &format!(".{suffix}"));
    let mut number = 1;
    while store::is_there(&aside)? {
        number += 1;
        aside = beside(path, &format!(".{suffix}-{number}"));
    }
    Ok(aside)
}

/// Opens a file. SQLite does not interpret its name.
pub(super) fn open_file(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    // SQLite takes a name that begins with `file:` for a URI.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Opens a database without its log, and without locks.
pub(super) fn open_alone(path: &Path) -> Result<Connection, Error> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        let _ = write!(uri, "%{byte:02x}");
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Opens a damaged database with its log, and changes neither.
pub(super) fn open_damaged(path: &Path) -> Result<Connection, Error> {
    let connection = open_file(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON")?;
    Ok(connection)
}

/// Opens a file that is not the inventory, or that was not checked yet. A file that is written gets no journal, which a
/// killed run would leave behind: the file is new, and is put in place only when it is complete.
pub(super) fn open_plain(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let connection = open_file(path, flags)?;
    if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        connection.execute_batch("PRAGMA journal_mode = OFF")?;
    }
    Ok(connection)
}
