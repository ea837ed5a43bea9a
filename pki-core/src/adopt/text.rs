//! Writes the manifest of an adopted cluster.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use super::folder::{AdoptedPair, FoundPair};
use super::members::{Members, common_name, organization};
use crate::certificate::{Certificate, GeneralName};
use crate::layout::{Role, Traffic};
use crate::name::San;
use crate::profile::is_sentinel;
use crate::subject::Attribute;

/// The text of the manifest. Hosts keep their own configuration.
pub(super) fn manifest(
    cas: &[(Option<Traffic>, Certificate)],
    members: &Members,
    adopted: &[(&FoundPair, AdoptedPair)],
) -> String {
    let mut text = format!(
        "# Written by `etcdpki adopt`. Check it, then run `etcdpki plan -f` with it.\ncluster: {}\n",
        members.token.as_deref().unwrap_or("etcd")
    );
    if let [(None, ca)] = cas {
        let _ = writeln!(text, "ca: {}", of_ca(ca));
    } else {
        text.push_str("cas:\n");
        for (traffic, ca) in cas {
            let name = traffic.map_or("server", Traffic::as_str);
            let _ = writeln!(text, "  {name}: {}", of_ca(ca));
        }
    }
    text.push_str("# The hosts already have etcd's configuration.\nconfiguration: false\n");
    if let Some(path) = &members.path {
        let _ = writeln!(text, "paths: {{ etcd: {} }}", quoted(path));
    }
    text.push_str("etcd:\n");
    for (name, address) in &members.addresses {
        let Some(address) = address else { continue };
        let mut fields = vec![
            format!("name: {}", quoted(name)),
            format!("ip: {}", quoted(&address.to_string())),
        ];
        let own: Vec<_> = adopted
            .iter()
            .filter(|(_, pair)| pair.host == *name && !matches!(pair.role, Role::Client(_)))
            .collect();
        if let Some((one, _)) = own.first() {
            fields.extend(of_leaf(&one.leaf));
        }
        if members.combined.contains(name) {
            fields.push("combined: true".to_owned());
        }
        let sans = sans(members, own.iter().map(|(one, _)| &one.leaf));
        if !sans.is_empty() {
            fields.push(format!("sans: [{}]", sans.join(", ")));
        }
        let _ = writeln!(text, "  - {{ {} }}", fields.join(", "));
    }
    let clients = adopted.iter().filter_map(|(one, pair)| match &pair.role {
        Role::Client(name) => {
            let mut fields =
                vec![format!("name: {}", quoted(name)), format!("host: {}", quoted(&pair.host))];
            let org = organization(&one.leaf);
            fields.extend(org.map(|org| format!("org: {}", quoted(org))));
            if org.is_some() && common_name(&one.leaf).is_none() {
                fields.push("no_cn: true".to_owned());
            }
            let sans = sans(members, std::iter::once(&one.leaf));
            if !sans.is_empty() {
                fields.push(format!("sans: [{}]", sans.join(", ")));
            }
            fields.extend(of_leaf(&one.leaf));
            Some(format!("  - {{ {} }}\n", fields.join(", ")))
        }
        _ => None,
    });
    let clients: String = clients.collect();
    if !clients.is_empty() {
        let _ = write!(text, "clients:\n{clients}");
    }
    text
}

/// The fields of a CA.
fn of_ca(ca: &Certificate) -> String {
    let mut spec = Vec::new();
    for (field, attribute) in [("cn", Attribute::CommonName), ("org", Attribute::Organization)] {
        let value = ca.subject.attributes.iter().find(|found| found.attribute == attribute);
        spec.extend(value.map(|value| format!("{field}: {}", quoted(&value.value))));
    }
    spec.extend(ca.public_key.algorithm().map(|key| format!("key: {key}")));
    spec.push(format!("expiry: {}", lifetime(ca)));
    format!("{{ {} }}", spec.join(", "))
}

/// The key and lifetime of a certificate.
fn of_leaf(leaf: &Certificate) -> Vec<String> {
    let key = leaf.public_key.algorithm().map(|key| format!("key: {key}"));
    key.into_iter().chain([format!("expiry: {}", lifetime(leaf))]).collect()
}

/// In whole days, or in hours if it is less than two days.
fn lifetime(certificate: &Certificate) -> String {
    let lifetime = certificate.not_after - certificate.not_before;
    match lifetime.whole_days() {
        0 | 1 => format!("{}h", lifetime.whole_hours().max(1)),
        days => format!("{days}d"),
    }
}

/// The additional names of a certificate: those that etcdpki would not add, and that are not a member's.
fn sans<'l>(members: &Members, leaves: impl Iterator<Item = &'l Certificate>) -> Vec<String> {
    let mut sans = Vec::new();
    for name in leaves.flat_map(|leaf| leaf.extensions.subject_alt_name.iter().flatten()) {
        let known = match name {
            GeneralName::Dns(dns) => {
                dns.parse::<San>().is_err()
                    || dns == "localhost"
                    || members.addresses.contains_key(dns)
                    || is_sentinel(dns)
            }
            // Server certificates get 127.0.0.1, but not ::1, which kubeadm's have.
            GeneralName::Ip(_) => name.ip().is_none_or(|ip| {
                ip == IpAddr::V4(Ipv4Addr::LOCALHOST)
                    || members.addresses.values().any(|known| *known == Some(ip))
            }),
            _ => true,
        };
        let text = match name {
            GeneralName::Dns(dns) => quoted(dns),
            _ => quoted(&name.ip().map(|ip| ip.to_string()).unwrap_or_default()),
        };
        if !known && !sans.contains(&text) {
            sans.push(text);
        }
    }
    sans
}

/// In double quotes. JSON escapes are also valid in YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
