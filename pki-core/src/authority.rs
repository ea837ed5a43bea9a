//! The authority: turns requests to a CA into drafts.

use time::OffsetDateTime;

use crate::certificate::{Certificate, SerialNumber};
use crate::crl::{Crl, RevokedCertificate};
#[cfg(feature = "profiles")]
use crate::dialect::Dialect;
use crate::draft::{Draft, IssuedBy, ServerNames, findings_of_ca};
use crate::encode::{self, Replacements};
use crate::error::{Error, Input};
use crate::finding::{Finding, Severity};
use crate::key::PublicKey;
use crate::lifetime::limited_by_ca;
#[cfg(feature = "profiles")]
use crate::profile::{Admission, Profile};
#[cfg(feature = "profiles")]
use crate::request::Request;
use crate::request::{CaRequest, CrlRequest, Renewal};
use crate::template::{Begin, CaConstraint, End, Template, Urls, certifiable, validity};
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
        let Admission { mut template, left_out } = profile.admit(request, context.now)?;
        let ca = &self.certificate;
        template.not_after = request.limited_by(ca, template.not_after, context.now);
        let tbs = encode::certificate(&template, &context.serial, Some(ca))?;
        let draft = judged(&tbs, IssuedBy::Ca(ca), context.now, server_names(profile))?;
        Ok(draft.leaving_out(left_out))
    }

    /// Drafts a root CA, which must be signed with the key that it certifies.
    pub fn draft_root(
        request: &CaRequest,
        public_key: &PublicKey,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let template = ca_template(request, public_key, context.now)?;
        let tbs = encode::certificate(&template, &context.serial, None)?;
        judged(&tbs, IssuedBy::Itself, context.now, ServerNames::Required)
    }

    /// Drafts a leaf that is signed with its own key, so that nobody trusts it who does not trust it by itself.
    #[cfg(feature = "profiles")]
    pub fn draft_self_signed(
        request: &Request,
        profile: &Profile,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let Admission { template, left_out } = profile.admit(request, context.now)?;
        let tbs = encode::certificate(&template, &context.serial, None)?;
        let draft = judged(&tbs, IssuedBy::Itself, context.now, server_names(profile))?;
        Ok(draft.leaving_out(left_out))
    }

    /// Drafts an intermediate CA below this one. Its name must differ, because a certificate that names itself as its issuer
    /// is taken for a root.
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
        let tbs = encode::certificate(&template, &context.serial, Some(ca))?;
        let draft = judged(&tbs, IssuedBy::Ca(ca), context.now, ServerNames::Required)?;
        if draft.contents().is_self_issued() {
            let subject = request.subject.to_string();
            return Err(Error::invalid("subject", subject, "the name of the CA above it")
                .hinted("give the intermediate CA a name of its own")
                .of(Input::Subject));
        }
        Ok(draft)
    }

    /// Drafts a certificate like `old`, which may be from this CA, from another CA, or from another program.
    ///
    /// The subject, the subject alternative names, every extension and their order are kept byte for byte. The serial
    /// number and the dates are new. The subjectKeyIdentifier changes with the key, and the authorityKeyIdentifier changes
    /// only if it identifies a different CA certificate. A lifetime that would reach beyond the end of the CA is shortened or
    /// refused ([`Lifetime`](crate::Lifetime)).
    pub fn draft_renewal(
        &self,
        old: &Certificate,
        renewal: &Renewal,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        let ca = &self.certificate;
        let tbs = renewed(old, renewal, context, Some(ca))?;
        judged(&tbs, IssuedBy::Ca(ca), context.now, ServerNames::Required)
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
        let tbs = renewed(ca, renewal, context, None)?;
        let draft = judged(&tbs, IssuedBy::Itself, context.now, ServerNames::Required)?;
        // Without basicConstraints it was judged as a leaf.
        let findings = findings_of_ca(draft.contents(), context.now);
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(Error::Refused(findings));
        }
        Ok(draft)
    }

    /// Drafts a CRL of this CA.
    ///
    /// ```
    /// use pki_core::{
    ///     Authority, CaRequest, CrlRequest, IssuanceContext, KeyAlgorithm, PrivateKey,
    ///     RevocationReason, RevokedCertificate, SerialNumber, Signer, Subject,
    /// };
    /// use time::Duration;
    /// use time::macros::datetime;
    ///
    /// # fn main() -> Result<(), pki_core::Error> {
    /// # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// # let now = datetime!(2027-01-01 00:00 UTC);
    /// # let context = IssuanceContext { now, serial: SerialNumber::from_random([7; 20]) };
    /// # let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
    /// # let ca = Authority::draft_root(&request, key.public_key(), &context)?.sign(&key)?;
    /// let authority = Authority::new(ca.certificate);
    /// let request = CrlRequest {
    ///     number: 1,
    ///     this_update: now,
    ///     next_update: now + Duration::days(30),
    ///     revoked: vec![RevokedCertificate {
    ///         serial: "5add56".parse()?,
    ///         revoked_at: now,
    ///         reason: Some(RevocationReason::KeyCompromise),
    ///         invalid_since: None,
    ///     }],
    /// };
    /// let crl = authority.draft_crl(&request, now)?.sign(&key)?;
    /// assert!(crl.lists(&"5add56".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn draft_crl(
        &self,
        request: &CrlRequest,
        now: OffsetDateTime,
    ) -> Result<Draft<Crl>, Error> {
        let ca = &self.certificate;
        let request = certifiable_crl(request, ca)?;
        let unsigned = Crl::from_der(&encode::unsigned_crl(&encode::crl(&request, ca)?)?);
        Draft::<Crl>::judged(unsigned.map_err(unreadable)?, ca, now)
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

/// The draft of the encoder's output.
fn judged(
    tbs: &[u8],
    issued_by: IssuedBy<'_>,
    now: OffsetDateTime,
    names: ServerNames,
) -> Result<Draft<Certificate>, Error> {
    let unsigned = Certificate::from_der(&encode::unsigned_certificate(tbs)?);
    Draft::<Certificate>::judged(unsigned.map_err(unreadable)?, issued_by, now, names)
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

/// The request with its times in whole seconds of UTC. Returns an error for values that no CRL should contain.
fn certifiable_crl(request: &CrlRequest, ca: &Certificate) -> Result<CrlRequest, Error> {
    let time = |field: String, time: OffsetDateTime| {
        certifiable(time).ok_or_else(|| {
            Error::invalid(field, time.to_string(), "not in the years 1950 to 9999")
                .hinted("choose a time in that range")
        })
    };
    let this_update = time("thisUpdate".to_owned(), request.this_update)?;
    let next_update = time("nextUpdate".to_owned(), request.next_update)?;
    if next_update <= this_update {
        let problem = format!("not after thisUpdate, which is {this_update}");
        return Err(Error::invalid("nextUpdate", next_update.to_string(), problem)
            .hinted("choose a later time, such as 30 days after thisUpdate"));
    }
    let mut revoked: Vec<RevokedCertificate> = Vec::with_capacity(request.revoked.len());
    for (index, entry) in request.revoked.iter().enumerate() {
        let field = |name: &str| format!("revoked[{index}].{name}");
        let bad = |problem: &str, hint: &str| {
            Err(Error::invalid(field("serial"), entry.serial.to_string(), problem).hinted(hint))
        };
        if !entry.serial.is_positive() {
            return bad("not a positive number", "remove it; this CA cannot list it");
        }
        if ca.is_self_issued() && entry.serial == ca.serial {
            return bad(
                "the serial number of the CA itself, so that etcd would reject every client that sends its CA",
                "remove the CA from the trust files instead",
            );
        }
        revoked.push(RevokedCertificate {
            revoked_at: time(field("revoked_at"), entry.revoked_at)?,
            invalid_since: entry
                .invalid_since
                .map(|since| time(field("invalid_since"), since))
                .transpose()?,
            ..entry.clone()
        });
    }
    Ok(CrlRequest { this_update, next_update, revoked, number: request.number })
}
