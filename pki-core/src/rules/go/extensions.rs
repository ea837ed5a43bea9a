//! The contents of the extensions other than names and constraints.

use std::collections::BTreeSet;

use super::form::{ExtensionFrame, Fields, GoCertificate};
use super::{ALL, Demand};
use crate::certificate::der::{
    BIT_STRING, BOOLEAN, Der, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, is_bit_string,
    is_boolean, is_integer, is_oid, is_short_oid,
};
use crate::finding::{Rule, Severity, Source};

pub(super) static RULE: Rule = Rule {
    id: "go-extension",
    severity: Severity::Error,
    source: Source::Go,
    impact: super::UNPARSABLE,
    remedy: "Reissue the certificate without the extension: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
    citation: "RFC 5280 section 4.2; Go crypto/x509 (processExtensions)",
};

const fn form(
    name: &'static str,
    refused: &'static str,
    words: &'static str,
    rfc5280: &'static str,
) -> Demand {
    Demand { name, rule: &RULE, refused, words, versions: ALL, rfc5280 }
}

static KEY_USAGE: Demand = form(
    "key-usage",
    "A keyUsage that is not a BIT STRING in DER",
    "x509: invalid key usage",
    "forbids it (section 4.2.1.3, X.690 section 11.2)",
);

static BASIC_CONSTRAINTS: Demand = form(
    "basic-constraints",
    "A basicConstraints that is not in DER, or whose path length is negative",
    "x509: invalid basic constraints",
    "forbids it (section 4.2.1.9)",
);

static AUTHORITY_KEY_ID: Demand = form(
    "authority-key-id",
    "An authorityKeyIdentifier that is not in DER",
    "x509: invalid authority key identifier",
    "forbids it (section 4.2.1.1)",
);

static SUBJECT_KEY_ID: Demand = form(
    "subject-key-id",
    "A subjectKeyIdentifier that is not an OCTET STRING in DER",
    "x509: invalid subject key identifier",
    "forbids it (section 4.2.1.2)",
);

static CRITICAL: Demand = Demand {
    versions: "1.23 and later",
    ..form(
        "critical",
        "A critical authorityKeyIdentifier, subjectKeyIdentifier or authorityInfoAccess",
        "x509: … incorrectly marked critical",
        "forbids it (sections 4.2.1.1, 4.2.1.2 and 4.2.2.1)",
    )
};

static EXTENDED_KEY_USAGE: Demand = form(
    "extended-key-usage",
    "An extKeyUsage with an OID that has a number of 2^31 or more, or that is not in DER",
    "x509: invalid extended key usages",
    "allows large numbers",
);

static POLICIES: Demand = form(
    "policies",
    "A certificatePolicies that is not in DER",
    "x509: invalid certificate policies",
    "forbids it (section 4.2.1.4)",
);

static POLICY_TWICE: Demand = Demand {
    versions: "1.24 and later",
    ..form(
        "policy-twice",
        "A certificatePolicies that names a policy twice",
        "x509: invalid certificate policies",
        "forbids it (section 4.2.1.4)",
    )
};

static POLICY_DEMANDS: Demand = Demand {
    versions: "1.24 and later",
    ..form(
        "policy-extensions",
        "A policyConstraints, policyMappings or inhibitAnyPolicy that is not in DER",
        "x509: invalid … extension",
        "forbids it (sections 4.2.1.5, 4.2.1.11 and 4.2.1.14)",
    )
};

static DISTRIBUTION_POINTS: Demand = form(
    "distribution-points",
    "A cRLDistributionPoints that is not in DER, or that names a point by nameRelativeToCRLIssuer",
    "x509: invalid CRL distribution point",
    "allows nameRelativeToCRLIssuer, and advises against it (section 4.2.1.13)",
);

static AUTHORITY_INFO: Demand = form(
    "authority-info",
    "An authorityInfoAccess with an OID that has a number of 2^31 or more, or that is not in DER",
    "x509: invalid authority info access",
    "allows large numbers",
);

pub(super) static DEMANDS: &[&Demand] = &[
    &KEY_USAGE,
    &BASIC_CONSTRAINTS,
    &AUTHORITY_KEY_ID,
    &SUBJECT_KEY_ID,
    &CRITICAL,
    &EXTENDED_KEY_USAGE,
    &POLICIES,
    &POLICY_TWICE,
    &POLICY_DEMANDS,
    &DISTRIBUTION_POINTS,
    &AUTHORITY_INFO,
];

pub(super) fn check(certificate: &GoCertificate<'_>) -> Vec<String> {
    let Some(Fields { mut extensions, .. }) = certificate.fields() else {
        return Vec::new();
    };
    let mut violations = Vec::new();
    while let Some(Ok(extension)) = extensions.enter(SEQUENCE).map(ExtensionFrame::read) {
        let Some(Known(name, read, demand)) = known(extension.oid) else { continue };
        let rest = Der::new(extension.value);
        if extension.critical && matches!(name, AKI | SKI | AIA) {
            violations.push(CRITICAL.violated(format_args!("its {name} is critical")));
        } else if read(rest).is_none() {
            let what = format_args!("its {name} is in a form that Go does not read");
            violations.push(demand.violated(what));
        } else if name == POLICIES_NAME && is_policy_repeated(rest) {
            violations.push(POLICY_TWICE.violated(format_args!("its {name} has a policy twice")));
        }
    }
    violations
}

const AKI: &str = "authorityKeyIdentifier";
const SKI: &str = "subjectKeyIdentifier";
const AIA: &str = "authorityInfoAccess";
const POLICIES_NAME: &str = "certificatePolicies";

/// An extension that Go reads: its name, the reader of its value, which fails where Go's does, and the demand of that
/// reader.
struct Known(&'static str, fn(Der<'_>) -> Option<()>, &'static Demand);

/// The extension with these contents of its OID.
fn known(oid: &[u8]) -> Option<Known> {
    Some(match oid {
        [0x55, 0x1d, 14] => Known(SKI, octets, &SUBJECT_KEY_ID),
        [0x55, 0x1d, 15] => Known("keyUsage", bits, &KEY_USAGE),
        [0x55, 0x1d, 19] => Known("basicConstraints", basic_constraints, &BASIC_CONSTRAINTS),
        [0x55, 0x1d, 31] => Known("cRLDistributionPoints", points, &DISTRIBUTION_POINTS),
        [0x55, 0x1d, 32] => Known(POLICIES_NAME, policies, &POLICIES),
        [0x55, 0x1d, 33] => Known("policyMappings", policy_mappings, &POLICY_DEMANDS),
        [0x55, 0x1d, 35] => Known(AKI, authority_key_id, &AUTHORITY_KEY_ID),
        [0x55, 0x1d, 36] => Known("policyConstraints", policy_constraints, &POLICY_DEMANDS),
        [0x55, 0x1d, 37] => Known("extKeyUsage", usages, &EXTENDED_KEY_USAGE),
        [0x55, 0x1d, 54] => Known("inhibitAnyPolicy", skip_certs, &POLICY_DEMANDS),
        [0x2b, 6, 1, 5, 5, 7, 1, 1] => Known(AIA, access, &AUTHORITY_INFO),
        _ => return None,
    })
}

fn octets(mut value: Der<'_>) -> Option<()> {
    value.read(OCTET_STRING).map(|_| ())
}

fn bits(mut value: Der<'_>) -> Option<()> {
    value.read(BIT_STRING).filter(|bits| is_bit_string(bits)).map(|_| ())
}

fn basic_constraints(mut value: Der<'_>) -> Option<()> {
    let mut fields = value.enter(SEQUENCE)?;
    if fields.is_next(BOOLEAN) {
        fields.read(BOOLEAN).filter(|flag| is_boolean(flag))?;
    }
    if fields.is_next(INTEGER) {
        // A number that fits in 63 bits and is not negative.
        let number =
            fields.read(INTEGER).filter(|number| is_integer(number) && number.len() <= 8)?;
        number.first().filter(|octet| **octet < 0x80)?;
    }
    Some(())
}

fn authority_key_id(mut value: Der<'_>) -> Option<()> {
    let mut fields = value.enter(SEQUENCE)?;
    if fields.is_next(0x80) {
        fields.element()?;
    }
    Some(())
}

fn usages(mut value: Der<'_>) -> Option<()> {
    let mut usages = value.enter(SEQUENCE)?;
    while !usages.is_empty() {
        usages.read(OBJECT_IDENTIFIER).filter(|oid| is_short_oid(oid))?;
    }
    Some(())
}

fn policies(mut value: Der<'_>) -> Option<()> {
    let mut policies = value.enter(SEQUENCE)?;
    while !policies.is_empty() {
        policies.enter(SEQUENCE)?.read(OBJECT_IDENTIFIER).filter(|oid| is_oid(oid))?;
    }
    Some(())
}

fn is_policy_repeated(mut value: Der<'_>) -> bool {
    let mut named = BTreeSet::new();
    let mut policies = value.enter(SEQUENCE).unwrap_or(Der::new(&[]));
    while let Some(mut policy) = policies.enter(SEQUENCE) {
        if !policy.read(OBJECT_IDENTIFIER).is_none_or(|oid| named.insert(oid)) {
            return true;
        }
    }
    false
}

fn policy_mappings(mut value: Der<'_>) -> Option<()> {
    let mut mappings = value.enter(SEQUENCE)?;
    while !mappings.is_empty() {
        let mut mapping = mappings.enter(SEQUENCE)?;
        mapping.read(OBJECT_IDENTIFIER)?;
        mapping.read(OBJECT_IDENTIFIER)?;
    }
    Some(())
}

fn policy_constraints(mut value: Der<'_>) -> Option<()> {
    let mut fields = value.enter(SEQUENCE)?;
    for tag in [0x80, 0x81] {
        if fields.is_next(tag) {
            fields.read(tag).filter(|number| is_integer(number) && number.len() <= 8)?;
        }
    }
    Some(())
}

fn skip_certs(mut value: Der<'_>) -> Option<()> {
    value.read(INTEGER).filter(|number| is_integer(number) && number.len() <= 8).map(|_| ())
}

fn points(mut value: Der<'_>) -> Option<()> {
    const CONSTRUCTED_0: u8 = 0xa0;
    let mut points = value.enter(SEQUENCE)?;
    while !points.is_empty() {
        let mut point = points.enter(SEQUENCE)?;
        if point.is_next(CONSTRUCTED_0) {
            let mut names = point.enter(CONSTRUCTED_0)?.enter(CONSTRUCTED_0)?;
            while names.is_next(URI) {
                names.element()?;
            }
        }
    }
    Some(())
}

/// uniformResourceIdentifier in a GeneralName
const URI: u8 = 0x86;

fn access(mut value: Der<'_>) -> Option<()> {
    let mut descriptions = value.enter(SEQUENCE)?;
    while !descriptions.is_empty() {
        let mut description = descriptions.enter(SEQUENCE)?;
        description.read(OBJECT_IDENTIFIER).filter(|oid| is_short_oid(oid))?;
        if description.is_next(URI) {
            description.element()?;
        }
    }
    Some(())
}
