//! The fields `usages` and `ca_constraint`: what a certificate may be used for.

use crate::dialect::{Dialect, Faults};
use crate::document::{Fields, Value};
use crate::error::Error;
use crate::suggest;
use crate::template::CaConstraint;
use crate::usage::{ExtendedKeyUsage, KeyUsages, Usage, usage_named, usage_names};

pub(super) fn usages(
    fields: &Fields<'_>,
    faults: &mut Faults,
) -> (KeyUsages, Vec<ExtendedKeyUsage>) {
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

pub(super) fn ca_constraint(value: &Value<'_>, faults: &mut Faults) -> Option<CaConstraint> {
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
    let written =
        fields.find("max_path_len").filter(|at| at.integer().is_ok_and(|number| number != 0));
    if let (true, Some(at)) = (zero, written) {
        let error = at.invalid("max_path_len_zero contradicts this value");
        faults.harmless(error.hinted("remove one of the two"));
    }
    is_ca
        .then_some(CaConstraint { path_len: path_len.or((zero && written.is_none()).then_some(0)) })
}

/// RFC 5280 section 4.2.1.9: cA and keyCertSign require each other. A leaf with keyCertSign works nevertheless.
pub(super) fn check_ca_usages(
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
