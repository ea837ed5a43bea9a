//! How long a certificate is valid, and how the end of its CA limits that.

use time::{Duration, OffsetDateTime};

use crate::certificate::Certificate;

/// The requested lifetime, counted from the time of issuance.
///
/// No certificate is issued that outlives its CA, because it would stop being valid with the CA, before its own notAfter.
/// A lifetime that nobody asked for explicitly is shortened to the end of the CA. Use [`Lifetime::Exactly`] if a shorter
/// lifetime is worse than no certificate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a lifetime has a default, an upper limit or an exact value"
)]
pub enum Lifetime {
    /// That of the profile, or for a renewal that of the earlier certificate. It is shortened if the CA expires earlier.
    #[default]
    Default,
    /// This long. It is shortened if the CA expires earlier.
    UpTo(Duration),
    /// This long. The certificate is refused if the CA expires earlier.
    Exactly(Duration),
}

impl Lifetime {
    /// The duration, if it is not the default one.
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::Default => None,
            Self::UpTo(duration) | Self::Exactly(duration) => Some(duration),
        }
    }
}

/// The default time between the renewal of a certificate and its end.
pub const RENEW_BEFORE: Duration = Duration::days(30);

/// How long before the end of a CA it is time to act: enough to plan two rounds of restarts, or the last quarter of a
/// CA with a short lifetime.
pub(crate) fn ca_warning(ca: &Certificate) -> Duration {
    Duration::days(90).min((ca.not_after - ca.not_before) / 4)
}

/// How long before its end a certificate with this lifetime is renewed. A certificate with a short lifetime is renewed when
/// half of it has passed.
pub(crate) fn renewal_margin(renew_before: Duration, lifetime: Duration) -> Duration {
    renew_before.min(lifetime / 2)
}

/// The notAfter of a certificate that is issued now: `requested`, or the end of its CA if that is earlier.
///
/// The end of a CA that has less than the renewal margin left is not used: the certificate would be due for renewal
/// immediately. Then the rule `leaf-outlives-ca` refuses the certificate.
pub(crate) fn limited_by_ca(
    requested: OffsetDateTime,
    ca_end: OffsetDateTime,
    now: OffsetDateTime,
    lifetime: Lifetime,
    renew_before: Duration,
) -> OffsetDateTime {
    let is_shortened = requested > ca_end && !matches!(lifetime, Lifetime::Exactly(_));
    let is_worth_it = ca_end - now >= renewal_margin(renew_before, requested - now);
    if is_shortened && is_worth_it { ca_end } else { requested }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2027-01-01 12:00 UTC);

    /// A certificate with less time than the margin would be due immediately; one with exactly that time is issued.
    #[test]
    fn a_lifetime_is_shortened_until_only_the_renewal_margin_is_left() {
        let requested = NOW + Duration::days(365);
        let limited =
            |ca_end| limited_by_ca(requested, ca_end, NOW, Lifetime::Default, RENEW_BEFORE);
        let margin = NOW + RENEW_BEFORE;
        assert_eq!(limited(margin), margin);
        assert_eq!(limited(margin - Duration::SECOND), requested);
    }
}
