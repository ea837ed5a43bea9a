//! Subject and issuer: types and values of their attributes.

use super::form::GoCertificate;
use super::{ALL, Demand};
use crate::certificate::der::{Der, Element, OBJECT_IDENTIFIER, SEQUENCE, SET, is_short_oid};
use crate::finding::{Rule, Severity, Source};
use crate::oid::Oid;
use crate::subject::Attribute;

pub(super) static RULE: Rule = Rule {
    id: "go-name",
    severity: Severity::Error,
    source: Source::Go,
    impact: super::UNPARSABLE,
    remedy: "Reissue the certificate with a plain text subject: `etcdpki issue --profile PROFILE FILE --cn NAME --org ORGANIZATION --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
    citation: "RFC 5280 section 4.1.2.4; X.680 section 41; Go crypto/x509 (parseName)",
};

const WORDS: &str = "x509: invalid RDNSequence: invalid attribute value: …";

const fn value(name: &'static str, refused: &'static str, rfc5280: &'static str) -> Demand {
    Demand { name, rule: &RULE, refused, words: WORDS, versions: ALL, rfc5280 }
}

static FORM: Demand = Demand {
    name: "name-form",
    rule: &RULE,
    refused: "A name that is not a sequence of sets of types and values in DER",
    words: "x509: invalid RDNSequence",
    versions: ALL,
    rfc5280: "forbids it (section 4.1.2.4, X.690 section 10.1)",
};

static TYPE: Demand = Demand {
    name: "attribute-type",
    rule: &RULE,
    refused: "An attribute type whose OID has a number of 2^31 or more",
    words: "x509: invalid RDNSequence: invalid attribute type",
    versions: ALL,
    rfc5280: "allows it",
};

static PRINTABLE: Demand = value(
    "printable-string",
    "A PrintableString with `_`, `@` or another character outside its set; `*` and `&` pass",
    "forbids it, `*` and `&` too (X.680 section 41.4)",
);

static UTF8: Demand = value(
    "utf8-string",
    "A UTF8String that is not UTF-8",
    "forbids it (section 4.1.2.4, RFC 3629)",
);

static IA5: Demand = value(
    "ia5-string",
    "An IA5String with an octet of 0x80 or above",
    "forbids it (X.680 section 41)",
);

static NUMERIC: Demand = value(
    "numeric-string",
    "A NumericString with anything but digits and spaces",
    "forbids it (X.680 section 41.2)",
);

static BMP: Demand = Demand {
    versions: "all versions, for surrogates 1.25 and later",
    ..value(
        "bmp-string",
        "A BMPString with an odd number of octets, a surrogate or a noncharacter",
        "forbids it (X.680 section 41.15)",
    )
};

static STRING_TYPE: Demand = Demand {
    words: "x509: invalid RDNSequence: invalid attribute value: unsupported string type: …",
    versions: "before 1.27",
    ..value(
        "string-type",
        "A value that is not a PrintableString, UTF8String, IA5String, TeletexString, BMPString or NumericString",
        "allows it; a DirectoryString may also be a UniversalString (section 4.1.2.4)",
    )
};

pub(super) static DEMANDS: &[&Demand] =
    &[&FORM, &TYPE, &PRINTABLE, &UTF8, &IA5, &NUMERIC, &BMP, &STRING_TYPE];

pub(super) fn check(GoCertificate { certificate, .. }: &GoCertificate<'_>) -> Vec<String> {
    let (issuer, subject) = (certificate.issuer.der(), certificate.subject.der());
    let mut violations = Vec::new();
    check_name("subject", subject, &mut violations);
    if issuer != subject {
        check_name("issuer", issuer, &mut violations);
    }
    violations
}

fn check_name(field: &str, der: &[u8], violations: &mut Vec<String>) {
    if check_attributes(field, der, violations).is_none() {
        violations.push(FORM.violated(format_args!("its {field} is not valid DER")));
    }
}

fn check_attributes(field: &str, der: &[u8], violations: &mut Vec<String>) -> Option<()> {
    let mut names = Der::new(der).enter(SEQUENCE)?;
    while !names.is_empty() {
        let mut attributes = names.enter(SET)?;
        while !attributes.is_empty() {
            let mut attribute = attributes.enter(SEQUENCE)?;
            let oid = attribute.read(OBJECT_IDENTIFIER)?;
            let value = attribute.element()?;
            if !is_short_oid(oid) {
                let what =
                    format_args!("its {field} has an attribute type with a number of 2^31 or more");
                violations.push(TYPE.violated(what));
            } else if let Some((demand, string)) = fault(value) {
                let attribute = Attribute::from_oid(&Oid::from_der(oid));
                let what = format_args!(
                    "{} in its {field} is not a valid {string}",
                    attribute.short_name()
                );
                violations.push(demand.violated(what));
            }
        }
    }
    Some(())
}

/// The requirement that a value violates, and the string type that it should have.
fn fault(value: Element<'_>) -> Option<(&'static Demand, &'static str)> {
    const UTF8_STRING: u8 = 0x0c;
    const NUMERIC_STRING: u8 = 0x12;
    const PRINTABLE_STRING: u8 = 0x13;
    const TELETEX_STRING: u8 = 0x14;
    const IA5_STRING: u8 = 0x16;
    const BMP_STRING: u8 = 0x1e;
    let octets = value.contents;
    let (good, fault): (_, (&'static Demand, _)) = match value.tag {
        UTF8_STRING => (std::str::from_utf8(octets).is_ok(), (&UTF8, "UTF8String")),
        NUMERIC_STRING => {
            (octets.iter().all(|o| matches!(o, b'0'..=b'9' | b' ')), (&NUMERIC, "NumericString"))
        }
        PRINTABLE_STRING => {
            (octets.iter().all(|o| is_printable(*o)), (&PRINTABLE, "PrintableString"))
        }
        IA5_STRING => (octets.is_ascii(), (&IA5, "IA5String")),
        BMP_STRING => (is_bmp(octets), (&BMP, "BMPString")),
        TELETEX_STRING => return None,
        _ => (false, (&STRING_TYPE, "string of a type that Go reads")),
    };
    (!good).then_some(fault)
}

/// X.680 section 41.4, and two that Go adds.
const fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b' ' | b'\'' | b'(' | b')' | b'+'..=b'/' | b':' | b'=' | b'?' | b'*' | b'&'
        )
}

fn is_bmp(octets: &[u8]) -> bool {
    // Go ignores a terminating zero.
    let octets = octets.strip_suffix(&[0, 0]).unwrap_or(octets);
    octets.len().is_multiple_of(2)
        && octets.chunks_exact(2).all(|pair| {
            !matches!(u16::from_be_bytes([pair[0], pair[1]]), 0xd800..=0xdfff | 0xfdd0..=0xfdef | 0xfffe..)
        })
}
