//! The authority: what it is asked, it drafts; what is signed, it checks.
//!
//! An [`Authority`] holds no key. A [`Draft`] is judged by the rules before the CA's key is used,
//! and is turned into a certificate once: by [`Draft::sign`] with a [`Signer`] at hand, or by
//! [`Draft::assemble`] with a signature that was made elsewhere.

use std::sync::{Arc, OnceLock};

use time::OffsetDateTime;

use crate::certificate::{Certificate, SerialNumber};
use crate::encode::{self, IssuedBy};
use crate::error::Error;
use crate::finding::{Finding, worst_first};
use crate::key::{PublicKey, Signer};
use crate::profile::{self, Admission, Profile};
use crate::report::Place;
use crate::request::{CaRequest, Request};
use crate::rules::{self, CertificateInPath, VerifyOptions};
use crate::template::{CaConstraint, Template, Urls};
use crate::usage::{ExtendedKeyUsage, KeyUsages, Purpose};

/// The clock and the randomness of one certificate, as values.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct IssuanceContext {
    /// The time.
    pub now: OffsetDateTime,
    /// The serial number.
    pub serial: SerialNumber,
}

/// A CA, by its certificate.
#[derive(Clone, Debug)]
pub struct Authority {
    certificate: Certificate,
    /// Read for the first draft and kept for the others.
    encoder: OnceLock<Arc<encode::Ca>>,
}

/// A certificate that was judged and waits for its signature.
///
/// It can be signed once:
/// ```compile_fail
/// fn twice(draft: pki_core::Draft, key: &pki_core::PrivateKey) {
///     let _ = draft.sign(key);
///     let _ = draft.sign(key);
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Draft {
    /// The certificate but for its signature, which is empty.
    unsigned: Certificate,
    issuer_key: PublicKey,
    public_key: PublicKey,
    findings: Vec<Finding>,
    left_out: Vec<String>,
}

/// A certificate that this authority issued, with what is worth knowing about it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The certificate.
    pub certificate: Certificate,
    /// Warnings of the rules.
    pub findings: Vec<Finding>,
    /// What was asked for and not admitted by the profile.
    pub left_out: Vec<String>,
}

impl Authority {
    /// The authority of a CA certificate. Whether it may sign is judged at each draft.
    pub const fn new(certificate: Certificate) -> Self {
        Self { certificate, encoder: OnceLock::new() }
    }

    /// The CA's certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Drafts the certificate that a profile makes of a request.
    pub fn draft(
        &self,
        request: &Request,
        profile: &Profile,
        context: &IssuanceContext,
    ) -> Result<Draft, Error> {
        let Admission { template, left_out } = profile.admit(request, context.now)?;
        let issued_by = IssuedBy::Ca(self.encoder()?);
        let mut draft = Draft::new(&template, context, &issued_by, Some(&self.certificate))?;
        draft.left_out = left_out;
        Ok(draft)
    }

    fn encoder(&self) -> Result<&encode::Ca, Error> {
        if let Some(known) = self.encoder.get() {
            return Ok(known);
        }
        // Another thread may have been faster, with the same answer.
        let read = Arc::new(encode::Ca::new(&self.certificate)?);
        Ok(self.encoder.get_or_init(|| read))
    }

    /// Drafts a root that `public_key` signs itself.
    pub fn draft_root(
        request: &CaRequest,
        public_key: &PublicKey,
        context: &IssuanceContext,
    ) -> Result<Draft, Error> {
        if request.subject.is_empty() {
            return Err(
                Error::invalid("subject", "", "a CA needs a name").hinted("give it one with --cn")
            );
        }
        let (not_before, not_after) =
            profile::validity(context.now, None, request.backdate, None, request.expiry)?;
        let template = Template {
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
        };
        Draft::new(&template, context, &IssuedBy::Itself, None)
    }
}

impl Draft {
    fn new(
        template: &Template,
        context: &IssuanceContext,
        issued_by: &IssuedBy<'_>,
        ca: Option<&Certificate>,
    ) -> Result<Self, Error> {
        let der = encode::unsigned(template, &context.serial, issued_by)?;
        let unsigned = Certificate::from_der(&der)
            .map_err(|e| Error::Internal(format!("reading our own draft: {e}")))?;
        if unsigned.is_ca() && !unsigned.subject.is_rewritable() {
            return Err(encode::unwritable(&unsigned.subject.to_string()));
        }
        let findings = check_draft(&unsigned, ca, context.now)?;
        Ok(Self {
            unsigned,
            issuer_key: ca.map_or(&template.public_key, |ca| &ca.public_key).clone(),
            public_key: template.public_key.clone(),
            findings,
            left_out: Vec::new(),
        })
    }

    /// The bytes to sign, for a signer that is elsewhere.
    pub fn tbs(&self) -> &[u8] {
        self.unsigned.tbs()
    }

    /// What the rules warn about. A draft that they forbid does not come to be.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Signs with the CA's key.
    pub fn sign(self, signer: &dyn Signer) -> Result<Issued, Error> {
        if *signer.public_key() != self.issuer_key {
            return Err(Error::invalid(
                "CA key",
                signer.public_key().key_id().to_string(),
                format!("not the key of the CA certificate, which is {}", self.issuer_key.key_id()),
            )
            .hinted("restore the key and the certificate that belong together"));
        }
        let signature = signer.sign(self.tbs()).map_err(Error::Signer)?;
        self.assemble(&signature)
    }

    /// Joins the draft and a signature over [`Draft::tbs`] that was made elsewhere.
    pub fn assemble(self, signature: &[u8]) -> Result<Issued, Error> {
        let der = encode::signed(self.unsigned.der(), signature)?;
        let not_the_draft = || Error::Internal("the certificate is not the draft".to_owned());
        let certificate = self.unsigned.with_signature(der).ok_or_else(not_the_draft)?;
        if !certificate.is_signed_by(&self.issuer_key) {
            return Err(Error::Signer(
                "its signature does not verify with the CA's public key".into(),
            ));
        }
        if certificate.public_key != self.public_key {
            return Err(not_the_draft());
        }
        Ok(Issued { certificate, findings: self.findings, left_out: self.left_out })
    }
}

/// Judges a draft, and the CA that is to sign it, by the rules that verify applies too.
fn check_draft(
    draft: &Certificate,
    ca: Option<&Certificate>,
    now: OffsetDateTime,
) -> Result<Vec<Finding>, Error> {
    let mut options = VerifyOptions::at(now);
    options.purpose = purpose(draft);
    let in_path = |certificate, place, above, cas_below| CertificateInPath {
        certificate,
        place,
        above,
        cas_below,
        options: &options,
    };
    let place = |certificate: &Certificate| match certificate {
        certificate if !certificate.is_ca() => Place::Leaf,
        certificate if certificate.is_self_issued() => Place::Anchor,
        _ => Place::Intermediate,
    };
    let above: Vec<&Certificate> = ca.into_iter().collect();
    let (mut findings, mut refused) =
        rules::check_before_signing(&in_path(draft, place(draft), &above, 0));
    if let Some(ca) = ca {
        // A CA that is none is judged as one all the same, so that the rules say what it lacks.
        let place = if ca.is_self_issued() { Place::Anchor } else { Place::Intermediate };
        let (of_ca, ca_refused) =
            rules::check_before_signing(&in_path(ca, place, &[], usize::from(draft.is_ca())));
        findings.extend(of_ca);
        refused |= ca_refused;
    }
    worst_first(&mut findings);
    if refused { Err(Error::Refused(findings)) } else { Ok(findings) }
}

/// The part that a certificate will play, as its extended key usages tell it.
fn purpose(draft: &Certificate) -> Purpose {
    let Some(usages) = &draft.extensions.extended_key_usage else {
        return Purpose::Any;
    };
    let has = |usage: &ExtendedKeyUsage| usages.contains(usage);
    match (has(&ExtendedKeyUsage::server_auth()), has(&ExtendedKeyUsage::client_auth())) {
        (true, true) => Purpose::Peer,
        (true, false) => Purpose::Server,
        (false, true) => Purpose::Client,
        (false, false) => Purpose::Any,
    }
}
