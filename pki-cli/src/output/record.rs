//! What the inventory knows about a certificate, with stable field names. docs/json.md describes them.

use serde::Serialize;

use crate::inventory::Row;

/// A row of the inventory.
#[derive(Debug, Serialize)]
pub(crate) struct RecordFacts {
    pub(crate) serial: String,
    /// The key identifier of the CA.
    pub(crate) issuer_key_id: String,
    pub(crate) profile: String,
    /// `good`, `replaced` or `revoked`
    pub(crate) status: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) revoked_at: Option<String>,
    pub(crate) issued_at: String,
    pub(crate) not_before: String,
    pub(crate) not_after: String,
    pub(crate) common_name: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) file: Option<String>,
    /// Which of several separate CAs issued it: `server`, `peer` or `client`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<&'static str>,
}

impl RecordFacts {
    /// A row in the inventory of a CA. `ca` is its name if there are several.
    pub(crate) fn of(row: &Row, ca: Option<&'static str>) -> Self {
        Self {
            serial: row.serial.clone(),
            issuer_key_id: row.issuer.clone(),
            profile: row.profile.clone(),
            status: row.status.as_str(),
            reason: row.reason().map(pki_core::RevocationReason::as_str),
            revoked_at: row.revoked_at.clone(),
            issued_at: row.issued_at.clone(),
            not_before: row.not_before.clone(),
            not_after: row.not_after.clone(),
            common_name: row.common_name.clone(),
            host: row.host.clone(),
            file: row.path.clone(),
            ca,
        }
    }
}
