//! The contents of a manifest: the certificates that each host should have.

use std::collections::BTreeMap;
use std::path::Path;

use pki_core::{CertificateSpec, Manifest};

use crate::failure::Failure;
use crate::store;

/// Reads a manifest; every mistake in it is in the failure.
pub(crate) fn read_manifest(path: &Path) -> Result<Manifest, Failure> {
    let bytes = store::read(path)?;
    let mistakes = |mistakes| Failure::mistakes(mistakes, "in the manifest").in_file(path);
    Manifest::from_yaml(&bytes).map_err(mistakes)
}

/// The certificates that each host should hold. Refuses a host of `--only` that holds none.
pub(crate) fn specs_by_host(
    manifest: &Manifest,
    only: &[String],
) -> Result<BTreeMap<String, Vec<CertificateSpec>>, Failure> {
    let mut by_host: BTreeMap<String, Vec<CertificateSpec>> = BTreeMap::new();
    for spec in manifest.certificates()? {
        by_host.entry(spec.host.clone()).or_default().push(spec);
    }
    let Some(unknown) = only.iter().find(|host| !by_host.contains_key(*host)) else {
        return Ok(by_host);
    };
    let known: Vec<String> = by_host.into_keys().collect();
    Err(Failure::usage(format!("--only {unknown}: the manifest has no certificate for this host"))
        .hinted(format!("one of: {}", known.join(", "))))
}
