//! The fields that only a server or the linter of cfssl reads, and those for signing on another host.

use crate::dialect::Faults;
use crate::document::{Fields, Value};
use crate::error::Error;

/// The JSON type of a field, which cfssl checks even if it does not use the field.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Texts,
    Boolean,
    Object,
    /// cfssl's documentation has a number, and its reader a string.
    Any,
}

const OF_FILE: &[(&str, Type)] =
    &[("auth_keys", Type::Object), ("remotes", Type::Object), ("ocsp", Type::Object)];

const OF_PROFILE: &[(&str, Type)] = &[
    ("auth_key", Type::Text),
    ("prev_auth_key", Type::Text),
    ("ct_log_servers", Type::Texts),
    ("lint_error_level", Type::Any),
    ("ignored_lints", Type::Texts),
    ("ignored_lint_sources", Type::Texts),
    ("cert_store", Type::Text),
    ("ClientProvidesSerialNumbers", Type::Boolean),
];

/// Fields of the file that do not affect local signing.
pub(super) fn report_of_file(fields: &Fields<'_>, faults: &mut Faults) {
    report(fields, OF_FILE, faults);
}

/// Fields of a profile that do not affect local signing, and those that make it impossible.
pub(super) fn report_of_profile(fields: &Fields<'_>, faults: &mut Faults) {
    report(fields, OF_PROFILE, faults);
    // A profile that another host signs for cannot be used here in any dialect.
    for (name, kind) in [("remote", Type::Text), ("auth_remote", Type::Object)] {
        let Some(value) = fields.find(name) else { continue };
        faults.take(check(value, kind));
        if !value.is_zero() {
            let problem = "this profile is signed by a cfssl server, but etcdpki signs locally";
            faults.error(value.invalid(problem).hinted("remove it, or choose another profile"));
        }
    }
}

fn report(fields: &Fields<'_>, unused: &[(&str, Type)], faults: &mut Faults) {
    for (name, kind) in unused {
        let Some(value) = fields.find(name) else { continue };
        if faults.take(check(value, *kind)).is_some() && !value.is_zero() {
            let problem = "this field needs a cfssl server, but etcdpki signs locally";
            faults.harmless(value.invalid(problem).hinted("remove it"));
        }
    }
}

fn check(value: &Value<'_>, kind: Type) -> Result<(), Error> {
    match kind {
        Type::Text => value.string().map(drop),
        Type::Texts => value.list()?.iter().try_for_each(|item| item.string().map(drop)),
        Type::Boolean => value.boolean().map(drop),
        Type::Object => value.known_fields(&[]).map(drop),
        Type::Any => Ok(()),
    }
}
