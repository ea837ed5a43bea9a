//! The grammar of cfssl's `ca-config.json`.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::{CopyExtensions, CsrWhitelist, Profile, SigningConfig};
use crate::document::{Document, Fields, Value};
use crate::duration::{parse_backdate, parse_duration, parse_lifetime};
use crate::error::Error;
use crate::name::Uri;
use crate::oid::Oid;
use crate::suggest;
use crate::template::{CaConstraint, PolicyInformation, PolicyQualifier, Urls};
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
const SERVER_FIELDS: [&str; 10] = [
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
    /// Reads a `ca-config.json`. An unknown field, usage or value is an error.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let document = Document::from_json(bytes)?;
        let top = document.root().fields(&["signing", "auth_keys", "remotes", "ocsp"])?;
        refuse(&top, &["auth_keys", "remotes", "ocsp"])?;
        let Some(signing) = top.find("signing") else {
            return Err(document
                .root()
                .invalid("missing \"signing\" field")
                .hinted("start from profiles/etcd.json of this project"));
        };
        let signing = signing.fields(&["default", "profiles"])?;
        let default =
            signing.find("default").map(|value| profile("default", value, None)).transpose()?;
        let mut profiles = Vec::new();
        if let Some(value) = signing.find("profiles") {
            for (name, value) in value.members()? {
                let profile = profile(name, &value, default.as_ref())?;
                if profile.key_usages.is_empty() && profile.extended_key_usages.is_empty() {
                    return Err(value
                        .invalid("a profile without usages")
                        .hinted("add \"usages\": [\"signing\", \"server auth\", …]"));
                }
                profiles.push(profile);
            }
        }
        Ok(Self { default, profiles })
    }
}

fn refuse(fields: &Fields<'_>, names: &[&str]) -> Result<(), Error> {
    for name in names {
        if let Some(value) = fields.find(name).filter(|value| !value.is_zero()) {
            return Err(value
                .invalid("this field needs a cfssl server, but etcdpki signs locally")
                .hinted("remove it"));
        }
    }
    Ok(())
}

fn profile(name: &str, value: &Value<'_>, default: Option<&Profile>) -> Result<Profile, Error> {
    let fields = value.fields(FIELDS)?;
    refuse(&fields, &SERVER_FIELDS)?;
    let (key_usages, extended_key_usages) = usages(&fields)?;
    let ca = fields.find("ca_constraint").map(ca_constraint).transpose()?.flatten();
    check_ca_usages(value, ca, key_usages)?;
    let mut urls = urls(&fields)?;
    if let Some(default) = default {
        if urls.issuer.is_empty() {
            urls.issuer.clone_from(&default.urls.issuer);
        }
        urls.ocsp = urls.ocsp.or_else(|| default.urls.ocsp.clone());
        urls.crl = urls.crl.or_else(|| default.urls.crl.clone());
    }
    let not_before = fields.parsed("not_before", timestamp)?;
    let not_after = fields.parsed("not_after", timestamp)?;
    if let (Some(begin), Some(end), Some(at)) = (not_before, not_after, fields.find("not_after"))
        && end <= begin
    {
        return Err(at.invalid("not after not_before").hinted("choose a later time"));
    }
    Ok(Profile {
        name: name.to_owned(),
        expiry: expiry(value, &fields, default)?,
        // In cfssl, 0 means unset, and unset means five minutes.
        backdate: fields
            .parsed("backdate", parse_backdate)?
            .filter(|duration| !duration.is_zero())
            .unwrap_or(Duration::minutes(5)),
        not_before,
        not_after,
        key_usages,
        extended_key_usages,
        ca,
        urls,
        ocsp_no_check: fields.boolean("ocsp_no_check")?,
        name_whitelist: fields.parsed("name_whitelist", str::parse)?,
        copy_extensions: copy_extensions(&fields)?,
        csr_whitelist: fields.find("CSRWhitelist").map(csr_whitelist).transpose()?,
        policies: policies(&fields)?,
        add_names: fields.parsed_list("add_names", |text| Ok(text.to_owned()))?,
    })
}

fn usages(fields: &Fields<'_>) -> Result<(KeyUsages, Vec<ExtendedKeyUsage>), Error> {
    let mut key = KeyUsages::default();
    let mut extended: Vec<ExtendedKeyUsage> = Vec::new();
    let usages = fields.parsed_list("usages", |text| {
        usage_named(text).ok_or_else(|| {
            Error::invalid("usages", text, "unknown usage; cfssl would silently ignore it")
                .hinted(suggest::one_of(text, usage_names()))
        })
    })?;
    for usage in usages {
        match usage {
            Usage::Extended(usage) if extended.contains(&usage) => {}
            Usage::Extended(usage) => extended.push(usage),
            Usage::Key(bits) => key = key.union(bits),
        }
    }
    Ok((key, extended))
}

fn expiry(
    value: &Value<'_>,
    fields: &Fields<'_>,
    default: Option<&Profile>,
) -> Result<Duration, Error> {
    // In cfssl, 0 means the value of the default profile.
    let lifetime = |text: &str| {
        if parse_duration(text)?.is_zero() { Ok(None) } else { parse_lifetime(text).map(Some) }
    };
    let own = fields.parsed("expiry", lifetime)?.flatten();
    own.or(default.map(|profile| profile.expiry)).ok_or_else(|| {
        value
            .invalid("no lifetime: neither the profile nor \"default\" has a positive \"expiry\"")
            .hinted("add \"expiry\": \"8760h\"")
    })
}

fn timestamp(text: &str) -> Result<OffsetDateTime, Error> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    time.and_then(|time| time.checked_to_offset(UtcOffset::UTC)).ok_or_else(|| {
        Error::invalid("", text, "not an RFC 3339 timestamp").hinted("write 2027-01-31T00:00:00Z")
    })
}

fn ca_constraint(value: &Value<'_>) -> Result<Option<CaConstraint>, Error> {
    let fields = value.fields(&["is_ca", "max_path_len", "max_path_len_zero"])?;
    let zero = fields.boolean("max_path_len_zero")?;
    let number = fields.find("max_path_len").map(|v| v.integer().map(|n| (v, n))).transpose()?;
    let path_len = match number {
        // In cfssl, -1 means no limit, and 0 is a limit only with max_path_len_zero.
        None | Some((_, -1 | 0)) => zero.then_some(0),
        Some((at, number)) => match u8::try_from(number) {
            Ok(number) if !zero => Some(number),
            Ok(_) => {
                return Err(at
                    .invalid("max_path_len_zero contradicts this value")
                    .hinted("remove one of the two"));
            }
            Err(_) => {
                return Err(at
                    .invalid("not a path length")
                    .hinted("write 0 to 255, or -1 for no limit"));
            }
        },
    };
    Ok(fields.boolean("is_ca")?.then_some(CaConstraint { path_len }))
}

/// RFC 5280 section 4.2.1.9: cA and keyCertSign require each other.
fn check_ca_usages(
    value: &Value<'_>,
    ca: Option<CaConstraint>,
    usages: KeyUsages,
) -> Result<(), Error> {
    let signs = usages.contains(KeyUsages::KEY_CERT_SIGN);
    match (ca, signs) {
        (Some(_), false) => Err(value
            .invalid("is_ca without the usage \"cert sign\": every verifier would reject what the CA signs")
            .hinted("add \"cert sign\" and \"crl sign\" to the usages")),
        (None, true) => Err(value
            .invalid("the usage \"cert sign\" without is_ca: RFC 5280 section 4.2.1.9 forbids it")
            .hinted("remove the usage, or add \"ca_constraint\": {\"is_ca\": true}")),
        _ => Ok(()),
    }
}

fn urls(fields: &Fields<'_>) -> Result<Urls, Error> {
    Ok(Urls {
        issuer: fields.parsed_list("issuer_urls", str::parse::<Uri>)?,
        ocsp: fields.parsed("ocsp_url", str::parse)?,
        crl: fields.parsed("crl_url", str::parse)?,
    })
}

fn copy_extensions(fields: &Fields<'_>) -> Result<CopyExtensions, Error> {
    let listed = fields.parsed_list("allowed_extensions", str::parse::<Oid>)?;
    Ok(match (fields.boolean("copy_extensions")?, listed.is_empty()) {
        (false, true) => CopyExtensions::None,
        (false, false) => {
            let at = fields.find("allowed_extensions");
            return Err(at.map_or_else(
                || Error::Internal("a list that does not exist".to_owned()),
                |at| {
                    at.invalid("a list of extensions to copy without copy_extensions")
                        .hinted("add \"copy_extensions\": true, or remove the list")
                },
            ));
        }
        (true, true) => CopyExtensions::All,
        (true, false) => CopyExtensions::Listed(listed),
    })
}

fn csr_whitelist(value: &Value<'_>) -> Result<CsrWhitelist, Error> {
    let fields = value.fields(&[
        "Subject",
        "PublicKeyAlgorithm",
        "PublicKey",
        "SignatureAlgorithm",
        "DNSNames",
        "IPAddresses",
        "EmailAddresses",
        "URIs",
    ])?;
    if !fields.boolean("PublicKey")? {
        return Err(value
            .invalid("a CSRWhitelist without PublicKey leaves no key to certify")
            .hinted("add \"PublicKey\": true"));
    }
    Ok(CsrWhitelist {
        subject: fields.boolean("Subject")?,
        dns_names: fields.boolean("DNSNames")?,
        ip_addresses: fields.boolean("IPAddresses")?,
        email_addresses: fields.boolean("EmailAddresses")?,
        uris: fields.boolean("URIs")?,
    })
}

fn policies(fields: &Fields<'_>) -> Result<Vec<PolicyInformation>, Error> {
    let values = fields.find("Policies").map_or_else(|| Ok(Vec::new()), Value::list)?;
    let mut policies: Vec<PolicyInformation> = Vec::new();
    for value in &values {
        let policy = policy(value)?;
        // RFC 5280 section 4.2.1.4
        if policies.iter().any(|earlier| earlier.id == policy.id) {
            return Err(value
                .invalid(format!("a second policy {}", policy.id))
                .hinted("merge the two, with the qualifiers of both"));
        }
        policies.push(policy);
    }
    Ok(policies)
}

fn policy(value: &Value<'_>) -> Result<PolicyInformation, Error> {
    let fields = value.fields(&["ID", "Qualifiers"])?;
    let Some(id) = fields.parsed("ID", str::parse::<Oid>)? else {
        return Err(value.invalid("a policy without ID").hinted("add \"ID\": \"1.3.6.1.4.1.…\""));
    };
    let qualifiers = fields.find("Qualifiers").map_or_else(|| Ok(Vec::new()), Value::list)?;
    Ok(PolicyInformation {
        id,
        qualifiers: qualifiers.iter().map(qualifier).collect::<Result<_, _>>()?,
    })
}

fn qualifier(value: &Value<'_>) -> Result<PolicyQualifier, Error> {
    const KINDS: [&str; 2] = ["id-qt-cps", "id-qt-unotice"];
    let fields = value.fields(&["Type", "Value"])?;
    let text = fields.find("Value").ok_or_else(|| {
        value.invalid("a qualifier without Value").hinted("add \"Value\": \"https://…\"")
    })?;
    match fields.string("Type")?.unwrap_or_default() {
        "id-qt-cps" => Ok(PolicyQualifier::Cps(text.parsed(str::parse)?)),
        // RFC 5280 section 4.2.1.4: explicitText is 1 to 200 characters.
        "id-qt-unotice" => match text.string()? {
            notice if (1..=200).contains(&notice.chars().count()) => {
                Ok(PolicyQualifier::UserNotice(notice.to_owned()))
            }
            _ => Err(text
                .invalid("a user notice must have 1 to 200 characters")
                .hinted("shorten it")),
        },
        other => Err(fields
            .find("Type")
            .unwrap_or(value)
            .invalid("unknown kind of qualifier")
            .hinted(suggest::one_of(other, KINDS))),
    }
}
