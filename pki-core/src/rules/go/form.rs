//! The structure of a certificate: everything except the contents of its names, its key and its extensions.

use super::{ALL, Demand};
use crate::certificate::Certificate;
use crate::certificate::der::{
    BIT_STRING, BOOLEAN, Der, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, is_bit_string,
    is_boolean, is_integer, is_short_oid,
};
use crate::finding::{Rule, Severity, Source};

pub(super) static RULE: Rule = Rule {
    id: "go-der",
    severity: Severity::Error,
    source: Source::Go,
    impact: super::UNPARSABLE,
    remedy: "Reissue the certificate in valid DER: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
    citation: "X.690 section 10.1; RFC 5280 section 4.1; Go crypto/x509 (parseCertificate)",
};

static FRAME: Demand = Demand {
    name: "frame",
    rule: &RULE,
    refused: "A length that is not in its shortest form, or an element of the wrong type, outside names, keys and the contents of extensions",
    words: "x509: malformed …",
    versions: ALL,
    rfc5280: "forbids it (section 4.1, X.690 section 10.1)",
};

static OID: Demand = Demand {
    name: "algorithm-oid",
    rule: &RULE,
    refused: "A signature or key algorithm whose OID has a number of 2^31 or more",
    words: "x509: malformed OID",
    versions: ALL,
    rfc5280: "allows it",
};

static EXTENSION_OID: Demand = Demand {
    name: "extension-oid",
    rule: &RULE,
    refused: "An extension whose OID has a number of 2^31 or more, such as an OID made from a UUID",
    words: "x509: malformed extension OID field",
    versions: ALL,
    rfc5280: "allows it",
};

pub(super) static DEMANDS: &[&Demand] = &[&FRAME, &OID, &EXTENSION_OID];

/// The requirement that a field violates.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    demand: &'static Demand,
    field: &'static str,
    problem: &'static str,
}

/// The field does not have the type in the grammar, or is not in DER.
const fn malformed(field: &'static str) -> Fault {
    Fault { demand: &FRAME, field, problem: "is not valid DER" }
}

const fn large_oid(demand: &'static Demand, field: &'static str) -> Fault {
    Fault { demand, field, problem: "has an OID that is malformed or has a number of 2^31 or more" }
}

/// What Go does with a certificate.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(in crate::rules) enum Role {
    InPath,
    /// Go parses it, because it is in a file with others, and does not use it.
    Unused,
}

/// A certificate, and its fields as Go reads them. They are read once for all checks.
pub(in crate::rules) struct GoCertificate<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) role: Role,
    fields: Result<Fields<'a>, Fault>,
}

impl<'a> GoCertificate<'a> {
    pub(in crate::rules) fn read(certificate: &'a Certificate, role: Role) -> Self {
        Self { certificate, role, fields: read(certificate) }
    }

    pub(super) fn is_in_path(&self) -> bool {
        self.role == Role::InPath
    }

    /// Nothing where [`check`] finds a fault.
    pub(super) fn fields(&self) -> Option<Fields<'a>> {
        self.fields.ok()
    }
}

pub(super) fn check(certificate: &GoCertificate<'_>) -> Vec<String> {
    match walk(certificate) {
        Ok(()) => Vec::new(),
        Err(Fault { demand, field, problem }) => {
            vec![demand.violated(format_args!("its {field} {problem}"))]
        }
    }
}

/// The fields of the to-be-signed certificate that other checks read again.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) validity: Der<'a>,
    /// The extensions that Go sees.
    pub(super) extensions: Der<'a>,
    /// True if Go does not see the extensions, because another element is in their place.
    pub(super) is_unseen: bool,
}

impl<'a> Fields<'a> {
    /// The extension whose OID has these contents.
    pub(super) fn find(mut self, oid: &[u8]) -> Option<ExtensionFrame<'a>> {
        while let Some(Ok(extension)) = self.extensions.enter(SEQUENCE).map(ExtensionFrame::read) {
            if extension.oid == oid {
                return Some(extension);
            }
        }
        None
    }
}

fn walk(certificate: &GoCertificate<'_>) -> Result<(), Fault> {
    let mut extensions = certificate.fields?.extensions;
    while !extensions.is_empty() {
        let extension = extensions.enter(SEQUENCE);
        ExtensionFrame::read(extension.ok_or(malformed("list of extensions"))?)?;
    }
    Ok(())
}

fn read(certificate: &Certificate) -> Result<Fields<'_>, Fault> {
    let mut whole =
        Der::new(certificate.der()).enter(SEQUENCE).ok_or(malformed("outermost element"))?;
    let mut tbs = whole.enter(SEQUENCE).ok_or(malformed("to-be-signed part"))?;
    let mut version = 1;
    if tbs.is_next(0xa0) {
        let mut number = tbs.enter(0xa0).ok_or(malformed("version"))?;
        match number.read(INTEGER) {
            Some([number @ 0..=2]) => version = number + 1,
            _ => return Err(malformed("version")),
        }
        if !number.is_empty() {
            return Err(malformed("version"));
        }
    }
    tbs.read(INTEGER).filter(|number| is_integer(number)).ok_or(malformed("serial number"))?;
    algorithm(tbs.enter(SEQUENCE), "signature algorithm")?;
    tbs.enter(SEQUENCE).ok_or(malformed("issuer"))?;
    let validity = tbs.enter(SEQUENCE).ok_or(malformed("validity"))?;
    tbs.enter(SEQUENCE).ok_or(malformed("subject"))?;
    let mut key = tbs.enter(SEQUENCE).ok_or(malformed("public key"))?;
    algorithm(key.enter(SEQUENCE), "public key's algorithm")?;
    key.read(BIT_STRING).filter(|bits| is_bit_string(bits)).ok_or(malformed("public key"))?;
    for tag in [0x81, 0x82] {
        if version > 1 && tbs.is_next(tag) {
            tbs.element().ok_or(malformed("unique identifier"))?;
        }
    }
    let mut extensions = Der::new(&[]);
    // Go does not look for extensions after another element; `go-unseen` reports it.
    let is_unseen = version == 3 && !tbs.is_empty() && !tbs.is_next(0xa3);
    if version == 3 && tbs.is_next(0xa3) {
        let list = tbs.enter(0xa3).and_then(|mut tagged| tagged.enter(SEQUENCE));
        extensions = list.ok_or(malformed("list of extensions"))?;
    }
    algorithm(whole.enter(SEQUENCE), "signature algorithm")?;
    whole.read(BIT_STRING).filter(|bits| is_bit_string(bits)).ok_or(malformed("signature"))?;
    Ok(Fields { validity, extensions, is_unseen })
}

/// `AlgorithmIdentifier ::= SEQUENCE { algorithm, parameters OPTIONAL }`
fn algorithm(fields: Option<Der<'_>>, field: &'static str) -> Result<(), Fault> {
    let mut fields = fields.ok_or(malformed(field))?;
    let oid = fields.read(OBJECT_IDENTIFIER).ok_or(malformed(field))?;
    if !is_short_oid(oid) {
        return Err(large_oid(&OID, field));
    }
    if !fields.is_empty() {
        fields.element().ok_or(malformed(field))?;
    }
    Ok(())
}

/// `Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue }`
pub(super) struct ExtensionFrame<'a> {
    /// The contents of the OID.
    pub(super) oid: &'a [u8],
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

impl<'a> ExtensionFrame<'a> {
    pub(super) fn read(mut fields: Der<'a>) -> Result<Self, Fault> {
        let oid = fields.read(OBJECT_IDENTIFIER).ok_or(malformed("extension"))?;
        if !is_short_oid(oid) {
            return Err(large_oid(&EXTENSION_OID, "extension"));
        }
        let mut critical = false;
        if fields.is_next(BOOLEAN) {
            let flag = fields.read(BOOLEAN).filter(|flag| is_boolean(flag));
            critical = flag.ok_or(malformed("extension's criticality"))? == [0xff];
        }
        let value = fields.read(OCTET_STRING).ok_or(malformed("extension's value"))?;
        Ok(Self { oid, critical, value })
    }
}
