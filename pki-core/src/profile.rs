//! Signing profiles, in cfssl's grammar: what a CA is willing to certify.

use regex::Regex;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::error::Error;
use crate::name::San;
use crate::oid::Oid;
use crate::request::Request;
use crate::suggest;
use crate::template::{CaConstraint, PolicyInformation, Template, Urls};
use crate::usage::{ExtendedKeyUsage, KeyUsages};

/// The profiles of one `ca-config.json`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SigningConfig {
    /// `default`, which lends its lifetime and URLs to the others
    pub default: Option<Profile>,
    /// `profiles`, in the order of the file
    pub profiles: Vec<Profile>,
}

/// What one kind of certificate may say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// Its key in `profiles`.
    pub name: String,
    /// `expiry`
    pub expiry: Duration,
    /// `backdate`
    pub backdate: Duration,
    /// `not_before`, in place of now less `backdate`
    pub not_before: Option<OffsetDateTime>,
    /// `not_after`, in place of now plus `expiry`
    pub not_after: Option<OffsetDateTime>,
    /// `usages`, those that are key usages
    pub key_usages: KeyUsages,
    /// `usages`, those that are extended key usages
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// `ca_constraint`
    pub ca: Option<CaConstraint>,
    /// `issuer_urls`, `ocsp_url`, `crl_url`
    pub urls: Urls,
    /// `ocsp_no_check`
    pub ocsp_no_check: bool,
    /// `name_whitelist`
    pub name_whitelist: Option<Regex>,
    /// `copy_extensions` and `allowed_extensions`
    pub copy_extensions: CopyExtensions,
    /// `CSRWhitelist`
    pub csr_whitelist: Option<CsrWhitelist>,
    /// `Policies`
    pub policies: Vec<PolicyInformation>,
    /// `add_names`, a field of etcdpki's own: names that every certificate of the profile carries;
    /// `{cn}` stands for the common name
    pub add_names: Vec<String>,
}

/// Which extensions of a PKCS #10 reach the certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum CopyExtensions {
    /// All that the profile does not decide itself
    All,
    /// Of those, the ones listed
    Listed(Vec<Oid>),
    /// None
    #[default]
    None,
}

/// Which parts of a PKCS #10 are taken over.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "cfssl's own shape")]
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

/// What a profile makes of a request.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) template: Template,
    /// What was asked for and is not admitted, for people to read.
    pub(crate) left_out: Vec<String>,
}

/// The extensions that a profile decides; what a request says about them is never copied.
/// cfssl let a request replace key usages and so become a CA (cloudflare/cfssl PR 1436).
const DECIDED: [&str; 11] = [
    "1.3.6.1.5.5.7.1.1",    // authorityInfoAccess
    "1.3.6.1.5.5.7.48.1.5", // ocsp-nocheck
    "2.5.29.14",            // subjectKeyIdentifier
    "2.5.29.15",            // keyUsage
    "2.5.29.17",            // subjectAltName
    "2.5.29.19",            // basicConstraints
    "2.5.29.30",            // nameConstraints
    "2.5.29.31",            // cRLDistributionPoints
    "2.5.29.32",            // certificatePolicies
    "2.5.29.35",            // authorityKeyIdentifier
    "2.5.29.37",            // extKeyUsage
];

impl SigningConfig {
    /// The built-in profiles `server`, `peer` and `client`: what etcd needs, not what the names
    /// suggest.
    pub fn etcd() -> Self {
        Self::from_json(include_bytes!("../profiles/etcd.json"))
            .expect("the embedded profiles are read by a test")
    }

    /// The profile with this name; case counts. `default` is the default one.
    pub fn profile(&self, name: &str) -> Result<&Profile, Error> {
        let all = || self.profiles.iter().chain(&self.default);
        all().find(|profile| profile.name == name).ok_or_else(|| {
            // cfssl signs with `default` here, whatever that grants.
            Error::invalid("profile", name, "no such profile")
                .hinted(suggest::one_of(name, self.profiles.iter().map(|p| p.name.as_str())))
        })
    }
}

impl Profile {
    /// Turns a request into a template, or says which part of it the profile does not admit.
    pub(crate) fn admit(&self, request: &Request, now: OffsetDateTime) -> Result<Admission, Error> {
        let refuse = |problem: &str| Error::not_admitted("profile", self.name.clone(), problem);
        if self.key_usages.is_empty() && self.extended_key_usages.is_empty() {
            return Err(
                refuse("it has no usages").hinted("add \"usages\" to it, or choose another")
            );
        }
        let asks_ca = request.extensions.iter().any(is_ca_request);
        if asks_ca && self.ca.is_none() {
            return Err(refuse("the request is for a CA and the profile is for leaves")
                .hinted("use a profile with a ca_constraint, or have the request made anew"));
        }
        let mut names = Vec::new();
        for name in self.added_names(request)?.into_iter().chain(request.names.iter().cloned()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        self.check_whitelist(request, &names)?;
        let (not_before, not_after) = self.validity(request, now)?;
        let (copied, left_out) = self.sort_extensions(request);
        // RFC 8813 section 3 and RFC 9295 section 3: these two are for RSA keys alone.
        let rsa_only = KeyUsages::KEY_ENCIPHERMENT.union(KeyUsages::DATA_ENCIPHERMENT);
        let key_usages = match request.public_key.algorithm() {
            Some(crate::key::KeyAlgorithm::Rsa(_)) => self.key_usages,
            _ => self.key_usages.without(rsa_only),
        };
        // RFC 5280 section 4.2.1.3: without keyUsage the key would be good for everything.
        if key_usages.is_empty() && !self.key_usages.is_empty() {
            return Err(refuse("its only key usages are for RSA keys, which this key is not")
                .hinted("add \"signing\" to its usages, or ask with an RSA key"));
        }
        Ok(Admission {
            template: Template {
                subject: request.subject.clone(),
                names,
                not_before,
                not_after,
                public_key: request.public_key.clone(),
                key_usages,
                extended_key_usages: self.extended_key_usages.clone(),
                ca: self.ca,
                permitted: Vec::new(),
                excluded: Vec::new(),
                urls: self.urls.clone(),
                ocsp_no_check: self.ocsp_no_check,
                policies: self.policies.clone(),
                copied,
            },
            left_out,
        })
    }

    /// Takes from a request that came as PKCS #10 what `CSRWhitelist` does not list.
    #[must_use]
    pub fn restrict(&self, mut request: Request) -> Request {
        if let Some(list) = self.csr_whitelist {
            if !list.subject {
                request.subject = crate::subject::Subject::default();
            }
            request.names.retain(|name| match name {
                San::Dns(_) => list.dns_names,
                San::Email(_) => list.email_addresses,
                San::Ip(_) => list.ip_addresses,
                San::Uri(_) => list.uris,
            });
        }
        request
    }

    fn added_names(&self, request: &Request) -> Result<Vec<San>, Error> {
        let field = || format!("profile {}: add_names", self.name);
        self.add_names
            .iter()
            .map(|template| {
                if !template.contains("{cn}") {
                    return template.parse().map_err(|e: Error| e.in_field(field()));
                }
                let cn = request.subject.common_name().ok_or_else(|| {
                    Error::invalid(field(), template.clone(), "the request has no common name")
                        .hinted("give one with --cn")
                })?;
                let name = template.replace("{cn}", cn);
                name.parse().map_err(|error: Error| {
                    let why = match &error {
                        Error::Invalid(invalid) => invalid.problem.clone(),
                        other => other.to_string(),
                    };
                    Error::invalid(
                        "CN",
                        cn,
                        format!("profile {} adds the name {name:?}: {why}", self.name),
                    )
                    .hinted("choose a common name that is a host name: letters, digits, hyphens")
                })
            })
            .collect()
    }

    fn check_whitelist(&self, request: &Request, names: &[San]) -> Result<(), Error> {
        let Some(whitelist) = &self.name_whitelist else {
            return Ok(());
        };
        // Addresses are tested too; cfssl let every one of them pass.
        let cn = request.subject.common_name().map(|cn| ("CN".to_owned(), cn.to_owned()));
        let all = names.iter().map(|name| (name.kind().to_owned(), name.value()));
        for (field, value) in cn.into_iter().chain(all) {
            if !whitelist.is_match(&value) {
                return Err(Error::not_admitted(
                    field,
                    value,
                    format!(
                        "name_whitelist {whitelist} of profile {} does not admit it",
                        self.name
                    ),
                )
                .hinted("ask for another name, or widen the whitelist"));
            }
        }
        Ok(())
    }

    fn validity(
        &self,
        request: &Request,
        now: OffsetDateTime,
    ) -> Result<(OffsetDateTime, OffsetDateTime), Error> {
        // What is asked for stands in place of the profile's lifetime, however that is written.
        let (not_after, expiry) = match request.expiry {
            Some(expiry) => (None, expiry),
            None => (self.not_after, self.expiry),
        };
        validity(now, self.not_before, self.backdate, not_after, expiry).map_err(|error| {
            let field = match &error {
                Error::Invalid(invalid) if request.expiry.is_none() => &invalid.field,
                _ => return error,
            };
            let field = format!("profile {}: {field}", self.name);
            error.in_field(field)
        })
    }

    fn sort_extensions(
        &self,
        request: &Request,
    ) -> (Vec<crate::certificate::Extension>, Vec<String>) {
        let mut copied = Vec::new();
        let mut left_out = Vec::new();
        for extension in &request.extensions {
            let oid = extension.oid.as_str();
            let admitted = match &self.copy_extensions {
                CopyExtensions::All => true,
                CopyExtensions::Listed(oids) => oids.contains(&extension.oid),
                CopyExtensions::None => false,
            };
            if DECIDED.contains(&oid) {
                continue;
            }
            if admitted {
                copied.push(extension.clone());
            } else {
                left_out.push(format!("extension {oid}"));
            }
        }
        (copied, left_out)
    }
}

/// When a certificate begins and ends; an end that is not after now is refused.
pub(crate) fn validity(
    now: OffsetDateTime,
    not_before: Option<OffsetDateTime>,
    backdate: Duration,
    not_after: Option<OffsetDateTime>,
    expiry: Duration,
) -> Result<(OffsetDateTime, OffsetDateTime), Error> {
    let now = certifiable(now).ok_or_else(|| {
        Error::invalid("clock", now.to_string(), "not in the years 1950 to 9999")
            .hinted("set the clock right")
    })?;
    let begin = not_before.or_else(|| now.checked_sub(backdate)).and_then(certifiable);
    let begin = begin.ok_or_else(|| match not_before {
        Some(moment) => Error::invalid("not_before", rfc3339(moment), "before the year 1950")
            .hinted("choose a later moment"),
        None => Error::invalid("backdate", backdate.to_string(), "it leads before the year 1950")
            .hinted("choose minutes, such as 5m"),
    })?;
    let end = not_after.or_else(|| now.checked_add(expiry)).and_then(certifiable);
    let end = end.ok_or_else(|| match not_after {
        Some(moment) => Error::invalid("not_after", rfc3339(moment), "before the year 1950")
            .hinted("choose a later moment"),
        None => Error::invalid("expiry", expiry.to_string(), "it leads beyond the year 9999")
            .hinted("choose a shorter lifetime, such as 8760h"),
    })?;
    if end <= now || end <= begin {
        return Err(Error::invalid(
            if not_after.is_some() { "not_after" } else { "expiry" },
            if not_after.is_some() { rfc3339(end) } else { expiry.to_string() },
            "the certificate would have ended before it is used",
        )
        .hinted("choose a later end, such as an expiry of 8760h"));
    }
    if begin > now {
        return Err(Error::invalid(
            "not_before",
            rfc3339(begin),
            "the certificate would not be valid yet",
        )
        .hinted("choose a moment that is past"));
    }
    Ok((begin, end))
}

fn rfc3339(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

/// The moment as a certificate states it: whole seconds of UTC, in years that its two forms of time
/// hold (RFC 5280 section 4.1.2.5). The encoder panics on others (rcgen 0.14.10).
fn certifiable(moment: OffsetDateTime) -> Option<OffsetDateTime> {
    let moment = moment.checked_to_offset(UtcOffset::UTC)?.replace_nanosecond(0).ok()?;
    (1950..=9999).contains(&moment.year()).then_some(moment)
}

/// basicConstraints with `cA TRUE`: a SEQUENCE that starts with a BOOLEAN other than FALSE, which
/// rcgen before 0.14.10 wrote out though DER forbids it.
fn is_ca_request(extension: &crate::certificate::Extension) -> bool {
    extension.oid.as_str() == "2.5.29.19"
        && matches!(extension.value.as_slice(), [0x30, _, 0x01, 0x01, 1..=0xff, ..])
}
