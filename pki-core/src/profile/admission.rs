//! Applies a profile to a request.

use time::OffsetDateTime;

use super::sentinel::permitted;
use super::{CopyExtensions, CsrWhitelist, Profile};
use crate::certificate::{Certificate, Extension};
use crate::dialect::Dialect;
use crate::error::{Error, Input};
use crate::key::KeyAlgorithm;
use crate::lifetime::Lifetime;
use crate::name::{DnsName, San, only_reverse_lookup_finds};
use crate::request::{Asked, LeftOut, Request};
use crate::subject::{Attribute, Subject};
use crate::template::{Begin, End, Template, validity};
use crate::usage::KeyUsages;

/// The result of a profile for a request.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) template: Template,
    pub(crate) left_out: Vec<LeftOut>,
}

/// The extensions that a profile sets, which are never copied from a request. In cfssl, a request could replace key usages
/// and so become a CA (cloudflare/cfssl PR 1436).
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

impl Profile {
    /// Turns a request to a CA into a template; without a CA, the certificate is signed with its own key. Returns an error
    /// for a part of the request that the profile does not allow.
    pub(crate) fn admit(
        &self,
        request: &Request,
        ca: Option<&Certificate>,
        now: OffsetDateTime,
    ) -> Result<Admission, Error> {
        let refuse = |problem: &str| {
            Error::not_admitted("profile", self.name.clone(), problem).of(Input::Profile)
        };
        if self.key_usages.is_empty() && self.extended_key_usages.is_empty() {
            return Err(refuse("it has no usages")
                .hinted("add \"usages\" to the profile, or choose another one"));
        }
        // In cfssl, a CSRWhitelist lets nothing about CAs through.
        let is_read = self.dialect == Dialect::Native || self.csr_whitelist.is_none();
        let asks_ca = is_read && request.extensions.iter().any(is_ca_request);
        if asks_ca && self.ca.is_none() {
            return Err(refuse(
                "the request is for a CA, but the profile is for leaf certificates",
            )
            .hinted("use a profile with a ca_constraint, or have the request created again"));
        }
        let (subject, asked, mut left_out) = self.admitted(request);
        let mut names: Vec<San> = Vec::new();
        let added = self.added_names(&subject, request.label.as_deref(), ca)?;
        for name in added.into_iter().chain(asked) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if self.dialect == Dialect::Cfssl {
            San::sort_by_kind(&mut names);
        }
        self.check_whitelist(&subject, &names)?;
        self.check_peer_names(&names)?;
        let (not_before, not_after) = self.validity(request, now)?;
        let (copied, not_copied) = self.sort_extensions(request);
        left_out.extend(not_copied);
        // RFC 8813 section 3 and RFC 9295 section 3: these two are only for RSA keys.
        let rsa_only = KeyUsages::KEY_ENCIPHERMENT.union(KeyUsages::DATA_ENCIPHERMENT);
        let key_usages = match (request.public_key.algorithm(), self.dialect) {
            (Some(KeyAlgorithm::Rsa(_)), _) | (_, Dialect::Cfssl) => self.key_usages,
            (_, Dialect::Native) => self.key_usages.without(rsa_only),
        };
        // RFC 5280 section 4.2.1.3: without keyUsage the key could be used for anything.
        if key_usages.is_empty() && !self.key_usages.is_empty() {
            return Err(refuse("its only key usages are for RSA keys, but this is not an RSA key")
                .hinted("add \"signing\" to its usages, or use an RSA key"));
        }
        Ok(Admission {
            template: Template {
                subject,
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

    /// The request with only the parts that the profile allows. `CSRWhitelist` removes parts of a PKCS #10 request but
    /// not of the operator's own request.
    ///
    /// [`Authority::draft`](crate::Authority::draft) does this itself. It is public for programs that fill in missing parts,
    /// such as a common name.
    #[must_use]
    pub fn restrict(&self, mut request: Request) -> Request {
        let (subject, names, _) = self.admitted(&request);
        request.subject = match request.subject {
            Asked::ByCsr(_) => Asked::ByCsr(subject),
            Asked::ByOperator(_) => Asked::ByOperator(subject),
        };
        request.names = match request.names {
            Asked::ByCsr(_) => Asked::ByCsr(names),
            Asked::ByOperator(_) => Asked::ByOperator(names),
        };
        request
    }

    /// The allowed subject and names, and the parts that are not allowed.
    fn admitted(&self, request: &Request) -> (Subject, Vec<San>, Vec<LeftOut>) {
        let list = self.csr_whitelist.unwrap_or(CsrWhitelist::ALL);
        let mut left_out = Vec::new();
        let subject = match &request.subject {
            Asked::ByCsr(subject) if !list.subject && !subject.is_empty() => {
                left_out.push(LeftOut::Subject(subject.clone()));
                Subject::default()
            }
            subject => subject.value().clone(),
        };
        let names = match &request.names {
            Asked::ByOperator(names) => names.clone(),
            Asked::ByCsr(names) => {
                let (kept, dropped): (Vec<_>, Vec<_>) =
                    names.iter().cloned().partition(|name| list.admits(name));
                left_out.extend(dropped.into_iter().map(LeftOut::Name));
                kept
            }
        };
        (subject, names, left_out)
    }

    fn added_names(
        &self,
        subject: &Subject,
        given: Option<&str>,
        ca: Option<&Certificate>,
    ) -> Result<Vec<San>, Error> {
        let added = |template: &String| self.added_name(template, subject, given, ca);
        self.add_names.iter().map(added).collect()
    }

    /// `given` replaces a missing common name.
    fn added_name(
        &self,
        template: &str,
        subject: &Subject,
        given: Option<&str>,
        ca: Option<&Certificate>,
    ) -> Result<San, Error> {
        let field = || format!("profile {}: add_names", self.name);
        let is_label = template.contains("{label}");
        if !template.contains("{cn}") && !is_label {
            let parsed = template.parse();
            return parsed.map_err(|error: Error| error.in_field(field()).of(Input::Profile));
        }
        let name = subject.common_name().or(given);
        let cn = if is_label { label(name, subject) } else { name.map(ToOwned::to_owned) };
        let cn = cn.ok_or_else(|| {
            Error::invalid(field(), template, "the request has no common name")
                .hinted("give the subject a common name")
                .of(Input::Subject)
        })?;
        let name = permitted(template.replace("{cn}", &cn).replace("{label}", &cn), ca);
        name.parse().map_err(|error: Error| {
            let why = match &error {
                Error::Invalid(invalid) => invalid.problem.clone(),
                other => other.to_string(),
            };
            let profile = &self.name;
            Error::invalid(
                "CN",
                cn.clone(),
                format!("profile {profile} adds the name {name:?}: {why}"),
            )
            .hinted("choose a common name that is a host name: letters, digits, hyphens")
            .of(Input::Subject)
        })
    }

    fn check_whitelist(&self, subject: &Subject, names: &[San]) -> Result<(), Error> {
        let Some(whitelist) = &self.name_whitelist else {
            return Ok(());
        };
        let cn = subject.common_name().map(|cn| ("CN".to_owned(), cn.to_owned()));
        // cfssl matches no IP addresses, and the lists of its users match only names.
        let is_matched =
            |name: &&San| self.dialect == Dialect::Native || !matches!(name, San::Ip(_));
        let names = names.iter().filter(is_matched);
        let all = names.map(|name| (name.kind().to_owned(), name.value()));
        for (field, value) in cn.into_iter().chain(all) {
            if !whitelist.admits(&value) {
                return Err(Error::not_admitted(
                    field,
                    value,
                    format!(
                        "it does not match the name_whitelist {whitelist} of profile {}",
                        self.name
                    ),
                )
                .hinted("use another name, or extend the whitelist"));
            }
        }
        Ok(())
    }

    /// Certificates of a profile that is called peer are for members of etcd. With cfssl's dialect, the rules still warn.
    fn check_peer_names(&self, names: &[San]) -> Result<(), Error> {
        let hosts = names.iter().filter(|name| matches!(name, San::Dns(_) | San::Ip(_)));
        let is_for_members = self.dialect == Dialect::Native && self.name == "peer";
        if !is_for_members || !only_reverse_lookup_finds(hosts.clone().map(San::value)) {
            return Ok(());
        }
        let hosts: Vec<String> = hosts.map(San::value).collect();
        let problem = "other members accept a peer certificate with only wildcard names by the PTR record of its address";
        Err(Error::not_admitted("names", hosts.join(", "), problem)
            .hinted("add the member's address or its full name: --san ADDRESS"))
    }

    fn validity(
        &self,
        request: &Request,
        now: OffsetDateTime,
    ) -> Result<(OffsetDateTime, OffsetDateTime), Error> {
        // A lifetime that is asked for replaces the profile's, whether that is an expiry or a date.
        let (not_after, expiry) = match request.lifetime.duration() {
            Some(expiry) => (None, expiry),
            None => (self.not_after, self.expiry),
        };
        let begin = self.not_before.map_or(Begin::Backdated(self.backdate), Begin::At);
        let end = not_after.map_or(End::After(expiry), End::At);
        validity(now, begin, end).map_err(|error| match &error {
            Error::Invalid(invalid) if invalid.input == Input::Clock => error,
            Error::Invalid(_) if request.lifetime != Lifetime::Default => error.of(Input::Request),
            Error::Invalid(invalid) => {
                let field = format!("profile {}: {}", self.name, invalid.field);
                error.in_field(field).of(Input::Profile)
            }
            _ => error,
        })
    }

    fn sort_extensions(&self, request: &Request) -> (Vec<Extension>, Vec<LeftOut>) {
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
                left_out.push(LeftOut::Extension(extension.oid.clone()));
            }
        }
        (copied, left_out)
    }
}

impl CsrWhitelist {
    /// A profile without a whitelist uses all parts.
    const ALL: Self = Self {
        subject: true,
        dns_names: true,
        ip_addresses: true,
        email_addresses: true,
        uris: true,
    };

    const fn admits(self, name: &San) -> bool {
        match name {
            San::Dns(_) => self.dns_names,
            San::Email(_) => self.email_addresses,
            San::Ip(_) => self.ip_addresses,
            San::Uri(_) => self.uris,
        }
    }
}

/// basicConstraints with `cA TRUE`: a SEQUENCE that starts with a BOOLEAN other than FALSE, which rcgen before 0.14.10
/// wrote although DER forbids it.
fn is_ca_request(extension: &Extension) -> bool {
    extension.oid.as_str() == "2.5.29.19"
        && matches!(extension.value.as_slice(), [0x30, _, 0x01, 0x01, 1..=0xff, ..])
}

/// The value of `{label}` in an added name: the common name if it is a valid DNS name, otherwise the characters of it that
/// DNS allows. Without a name it is made from the organization.
fn label(name: Option<&str>, subject: &Subject) -> Option<String> {
    let is_user = |c: char| c.is_ascii_alphanumeric() || "_@.-".contains(c);
    let text = match name {
        Some(name) if name.parse::<DnsName>().is_ok() || !name.chars().all(is_user) => {
            return Some(name.to_owned());
        }
        Some(name) => name,
        None => {
            let mut attributes = subject.attributes();
            &attributes.find(|(attribute, _)| *attribute == Attribute::Organization)?.1
        }
    };
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let text: String = text.chars().map(allowed).collect();
    let labels: Vec<&str> = text
        .split('.')
        .map(|label| label[..label.len().min(63)].trim_matches('-'))
        .filter(|label| !label.is_empty())
        .collect();
    Some(if labels.is_empty() { "client".to_owned() } else { labels.join(".") })
}
