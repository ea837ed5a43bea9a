//! cfssl's certdb in SQLite: writing one, and reading one (certdb/sqlite/migrations, certdb/certdb.go of cfssl 1.6.5).

use std::path::Path;

use pki_core::{Certificate, GeneralName, RevocationReason};
use rusqlite::{Connection, OpenFlags, params};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Inventory;
use super::entry::Entry;
use super::files::{open_alone, open_damaged, open_plain};
use crate::failure::{Failure, shown};
use crate::store::{Access, Batch, Existing};

/// The tables after both migrations of cfssl. Older versions name the columns that they use, so they work with it too.
const TABLES: &str = "
    CREATE TABLE certificates (
        serial_number            blob NOT NULL,
        authority_key_identifier blob NOT NULL,
        ca_label                 blob,
        status                   blob NOT NULL,
        reason                   int,
        expiry                   timestamp,
        revoked_at               timestamp,
        pem                      blob NOT NULL,
        issued_at                timestamp,
        not_before               timestamp,
        metadata                 text,
        sans                     text,
        common_name              text,
        PRIMARY KEY(serial_number, authority_key_identifier)
    );
    CREATE TABLE ocsp_responses (
        serial_number            blob NOT NULL,
        authority_key_identifier blob NOT NULL,
        body                     blob NOT NULL,
        expiry                   timestamp,
        PRIMARY KEY(serial_number, authority_key_identifier),
        FOREIGN KEY(serial_number, authority_key_identifier)
            REFERENCES certificates(serial_number, authority_key_identifier)
    );
    PRAGMA user_version = 0;";

/// The value of `revoked_at` for a certificate that is not revoked: Go's zero time. cfssl cannot read NULL there.
const NEVER: &str = "0001-01-01 00:00:00+00:00";

/// What was in a certdb.
pub(crate) struct Certdb {
    /// The certificates that the CA issued.
    pub(crate) entries: Vec<Entry>,
    /// Why other rows are left out, one sentence for each.
    pub(crate) left_out: Vec<String>,
}

impl Inventory {
    /// Writes a new certdb that cfssl can use, with every row. Returns how many there are.
    pub(crate) fn export_certdb(&self, to: &Path) -> Result<usize, Failure> {
        let mut batch = Batch::new(Existing::Keep);
        let mut count = 0;
        batch.stage_with(to.to_owned(), Access::Secret, |file, place| {
            let failed = |error: &rusqlite::Error| {
                Failure::environment(format!("writing {}: {error}", shown(place)))
            };
            let mut certdb = open_plain(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)
                .map_err(|error| failed(&error))?;
            let transaction = certdb.transaction().map_err(|error| failed(&error))?;
            let written = self.0.read(|connection| {
                transaction.execute_batch(TABLES)?;
                let mut rows = connection.prepare(
                    "SELECT serial_number, authority_key_identifier, ca_label, status, reason, expiry, revoked_at,
                        pem, issued_at, not_before, common_name FROM certificates ORDER BY rowid",
                )?;
                let mut rows = rows.query([])?;
                let mut insert = transaction.prepare(
                    "INSERT INTO certificates
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL, ?11, ?12)",
                )?;
                let mut count = 0;
                while let Some(row) = rows.next()? {
                    let text = |index| row.get::<_, String>(index);
                    let go = |index| text(index).map(|text| go_time(&text));
                    let pem = text(7)?;
                    let revoked_at: Option<String> = row.get(6)?;
                    insert.execute(params![
                        text(0)?,
                        text(1)?,
                        text(2)?,
                        text(3)?,
                        row.get::<_, i64>(4)?,
                        go(5)?,
                        revoked_at.map_or_else(|| NEVER.to_owned(), |at| go_time(&at)),
                        pem,
                        go(8)?,
                        go(9)?,
                        names(&pem),
                        row.get::<_, Option<String>>(10)?,
                    ])?;
                    count += 1;
                }
                Ok(count)
            })?;
            count = written.ok_or_else(|| {
                Failure::environment(format!("{} is missing or empty", shown(self.path())))
                    .hinted("etcdpki check says what can be restored")
            })?;
            transaction.commit().map_err(|error| failed(&error))
        })?;
        batch.commit()?;
        Ok(count)
    }
}

impl Certdb {
    /// Reads the certificates of a CA from a certdb of cfssl. The certificates are read, not the columns, because cfssl
    /// 1.2 leaves
    /// the key identifier of the issuer empty.
    pub(crate) fn read(from: &Path, ca: &Certificate) -> Result<Self, Failure> {
        let failed = |error: rusqlite::Error| {
            Failure::usage(format!("{}: not a certdb of cfssl: {error}", shown(from)))
                .hinted("name the SQLite file, which is the data_source in cfssl's -db-config")
        };
        let mut certdb = Self { entries: Vec::new(), left_out: Vec::new() };
        let connection = open_plain(from, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        certdb.take(&connection, ca).map_err(failed)?;
        Ok(certdb)
    }

    /// What can be read of a damaged inventory, up to the first damage.
    pub(crate) fn salvage(from: &Path, ca: &Certificate) -> Self {
        let mut certdb = Self { entries: Vec::new(), left_out: Vec::new() };
        // A damaged file can be better with its log than without it, or the other way round.
        for connection in [open_damaged(from), open_alone(from)].into_iter().flatten() {
            // The rows before the error are all that can be read.
            let _ = certdb.take(&connection, ca);
        }
        certdb
    }

    fn take(&mut self, connection: &Connection, ca: &Certificate) -> Result<(), rusqlite::Error> {
        let query = "SELECT CAST(serial_number AS TEXT), CAST(ca_label AS TEXT), CAST(status AS TEXT), reason,
            CAST(revoked_at AS TEXT), CAST(pem AS TEXT) FROM certificates ORDER BY rowid";
        let mut query = connection.prepare(query)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let text = |index| row.get::<_, Option<String>>(index);
            let serial = text(0)?.unwrap_or_default();
            let revocation = match text(2)?.as_deref() {
                Some("revoked") => {
                    let reason = row.get::<_, Option<u8>>(3)?.unwrap_or(0);
                    Some((reason, text(4)?.unwrap_or_default()))
                }
                _ => None,
            };
            match entry(&text(5)?.unwrap_or_default(), text(1)?.as_deref(), revocation, ca) {
                Ok(entry) => self.entries.push(entry),
                Err(reason) => self.left_out.push(format!("the row {serial}: {reason}")),
            }
        }
        Ok(())
    }
}

fn entry(
    pem: &str,
    label: Option<&str>,
    revocation: Option<(u8, String)>,
    ca: &Certificate,
) -> Result<Entry, String> {
    let mut read = Certificate::from_pem_or_der(pem.as_bytes())
        .map_err(|error| format!("its certificate cannot be read: {error}"))?;
    let certificate = read.swap_remove(0);
    if certificate.issuer.der() != ca.subject.der() || !certificate.is_signed_by(&ca.public_key) {
        return Err(format!("{} was not issued by this CA", certificate.subject));
    }
    let profile = match label {
        Some(label) if !label.is_empty() => label,
        _ => super::profile_of(&certificate),
    };
    let entry = Entry::new(&certificate, profile, certificate.not_before)
        .map_err(|error| error.to_string())?;
    let Some((reason, at)) = revocation else { return Ok(entry) };
    let at = rfc3339_of(&at).ok_or_else(|| format!("revoked_at {at:?} is not a time"))?;
    Ok(entry
        .revoked(RevocationReason::from_code(reason).unwrap_or(RevocationReason::Unspecified), at))
}

/// A time as Go's driver writes it.
fn go_time(text: &str) -> String {
    match text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some((day, time)) => format!("{day} {time}+00:00"),
        None => text.to_owned(),
    }
}

/// A time as Go's driver, or SQLite's CURRENT_TIMESTAMP, writes it.
fn rfc3339_of(text: &str) -> Option<OffsetDateTime> {
    let text = text.replacen(' ', "T", 1);
    let zone = if text.ends_with('Z') || text.contains('+') { "" } else { "Z" };
    let read = OffsetDateTime::parse(&format!("{text}{zone}"), &Rfc3339).ok()?;
    // No fractions of a second: X.509 has none.
    read.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).ok()
}

/// The names of a certificate, as cfssl keeps them: a JSON list.
fn names(pem: &str) -> Option<String> {
    let certificate = Certificate::from_pem_or_der(pem.as_bytes()).ok()?.swap_remove(0);
    let names = certificate.extensions.subject_alt_name.as_ref()?;
    let names = names.iter().filter_map(|name| match name {
        GeneralName::Dns(name) | GeneralName::Email(name) | GeneralName::Uri(name) => {
            Some(name.clone())
        }
        other => other.ip().map(|ip| ip.to_string()),
    });
    serde_json::to_string(&names.collect::<Vec<String>>()).ok()
}
