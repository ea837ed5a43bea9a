//! CAs that will soon limit the lifetime of the certificates that they issue.

use std::fmt;

use time::{Duration, OffsetDateTime};

use super::specs::CertificateSpec;
use crate::ca_set::ClusterCas;
use crate::certificate::Certificate;
use crate::error::Error;
use crate::evidence::{days, moment};
use crate::lifetime::{ca_warning, renewal_margin};
use crate::manifest::Manifest;

/// A CA that expires before a certificate that it issues now is due for renewal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaLimit {
    /// The CA.
    pub ca: Certificate,
    /// The time left until it expires, which is negative afterwards.
    pub left: Duration,
    /// The longest lifetime of a certificate that it issues for the manifest.
    pub lifetime: Duration,
    /// What it means for the certificates that it issues.
    pub stage: CaStage,
}

/// What the end of a CA means for the certificates that it issues.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "they divide the last part of a CA's lifetime")]
pub enum CaStage {
    /// They are, or will be before their renewal, shortened to the end of the CA.
    Shortens,
    /// The same, and the CA expires within 90 days, or a quarter of its lifetime.
    ExpiresSoon,
    /// It issues no certificate that would have to be shortened, so none is renewed.
    Refuses,
    /// It has expired.
    Expired,
}

impl CaLimit {
    /// Whether it is time to act, and not just to plan.
    pub fn is_urgent(&self) -> bool {
        self.stage > CaStage::Shortens
    }

    fn of(ca: &Certificate, spec: &CertificateSpec, now: OffsetDateTime) -> Option<Self> {
        let (left, lifetime) = (ca.not_after - now, spec.expiry);
        let margin = renewal_margin(spec.renew_before, lifetime);
        let stage = if left.is_negative() {
            CaStage::Expired
        } else if left < margin {
            CaStage::Refuses
        } else if left < ca_warning(ca) {
            CaStage::ExpiresSoon
        } else if left < lifetime + margin {
            CaStage::Shortens
        } else {
            return None;
        };
        Some(Self { ca: ca.clone(), left, lifetime, stage })
    }
}

impl fmt::Display for CaLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = moment(self.ca.not_after);
        let (left, lifetime) = (days(self.left.abs()), days(self.lifetime));
        match self.stage {
            CaStage::Shortens | CaStage::ExpiresSoon => {
                write!(
                    f,
                    "expires in {left} ({end}); certificates for {lifetime} are shortened to end with it"
                )
            }
            CaStage::Refuses => {
                write!(
                    f,
                    "expires in {left} ({end}), too soon to issue a certificate that ends with it"
                )
            }
            CaStage::Expired => write!(f, "expired {left} ago ({end})"),
        }
    }
}

impl Manifest {
    /// The CAs that limit the certificates of this manifest at a given time. Each is reported once, at the latest stage.
    pub fn ca_limits(&self, cas: &ClusterCas, now: OffsetDateTime) -> Result<Vec<CaLimit>, Error> {
        let mut limits: Vec<CaLimit> = Vec::new();
        for spec in self.certificates()? {
            // A certificate is not valid for longer than any CA above it.
            let chain = cas.for_role(&spec.role).chain().iter();
            let Some(ca) = chain.min_by_key(|ca| ca.not_after) else { continue };
            let Some(limit) = CaLimit::of(ca, &spec, now) else { continue };
            match limits.iter_mut().find(|known| known.ca.der() == ca.der()) {
                Some(known) if (known.stage, known.lifetime) < (limit.stage, limit.lifetime) => {
                    *known = limit;
                }
                Some(_) => {}
                None => limits.push(limit),
            }
        }
        Ok(limits)
    }
}
