//! Boundaries that no example of a rule reaches: each test fails if one comparison in a check is changed.

use pki_core::{
    Authority, CrlRequest, ExtendedKeyUsage, Finding, KeyAlgorithm, Manifest, Oid, Purpose,
    Verifier, VerifyOptions,
};
use rcgen::{BasicConstraints, IsCa, KeyUsagePurpose, SanType};
use time::Duration;

use super::chain::{Chain, dns};
use super::crls::{enforcing, in_pem, with_crl, with_http_urls};
use super::hosts::{Hosts, MANIFEST};
use super::{Fault, ids};
use crate::foreign::extended_key_usages;
use crate::lab::{Ca, NOW};

const CONF: &str = "etcdone/etcd.conf.yaml";

fn after(plant: impl FnOnce(&mut Hosts)) -> Vec<Finding> {
    let mut hosts = Hosts::new();
    plant(&mut hosts);
    hosts.findings()
}

fn has(findings: &[Finding], id: &str) -> bool {
    ids(findings).contains(&id)
}

/// etcd rejects a client for the names under .invalid only if it has no other.
#[test]
fn a_client_with_another_name_than_its_sentinel_reads_the_metrics() {
    for (names, reported) in [
        (vec![dns("a.invalid"), dns("b.invalid")], true),
        (vec![dns("a.invalid"), dns("reader.example.com")], false),
        (vec![dns("a.invalid"), SanType::IpAddress([192, 168, 29, 51].into())], false),
    ] {
        let findings = after(|hosts| {
            hosts.append(CONF, "listen-metrics-urls: https://192.168.29.61:2381\n");
            hosts.reissue("masterone/apiserver-etcd-client", |params| {
                params.subject_alt_names.clone_from(&names);
            });
        });
        assert_eq!(has(&findings, "cli-sentinel-metrics"), reported, "{names:?}: {findings:#?}");
    }
}

/// nextUpdate is the last second in which a CRL is current (RFC 5280 section 5.1.2.5).
#[test]
fn a_crl_is_current_until_its_next_update_to_the_second() {
    for (seconds, stale) in [(1, false), (0, false), (-1, true)] {
        let mut hosts = enforcing("3.5");
        let request = CrlRequest {
            number: 1,
            this_update: NOW - Duration::minutes(4),
            next_update: NOW + Duration::seconds(seconds),
            revoked: Vec::new(),
        };
        let authority = Authority::new(hosts.ca.certificate().clone());
        let draft = authority.draft_crl(&request, request.this_update).unwrap();
        let crl = draft.sign(&hosts.ca.key).unwrap();
        hosts.write("etcdone/crl.der", 0o644, crl.der());
        let findings = hosts.findings();
        assert_eq!(has(&findings, "crl-stale"), stale, "{seconds}: {findings:#?}");
    }
}

/// What OpenSSL does not read in anyExtendedKeyUsage stands beside it.
#[test]
fn any_usage_beside_the_usages_that_are_needed_is_not_a_finding() {
    let (server, client) = (ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth());
    let any = ExtendedKeyUsage("2.5.29.37.0".parse::<Oid>().unwrap());
    for (usages, reported) in [
        (vec![server.clone(), client.clone(), any.clone()], false),
        (vec![server, any.clone()], true),
        (vec![any], true),
    ] {
        let mut chain = Chain::new(Purpose::Peer);
        chain.leaf.extended_key_usages = extended_key_usages(&usages);
        assert_eq!(has(&chain.findings(), "eku-any"), reported, "{usages:?}");
    }
}

/// A certificate expires once: what has expired is not about to.
#[test]
fn an_expired_certificate_is_not_expiring() {
    for (seconds, reported) in [
        (-1, &["leaf-expiring"][..]),
        (0, &["leaf-expiring"]),
        (1, &["leaf-expired"]),
        (86_400, &["leaf-expired"]),
    ] {
        let mut chain = Chain::new(Purpose::Peer);
        chain.leaf.not_after = NOW + Duration::days(30);
        chain.options.at = chain.leaf.not_after + Duration::seconds(seconds);
        chain.options.expires_within = Some(Duration::days(7));
        let findings = chain.findings();
        let found = ids(&findings);
        for id in ["leaf-expiring", "leaf-expired"] {
            assert_eq!(found.contains(&id), reported.contains(&id), "{seconds}: {found:?}");
        }
    }
}

/// A path length is for those that sign certificates (RFC 5280 section 4.2.1.9).
#[test]
fn a_path_length_needs_key_cert_sign_where_there_is_a_key_usage() {
    for (usages, reported) in [
        (vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign], false),
        (vec![KeyUsagePurpose::CrlSign], true),
        (vec![], false),
    ] {
        let mut chain = Chain::new(Purpose::Peer);
        chain.ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        chain.ca.key_usages.clone_from(&usages);
        assert_eq!(has(&chain.findings(), "ca-pathlen-form"), reported, "{usages:?}");
    }
}

/// The group may not read a key either.
#[test]
fn a_key_is_for_its_owner_only() {
    for (mode, reported) in
        [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o610, true)]
    {
        let findings = after(|hosts| hosts.file("etcdone/peer-key.pem").mode = mode);
        assert_eq!(has(&findings, "file-mode"), reported, "{mode:04o}");
    }
}

/// If every peer lacks the name, the setting is wrong; otherwise the certificates are.
#[test]
fn an_allowed_name_that_nobody_has_is_the_fault_of_the_setting() {
    for (holders, blamed) in
        [(&[][..], vec!["etcd.conf.yaml"]), (&["etcdone", "etcdtwo"][..], vec!["CN=etcdthree"])]
    {
        let findings = after(|hosts| {
            let list = "allowed-cn: [\"peers.lab\"]";
            hosts.edit(CONF, "allowed-hostname: [\"etcd-peer.lab\"]", list);
            for holder in holders {
                hosts.reissue(&format!("{holder}/peer"), |params| {
                    params.distinguished_name = rcgen::DistinguishedName::new();
                    params.distinguished_name.push(rcgen::DnType::CommonName, "peers.lab");
                });
            }
        });
        let found = findings.iter().filter(|finding| finding.rule.id == "peer-allow-cn");
        let subjects: Vec<&str> = found.map(|finding| finding.subject.as_str()).collect();
        assert_eq!(subjects, blamed, "{findings:#?}");
    }
}

/// A CA with a short lifetime is reported in its last quarter, one with a long lifetime in its last 90 days.
#[test]
fn a_ca_is_reported_in_its_last_quarter_or_its_last_90_days() {
    for (lifetime, warning) in [(200, 50), (3650, 90)] {
        let ca =
            Ca::with(KeyAlgorithm::EcdsaP256, |request| request.expiry = Duration::days(lifetime));
        let leaf = ca.issue("client", "api", &[]);
        let verifier = Verifier::builder([ca.certificate().clone()]).build().unwrap();
        let begins = ca.certificate().not_after - Duration::days(warning);
        for (at, reported) in [(begins - Duration::HOUR, false), (begins + Duration::HOUR, true)] {
            let report = verifier.check(&leaf, &[], &VerifyOptions::at(at));
            let found = report.findings().any(|finding| finding.rule.id == "ca-expiring");
            assert_eq!(found, reported, "{lifetime}: {report}");
        }
    }
}

/// GHSA-3wh4-j44w-pg92 is fixed in 3.5.32 and in 3.6.13.
#[test]
fn a_crl_is_ignored_beside_an_http_port_before_the_fixed_releases() {
    for (version, reported) in
        [("3.5.31", true), ("3.5.32", false), ("3.6.0", true), ("3.6.12", true), ("3.6.13", false)]
    {
        let findings = with_http_urls(version);
        assert_eq!(has(&findings, "crl-http-urls"), reported, "{version}: {findings:#?}");
    }
}

/// A member that is reached by its name connects from its first address.
#[test]
fn the_second_address_of_a_member_does_not_make_up_for_the_first() {
    let two = "ip: [192.168.29.61, 192.168.30.61], reached_by: name";
    let text = MANIFEST.replace("ip: 192.168.29.61", two);
    let hosts = || Hosts::of(Ca::new(), Manifest::from_yaml(text.as_bytes()).unwrap());
    assert_eq!(ids(&hosts().findings()), [""; 0]);
    let mut hosts = hosts();
    hosts.reissue("etcdone/peer", |params| {
        let first = SanType::IpAddress([192, 168, 29, 61].into());
        params.subject_alt_names.retain(|name| *name != first);
    });
    let findings = hosts.findings();
    assert!(has(&findings, "peer-san-dns-only"), "{findings:#?}");
}

/// etcd before 3.6 reads a CRL in PEM too.
#[test]
fn a_crl_in_pem_is_reported_from_3_6_0_on() {
    for (version, reported) in [("3.5.40", false), ("3.6.0", true)] {
        let findings = with_crl(version, Fault::Planted, in_pem);
        assert_eq!(has(&findings, "crl-format"), reported, "{version}: {findings:#?}");
    }
}

#[test]
fn a_file_outside_the_folder_of_etcd_is_reported_as_unseen() {
    let findings = after(|hosts| {
        hosts.edit(CONF, "\"/etc/etcd/server.pem\"", "\"/opt/etcd/server.pem\"");
    });
    assert!(has(&findings, "file-unseen"), "{findings:#?}");
}

/// A member whose configuration names no certificate needs the one that the manifest lists.
#[test]
fn a_certificate_that_neither_the_configuration_nor_the_folder_has_is_missing() {
    let findings = after(|hosts| {
        hosts.edit(CONF, "  cert-file: \"/etc/etcd/server.pem\"\n", "");
        hosts.edit(CONF, "  key-file: \"/etc/etcd/server-key.pem\"\n", "");
        hosts.remove("etcdone/server.pem");
        hosts.remove("etcdone/server-key.pem");
    });
    assert!(has(&findings, "file-missing"), "{findings:#?}");
}

/// A client may use files of other names, if there is a pair for each client of the host.
#[test]
fn a_client_with_files_of_another_name_lacks_none() {
    let text = format!("{MANIFEST}clients: [ {{ name: backup }} ]\n");
    let mut hosts = Hosts::of(Ca::new(), Manifest::from_yaml(text.as_bytes()).unwrap());
    for (old, new) in [("backup.pem", "other.pem"), ("backup-key.pem", "other-key.pem")] {
        hosts.copy(&format!("admin/{old}"), &format!("admin/{new}"));
        hosts.remove(&format!("admin/{old}"));
        hosts.edit("admin/etcdctl.env", old, new);
    }
    assert_eq!(ids(&hosts.findings()), [""; 0]);
}
