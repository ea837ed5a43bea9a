//! The authority: turns requests to a CA into drafts.

mod crl;
mod renewal;

use time::OffsetDateTime;

use crate::certificate::{Certificate, SerialNumber};
#[cfg(feature = "profiles")]
use crate::dialect::Dialect;
use crate::draft::{Draft, IssuedBy, ServerNames, findings_of_ca};
use crate::encode;
use crate::error::{Error, Input};
use crate::finding::Finding;
use crate::key::PublicKey;
#[cfg(feature = "profiles")]
use crate::profile::{Admission, Profile};
use crate::request::CaRequest;
#[cfg(feature = "profiles")]
use crate::request::Request;
use crate::template::{Begin, CaConstraint, End, Template, Urls, validity};
use crate::usage::KeyUsages;

/// The time and the serial number of one certificate, as values.
///
/// Take the time from the clock, and the serial number from 20 random bytes:
///
/// ```
/// use pki_core::{IssuanceContext, SerialNumber};
/// use time::OffsetDateTime;
///
/// # fn random() -> [u8; 20] { [7; 20] }
/// let context = IssuanceContext {
///     now: OffsetDateTime::now_utc(),
///     serial: SerialNumber::from_random(random()),
/// };
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct IssuanceContext {
    /// The time of issuance.
    pub now: OffsetDateTime,
    /// The serial number.
    pub serial: SerialNumber,
}

/// A CA, by its certificate.
/// It has no key: the rules check its drafts, and the holder of the key signs them
/// ([`Draft::sign`], [`Draft::assemble`]). The issuer name of what it drafts is the subject of the CA byte
/// for byte, whatever string types and however many values that has.
#[derive(Clone, Debug)]
pub struct Authority {
    certificate: Certificate,
}

impl Authority {
    /// The authority of a CA certificate. Each draft checks whether it may sign.
    pub const fn new(certificate: Certificate) -> Self {
        Self { certificate }
    }

    /// The CA's certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What the rules find in the CA's certificate, worst first. An error there refuses every draft.
    pub fn findings(&self, now: OffsetDateTime) -> Vec<Finding> {
        findings_of_ca(&self.certificate, now)
    }

    /// Drafts the certificate that a profile makes of a request.
    ///
    /// What a PKCS #10 asks for and the profile does not admit is left out ([`Draft::left_out`]); what the
    /// operator asks for and the profile does not admit is an error. A lifetime that would reach beyond the end of the CA is
    /// shortened or refused ([`Lifetime`](crate::Lifetime)).
    #[cfg(feature = "profiles")]
    pub fn draft(
        &self,
        request: &Request,
        profile: &Profile,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let Admission { mut template, left_out } =
            profile.admit(request, Some(&self.certificate), context.now)?;
        let ca = &self.certificate;
        template.not_after = request.limited_by(ca, template.not_after, context.now);
        let unsigned = encode::certificate(&template, &context.serial, Some(ca))?;
        let draft = checked(&unsigned, IssuedBy::Ca(ca), context.now, server_names(profile))?;
        Ok(draft.leaving_out(left_out))
    }

    /// Drafts a root CA, which must be signed with the key that it certifies.
    pub fn draft_root(
        request: &CaRequest,
        public_key: &PublicKey,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let template = ca_template(request, public_key, context.now)?;
        let unsigned = encode::certificate(&template, &context.serial, None)?;
        checked(&unsigned, IssuedBy::Itself, context.now, ServerNames::Required)
    }

    /// Drafts a leaf that is signed with its own key. It is trusted only where the certificate itself is an anchor.
    #[cfg(feature = "profiles")]
    pub fn draft_self_signed(
        request: &Request,
        profile: &Profile,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let Admission { template, left_out } = profile.admit(request, None, context.now)?;
        let unsigned = encode::certificate(&template, &context.serial, None)?;
        let draft = checked(&unsigned, IssuedBy::Itself, context.now, server_names(profile))?;
        Ok(draft.leaving_out(left_out))
    }

    /// Drafts an intermediate CA below this one. Its name must differ, because a certificate that names itself as its issuer
    /// is treated as a root.
    ///
    /// ```
    /// use pki_core::{
    ///     Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, SerialNumber, Signer, Subject,
    /// };
    /// use time::Duration;
    /// use time::macros::datetime;
    ///
    /// # fn main() -> Result<(), pki_core::Error> {
    /// # let now = datetime!(2027-01-01 00:00 UTC);
    /// # let context = |serial| IssuanceContext { now, serial: SerialNumber::from_random([serial; 20]) };
    /// let root_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// let mut root = CaRequest::new(Subject::from_common_name("root CA")?);
    /// root.path_len = Some(1);
    /// let root = Authority::draft_root(&root, root_key.public_key(), &context(1))?.sign(&root_key)?;
    ///
    /// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// let mut request = CaRequest::new(Subject::from_common_name("etcd CA")?);
    /// request.expiry = Duration::days(1825);
    /// let draft = Authority::new(root.certificate).draft_intermediate(&request, key.public_key(), &context(2))?;
    /// let ca = draft.sign(&root_key)?.certificate;
    /// # assert!(ca.is_ca() && !ca.is_self_issued());
    /// # Ok(())
    /// # }
    /// ```
    pub fn draft_intermediate(
        &self,
        request: &CaRequest,
        public_key: &PublicKey,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let ca = &self.certificate;
        let template = ca_template(request, public_key, context.now)?;
        let unsigned = encode::certificate(&template, &context.serial, Some(ca))?;
        let draft = checked(&unsigned, IssuedBy::Ca(ca), context.now, ServerNames::Required)?;
        if draft.contents().is_self_issued() {
            let subject = request.subject.to_string();
            return Err(Error::invalid("subject", subject, "the name of the CA above it")
                .hinted("give the intermediate CA a name of its own")
                .of(Input::Subject));
        }
        Ok(draft)
    }
}

/// What the certificate of a CA will say.
fn ca_template(
    request: &CaRequest,
    public_key: &PublicKey,
    now: OffsetDateTime,
) -> Result<Template, Error> {
    if request.subject.is_empty() {
        return Err(Error::invalid("subject", "", "a CA needs a name")
            .hinted("give the subject a common name")
            .of(Input::Subject));
    }
    let begin = Begin::Backdated(request.backdate);
    let (not_before, not_after) = validity(now, begin, End::After(request.expiry))?;
    Ok(Template {
        subject: request.subject.clone(),
        names: Vec::new(),
        not_before,
        not_after,
        public_key: public_key.clone(),
        key_usages: KeyUsages::KEY_CERT_SIGN.union(KeyUsages::CRL_SIGN),
        extended_key_usages: Vec::new(),
        ca: Some(CaConstraint { path_len: request.path_len }),
        permitted: request.permitted.clone(),
        excluded: request.excluded.clone(),
        urls: Urls { crl: request.crl_url.clone(), ..Urls::default() },
        ocsp_no_check: false,
        policies: Vec::new(),
        copied: Vec::new(),
    })
}

/// The draft of what the encoder wrote: a certificate with an empty signature.
fn checked(
    unsigned: &[u8],
    issued_by: IssuedBy<'_>,
    now: OffsetDateTime,
    names: ServerNames,
) -> Result<Draft<Certificate>, Error> {
    let unsigned = Certificate::from_der(unsigned).map_err(unreadable)?;
    Draft::<Certificate>::checked(unsigned, issued_by, now, names)
}

#[cfg(feature = "profiles")]
const fn server_names(profile: &Profile) -> ServerNames {
    match profile.dialect {
        Dialect::Native => ServerNames::Required,
        Dialect::Cfssl => ServerNames::Optional,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: Error) -> Error {
    Error::Internal(format!("cannot read our own draft: {error}"))
}
