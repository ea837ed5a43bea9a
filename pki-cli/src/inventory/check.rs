//! Checks whether the inventory is intact, and renames a damaged one.

use std::fs;
use std::path::PathBuf;

use pki_core::{Certificate, RevocationReason, quote};

use super::entry::{Entry, decimal, issuer_of, key_id_of};
use super::files::{beside, unused};
use super::revocation::moment;
use super::{Inventory, schema};
use crate::failure::Failure;
use crate::store;

/// The state of the file.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// It can be read and written.
    Usable,
    /// There is no file, or no row.
    Empty,
    /// SQLite cannot read it, or found something wrong in it.
    Damaged(String),
}

/// A row as it is stored.
pub(crate) struct Stored {
    pub(super) id: i64,
    pub(super) serial_number: String,
    pub(super) authority_key_identifier: String,
    pub(super) status: String,
    pub(super) reason: i64,
    pub(super) revoked_at: Option<String>,
    expiry: String,
    not_before: String,
    common_name: Option<String>,
    pem: String,
}

/// The columns of a row, whatever types their values have: SQLite does not enforce those of a table.
const STORED: &str = "rowid, CAST(serial_number AS TEXT), CAST(authority_key_identifier AS TEXT), CAST(status AS TEXT),
    CAST(reason AS INTEGER), CAST(revoked_at AS TEXT), CAST(expiry AS TEXT), CAST(not_before AS TEXT),
    CAST(common_name AS TEXT), CAST(pem AS TEXT)";

impl Stored {
    /// What is wrong with the row, if something is: its columns must agree with its certificate, and a certificate that
    /// names the CA as its issuer must be signed by it.
    pub(crate) fn problem(&self, ca: &Certificate) -> Option<String> {
        let about = |problem: &str| Some(format!("the row {}: {problem}", self.serial_number));
        let certificate = match self.certificate(ca) {
            Ok(certificate) => certificate,
            Err(problem) => return about(&problem),
        };
        let Ok(expected) = Entry::of_ca(&certificate) else {
            return about("its certificate cannot be written in PEM");
        };
        let differing: Vec<&str> = [
            ("serial_number", self.serial_number == expected.serial_number),
            (
                "authority_key_identifier",
                self.authority_key_identifier == expected.authority_key_identifier,
            ),
            ("expiry", self.expiry == expected.expiry),
            ("not_before", self.not_before == expected.not_before),
            ("common_name", self.common_name == expected.common_name),
        ]
        .into_iter()
        .filter_map(|(column, is_equal)| (!is_equal).then_some(column))
        .collect();
        if !differing.is_empty() {
            let columns = differing.join(", ");
            return about(&format!("{columns}: differs from its certificate"));
        }
        match &*self.status {
            "good" => None,
            "revoked" if self.revoked_at.as_deref().and_then(moment).is_none() => {
                about("revoked_at: not a time")
            }
            "revoked" => {
                let reason = u8::try_from(self.reason).ok().and_then(RevocationReason::from_code);
                if reason.is_some() { None } else { about("reason: not one of RFC 5280") }
            }
            _ => about("status: neither good nor revoked"),
        }
    }

    /// Its certificate. One that names the CA as its issuer must be signed by it.
    pub(super) fn certificate(&self, ca: &Certificate) -> Result<Certificate, String> {
        let mut read = Certificate::from_pem_or_der(self.pem.as_bytes())
            .map_err(|error| format!("its certificate cannot be read: {error}"))?;
        let certificate = read.swap_remove(0);
        let is_ours = issuer_of(&certificate) == key_id_of(ca) && !certificate.is_self_issued();
        if is_ours && !certificate.is_signed_by(&ca.public_key) {
            return Err("the signature of its certificate is wrong".to_owned());
        }
        Ok(certificate)
    }

    fn of(row: &rusqlite::Row<'_>) -> Result<Self, rusqlite::Error> {
        // Nobody else may have written UTF-8.
        let bytes = |index| -> Result<Option<String>, rusqlite::Error> {
            let value = row.get_ref(index)?.as_bytes_or_null()?;
            Ok(value.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
        };
        let text = |index| bytes(index).map(Option::unwrap_or_default);
        Ok(Self {
            id: row.get(0)?,
            serial_number: text(1)?,
            authority_key_identifier: text(2)?,
            status: text(3)?,
            reason: row.get::<_, Option<i64>>(4)?.unwrap_or_default(),
            revoked_at: bytes(5)?,
            expiry: text(6)?,
            not_before: text(7)?,
            common_name: bytes(8)?,
            pem: text(9)?,
        })
    }
}

impl Inventory {
    /// Examines the file. Changes nothing. A file of another CA, of another program or of a newer version is an error.
    pub(crate) fn condition(&self, ca: &Certificate) -> Result<Condition, Failure> {
        if let Some(damage) = self.0.damage()? {
            return Ok(Condition::Damaged(damage));
        }
        Ok(match self.examine(ca)? {
            None => Condition::Usable,
            Some(_) => Condition::Empty,
        })
    }

    /// The rows after `after`, up to a limit, and the position to continue from, or `None` at the end.
    pub(crate) fn stored(&self, after: i64, count: u32) -> Result<(Vec<Stored>, i64), Failure> {
        let rows = self.0.read(|connection| {
            let query = format!(
                "SELECT {STORED} FROM certificates WHERE rowid > ?1 ORDER BY rowid LIMIT ?2"
            );
            let mut query = connection.prepare(&query)?;
            query.query_map((after, count), Stored::of)?.collect::<Result<Vec<Stored>, _>>()
        })?;
        let rows = rows.unwrap_or_default();
        let last = rows.last().map_or(after, |row| row.id);
        Ok((rows, last))
    }

    /// What is wrong with the log, if it is lost, or does not belong to the file.
    pub(crate) fn log_problem(&self) -> Result<Option<String>, Failure> {
        self.0.log_problem()
    }

    /// Moves everything from the log to the file. What was recorded is on disk in either case.
    pub(crate) fn checkpoint(&self) -> Result<(), Failure> {
        self.0.checkpoint()
    }

    /// What is wrong with the tables, without the rows of certificates: tables that are missing, and places of certificates
    /// that have no row.
    pub(crate) fn table_problems(&self) -> Result<Vec<String>, Failure> {
        let problems = self.0.read(|connection| {
            let missing = schema::missing_tables(connection)?;
            let mut problems: Vec<String> =
                missing.iter().map(|table| format!("the table {table} is missing")).collect();
            if missing.contains(&"places") {
                return Ok(problems);
            }
            let places = schema::places(connection)?;
            let query = format!(
                "SELECT CAST(path AS TEXT) FROM {places} AS p WHERE NOT EXISTS (SELECT 1 FROM certificates AS c
                WHERE c.serial_number = p.serial_number
                AND c.authority_key_identifier = p.authority_key_identifier)"
            );
            let mut query = connection.prepare(&query)?;
            for path in query.query_map([], |row| row.get::<_, Option<String>>(0))? {
                let path = quote::name(&path?.unwrap_or_default());
                problems.push(format!("{path}: the row of this certificate is missing; name its folder with --scan"));
            }
            Ok(problems)
        })?;
        Ok(problems.unwrap_or_default())
    }

    /// Whether the place of a certificate's file is not recorded.
    pub(crate) fn lacks_place(&self, certificate: &Certificate) -> Result<bool, Failure> {
        let key = [decimal(certificate.serial.as_bytes()), issuer_of(certificate)];
        let lacks = self.0.read(|connection| {
            // A table that is missing is a problem of its own, and older versions had none.
            if !schema::has_places(connection)? {
                return Ok(false);
            }
            let places = schema::places(connection)?;
            let query = format!(
                "SELECT NOT EXISTS (SELECT 1 FROM {places} WHERE serial_number = ?1 AND authority_key_identifier = ?2)"
            );
            connection.query_row(&query, key, |row| row.get(0))
        })?;
        Ok(lacks.unwrap_or(true))
    }

    /// Renames a damaged file, so that a new one can be created. Returns the new name.
    pub(crate) fn set_aside(self) -> Result<PathBuf, Failure> {
        let path = self.path().to_owned();
        drop(self);
        let aside = unused(&path, "damaged")?;
        // SQLite would play the journal or the log of the old file back into the new one.
        for suffix in ["-journal", "-wal", "-shm", ""] {
            let from = beside(&path, suffix);
            if store::is_there(&from)? {
                fs::rename(&from, beside(&aside, suffix))
                    .map_err(|error| Failure::file("renaming", &from, &error))?;
            }
        }
        Ok(aside)
    }
}
