//! What cfssl 1.6.5 makes where the 1.2 that the tests run makes something else. docs/cfssl.md has the list.

use pki_core::Extension;
use serde_json::Value;
use time::Duration;

use super::cases::Case;

/// What a case has that 1.2 ignores.
pub(super) struct Later {
    /// The profile has `content commitment`: 1.2 does not know the string.
    content_commitment: bool,
    /// The `crl_url` of a CA's request.
    crl_url: Option<String>,
    /// `ca.backdate`
    backdate: Option<Duration>,
    /// `selfsign`: 1.2 writes no names.
    is_self_signed: bool,
}

impl Later {
    pub(super) fn of(case: &Case) -> Self {
        let file = |name: &str| case.files.iter().find(|(found, _)| *found == name);
        let text = |name| file(name).map(|(_, text)| text.as_str()).unwrap_or_default();
        let config: Value = serde_json::from_str(text("config.json")).unwrap_or_default();
        let csr: Value = serde_json::from_str(text("csr.json")).unwrap_or_default();
        let signing = &config["signing"];
        let is_named = case.command.contains("profile");
        let profile = if is_named { &signing["profiles"]["used"] } else { &signing["default"] };
        let usages = &profile["usages"];
        let is_self_signed = case.command.contains("selfsign");
        let is_used = case.command.contains("config.json")
            && (case.issuer.is_some() || (is_self_signed && is_named));
        let is_listed = |usages: &Vec<Value>| usages.iter().any(|one| one == "content commitment");
        // With a key that exists, 1.6.5 ignores both fields too.
        let is_new_ca = case.command.contains("initca")
            && case.issuer.is_none()
            && !case.command.contains("ca-key");
        let backdate = match csr["ca"]["backdate"].as_str() {
            Some("1h") => Some(Duration::HOUR),
            Some("30s") => Some(Duration::seconds(30)),
            // 0 means unset.
            _ => None,
        };
        Self {
            content_commitment: is_used && usages.as_array().is_some_and(is_listed),
            crl_url: csr["crl_url"].as_str().filter(|_| is_new_ca).map(ToOwned::to_owned),
            backdate: backdate.filter(|_| is_new_ca),
            is_self_signed,
        }
    }

    /// How much earlier a certificate of 1.6.5 begins and ends: 1.2 always backdates by five minutes.
    pub(super) fn earlier(&self) -> Duration {
        self.backdate.map_or(Duration::ZERO, |backdate| backdate - Duration::minutes(5))
    }

    /// The extensions of 1.6.5 for those of 1.2 and ours.
    pub(super) fn extensions(
        &self,
        of_earlier: &[Extension],
        ours: &[Extension],
    ) -> Vec<Extension> {
        let mut extensions = of_earlier.to_vec();
        if self.is_self_signed {
            extensions.extend(ours.iter().find(|one| one.oid.as_str() == "2.5.29.17").cloned());
        }
        if self.content_commitment {
            let usage = extensions.iter_mut().find(|one| one.oid.as_str() == "2.5.29.15").unwrap();
            // The second bit of the BIT STRING (RFC 5280 section 4.2.1.3), whose first octet counts the unused bits.
            usage.value[3] |= 0x40;
            usage.value[2] = u8::try_from(usage.value.last().unwrap().trailing_zeros()).unwrap();
        }
        if let Some(url) = &self.crl_url {
            let mut like = extensions.last().unwrap().clone();
            like.oid = "2.5.29.31".parse().unwrap();
            like.critical = false;
            like.value = distribution_point(url);
            extensions.push(like);
        }
        extensions
    }
}

/// One DistributionPoint whose fullName is a URL (RFC 5280 section 4.2.1.13).
fn distribution_point(url: &str) -> Vec<u8> {
    let mut der = url.as_bytes().to_vec();
    for tag in [0x86, 0xa0, 0xa0, 0x30, 0x30] {
        let length = u8::try_from(der.len()).unwrap();
        assert!(length < 0x80, "the short form of a length");
        der.splice(..0, [tag, length]);
    }
    der
}
