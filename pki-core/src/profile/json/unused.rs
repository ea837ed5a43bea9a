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

/// cfssl reads these two spellings as numbers of nanoseconds, which it then ignores. It refuses a text there.
pub(super) fn report_nanoseconds(profile: &Value<'_>, faults: &mut Faults) {
    for (key, value) in profile.read_members(&mut Faults::new(faults.dialect)) {
        if matches!(key, "Expiry" | "Backdate") && value.string().is_ok() {
            let problem = "cfssl refuses this spelling of the field";
            faults.error(value.invalid(problem).hinted(format!("write {:?}", key.to_lowercase())));
        }
    }
}

/// Keys that a profile names and the file does not have. cfssl refuses the file even if it does not use the profile.
pub(super) fn report_missing_keys(top: &Fields<'_>, signing: &Fields<'_>, faults: &mut Faults) {
    // The members are reported where they are read.
    let silent = &mut Faults::new(faults.dialect);
    let keys = top.find("auth_keys").map(|keys| keys.read_members(silent)).unwrap_or_default();
    let profiles = signing.find("profiles").map(|all| all.read_members(silent)).unwrap_or_default();
    let profiles = profiles.iter().map(|(_, profile)| profile);
    for profile in signing.find("default").into_iter().chain(profiles) {
        let fields = profile.read_fields(&["auth_key", "prev_auth_key"], silent);
        for name in ["auth_key", "prev_auth_key"] {
            let Some(value) = fields.find(name) else { continue };
            let Ok(text) = value.string() else { continue };
            if !text.is_empty() && !keys.iter().any(|(key, _)| *key == text) {
                let problem = "not in \"auth_keys\", for which cfssl refuses the file";
                faults.harmless(value.invalid(problem).hinted("remove it"));
            }
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
