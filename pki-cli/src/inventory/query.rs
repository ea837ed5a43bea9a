//! Finding certificates in the inventory.

use pki_core::{Certificate, RevocationReason, SerialNumber};
use rusqlite::{ToSql, params};
use time::OffsetDateTime;

use super::entry::{decimal, hexadecimal, issuer_of, key_id_of, rfc3339};
use super::{CA_PROFILE, Inventory, schema};
use crate::failure::Failure;

/// Which certificates to find. An empty filter finds all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// The host whose folder has the file; for a certificate that is in no host's folder, its common name.
    pub(crate) host: Option<String>,
    /// The signing profile.
    pub(crate) profile: Option<String>,
    pub(crate) serial: Option<SerialNumber>,
    pub(crate) status: Option<Status>,
    /// Certificates that are valid at the first time and not at the second.
    pub(crate) expires_between: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// The state of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    /// It is in use, as far as the inventory knows.
    Good,
    /// A later certificate replaced its file.
    Replaced,
    Revoked,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
        }
    }
}

/// What the inventory knows about a certificate, apart from the certificate itself.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    id: i64,
    /// In hexadecimal.
    pub(crate) serial: String,
    /// The key identifier of the CA, in hexadecimal; empty if the certificate has none.
    pub(crate) issuer: String,
    pub(crate) profile: String,
    pub(crate) status: Status,
    /// The number of the reason, if it is revoked (RFC 5280 section 5.3.1).
    pub(crate) reason: u8,
    /// Times in RFC 3339.
    pub(crate) revoked_at: Option<String>,
    pub(crate) issued_at: String,
    pub(crate) not_before: String,
    pub(crate) not_after: String,
    pub(crate) common_name: Option<String>,
    pub(crate) host: Option<String>,
    /// The certificate's file: absolute, or relative to the CA's folder.
    pub(crate) path: Option<String>,
}

impl Row {
    /// Why the certificate was revoked, if it was.
    pub(crate) fn reason(&self) -> Option<RevocationReason> {
        let revoked = self.status == Status::Revoked;
        revoked.then(|| {
            RevocationReason::from_code(self.reason).unwrap_or(RevocationReason::Unspecified)
        })
    }
}

impl Inventory {
    /// The certificates that a filter finds, in the order in which they were recorded. There are none without a file.
    pub(crate) fn find(&self, filter: &Filter) -> Result<Vec<Row>, Failure> {
        let (mut conditions, mut values) = (Vec::new(), Vec::<Box<dyn ToSql>>::new());
        let mut add = |condition: &'static str, value: Box<dyn ToSql>| {
            conditions.push(condition);
            values.push(value);
        };
        if let Some(host) = &filter.host {
            add("coalesce(p.host, c.common_name) = ?", Box::new(host.clone()));
        }
        if let Some(profile) = &filter.profile {
            add("c.ca_label = ?", Box::new(profile.clone()));
        }
        if let Some(serial) = &filter.serial {
            add("c.serial_number = ?", Box::new(decimal(serial.as_bytes())));
        }
        if let Some(status) = filter.status {
            add("state = ?", Box::new(status.as_str()));
        }
        if let Some((from, to)) = filter.expires_between {
            add("c.expiry >= ?", Box::new(rfc3339(from)));
            add("c.expiry < ?", Box::new(rfc3339(to)));
        }
        let conditions = match conditions.as_slice() {
            [] => String::new(),
            all => format!("WHERE {}", all.join(" AND ")),
        };
        let rows = self.0.read(|connection| {
            let places = schema::places(connection)?;
            let mut query = connection.prepare(&format!(
                "SELECT c.rowid, c.serial_number, c.authority_key_identifier, c.ca_label,
                    CASE WHEN c.status = 'revoked' THEN 'revoked'
                        WHEN EXISTS (SELECT 1 FROM {places} AS later
                            WHERE later.path = p.path AND later.rowid > p.rowid) THEN 'replaced'
                        ELSE 'good' END AS state,
                    c.reason, c.revoked_at, c.issued_at, c.not_before, c.expiry, c.common_name, p.host, p.path
                FROM certificates AS c
                LEFT JOIN {places} AS p USING (serial_number, authority_key_identifier)
                {conditions} ORDER BY c.rowid"
            ))?;
            let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
            let rows = query.query_map(&values[..], |row| {
                let serial: String = row.get(1)?;
                Ok(Row {
                    id: row.get(0)?,
                    serial: hexadecimal(&serial).unwrap_or(serial),
                    issuer: row.get(2)?,
                    profile: row.get(3)?,
                    status: match row.get::<_, String>(4)?.as_str() {
                        "good" => Status::Good,
                        "replaced" => Status::Replaced,
                        _ => Status::Revoked,
                    },
                    reason: row.get(5)?,
                    revoked_at: row.get(6)?,
                    issued_at: row.get(7)?,
                    not_before: row.get(8)?,
                    not_after: row.get(9)?,
                    common_name: row.get(10)?,
                    host: row.get(11)?,
                    path: row.get(12)?,
                })
            })?;
            rows.collect()
        })?;
        Ok(rows.unwrap_or_default())
    }

    /// The certificate of a row that was found.
    pub(crate) fn certificate(&self, row: &Row) -> Result<Certificate, Failure> {
        let query = "SELECT pem FROM certificates WHERE rowid = ?1";
        let pem =
            self.0.read(|connection| connection.query_row(query, [row.id], |row| row.get(0)))?;
        let pem: String = pem.unwrap_or_default();
        let serial = &row.serial;
        let mut read = Certificate::from_pem_or_der(pem.as_bytes()).map_err(|error| {
            self.0.unusable(&format!("the certificate of the row {serial} cannot be read: {error}"))
        })?;
        Ok(read.swap_remove(0))
    }

    /// Whether the inventory has a row of this certificate.
    pub(crate) fn has(&self, certificate: &Certificate) -> Result<bool, Failure> {
        let query = "SELECT EXISTS (SELECT 1 FROM certificates
            WHERE serial_number = ?1 AND authority_key_identifier = ?2)";
        let key = params![decimal(certificate.serial.as_bytes()), issuer_of(certificate)];
        let found = self.0.read(|connection| connection.query_row(query, key, |row| row.get(0)))?;
        Ok(found.unwrap_or(false))
    }

    /// Whether the inventory has a certificate that this CA issued, not counting those of CAs.
    pub(crate) fn has_leaf_of(&self, ca: &Certificate) -> Result<bool, Failure> {
        let query = "SELECT EXISTS (SELECT 1 FROM certificates
            WHERE authority_key_identifier = ?1 AND ca_label <> ?2)";
        let key = params![key_id_of(ca), CA_PROFILE];
        let found = self.0.read(|connection| connection.query_row(query, key, |row| row.get(0)))?;
        Ok(found.unwrap_or(false))
    }
}
