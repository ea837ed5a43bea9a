//! The inventory of issued certificates, in SQLite. A certificate is recorded here before it is written anywhere else.
//!
//! The table `certificates` is that of cfssl's certdb, so the queries of cfssl's users still work. Everything else that
//! etcdpki stores goes into tables of its own. Each method is one whole operation, which another kind of store could
//! offer as well.

mod backup;
mod certdb;
mod check;
mod connection;
mod create;
mod database;
mod entry;
mod files;
mod query;
mod renewal;
mod repair;
mod revocation;
mod schema;
mod wait;
mod wal;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use pki_core::{Certificate, ExtendedKeyUsage};
use rusqlite::{Connection, OptionalExtension, Statement, ToSql, Transaction, params};

pub(crate) use self::certdb::Certdb;
pub(crate) use self::check::{Condition, Stored};
use self::database::{Database, KeptOpen};
pub(crate) use self::entry::{CrlEntry, Entry, FilePlace, decimal, key_id_of, rfc3339};
pub(crate) use self::query::{Filter, Row, Status};
pub(crate) use self::repair::Evidence;
pub(crate) use self::revocation::{LastCrl, Revocation};
use crate::failure::{Failure, shown};
use crate::{host, store};

/// The file in the CA's folder.
pub(crate) const FILE: &str = "inventory.db";

/// The files of the inventory in the CA's folder: the database, and those that SQLite keeps beside it.
pub(crate) fn files(folder: &Path) -> [PathBuf; 4] {
    let database = folder.join(FILE);
    ["", "-wal", "-shm", "-journal"].map(|suffix| files::beside(&database, suffix))
}

/// The profile in the row of a CA's own certificate.
pub(crate) const CA_PROFILE: &str = "ca";

/// The built-in profile that a certificate of unknown origin resembles most.
pub(crate) fn profile_of(certificate: &Certificate) -> &'static str {
    let usages = certificate.extensions.extended_key_usage.as_deref();
    match usages {
        _ if certificate.is_ca() => CA_PROFILE,
        Some(usages) if usages.contains(&ExtendedKeyUsage::server_auth()) => "server",
        _ => "client",
    }
}

/// The result of recording certificates that exist already.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// How many got a row.
    pub(crate) added: usize,
    /// How many had one.
    pub(crate) known: usize,
    /// How many had one, and are revoked now.
    pub(crate) revoked: usize,
    /// The serial numbers, in decimal, that another certificate of the CA has already.
    pub(crate) clashes: Vec<String>,
}

/// The inventory of a CA's folder.
pub(crate) struct Inventory(Database);

impl Inventory {
    /// The inventory of a folder. Nothing is read or created yet.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(Database::of(folder.join(FILE)))
    }

    /// The inventory of a folder, which must exist.
    pub(crate) fn of_ca(folder: &Path) -> Result<Self, Failure> {
        let inventory = Self::of(folder);
        if store::is_there(inventory.path())? {
            return Ok(inventory);
        }
        let path = shown(inventory.path());
        Err(Failure::environment(format!("{path} is missing")).hinted(
            "name the manifest with -f, or the CA's folder with --dir, such as pki/server-ca if there are separate CAs; if the file was lost, restore a backup or run etcdpki check --rebuild",
        ))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Keeps the file open and locked while many operations follow each other.
    pub(crate) fn keep_open(&self) -> KeptOpen<'_> {
        self.0.keep_open()
    }

    /// What is unusual about the file, for people, as far as it tells without being opened.
    pub(crate) fn remark(&self) -> Result<Option<String>, Failure> {
        Ok(match (self.0.is_empty()?, store::is_there(self.path())?) {
            (true, false) => Some(self.begins("is missing")),
            (true, true) => Some(self.begins("is empty")),
            (false, _) => None,
        })
    }

    /// Checks that the inventory is that of this CA, or has no certificates yet. Returns what is unusual about it.
    pub(crate) fn examine(&self, ca: &Certificate) -> Result<Option<String>, Failure> {
        let (own, key_id) = (Entry::of_ca(ca)?, key_id_of(ca));
        match self.0.read(|connection| owner(connection, &own, &key_id))? {
            Some(Owner::Other) => Err(self.of_another_ca(&own)),
            Some(Owner::This) => Ok(None),
            Some(Owner::Nobody) => Ok(Some(self.begins("is empty"))),
            None => self.remark(),
        }
    }

    fn of_another_ca(&self, ca: &Entry) -> Failure {
        let name = ca.subject();
        self.0.unusable(&format!("it belongs to another CA: it has no certificates of {name}"))
    }

    fn begins(&self, what: &str) -> String {
        format!(
            "{} {what}: a new inventory starts with the next certificate, and does not list the certificates that this CA issued before; if you have a backup, restore it",
            shown(self.path())
        )
    }

    /// The certificates of all CAs in the inventory.
    pub(crate) fn ca_certificates(&self) -> Result<Vec<Certificate>, Failure> {
        let texts = self.0.read(|connection| {
            let mut query =
                connection.prepare("SELECT pem FROM certificates WHERE ca_label = ?1")?;
            let rows = query.query_map([CA_PROFILE], |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let mut certificates = Vec::new();
        for text in texts.unwrap_or_default() {
            let read = Certificate::from_pem_or_der(text.as_bytes());
            certificates.extend(read.map_err(|error| Failure::from(error).in_file(self.path()))?);
        }
        Ok(certificates)
    }

    /// How many certificates were issued, not counting those of CAs.
    pub(crate) fn count_issued(&self) -> Result<u32, Failure> {
        let query = "SELECT count(*) FROM certificates WHERE ca_label <> ?1";
        let count = self.0.read(|connection| {
            connection.query_row(query, [CA_PROFILE], |row| row.get::<_, u32>(0))
        })?;
        Ok(count.unwrap_or(0))
    }

    /// Whether a member of this name was given a certificate. Without an inventory this is unknown, and the
    /// answer is true.
    pub(crate) fn has_issued_to_member(&self, common_name: &str) -> Result<bool, Failure> {
        let query = "SELECT EXISTS (SELECT 1 FROM certificates
            WHERE common_name = ?1 AND ca_label IN ('server', 'peer'))";
        let found = self
            .0
            .read(|connection| connection.query_row(query, [common_name], |row| row.get(0)))?;
        Ok(found.unwrap_or(true))
    }

    /// Records new CAs, and those above them that have no rows yet. They are on disk afterwards.
    pub(crate) fn record_cas(&self, cas: &[Entry]) -> Result<(), Failure> {
        self.0.write(|transaction| {
            cas.iter().try_for_each(|ca| insert_missing(transaction, ca).map(drop))
        })
    }

    /// Records all of what a CA issued, or nothing. It is on disk afterwards. The CA gets a row first, if it has none.
    ///
    /// A certificate that has a row already is recorded: `issue --signature-in` runs again after its files could not be
    /// written, and produces the same certificate.
    pub(crate) fn record(&self, ca: &Entry, issued: &[Entry]) -> Result<(), Failure> {
        let Some(first) = issued.first() else { return Ok(()) };
        let key_id = &first.authority_key_identifier;
        self.write_as(ca, key_id, |transaction| insert(transaction, issued))
    }

    /// Writes what the CA with this key identifier issued. The CA gets a row first, if it has none. The inventory of another
    /// CA is an error, because the rows would be lost in it.
    fn write_as(
        &self,
        ca: &Entry,
        key_id: &str,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), Failure> {
        let is_new = Cell::new(false);
        let examine = |connection: &Connection| match owner(connection, ca, key_id)? {
            Owner::Other => Err(self.of_another_ca(ca).into()),
            owner => {
                is_new.set(owner == Owner::Nobody);
                Ok(())
            }
        };
        self.0.write_if(examine, |transaction| {
            insert_missing(transaction, ca)?;
            write(transaction)
        })?;
        if is_new.get() {
            host::say(&format!("warning: {}\n", self.begins("is empty")));
        }
        Ok(())
    }

    /// Records a CA, and certificates that exist already, such as those of another tool, unless they have rows. Also records
    /// revocations that the inventory does not know. Everything is on disk afterwards.
    pub(crate) fn merge(&self, ca: &Entry, found: &[Entry]) -> Result<Merged, Failure> {
        let mut merged = Merged::default();
        self.0.write(|transaction| {
            insert_missing(transaction, ca)?;
            let is_same = "SELECT pem = ?3 FROM certificates
                WHERE serial_number = ?1 AND authority_key_identifier = ?2";
            for entry in found {
                if insert_missing(transaction, entry)? {
                    merged.added += 1;
                    continue;
                }
                let key = (&*entry.serial_number, &*entry.authority_key_identifier);
                let values = params![key.0, key.1, entry.pem];
                if transaction.query_row(is_same, values, |row| row.get(0))? {
                    merged.known += 1;
                    put_place(&mut transaction.prepare(KEEP_PLACE)?, entry)?;
                } else {
                    merged.clashes.push(entry.serial_number.clone());
                }
                // Verifiers know a certificate by its serial number, so a revocation also counts if the rows differ.
                if let Some((reason, at)) = entry.revocation {
                    merged.revoked += revocation::revoke(transaction, key, reason, at)?;
                }
            }
            Ok(())
        })?;
        Ok(merged)
    }
}

/// Whose certificates an inventory has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Owner {
    Nobody,
    This,
    Other,
}

/// Whether the inventory is that of a CA.
fn owner(connection: &Connection, ca: &Entry, key_id: &str) -> Result<Owner, rusqlite::Error> {
    if !schema::has_table(connection, "certificates")? {
        return Ok(Owner::Nobody);
    }
    let is_there = |query: &str, values: &[&dyn ToSql]| {
        connection.query_row(query, values, |_| Ok(())).optional().map(|row| row.is_some())
    };
    let itself = "SELECT 1 FROM certificates WHERE serial_number = ?1 AND pem = ?2";
    // Older versions did not record a CA that came from elsewhere. A root can lack the identifier.
    let leaf = "SELECT 1 FROM certificates
        WHERE authority_key_identifier = ?1 AND authority_key_identifier <> '' LIMIT 1";
    if is_there(itself, &[&ca.serial_number, &ca.pem])? || is_there(leaf, &[&key_id])? {
        return Ok(Owner::This);
    }
    let any = is_there("SELECT 1 FROM certificates LIMIT 1", &[])?;
    Ok(if any { Owner::Other } else { Owner::Nobody })
}

/// Adds a row unless it exists. Returns whether it is new.
fn insert_missing(transaction: &Transaction<'_>, entry: &Entry) -> Result<bool, rusqlite::Error> {
    let known = "SELECT 1 FROM certificates
        WHERE serial_number = ?1 AND authority_key_identifier = ?2";
    let key = [&entry.serial_number, &entry.authority_key_identifier];
    let known = transaction.prepare(known)?.query_row(key, |_| Ok(())).optional()?;
    if known.is_none() {
        insert(transaction, std::slice::from_ref(entry))?;
    }
    Ok(known.is_none())
}

/// Adds rows. A row for the same certificate stays as it is; one for another certificate with that serial number is an error.
fn insert(transaction: &Transaction<'_>, entries: &[Entry]) -> Result<(), rusqlite::Error> {
    let insert = "INSERT INTO certificates
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT DO UPDATE SET pem = excluded.pem WHERE pem = excluded.pem";
    let mut row = transaction.prepare(insert)?;
    let mut place = transaction.prepare(REPLACE_PLACE)?;
    for entry in entries {
        let (status, reason, revoked_at) = match entry.revocation {
            None => ("good", 0, None),
            Some((reason, at)) => ("revoked", reason.code(), Some(entry::rfc3339(at))),
        };
        let changed = row.execute(params![
            entry.serial_number,
            entry.authority_key_identifier,
            entry.profile,
            status,
            reason,
            entry.expiry,
            revoked_at,
            entry.pem,
            entry.issued_at,
            entry.not_before,
            entry.common_name,
        ])?;
        // A conflict changes no row, and a trigger can discard one without an error.
        if changed != 1 {
            return Err(rusqlite::Error::StatementChangedRows(changed));
        }
        put_place(&mut place, entry)?;
    }
    Ok(())
}

/// Records a place. A row that was lost can have left an older one.
const REPLACE_PLACE: &str = "INSERT OR REPLACE INTO places VALUES (?1, ?2, ?3, ?4)";
/// Records a place unless there is one.
const KEEP_PLACE: &str = "INSERT OR IGNORE INTO places VALUES (?1, ?2, ?3, ?4)";

/// Records the place of a certificate's file with one of these statements, if it has a place.
fn put_place(statement: &mut Statement<'_>, entry: &Entry) -> Result<(), rusqlite::Error> {
    if let Some(FilePlace { host, path }) = &entry.place {
        let (serial, issuer) = (&entry.serial_number, &entry.authority_key_identifier);
        statement.execute(params![serial, issuer, host, path])?;
    }
    Ok(())
}
