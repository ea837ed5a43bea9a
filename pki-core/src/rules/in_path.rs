//! What the check of a rule about one certificate is given.

use super::VerifyOptions;
use crate::certificate::Certificate;
use crate::report::Place;
use crate::usage::{ExtendedKeyUsage, Purpose};

/// One certificate in its path, and what to check it against.
pub(crate) struct CertificateInPath<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) place: Place,
    /// The CAs above it, starting with its issuer.
    pub(crate) above: &'a [&'a Certificate],
    /// How many CAs that are not self-issued are below it.
    pub(crate) cas_below: usize,
    /// How many CAs are below it, including self-issued ones.
    pub(crate) all_cas_below: usize,
    pub(crate) options: &'a VerifyOptions,
}

impl CertificateInPath<'_> {
    pub(super) fn issuer(&self) -> Option<&Certificate> {
        self.above.first().copied()
    }

    /// True above the leaf, and of a leaf that is verified as a CA.
    pub(super) fn is_to_sign(&self) -> bool {
        !self.is_leaf() || self.options.purpose == Purpose::Ca
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.place == Place::Leaf
    }

    /// True for a leaf certificate that is verified for this purpose.
    pub(super) fn is_asked_as(&self, purpose: Purpose) -> bool {
        self.is_leaf() && self.options.purpose == purpose
    }

    /// RFC 5280 section 4.2.1.12: without the extension, every usage is allowed. Go reads an empty one in the same
    /// way, and `eku-form` reports it.
    pub(super) fn allows(&self, required: &ExtendedKeyUsage) -> bool {
        match &self.certificate.extensions.extended_key_usage {
            Some(usages) => {
                usages.is_empty() || usages.iter().any(|usage| usage == required || usage.is_any())
            }
            None => true,
        }
    }
}
