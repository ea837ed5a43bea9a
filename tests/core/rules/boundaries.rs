//! The boundaries of rules: cases that a small change in a check would wrongly accept or report.

use pki_core::{
    EtcdSettings, EtcdVersion, ExtendedKeyUsage, Finding, Policy, Purpose, RemarkKind, Severity,
};
use rcgen::{GeneralSubtree, NameConstraints, SanType};

use super::chain::{Chain, dns, key};
use super::crls::with_crl;
use super::hosts::Hosts;
use super::revocation::revoked;
use super::{Fault, ids};
use crate::der::{Node, forge};
use crate::foreign::{ca_params, crl, extended_key_usages, self_signed, signed};

const CONF: &str = "etcdone/etcd.conf.yaml";

/// The findings after a change to the hosts of the lab.
fn after(plant: impl FnOnce(&mut Hosts)) -> Vec<&'static str> {
    let mut hosts = Hosts::new();
    plant(&mut hosts);
    found(&hosts.findings())
}

fn found(findings: &[Finding]) -> Vec<&'static str> {
    let mut ids = ids(findings);
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Go accepts a self-signed certificate of X.509 version 1 as a root, but no other certificate of version 1 as a
/// CA.
#[test]
fn a_root_of_version_1_is_a_ca_and_a_leaf_of_version_1_is_not() {
    let (root_key, key) = (key(), key());
    let root = self_signed(&ca_params("old root", &root_key), &root_key);
    let leaf = signed(&ca_params("no root", &key), &key, &root, &root_key);
    // The version is the first field and the extensions are the last.
    let version_1 = |fields: &mut Vec<Node>| {
        fields.remove(0);
        fields.pop();
    };
    for (der, wanted) in [
        (forge(root.der(), &root_key, version_1), Vec::new()),
        (forge(leaf.der(), &root_key, version_1), vec!["trust-not-ca"]),
    ] {
        let certificate = pki_core::Certificate::from_der(&der).unwrap();
        assert_eq!(certificate.version, 1);
        let pem = certificate.to_pem().unwrap();
        assert_eq!(after(|hosts| hosts.append("etcdone/ca.pem", &pem)), wanted);
    }
}

/// Clients may connect to a member at a name that it does not advertise.
#[test]
fn the_endpoints_of_clients_are_looked_for_in_the_certificate_of_their_member() {
    let findings = {
        let mut hosts = Hosts::new();
        hosts.reissue("etcdone/server", |params| {
            params.subject_alt_names.retain(|name| *name != dns("etcdone"));
        });
        let address = "https://192.168.29.61:2379";
        hosts.edit("masterone/etcdctl.env", address, "https://etcdone:2379");
        hosts.findings()
    };
    let advertised: Vec<_> =
        findings.iter().filter(|finding| finding.rule.id == "srv-san-advertise").collect();
    assert_eq!(advertised.len(), 1, "{findings:#?}");
    assert!(
        advertised[0].evidence.to_string().starts_with("masterone/etcdctl.env"),
        "{advertised:?}"
    );
}

/// etcd's gateway presents its certificate to its own member only if the member requests one.
#[test]
fn a_server_certificate_needs_no_client_auth_where_nobody_asks() {
    let server_only = |hosts: &mut Hosts| {
        hosts.reissue("etcdone/server", |params| {
            params.extended_key_usages = extended_key_usages(&[ExtendedKeyUsage::server_auth()]);
        });
    };
    assert_eq!(after(server_only), ["srv-eku-client"]);
    let asked = "  trusted-ca-file: \"/etc/etcd/ca.pem\"\n  client-cert-auth: true\npeer";
    let found = after(|hosts| {
        server_only(hosts);
        hosts.edit(CONF, asked, "peer");
    });
    // The manifest still requires a usage that is not needed there.
    assert_eq!(found, ["cfg-auth-off", "manifest-drift"]);
    let with_another = "client-transport-security:\n  client-cert-file: \"/etc/etcd/peer.pem\"\n";
    let found = after(|hosts| {
        server_only(hosts);
        hosts.edit(CONF, "client-transport-security:\n", with_another);
    });
    assert_eq!(found, ["manifest-drift"]);
}

/// A wildcard matches one label in front of others, but not a name with a single label.
#[test]
fn a_wildcard_does_not_match_a_name_of_one_label() {
    let found = after(|hosts| {
        hosts.reissue("etcdone/server", |params| {
            params.subject_alt_names = vec![
                dns("*.example.com"),
                dns("localhost"),
                SanType::IpAddress([127, 0, 0, 1].into()),
                SanType::IpAddress([192, 168, 29, 61].into()),
            ];
        });
        let advertised = "advertise-client-urls: \"https://192.168.29.61:2379\"";
        hosts.edit(CONF, advertised, "advertise-client-urls: \"https://etcdone:2379\"");
    });
    assert!(found.contains(&"srv-san-advertise"), "{found:?}");
}

/// 3.5.14 has a single string where later releases have a list and earlier releases have no key.
#[test]
fn allowed_hostname_came_as_a_string_and_became_a_list() {
    for (patch, string, list) in [(13, false, false), (14, true, false), (15, false, true)] {
        let version = EtcdVersion(3, 5, patch);
        assert_eq!(version.has_allowed_hostname_in_yaml(), list, "{version}");
        for (value, works) in [("a.lab", string), ("[a.lab]", list)] {
            let yaml = format!("peer-transport-security: {{ allowed-hostname: {value} }}\n");
            let settings = EtcdSettings::from_yaml("etcd.conf.yaml", &yaml, version);
            let found = settings.find("peer-cert-allowed-hostname");
            assert_eq!(found, works.then_some("a.lab"), "{version}: {value}");
            let wanted = if patch == 13 { RemarkKind::IgnoredKey } else { RemarkKind::Malformed };
            let kinds: Vec<_> = settings.remarks().iter().map(|remark| remark.kind).collect();
            assert_eq!(kinds, if works { vec![] } else { vec![wanted] }, "{version}: {value}");
        }
    }
}

/// The gateway connects to its own member with the server certificate.
#[test]
fn a_server_on_the_crl_for_clients_is_revoked() {
    let findings = with_crl("3.5", Fault::Planted, |hosts| {
        let serial = hosts.certificate("etcdone/server").serial.as_bytes().to_vec();
        crl(&hosts.ca, vec![revoked(&serial)])
    });
    assert_eq!(found(&findings), ["leaf-revoked"]);
}

/// etcd accepts a certificate with neither a name nor an address, whatever purpose it is verified for.
#[test]
fn a_client_without_names_opens_the_peer_port_for_any_purpose() {
    let usages = |purpose, usages: &[ExtendedKeyUsage]| {
        let mut chain = Chain::new(purpose);
        chain.options.purpose = Purpose::Any;
        chain.leaf.subject_alt_names.clear();
        chain.leaf.extended_key_usages = extended_key_usages(usages);
        found(&chain.findings())
    };
    let (server, client) = (ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth());
    assert_eq!(
        usages(Purpose::Client, std::slice::from_ref(&client)),
        ["peer-port-open-to-clients"]
    );
    assert_eq!(usages(Purpose::Client, &[client, server.clone()]), [""; 0]);
    assert_eq!(usages(Purpose::Client, &[server]), [""; 0]);
}

/// RFC 5280 does not say whether it is permitted; Go and OpenSSL accept it.
#[test]
fn a_wildcard_below_a_constraint_is_only_a_warning_under_rfc_5280() {
    for policy in [Policy::Rfc5280, Policy::Etcd] {
        let mut chain = Chain::new(Purpose::Peer);
        chain.leaf.subject_alt_names = vec![dns("*.example.com")];
        chain.ca.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
            excluded_subtrees: Vec::new(),
        });
        chain.alter = match policy {
            Policy::Rfc5280 => |signed| signed.policy = Policy::Rfc5280,
            _ => |signed| signed.policy = Policy::Etcd,
        };
        let findings = chain.findings();
        let wildcard = findings.iter().find(|finding| finding.rule.id == "nc-wildcard");
        let severity = wildcard.map(|finding| finding.severity);
        let expected = (policy == Policy::Rfc5280).then_some(Severity::Warning);
        assert_eq!(severity, expected, "{policy:?}: {findings:#?}");
    }
}
