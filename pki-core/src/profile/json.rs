//! The grammar of cfssl's `ca-config.json`.

mod from_request;
mod policies;
mod unused;
mod usages;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

use self::from_request::{copy_extensions, csr_whitelist};
use self::policies::policies;
use self::usages::{ca_constraint, check_ca_usages, usages};
use super::{Profile, SigningConfig, Unusable};
use crate::dialect::{Dialect, Faults, Lenient};
use crate::document::{Document, Fields, Value};
use crate::duration::{parse_backdate, parse_duration, parse_go_duration, parse_lifetime};
use crate::error::Error;
use crate::name::Uri;
use crate::template::Urls;

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
        let mut faults = Faults::new(dialect);
        let document = Document::from_json(bytes, &mut faults)?;
        let top =
            document.root().read_fields(&["signing", "auth_keys", "remotes", "ocsp"], &mut faults);
        unused::report_of_file(&top, &mut faults);
        let Some(signing) = top.find("signing") else {
            if !faults.has_errors() {
                let error = document.root().invalid("missing \"signing\" field");
                faults.error(error.hinted("start from profiles/etcd.json of this project"));
            }
            return faults.finish(None);
        };
        let signing = signing.read_fields(&["default", "profiles"], &mut faults);
        if dialect == Dialect::Cfssl {
            unused::report_missing_keys(&top, &signing, &mut faults);
        }
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

fn profile(
    name: &str,
    value: &Value<'_>,
    default: Option<&Profile>,
    faults: &mut Faults,
) -> Profile {
    let fields = value.read_fields(FIELDS, faults);
    unused::report_of_profile(&fields, faults);
    if faults.dialect == Dialect::Cfssl {
        unused::report_nanoseconds(value, faults);
    }
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
    let not_before = fields.read("not_before", faults, |value| value.parsed(timestamp));
    let mut not_after = fields.read("not_after", faults, |value| value.parsed(timestamp));
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

fn urls(fields: &Fields<'_>, faults: &mut Faults) -> Urls {
    Urls {
        issuer: fields.read_list("issuer_urls", faults, str::parse::<Uri>),
        ocsp: faults.take(fields.parsed("ocsp_url", str::parse)).flatten(),
        crl: faults.take(fields.parsed("crl_url", str::parse)).flatten(),
    }
}
