//! Signing profiles and their parts.

use std::fmt;
use std::str::FromStr;

use time::{Duration, OffsetDateTime};

use crate::dialect::Dialect;
use crate::error::{Error, Invalid};
use crate::oid::Oid;
use crate::suggest;
use crate::template::{CaConstraint, PolicyInformation, Urls};
use crate::usage::{ExtendedKeyUsage, KeyUsages};

/// The signing profiles of one `ca-config.json`.
///
/// ```
/// use pki_core::SigningConfig;
///
/// let config = SigningConfig::from_json(
///     br#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {
///         "www": {"usages": ["signing", "server auth"], "name_whitelist": "^[a-z]+\\.lab$"}}}}"#,
/// )?;
/// assert!(config.profile("www")?.name_whitelist.as_ref().is_some_and(|names| names.admits("api.lab")));
/// // cfssl would sign with the default profile here.
/// assert!(config.profile("WWW").is_err());
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SigningConfig {
    /// `default`, whose lifetime and URLs the others inherit
    pub default: Option<Profile>,
    /// `profiles`, in the order of the file
    pub profiles: Vec<Profile>,
    /// In cfssl's dialect, the profiles that have mistakes. Natively, a file with such a profile is an error
    pub unusable: Vec<Unusable>,
}

/// A profile with mistakes, in a file whose other profiles can be used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unusable {
    /// Its key in `profiles`.
    pub name: String,
    /// Every mistake in it.
    pub mistakes: Vec<Invalid>,
}

/// The contents of one kind of certificate. The documentation of each field names the corresponding field of cfssl's
/// `ca-config.json`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// Its key in `profiles`.
    pub name: String,
    /// `expiry`
    pub expiry: Duration,
    /// `backdate`
    pub backdate: Duration,
    /// `not_before`, instead of the time of issuance minus `backdate`
    pub not_before: Option<OffsetDateTime>,
    /// `not_after`, instead of the time of issuance plus `expiry`
    pub not_after: Option<OffsetDateTime>,
    /// The key usages in `usages`
    pub key_usages: KeyUsages,
    /// The extended key usages in `usages`
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// `ca_constraint`
    pub ca: Option<CaConstraint>,
    /// `issuer_urls`, `ocsp_url`, `crl_url`
    pub urls: Urls,
    /// `ocsp_no_check`
    pub ocsp_no_check: bool,
    /// `name_whitelist`
    pub name_whitelist: Option<NamePattern>,
    /// `copy_extensions` and `allowed_extensions`
    pub copy_extensions: CopyExtensions,
    /// `CSRWhitelist`
    pub csr_whitelist: Option<CsrWhitelist>,
    /// `Policies`
    pub policies: Vec<PolicyInformation>,
    /// `add_names`, a field of etcdpki's own: names that every certificate of the profile carries.
    /// `{cn}` stands for the common name, `{label}` for a DNS name that resembles it
    pub add_names: Vec<String>,
    /// The dialect of its file. With that of cfssl, keyEncipherment and dataEncipherment stay in certificates for keys
    /// that are not RSA, and a server certificate without names is only a warning.
    pub dialect: Dialect,
    /// In cfssl's dialect, what is unusual about the text of the profile
    pub warnings: Vec<Invalid>,
}

/// Which extensions of a PKCS #10 request are copied to the certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum CopyExtensions {
    /// All that the profile does not set
    All,
    /// The listed ones, except those that the profile sets
    Listed(Vec<Oid>),
    /// None
    #[default]
    None,
}

/// Which parts of a PKCS #10 request are used. The operator's own requests are not limited.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "the same fields as in cfssl")]
#[non_exhaustive]
pub struct CsrWhitelist {
    /// `Subject`
    pub subject: bool,
    /// `DNSNames`
    pub dns_names: bool,
    /// `IPAddresses`
    pub ip_addresses: bool,
    /// `EmailAddresses`
    pub email_addresses: bool,
    /// `URIs`
    pub uris: bool,
}

/// A regular expression that every name must match, at any position as in cfssl.
///
/// The syntax is that of the [regex-lite](https://docs.rs/regex-lite) crate: `\w`, `\d`, `\s` and `(?i)` are about ASCII, as the first
/// three are in cfssl. Anchor it (`^…$`) to match whole names.
#[derive(Clone, Debug)]
pub struct NamePattern(regex_lite::Regex);

impl NamePattern {
    /// True if the pattern matches the name or a part of it.
    pub fn admits(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

impl FromStr for NamePattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        regex_lite::Regex::new(text).map(Self).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            Error::invalid("pattern", text, format!("not a regular expression: {reason}")).hinted(
                "write one in the syntax of https://docs.rs/regex-lite, such as \"^[a-z]+\\\\.lab$\"",
            )
        })
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl SigningConfig {
    /// The built-in profiles `server`, `peer` and `client`, with what etcd requires, not what the names suggest.
    pub fn etcd() -> Self {
        Self::from_json(include_bytes!("../../profiles/etcd.json"))
            .expect("a test reads the embedded profiles")
    }

    /// cfssl's own default profile, which signs without a `ca-config.json`: for servers and clients, for one year.
    pub fn cfssl() -> Self {
        const DEFAULT: &[u8] = br#"{"signing": {"default": {"expiry": "8760h",
            "usages": ["signing", "key encipherment", "server auth", "client auth"]}}}"#;
        let read = Self::read(DEFAULT, Dialect::Cfssl);
        read.expect("a test reads the embedded profile").value
    }

    /// The profile with this name, which is case-sensitive. `default` is the one in `profiles`, or else the default profile.
    pub fn profile(&self, name: &str) -> Result<&Profile, Error> {
        if let Some(profile) = self.profiles.iter().find(|profile| profile.name == name) {
            return Ok(profile);
        }
        if let Some(unusable) = self.unusable.iter().find(|unusable| unusable.name == name) {
            let mistakes = unusable.mistakes.iter().cloned();
            return Err(Error::all(mistakes.map(|one| Error::Invalid(Box::new(one))).collect()));
        }
        self.default.as_ref().filter(|profile| profile.name == name).ok_or_else(|| {
            // cfssl signs with `default` here, whatever that allows.
            Error::invalid("profile", name, "unknown profile")
                .hinted(suggest::one_of(name, self.profiles.iter().map(|p| p.name.as_str())))
        })
    }

    /// The profile of a certificate for which none is chosen, even if `profiles` has another one called `default`.
    pub fn default_profile(&self) -> Result<&Profile, Error> {
        match &self.default {
            Some(profile) => Ok(profile),
            None => self.profile("default"),
        }
    }
}
