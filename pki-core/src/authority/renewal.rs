//! Drafts of certificates like earlier ones, with new dates.

use super::{Authority, IssuanceContext, checked};
use crate::certificate::Certificate;
use crate::draft::{Draft, IssuedBy, ServerNames, findings_of_ca};
use crate::encode::{self, Replacements};
use crate::error::{Error, Input};
use crate::finding::Severity;
use crate::lifetime::limited_by_ca;
use crate::request::Renewal;
use crate::template::{Begin, End, validity};

impl Authority {
    /// Drafts a certificate like `old`, which may be from this CA, from another CA, or from another program.
    ///
    /// The subject, the subject alternative names, every extension and their order are kept byte for byte. The serial
    /// number and the dates are new. The subjectKeyIdentifier changes with the key, and the authorityKeyIdentifier changes
    /// only if it identifies a different CA certificate. A lifetime that would reach beyond the end of the CA is shortened or
    /// refused ([`Lifetime`](crate::Lifetime)).
    /// ```
    /// use pki_core::{Authority, Lifetime, Renewal, time::Duration};
    /// # use pki_core::{CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, Request, SerialNumber, Signer, Subject};
    /// # let now = pki_core::time::macros::datetime!(2027-01-01 12:00 UTC);
    /// # let context = |number| IssuanceContext { now, serial: SerialNumber::from_random([number; 20]) };
    /// # let ca_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// # let mut request = CaRequest::new(Subject::from_common_name("etcd CA")?);
    /// # request.path_len = Some(1);
    /// # let ca = Authority::draft_root(&request, ca_key.public_key(), &context(1))?.sign(&ca_key)?.certificate;
    /// # let authority = Authority::new(ca);
    /// # let request = CaRequest::new(Subject::from_common_name("etcd CA of one cluster")?);
    /// # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// # let old = authority.draft_intermediate(&request, key.public_key(), &context(2))?.sign(&ca_key)?.certificate;
    ///
    /// let mut renewal = Renewal::default();
    /// // Shortened to the end of the CA, if that is earlier.
    /// renewal.lifetime = Lifetime::UpTo(Duration::days(365));
    /// let renewed = authority.draft_renewal(&old, &renewal, &context(3))?.sign(&ca_key)?.certificate;
    /// assert_eq!(renewed.public_key, old.public_key);
    /// assert_ne!(renewed.serial, old.serial);
    /// # Ok::<(), pki_core::Error>(())
    /// ```
    pub fn draft_renewal(
        &self,
        old: &Certificate,
        renewal: &Renewal,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let ca = &self.certificate;
        let unsigned = renewed(old, renewal, context, Some(ca))?;
        checked(&unsigned, IssuedBy::Ca(ca), context.now, ServerNames::Required)
    }

    /// Drafts the root certificate of this authority again, for the same key.
    ///
    /// The subject, the subjectKeyIdentifier and every extension are kept byte for byte, so that certificates issued
    /// before also verify with the new root. The only exception is an authorityKeyIdentifier that does not identify the new
    /// root, such as one with the serial number of the old one: it identifies only the key instead. Certificates of the CA that contain the serial number
    /// of the old root no longer verify with OpenSSL ([`AuthorityKeyId::serial`](crate::AuthorityKeyId)).
    ///
    /// An intermediate CA is renewed by the CA above it ([`Authority::draft_renewal`]). A certificate that may not sign others is
    /// refused.
    pub fn draft_ca_renewal(
        &self,
        renewal: &Renewal,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let ca = &self.certificate;
        if !ca.is_self_issued() {
            let problem = format!("not a root: it was issued by {}", ca.issuer);
            return Err(Error::invalid("CA", ca.subject.to_string(), problem)
                .hinted("renew it with the CA that issued it")
                .of(Input::Authority));
        }
        if let Some(key) = &renewal.public_key
            && *key != ca.public_key
        {
            let problem =
                "a CA with another key is a different CA, which no issued certificate refers to";
            return Err(Error::invalid("public key", key.key_id().to_string(), problem)
                .hinted("keep the key, or create a new CA with a new name")
                .of(Input::Request));
        }
        let unsigned = renewed(ca, renewal, context, None)?;
        let draft = checked(&unsigned, IssuedBy::Itself, context.now, ServerNames::Required)?;
        // Without basicConstraints it was checked as a leaf.
        let findings = findings_of_ca(draft.contents(), context.now);
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(Error::Refused(findings));
        }
        Ok(draft)
    }
}

fn renewed(
    old: &Certificate,
    renewal: &Renewal,
    context: &IssuanceContext,
    ca: Option<&Certificate>,
) -> Result<Vec<u8>, Error> {
    let lifetime = old.not_after - old.not_before;
    let expiry = renewal.lifetime.duration().unwrap_or(lifetime - renewal.backdate);
    let begin = Begin::Backdated(renewal.backdate);
    let (not_before, mut not_after) = validity(context.now, begin, End::After(expiry))?;
    if let Some(ca) = ca {
        let Renewal { lifetime, renew_before, .. } = *renewal;
        not_after = limited_by_ca(not_after, ca.not_after, context.now, lifetime, renew_before);
    }
    let replacements = Replacements {
        serial: &context.serial,
        not_before,
        not_after,
        public_key: renewal.public_key.as_ref().unwrap_or(&old.public_key),
        ca,
    };
    encode::renewed(old, &replacements)
}
