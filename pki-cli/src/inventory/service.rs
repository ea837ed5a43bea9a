//! The inventory of a CA's folder, and the record of what the CA issues.

use std::path::{Path, PathBuf};

use pki_core::Certificate;

use super::database::{Database, KeptOpen};
use super::entry::{CA_PROFILE, Entry};
use super::files::beside;
use super::rows::{insert, insert_missing};
use crate::failure::{Failure, shown};
use crate::store;

/// The file in the CA's folder.
pub(crate) const FILE: &str = "inventory.db";

/// The files of the inventory in the CA's folder: the database, and those that SQLite keeps beside it.
pub(crate) fn files(folder: &Path) -> [PathBuf; 4] {
    let database = folder.join(FILE);
    ["", "-wal", "-shm", "-journal"].map(|suffix| beside(&database, suffix))
}

/// The inventory of a CA's folder.
pub(crate) struct Inventory(pub(super) Database);

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
}
