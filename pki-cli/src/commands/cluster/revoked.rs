//! What the CAs of a cluster have revoked.

use std::collections::HashSet;
use std::path::Path;

use pki_core::{Certificate, Manifest, Role, SerialNumber, Traffic};

use crate::ca;
use crate::failure::Failure;
use crate::inventory::Inventory;

/// The certificates that the CAs of a cluster have revoked, by their inventories.
pub(crate) struct RevokedCertificates(Vec<RevokedBy>);

/// What a CA has revoked, and the CAs that it replaced.
struct RevokedBy {
    traffic: Option<Traffic>,
    serials: HashSet<SerialNumber>,
}

impl RevokedCertificates {
    /// Reads the inventories of the CAs. `folder` is the CA's folder, or the one around those of separate CAs.
    pub(crate) fn read(manifest: &Manifest, folder: &Path) -> Result<Self, Failure> {
        let revoked = manifest.ca_specs().into_iter().map(|(traffic, _)| {
            let inventory = Inventory::of(&ca::folder_of(folder, traffic));
            Ok(RevokedBy { traffic, serials: inventory.revoked_serials()? })
        });
        revoked.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a certificate for this role is revoked.
    pub(crate) fn contains(&self, role: &Role, certificate: &Certificate) -> bool {
        self.0.iter().any(|RevokedBy { traffic, serials }| {
            traffic.is_none_or(|traffic| traffic == role.traffic())
                && serials.contains(&certificate.serial)
        })
    }
}
