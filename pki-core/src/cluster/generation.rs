//! The names of the CAs that follow each other in a cluster: `etcd CA`, `etcd CA G2`, `etcd CA G3`.

use crate::certificate::DistinguishedName;
use crate::error::Error;
use crate::manifest::CaSpec;
use crate::subject::{Attribute, Subject};

/// The separator between the name and the number.
const MARK: &str = " G";

impl CaSpec {
    /// The name of the CA that follows one with this name: that of the manifest, if it is different, otherwise the same
    /// name with the next number. A new CA needs a new name, because programs find the issuer of a certificate by name.
    pub fn next_subject(&self, old: &DistinguishedName) -> Result<Subject, Error> {
        let planned = &self.subject;
        let (base, generation) = split(old.common_name().unwrap_or("etcd CA"));
        match planned.common_name() {
            Some(name) if split(name).0 != base => Ok(planned.clone()),
            _ => planned.with(Attribute::CommonName, format!("{base}{MARK}{}", generation + 1)),
        }
    }
}

/// Whether a CA's name is that of the manifest, with or without a number.
pub(super) fn is_generation_of(found: &DistinguishedName, planned: &Subject) -> bool {
    let Some((base, _)) = found.common_name().map(split) else { return false };
    let renamed = planned.with(Attribute::CommonName, found.common_name().unwrap_or_default());
    planned.common_name() == Some(base)
        && renamed.is_ok_and(|renamed| renamed.to_string() == found.to_string())
}

/// The name without its number, and the number.
fn split(name: &str) -> (&str, u32) {
    let numbered = name.rsplit_once(MARK);
    let numbered = numbered.and_then(|(base, number)| Some((base, number.parse().ok()?)));
    numbered.unwrap_or((name, 1))
}
