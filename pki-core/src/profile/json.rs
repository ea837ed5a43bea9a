//! The grammar of cfssl's `ca-config.json`.

mod policies;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

use self::policies::policies;
use super::{CopyExtensions, CsrWhitelist, Profile, SigningConfig, Unusable};
use crate::dialect::{Dialect, Faults, Lenient};
use crate::document::{Document, Fields, Value};
use crate::duration::{parse_backdate, parse_duration, parse_go_duration, parse_lifetime};
use crate::error::Error;
use crate::name::Uri;
use crate::oid::Oid;
use crate::suggest;
use crate::template::{CaConstraint, Urls};
use crate::usage::{ExtendedKeyUsage, KeyUsages, Usage, usage_named, usage_names};

const FIELDS: &[&str] = &[
    "usages",
    "expiry",
    "backdate",
    "not_before",
    "not_after",
    "ca_constraint",
    "issuer_urls",
    "ocsp_url",
    "crl_url",
    "ocsp_no_check",
    "name_whitelist",
    "copy_extensions",
    "allowed_extensions",
    "CSRWhitelist",
    "Policies",
    "add_names",
    "auth_key",
    "prev_auth_key",
    "remote",
    "auth_remote",
    "ct_log_servers",
    "lint_error_level",
    "ignored_lints",
    "ignored_lint_sources",
    "cert_store",
    "ClientProvidesSerialNumbers",
];

/// Fields that are only for a cfssl server or for its linter.
const SERVER_FIELDS: [&str; 8] = [
    "auth_key",
    "prev_auth_key",
    "ct_log_servers",
    "lint_error_level",
    "ignored_lints",
    "ignored_lint_sources",
    "cert_store",
    "ClientProvidesSerialNumbers",
];

impl SigningConfig {
    /// Reads a `ca-config.json`. An unknown field, usage or value is an error, which contains every mistake of the file.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes, Dialect::Native).map(|read| read.value)
    }

    /// Reads a `ca-config.json` in a dialect.
    ///
    /// In that of cfssl, a profile with mistakes is [unusable](SigningConfig::unusable), but the others are not. A file
    /// without `default` gets the default profile of cfssl. The warnings are about the whole file;
    /// [each profile](Profile::warnings) has its own.
    pub fn read(bytes: &[u8], dialect: Dialect) -> Result<Lenient<Self>, Error> {
        let document = Document::from_json(bytes)?;
        let mut faults = Faults::new(dialect);
        let top =
            document.root().read_fields(&["signing", "auth_keys", "remotes", "ocsp"], &mut faults);
        report_server_fields(&top, &["auth_keys", "remotes", "ocsp"], &mut faults);
        let Some(signing) = top.find("signing") else {
            if !faults.has_errors() {
                let error = document.root().invalid("missing \"signing\" field");
                faults.error(error.hinted("start from profiles/etcd.json of this project"));
            }
            return faults.finish(None);
        };
        let signing = signing.read_fields(&["default", "profiles"], &mut faults);
        let mut config = Self { default: None, profiles: Vec::new(), unusable: Vec::new() };
        let inherited = if let Some(value) = signing.find("default") {
            config.default = config.add("default", value, None, &mut faults);
            // Also if it cannot be used itself.
            Some(profile("default", value, None, &mut Faults::new(dialect)))
        } else {
            if dialect == Dialect::Cfssl {
                config.default = Self::cfssl().default;
            }
            config.default.clone()
        };
        if let Some(value) = signing.find("profiles") {
            for (name, value) in value.read_members(&mut faults) {
                let profile = config.add(name, &value, inherited.as_ref(), &mut faults);
                config.profiles.extend(profile);
            }
        }
        faults.finish(Some(config))
    }

    /// Reads a profile. If it has mistakes, they are the file's natively, and only its own in cfssl's dialect.
    fn add(
        &mut self,
        name: &str,
        value: &Value<'_>,
        default: Option<&Profile>,
        faults: &mut Faults,
    ) -> Option<Profile> {
        let mut own = Faults::new(faults.dialect);
        let profile = profile(name, value, default, &mut own);
        let errors = match own.finish(Some(profile)) {
            Ok(read) => return Some(Profile { warnings: read.warnings, ..read.value }),
            Err(Error::Several(errors)) => errors,
            Err(error) => vec![error],
        };
        let mut mistakes = Vec::new();
        for error in errors {
            match (faults.dialect, error) {
                (Dialect::Cfssl, Error::Invalid(invalid)) => mistakes.push(*invalid),
                (_, error) => faults.error(error),
            }
        }
        if !mistakes.is_empty() {
            self.unusable.push(Unusable { name: name.to_owned(), mistakes });
        }
        None
    }
}

/// Fields that only a server or the linter of cfssl reads. They do not affect local signing.
fn report_server_fields(fields: &Fields<'_>, names: &[&str], faults: &mut Faults) {
    for name in names {
        if let Some(value) = fields.find(name).filter(|value| !value.is_zero()) {
            let problem = "this field needs a cfssl server, but etcdpki signs locally";
            faults.harmless(value.invalid(problem).hinted("remove it"));
        }
    }
}

fn profile(
    name: &str,
    value: &Value<'_>,
    default: Option<&Profile>,
    faults: &mut Faults,
) -> Profile {
    let fields = value.read_fields(FIELDS, faults);
    report_server_fields(&fields, &SERVER_FIELDS, faults);
    report_remote(&fields, faults);
    let (key_usages, extended_key_usages) = usages(&fields, faults);
    let has_usages = !(key_usages.is_empty() && extended_key_usages.is_empty());
    if name != "default" && !has_usages && !faults.has_errors() {
        let hint = "add \"usages\": [\"signing\", \"server auth\", …]";
        faults.error(value.invalid("a profile without usages").hinted(hint));
    }
    let ca = fields.find("ca_constraint").and_then(|value| ca_constraint(value, faults));
    if !faults.has_errors() {
        check_ca_usages(value, ca, key_usages, faults);
    }
    let mut urls = urls(&fields, faults);
    if let Some(default) = default {
        // As in cfssl, an empty list is one of its own.
        if fields.find("issuer_urls").is_none() {
            urls.issuer.clone_from(&default.urls.issuer);
        }
        urls.ocsp = urls.ocsp.or_else(|| default.urls.ocsp.clone());
        urls.crl = urls.crl.or_else(|| default.urls.crl.clone());
    }
    // In cfssl, 0 means unset, and unset means five minutes.
    let backdate = faults.take(fields.parsed("backdate", parse_backdate)).flatten();
    let backdate = backdate.filter(|duration| !duration.is_zero()).unwrap_or(Duration::minutes(5));
    let expiry = expiry(value, &fields, default, faults);
    let not_before = faults.take(fields.parsed("not_before", timestamp)).flatten();
    let mut not_after = faults.take(fields.parsed("not_after", timestamp)).flatten();
    if let (Some(begin), Some(end), Some(at)) = (not_before, not_after, fields.find("not_after"))
        && end <= begin
    {
        faults.error(at.invalid("not after not_before").hinted("choose a later time"));
    }
    if faults.dialect == Dialect::Cfssl {
        not_after = not_after.or_else(|| not_before?.checked_add(expiry));
    }
    Profile {
        name: name.to_owned(),
        // cfssl counts from notBefore, and this field from the time of issuance.
        expiry: match faults.dialect {
            Dialect::Native => expiry,
            Dialect::Cfssl => expiry - backdate,
        },
        backdate,
        not_before,
        not_after,
        key_usages,
        extended_key_usages,
        ca,
        urls,
        ocsp_no_check: faults.take(fields.boolean("ocsp_no_check")).unwrap_or_default(),
        name_whitelist: faults.take(fields.parsed("name_whitelist", str::parse)).flatten(),
        copy_extensions: copy_extensions(&fields, faults),
        csr_whitelist: fields.find("CSRWhitelist").map(|value| csr_whitelist(value, faults)),
        policies: policies(&fields, faults),
        add_names: fields.read_list("add_names", faults, |text| Ok(text.to_owned())),
        dialect: faults.dialect,
        warnings: Vec::new(),
    }
}

/// A profile that another host signs for cannot be used here in any dialect.
fn report_remote(fields: &Fields<'_>, faults: &mut Faults) {
    for name in ["remote", "auth_remote"] {
        if let Some(value) = fields.find(name).filter(|value| !value.is_zero()) {
            let problem = "this profile is signed by a cfssl server, but etcdpki signs locally";
            faults.error(value.invalid(problem).hinted("remove it, or choose another profile"));
        }
    }
}

fn usages(fields: &Fields<'_>, faults: &mut Faults) -> (KeyUsages, Vec<ExtendedKeyUsage>) {
    let mut key = KeyUsages::default();
    let mut extended: Vec<ExtendedKeyUsage> = Vec::new();
    let usages = fields.read_list("usages", faults, |text| {
        usage_named(text).ok_or_else(|| {
            Error::invalid("usages", text, "unknown usage; cfssl would silently ignore it")
                .hinted(suggest::one_of(text, usage_names()))
        })
    });
    for usage in usages {
        match usage {
            Usage::Extended(usage) if extended.contains(&usage) => {
                if let (Dialect::Cfssl, Some(at)) = (faults.dialect, fields.find("usages")) {
                    let problem = format!("{usage} twice; it is written once");
                    faults.harmless(at.invalid(problem).hinted("remove one of the two"));
                }
            }
            Usage::Extended(usage) => extended.push(usage),
            Usage::Key(bits) => key = key.union(bits),
        }
    }
    (key, extended)
}

/// The lifetime of a profile, or any if there is a mistake.
fn expiry(
    value: &Value<'_>,
    fields: &Fields<'_>,
    default: Option<&Profile>,
    faults: &mut Faults,
) -> Duration {
    let dialect = faults.dialect;
    // In cfssl, 0 means the value of the default profile.
    let lifetime = |text: &str| {
        let duration = match dialect {
            Dialect::Native => parse_duration(text)?,
            Dialect::Cfssl => parse_go_duration(text)?,
        };
        if duration.is_zero() { Ok(None) } else { parse_lifetime(text).map(Some) }
    };
    let before = fields.parsed("expiry", lifetime);
    let written = matches!(before, Err(_) | Ok(Some(_)));
    let own = faults.take(before).flatten().flatten();
    // cfssl demands an expiry in each profile, even if it is 0.
    let default = default.filter(|_| dialect == Dialect::Native || written);
    let inherited = default.map(|profile| match dialect {
        Dialect::Native => profile.expiry,
        Dialect::Cfssl => profile.expiry + profile.backdate,
    });
    own.or(inherited).unwrap_or_else(|| {
        if !faults.has_errors() {
            faults.error(
                value
                    .invalid("no lifetime: neither the profile nor \"default\" has a positive \"expiry\"")
                    .hinted("add \"expiry\": \"8760h\""),
            );
        }
        Duration::ZERO
    })
}

fn timestamp(text: &str) -> Result<OffsetDateTime, Error> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    time.and_then(|time| time.checked_to_offset(UtcOffset::UTC)).ok_or_else(|| {
        Error::invalid("", text, "not an RFC 3339 timestamp").hinted("write 2027-01-31T00:00:00Z")
    })
}

fn ca_constraint(value: &Value<'_>, faults: &mut Faults) -> Option<CaConstraint> {
    let fields = value.read_fields(&["is_ca", "max_path_len", "max_path_len_zero"], faults);
    let zero = faults.take(fields.boolean("max_path_len_zero")).unwrap_or_default();
    let is_ca = faults.take(fields.boolean("is_ca")).unwrap_or_default();
    let path_len = fields.read("max_path_len", faults, |at| match at.integer()? {
        // In cfssl, -1 means no limit, and 0 is a limit only with max_path_len_zero.
        -1 | 0 => Ok(None),
        number => u8::try_from(number).map(Some).map_err(|_| {
            at.invalid("not a path length").hinted("write 0 to 255, or -1 for no limit")
        }),
    });
    let path_len = path_len.flatten();
    if let (true, Some(_), Some(at)) = (zero, path_len, fields.find("max_path_len")) {
        let error = at.invalid("max_path_len_zero contradicts this value");
        faults.harmless(error.hinted("remove one of the two"));
    }
    is_ca.then_some(CaConstraint { path_len: path_len.or(zero.then_some(0)) })
}

/// RFC 5280 section 4.2.1.9: cA and keyCertSign require each other. A leaf with keyCertSign works nevertheless.
fn check_ca_usages(
    value: &Value<'_>,
    ca: Option<CaConstraint>,
    usages: KeyUsages,
    faults: &mut Faults,
) {
    match (ca, usages.contains(KeyUsages::KEY_CERT_SIGN)) {
        (Some(_), false) => faults.error(
            value
                .invalid("is_ca without the usage \"cert sign\": every verifier would reject what the CA signs")
                .hinted("add \"cert sign\" and \"crl sign\" to the usages"),
        ),
        (None, true) => faults.harmless(
            value
                .invalid("the usage \"cert sign\" without is_ca: RFC 5280 section 4.2.1.9 forbids it")
                .hinted("remove the usage, or add \"ca_constraint\": {\"is_ca\": true}"),
        ),
        _ => {}
    }
}

fn urls(fields: &Fields<'_>, faults: &mut Faults) -> Urls {
    Urls {
        issuer: fields.read_list("issuer_urls", faults, str::parse::<Uri>),
        ocsp: faults.take(fields.parsed("ocsp_url", str::parse)).flatten(),
        crl: faults.take(fields.parsed("crl_url", str::parse)).flatten(),
    }
}

fn copy_extensions(fields: &Fields<'_>, faults: &mut Faults) -> CopyExtensions {
    let listed = fields.read_list("allowed_extensions", faults, str::parse::<Oid>);
    let copy = faults.take(fields.boolean("copy_extensions")).unwrap_or_default();
    match (copy, listed.is_empty(), fields.find("allowed_extensions")) {
        (false, false, Some(at)) => {
            let error = at.invalid("a list of extensions to copy without copy_extensions");
            faults.harmless(error.hinted("add \"copy_extensions\": true, or remove the list"));
            CopyExtensions::None
        }
        (false, ..) => CopyExtensions::None,
        (true, true, _) => CopyExtensions::All,
        (true, false, _) => CopyExtensions::Listed(listed),
    }
}

fn csr_whitelist(value: &Value<'_>, faults: &mut Faults) -> CsrWhitelist {
    const PARTS: &[&str] = &[
        "Subject",
        "PublicKeyAlgorithm",
        "PublicKey",
        "SignatureAlgorithm",
        "DNSNames",
        "IPAddresses",
        "EmailAddresses",
        "URIs",
    ];
    let fields = value.read_fields(PARTS, faults);
    let mut is_on = |name| faults.take(fields.boolean(name)).unwrap_or_default();
    let list = CsrWhitelist {
        subject: is_on("Subject"),
        dns_names: is_on("DNSNames"),
        ip_addresses: is_on("IPAddresses"),
        email_addresses: is_on("EmailAddresses"),
        uris: is_on("URIs"),
    };
    if !is_on("PublicKey") {
        let error = value.invalid("a CSRWhitelist without PublicKey leaves no key to certify");
        faults.error(error.hinted("add \"PublicKey\": true"));
    }
    list
}
