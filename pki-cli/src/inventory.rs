//! What was issued, in SQLite: a certificate is here before it is anywhere else.
//!
//! The table `certificates` is that of cfssl's certdb, so that its users can move here and their queries still
//! work. What etcdpki keeps beyond it goes into tables of its own. Each method is one whole operation, so that
//! another store can offer the same ones.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pki_core::{Certificate, Error};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, params};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::failure::{Failure, shown};
use crate::store::{self, Batch, Existing};

/// The file in the CA's folder.
pub(crate) const FILE: &str = "inventory.db";

/// What the inventory calls the profile of a CA's own certificate.
pub(crate) const CA_PROFILE: &str = "ca";

/// The version of the schema that this etcdpki writes.
const VERSION: u32 = 1;

/// The steps from an empty file to today's schema, each with the version that it leads to. `PRAGMA user_version`
/// is that of a file. A new step goes to the end, and none ever changes. Files of version 0 may have the table.
const MIGRATIONS: [(u32, &str); VERSION as usize] = [(
    1,
    // With a rowid, as in cfssl, rows stand in the order of issuing and only the index is as random as the serial
    // numbers are; by its own key each row of a large inventory would be written to a page of its own, twice.
    "CREATE TABLE IF NOT EXISTS certificates (
        serial_number            TEXT NOT NULL, -- decimal, as cfssl keeps it
        authority_key_identifier TEXT NOT NULL, -- lower-case hexadecimal
        ca_label                 TEXT NOT NULL, -- the signing profile
        status                   TEXT NOT NULL, -- good or revoked
        reason                   INTEGER NOT NULL,
        expiry                   TEXT NOT NULL, -- RFC 3339
        revoked_at               TEXT,
        pem                      TEXT NOT NULL,
        issued_at                TEXT NOT NULL,
        not_before               TEXT NOT NULL,
        common_name              TEXT,
        PRIMARY KEY (serial_number, authority_key_identifier)
    );",
)];

/// The columns of `certificates`, in their order.
const COLUMNS: [&str; 11] = [
    "serial_number",
    "authority_key_identifier",
    "ca_label",
    "status",
    "reason",
    "expiry",
    "revoked_at",
    "pem",
    "issued_at",
    "not_before",
    "common_name",
];

/// What the inventory keeps of one certificate.
pub(crate) struct Entry {
    serial_number: String,
    authority_key_identifier: String,
    profile: String,
    expiry: String,
    pem: String,
    issued_at: String,
    not_before: String,
    common_name: Option<String>,
}

impl Entry {
    /// The row of a certificate that a profile made.
    pub(crate) fn new(
        certificate: &Certificate,
        profile: &str,
        issued_at: OffsetDateTime,
    ) -> Result<Self, Error> {
        let aki = certificate.extensions.authority_key_id.as_ref();
        let aki = aki.and_then(|aki| aki.key_id.as_ref());
        Ok(Self {
            serial_number: decimal(certificate.serial.as_bytes()),
            authority_key_identifier: aki.map_or_else(String::new, ToString::to_string),
            profile: profile.to_owned(),
            expiry: rfc3339(certificate.not_after),
            pem: certificate.to_pem()?,
            issued_at: rfc3339(issued_at),
            not_before: rfc3339(certificate.not_before),
            common_name: certificate.subject.common_name().map(ToOwned::to_owned),
        })
    }

    /// The row of a CA's own certificate, which may have been made elsewhere and long ago.
    pub(crate) fn of_ca(certificate: &Certificate) -> Result<Self, Error> {
        Self::new(certificate, CA_PROFILE, certificate.not_before)
    }
}

/// What the inventory knows about a CA.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Memory {
    /// It knows this CA.
    Known,
    /// There is no file.
    Missing,
    /// There is a file without a row.
    Empty,
}

/// The inventory of a CA's folder. It is opened when it is first needed, and then stays open.
pub(crate) struct Inventory {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl Inventory {
    /// The inventory of a folder. Nothing is read or made yet.
    pub(crate) fn of(folder: &Path) -> Self {
        Self { path: folder.join(FILE), connection: Mutex::new(None) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is known about this CA. An inventory that is damaged, or that belongs to another CA or program, is an
    /// error.
    pub(crate) fn memory_of(&self, ca: &Certificate) -> Result<Memory, Failure> {
        if !store::is_there(&self.path)? {
            return Ok(Memory::Missing);
        }
        let rows = self.read(|connection| {
            connection.query_row("SELECT EXISTS (SELECT 1 FROM certificates)", [], |row| row.get(0))
        })?;
        if rows != Some(true) {
            return Ok(Memory::Empty);
        }
        let own = Entry::of_ca(ca)?;
        let key_id = ca.extensions.subject_key_id.as_ref().map(ToString::to_string);
        let known = self.read(|connection| {
            let by_itself = "SELECT 1 FROM certificates WHERE serial_number = ?1 AND pem = ?2";
            // Older versions did not record a CA that they had not made.
            let by_leaf = "SELECT 1 FROM certificates WHERE authority_key_identifier = ?1 LIMIT 1";
            let found = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
            let itself = connection
                .query_row(by_itself, [&own.serial_number, &own.pem], found)
                .optional()?;
            let leaf = connection.query_row(by_leaf, [&key_id], found).optional()?;
            Ok(itself.or(leaf).is_some())
        })?;
        if known == Some(true) {
            return Ok(Memory::Known);
        }
        Err(self.unusable(&format!(
            "it has no row of this CA, {}: it belongs to another one",
            ca.subject
        )))
    }

    /// The certificates of the CAs that were made here. There are none where there is no inventory.
    pub(crate) fn ca_certificates(&self) -> Result<Vec<Certificate>, Failure> {
        let texts = self.read(|connection| {
            let mut query =
                connection.prepare("SELECT pem FROM certificates WHERE ca_label = ?1")?;
            let rows = query.query_map([CA_PROFILE], |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let mut certificates = Vec::new();
        for text in texts.unwrap_or_default() {
            certificates.extend(Certificate::from_pem_or_der(text.as_bytes())?);
        }
        Ok(certificates)
    }

    /// How many certificates were issued, those of CAs not counted.
    pub(crate) fn count_issued(&self) -> Result<u32, Failure> {
        let query = "SELECT count(*) FROM certificates WHERE ca_label <> ?1";
        let count =
            self.read(|connection| connection.query_row(query, [CA_PROFILE], |row| row.get(0)))?;
        Ok(count.unwrap_or(0))
    }

    /// Whether a member of this name was given a certificate. Without an inventory nobody knows, and it may
    /// have been.
    pub(crate) fn has_issued_to_member(&self, common_name: &str) -> Result<bool, Failure> {
        let query = "SELECT EXISTS (SELECT 1 FROM certificates
            WHERE common_name = ?1 AND ca_label IN ('server', 'peer'))";
        let found =
            self.read(|connection| connection.query_row(query, [common_name], |row| row.get(0)))?;
        Ok(found.unwrap_or(true))
    }

    /// Records new CAs, durably.
    pub(crate) fn record_cas(&self, cas: &[Entry]) -> Result<(), Failure> {
        self.write(|transaction| insert(transaction, "INSERT", cas))
    }

    /// Records what a CA issued, all of it or nothing, durably. A CA that the inventory does not know yet is
    /// recorded with it.
    pub(crate) fn record(&self, ca: &Entry, issued: &[Entry]) -> Result<(), Failure> {
        self.write(|transaction| {
            insert(transaction, "INSERT OR IGNORE", std::slice::from_ref(ca))?;
            insert(transaction, "INSERT", issued)
        })
    }

    /// Reads, where there is something to read: a file, and in it the table.
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, Failure> {
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *held {
            Some(connection) => connection,
            None if !store::is_there(&self.path)? => return Ok(None),
            none => none.insert(self.open()?),
        };
        let table = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'certificates')";
        let failed = |error| self.failure(&error);
        if connection.query_row(table, [], |row| row.get(0)).map_err(failed)? {
            read(connection).map(Some).map_err(failed)
        } else {
            Ok(None)
        }
    }

    /// Writes in one transaction, which is on the disk when this returns. The file is made where there is none.
    fn write(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), Failure> {
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *held {
            Some(connection) => connection,
            none => {
                store::touch_secret(&self.path)?;
                none.insert(self.open()?)
            }
        };
        let work = || {
            let transaction = connection.transaction()?;
            // In one transaction with the first row: each waits for the disk five times.
            migrate(&transaction)?;
            write(&transaction)?;
            transaction.commit()
        };
        work().map_err(|error| self.failure(&error))
    }

    /// Opens a file that is there, and checks that it is an inventory that this version can write to.
    fn open(&self) -> Result<Connection, Failure> {
        Batch::new(Existing::Replace).check_place(&self.path)?;
        // SQLite takes a name that begins with `file:` for a URI, whose query may ask for a database in memory.
        let path = std::path::absolute(&self.path)
            .map_err(|error| Failure::file("looking at", &self.path, &error))?;
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&path, flags)?;
            // A certificate must not leave before its row is on the disk.
            connection
                .execute_batch("PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;")?;
            let version = version(&connection)?;
            let mut query =
                connection.prepare("SELECT name FROM pragma_table_info('certificates')")?;
            let columns =
                query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            drop(query);
            let tables = "SELECT count(*) FROM sqlite_schema";
            let is_empty =
                connection.query_row(tables, [], |row| Ok(row.get::<_, u32>(0)? == 0))?;
            Ok((connection, version, columns, is_empty))
        };
        let (connection, version, columns, is_empty) =
            open().map_err(|error| self.failure(&error))?;
        if version > VERSION {
            return Err(Failure::environment(format!(
                "{}: it has version {version}, and this etcdpki knows {VERSION} and older",
                shown(&self.path),
            ))
            .hinted("a newer etcdpki has written to it; use that one"));
        }
        if columns == COLUMNS || is_empty {
            return Ok(connection);
        }
        let found = if columns.is_empty() { "none".to_owned() } else { columns.join(", ") };
        Err(self.unusable(&format!(
            "another program made it: the columns of its table certificates are {found}"
        )))
    }

    /// A file that is no inventory of this CA, with the ways to get one.
    fn unusable(&self, problem: &str) -> Failure {
        let path = shown(&self.path);
        Failure::environment(format!("{path}: {problem}")).hinted(format!(
            "restore it from a backup, or start a new one: mv {path} {path}.old, and run this again"
        ))
    }

    fn failure(&self, error: &rusqlite::Error) -> Failure {
        let path = shown(&self.path);
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Failure::environment(format!("{path}: it is damaged: {error}")).hinted(format!(
                    "restore it from a backup, or rebuild it from what can be read: mv {path} {path}.damaged, \
                     then sqlite3 {path}.damaged .recover | sqlite3 {path}"
                ))
            }
            code => Failure::environment(format!("{path}: {error}")).hinted(match code {
                Some(ErrorCode::DiskFull) => "nothing was issued; make room on the disk, then run this again",
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    "nothing was issued; another program is writing to it: wait for it to end"
                }
                _ => "nothing was issued; check that the file is yours to write and the disk has room",
            }),
        }
    }
}

fn version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the schema to today's version.
fn migrate(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let version = version(transaction)?;
    for (_, step) in MIGRATIONS.iter().filter(|(to, _)| *to > version) {
        transaction.execute_batch(step)?;
    }
    if version < VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}

/// Adds rows. `INSERT` adds each of them or fails; `INSERT OR IGNORE` leaves those alone that are there.
fn insert(
    transaction: &Transaction<'_>,
    verb: &str,
    entries: &[Entry],
) -> Result<(), rusqlite::Error> {
    let insert = format!(
        "{verb} INTO certificates VALUES (?1, ?2, ?3, 'good', 0, ?4, NULL, ?5, ?6, ?7, ?8)"
    );
    let mut row = transaction.prepare(&insert)?;
    for entry in entries {
        let changed = row.execute(params![
            entry.serial_number,
            entry.authority_key_identifier,
            entry.profile,
            entry.expiry,
            entry.pem,
            entry.issued_at,
            entry.not_before,
            entry.common_name,
        ])?;
        // A trigger can swallow a row without an error.
        if changed != 1 && verb == "INSERT" {
            return Err(rusqlite::Error::StatementChangedRows(changed));
        }
    }
    Ok(())
}

fn rfc3339(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

/// Big-endian octets as a decimal number.
fn decimal(octets: &[u8]) -> String {
    // Nine digits in each, the lowest first.
    const LIMIT: u64 = 1_000_000_000;
    let mut groups: Vec<u64> = Vec::new();
    for octet in octets {
        let mut carry = u64::from(*octet);
        for group in &mut groups {
            carry += *group * 256;
            *group = carry % LIMIT;
            carry /= LIMIT;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let highest = groups.pop().unwrap_or(0).to_string();
    groups.iter().rev().fold(highest, |digits, group| digits + &format!("{group:09}"))
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn octets_become_decimal() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0xff; 8]), u64::MAX.to_string());
        assert_eq!(decimal(&[0xff; 16]), u128::MAX.to_string());
        assert_eq!(decimal(&1_000_000_000_000_000_007_u128.to_be_bytes()), "1000000000000000007");
    }
}
