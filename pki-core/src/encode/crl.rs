//! CRLs (RFC 5280 section 5).

use der::Encode;
use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, RevokedCertParams};

use super::carried::{TbsCertList, body, element, identifier, unsigned};
use super::errors::failed;
use super::signatory::{NoKey, Signatory, issuer_params};
use crate::certificate::Certificate;
use crate::crl::RevocationReason;
use crate::error::Error;
use crate::request::CrlRequest;

/// The CRL of a CA, with an empty signature. The entries keep their order.
pub(crate) fn crl(request: &CrlRequest, ca: &Certificate) -> Result<Vec<u8>, Error> {
    // No `..`: a field that is not written would be lost silently.
    let CrlRequest { number, this_update, next_update, revoked } = request;
    let signatory = Signatory::ca(ca)?;
    // RFC 5280 section 5.2.1: CRLs always contain the key identifier, even if the CA certificate does not.
    let own_id = ca.public_key.key_id();
    let key_id = signatory.key_id.unwrap_or(&own_id);
    let params = CertificateRevocationListParams {
        this_update: *this_update,
        next_update: *next_update,
        crl_number: (*number).into(),
        issuing_distribution_point: None,
        revoked_certs: revoked
            .iter()
            .map(|entry| RevokedCertParams {
                serial_number: entry.serial.as_bytes().to_vec().into(),
                revocation_time: entry.revoked_at,
                reason_code: entry.reason.map(reason),
                invalidity_date: entry.invalid_since,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::PreSpecified(key_id.0.clone()),
    };
    let issuer = issuer_params(None);
    let written =
        params.signed_by(&Issuer::from_params(&issuer, NoKey)).map_err(|error| failed(&error))?;
    let algorithm = signatory.algorithm.identifier();
    let tbs = TbsCertList {
        signature: identifier(&algorithm)?,
        issuer: element(signatory.name)?,
        ..body(written.der())?
    };
    unsigned(&tbs.to_der().map_err(|error| failed(&error))?, tbs.signature)
}

const fn reason(reason: RevocationReason) -> rcgen::RevocationReason {
    match reason {
        RevocationReason::Unspecified => rcgen::RevocationReason::Unspecified,
        RevocationReason::KeyCompromise => rcgen::RevocationReason::KeyCompromise,
        RevocationReason::CaCompromise => rcgen::RevocationReason::CaCompromise,
        RevocationReason::AffiliationChanged => rcgen::RevocationReason::AffiliationChanged,
        RevocationReason::Superseded => rcgen::RevocationReason::Superseded,
        RevocationReason::CessationOfOperation => rcgen::RevocationReason::CessationOfOperation,
        RevocationReason::CertificateHold => rcgen::RevocationReason::CertificateHold,
        RevocationReason::PrivilegeWithdrawn => rcgen::RevocationReason::PrivilegeWithdrawn,
        RevocationReason::AaCompromise => rcgen::RevocationReason::AaCompromise,
    }
}
