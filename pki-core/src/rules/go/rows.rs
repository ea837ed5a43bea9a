//! The rules about the requirements of Go, and the list of these requirements.

use super::Demand;
use super::{
    constraints, extensions, form, handshake, keys, names, path, policies, subject_alt_names,
    times, unseen, unused, uris,
};
use crate::rules::Row;

/// All requirements of Go beyond the other rules, in the order of the rules.
pub fn go_demands() -> impl Iterator<Item = &'static Demand> {
    [
        form::DEMANDS,
        names::DEMANDS,
        times::DEMANDS,
        keys::DEMANDS,
        extensions::DEMANDS,
        subject_alt_names::DEMANDS,
        unseen::DEMANDS,
        uris::DEMANDS,
        constraints::DEMANDS,
        policies::DEMANDS,
        path::DEMANDS,
        handshake::DEMANDS,
        unused::DEMANDS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

pub(in crate::rules) static ROWS: &[Row] = &[
    Row::certificate_itself(&form::RULE, form::check),
    Row::certificate_itself(&names::RULE, names::check),
    Row::certificate_itself(&times::RULE, times::check),
    Row::certificate_itself(&keys::RULE, keys::check),
    Row::certificate_itself(&extensions::RULE, extensions::check),
    Row::certificate_itself(&subject_alt_names::RULE, subject_alt_names::check),
    Row::certificate_itself(&unseen::RULE, unseen::check),
    Row::certificate_itself(&uris::RULE, uris::check),
    Row::certificate_itself(&constraints::FORM, constraints::check_form),
    Row::certificate(&constraints::NAMES, constraints::check_names),
    Row::certificate(&constraints::SELF_ISSUED, constraints::check_self_issued),
    Row::certificate(&policies::RULE, policies::check),
    Row::certificate(&path::RULE, path::check),
    Row::certificate(&handshake::RULE, handshake::check),
    Row::whole(&unused::RULE),
];
