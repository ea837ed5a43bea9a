//! What was issued, in SQLite: a certificate is here before it is anywhere else.
//!
//! The table is that of cfssl's certdb, so that its users can move here and their queries still work.

use std::path::{Path, PathBuf};

use pki_core::Certificate;
use rusqlite::{Connection, params};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::failure::Failure;
use crate::store;

/// The file in the CA's folder.
pub(crate) const FILE: &str = "inventory.db";

// With a rowid, as in cfssl, rows stand in the order of issuing and only the index is as random as the serial
// numbers are; by its own key each row of a large inventory would be written to a page of its own, twice.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS certificates (
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
    );
";

/// What the inventory keeps of one certificate.
pub(crate) struct Entry<'a> {
    serial_number: String,
    authority_key_identifier: String,
    profile: &'a str,
    expiry: String,
    pem: String,
    not_before: String,
    common_name: Option<String>,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(certificate: &Certificate, profile: &'a str) -> Result<Self, Failure> {
        let aki = certificate.extensions.authority_key_id.as_ref();
        let aki = aki.and_then(|aki| aki.key_id.as_ref());
        Ok(Self {
            serial_number: decimal(certificate.serial.as_bytes()),
            authority_key_identifier: aki.map_or_else(String::new, ToString::to_string),
            profile,
            expiry: rfc3339(certificate.not_after),
            pem: certificate.to_pem()?,
            not_before: rfc3339(certificate.not_before),
            common_name: certificate.subject.common_name().map(ToOwned::to_owned),
        })
    }

    /// The certificate in PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }
}

/// The open inventory of one CA.
pub(crate) struct Inventory {
    connection: Connection,
    path: PathBuf,
}

impl Inventory {
    /// Opens the inventory of a CA's folder, and makes it where there is none.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(FILE);
        store::touch_secret(&path)?;
        let failed = |error| failure(&path, &error);
        let connection = Connection::open(&path).map_err(failed)?;
        // A certificate must not leave before its row is on the disk.
        connection
            .execute_batch("PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;")
            .map_err(failed)?;
        Ok(Self { connection, path })
    }

    /// The certificates that were issued by this profile.
    pub(crate) fn issued_by(&self, profile: &str) -> Result<Vec<Certificate>, Failure> {
        let failed = |error: rusqlite::Error| failure(&self.path, &error);
        self.connection.execute_batch(SCHEMA).map_err(failed)?;
        let query = "SELECT pem FROM certificates WHERE ca_label = ?1";
        let mut rows = self.connection.prepare(query).map_err(failed)?;
        let rows = rows.query_map([profile], |row| row.get::<_, String>(0)).map_err(failed)?;
        let mut certificates = Vec::new();
        for pem in rows {
            certificates.extend(Certificate::from_pem_or_der(pem.map_err(failed)?.as_bytes())?);
        }
        Ok(certificates)
    }

    /// Records one certificate, durably.
    pub(crate) fn record(
        &mut self,
        certificate: &Certificate,
        profile: &str,
        now: OffsetDateTime,
    ) -> Result<(), Failure> {
        self.record_all(&[Entry::new(certificate, profile)?], now)
    }

    /// Records certificates, all of them or none, durably.
    pub(crate) fn record_all<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a Entry<'a>>,
        now: OffsetDateTime,
    ) -> Result<(), Failure> {
        let path = &self.path;
        let failed = |error: rusqlite::Error| failure(path, &error);
        let transaction = self.connection.transaction().map_err(failed)?;
        // In one transaction with the first row: each waits for the disk five times.
        transaction.execute_batch(SCHEMA).map_err(failed)?;
        let insert =
            "INSERT INTO certificates VALUES (?1, ?2, ?3, 'good', 0, ?4, NULL, ?5, ?6, ?7, ?8)";
        let mut row = transaction.prepare(insert).map_err(failed)?;
        let issued_at = rfc3339(now);
        for entry in entries {
            row.execute(params![
                entry.serial_number,
                entry.authority_key_identifier,
                entry.profile,
                entry.expiry,
                entry.pem,
                issued_at,
                entry.not_before,
                entry.common_name,
            ])
            .map_err(failed)?;
        }
        drop(row);
        transaction.commit().map_err(failed)
    }
}

fn failure(path: &Path, error: &rusqlite::Error) -> Failure {
    Failure::environment(format!("{}: {error}", path.display()))
        .hinted("nothing was issued; see that the disk has room and the file is yours to write")
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
