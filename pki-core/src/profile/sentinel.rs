//! The sentinel: a DNS name of no host, with which etcd's peer port rejects a client certificate. A certificate without
//! any name would open that port.

use crate::certificate::{Certificate, GeneralName, covers_domain};

/// The domain in which no host has a name (RFC 6761 section 6.4), and the label that stands for it in other domains.
const INVALID: &str = "invalid";

/// True for `api.invalid`, and for `api.invalid.example.com` below a CA that permits only `example.com`.
#[cfg(feature = "manifest")]
pub(crate) fn is_sentinel(name: &str) -> bool {
    name.split('.').skip(1).any(|label| label.eq_ignore_ascii_case(INVALID))
}

/// The name that a template adds. A sentinel that the CA does not permit is moved below the first domain that the CA
/// permits, but not below `localhost` if there is another, because every name below it is the address of a client on the
/// same machine.
pub(super) fn permitted(name: String, ca: Option<&Certificate>) -> String {
    let constraints = ca.and_then(|ca| ca.extensions.name_constraints.as_ref());
    let permitted = constraints.map(|all| all.permitted.as_slice()).unwrap_or_default();
    let domains: Vec<&str> = permitted
        .iter()
        .filter_map(|subtree| match subtree {
            GeneralName::Dns(domain) => Some(domain.as_str()),
            _ => None,
        })
        .collect();
    let dns = name.strip_prefix("dns:").unwrap_or(&name);
    let is_sentinel = dns.rsplit_once('.').is_some_and(|(_, last)| last == INVALID);
    if !is_sentinel || domains.iter().any(|domain| covers_domain(domain, dns)) {
        return name;
    }
    let elsewhere = domains.iter().find(|domain| !domain.eq_ignore_ascii_case("localhost"));
    match elsewhere.or(domains.first()) {
        Some(domain) => format!("{name}.{}", domain.trim_start_matches('.')),
        None => name,
    }
}
