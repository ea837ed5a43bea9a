//! The table of all rules.

use std::sync::LazyLock;

#[cfg(not(feature = "manifest"))]
use super::path::CHAIN_ORDER;
use super::row::{Check, Row};
use super::{
    ca, clients, constraints, endpoint, form, go, keys, names, path, policies, revocation, usages,
    validity,
};
#[cfg(feature = "manifest")]
use super::{
    client_config, client_files, cluster, config, crls, files, peers, pem, remarks, servers, trust,
};
use crate::error::Error;
use crate::finding::Rule;
use crate::suggest;

/// The table, group by group. Findings of the same severity are in this order.
static GROUPS: &[&[Row]] = &[
    validity::ROWS,
    ca::ROWS,
    constraints::ROWS,
    policies::ROWS,
    form::ROWS,
    keys::ROWS,
    usages::ROWS,
    names::ROWS,
    path::ROWS,
    go::ROWS,
    revocation::ROWS,
    #[cfg(feature = "manifest")]
    files::ROWS,
    #[cfg(feature = "manifest")]
    pem::ROWS,
    // With manifests, the rule is checked on the files of hosts too.
    #[cfg(not(feature = "manifest"))]
    &[Row::whole(&CHAIN_ORDER), Row::whole(&go::PEM_DAMAGED), Row::whole(&go::FOREIGN_BLOCK)],
    #[cfg(feature = "manifest")]
    trust::ROWS,
    #[cfg(feature = "manifest")]
    servers::ROWS,
    #[cfg(feature = "manifest")]
    peers::ROWS,
    clients::ROWS,
    #[cfg(feature = "manifest")]
    client_files::ROWS,
    #[cfg(feature = "manifest")]
    client_config::ROWS,
    #[cfg(feature = "manifest")]
    remarks::ROWS,
    #[cfg(feature = "manifest")]
    config::ROWS,
    #[cfg(feature = "manifest")]
    crls::ROWS,
    #[cfg(feature = "manifest")]
    cluster::ROWS,
    endpoint::ROWS,
];

/// The rows that are checked on a certificate.
pub(super) static ROWS_OF_CERTIFICATES: LazyLock<Vec<&'static Row>> = LazyLock::new(|| {
    let is_of_certificate = |row: &&Row| match row.check {
        Check::AtIssue(_)
        | Check::Certificate(_)
        | Check::CertificateItself(_)
        | Check::Rfc5280(_)
        | Check::Typed(_) => true,
        #[cfg(feature = "manifest")]
        Check::Deployment(_) => false,
        Check::Whole => false,
    };
    rows().filter(is_of_certificate).collect()
});

pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    GROUPS.iter().copied().flatten()
}

/// Every rule, in the order of the table.
/// ```
/// use pki_core::{Severity, rule, rules, rules_behind};
///
/// let rule = rule("leaf-expired")?;
/// assert_eq!(rule.severity, Severity::Error);
/// println!("{} Fix: {}", rule.impact, rule.remedy);
/// assert!(rules().any(|other| other.id == rule.id));
/// // Which rule explains a line in the log of etcd?
/// let line = "rejected connection: x509: certificate has expired or is not yet valid";
/// assert!(rules_behind(line).iter().any(|rule| rule.id == "leaf-expired"));
/// # Ok::<(), pki_core::Error>(())
/// ```
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    rows().map(|row| row.rule)
}

/// The rule with this id.
pub fn rule(id: &str) -> Result<&'static Rule, Error> {
    rules().find(|rule| rule.id == id).ok_or_else(|| {
        let near = suggest::nearest(id, rules().map(|rule| rule.id));
        let error = Error::invalid("rule", id, "unknown rule");
        error.hinted(match near {
            Some(near) => format!("did you mean {near:?}?"),
            None => "run `etcdpki explain` to list all rules".to_owned(),
        })
    })
}
