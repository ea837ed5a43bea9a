//! A cluster of many members, clients and revoked certificates: the rules find one fault of each kind among them. A rule that
//! compares each of them with all others would take minutes here.

use std::fmt::Write as _;

use pki_core::Manifest;

use super::hosts::Hosts;
use super::revocation::revoked;
use crate::foreign::crl;
use crate::lab::Ca;

const MEMBERS: usize = 150;
const CLIENTS: usize = 150;
const REVOKED: u32 = 20_000;

/// Every client has the URLs of all members, and every member enforces a CRL.
fn manifest() -> Manifest {
    let mut text = "cluster: many\ndomain: example.com\ncrl: true\netcd:\n".to_owned();
    for at in 0..MEMBERS {
        let _ = writeln!(text, "  - {{ name: etcd-{at}, ip: 10.0.{}.{} }}", at / 100, at % 100 + 1);
    }
    text.push_str("control_plane:\n");
    for at in 0..CLIENTS {
        let _ =
            writeln!(text, "  - {{ name: master-{at}, ip: 10.1.{}.{} }}", at / 100, at % 100 + 1);
    }
    Manifest::from_yaml(text.as_bytes()).unwrap()
}

#[test]
fn faults_are_found_among_many_members_clients_and_revoked_certificates() {
    let mut hosts = Hosts::of(Ca::new(), manifest());
    let none = crl(&hosts.ca, Vec::new());
    for at in 0..MEMBERS {
        hosts.write(&format!("etcd-{at}/crl.der"), 0o644, none.as_slice());
    }
    let serial = hosts.certificate("master-77/apiserver-etcd-client").serial.as_bytes().to_vec();
    let others = (1..=REVOKED).map(|number| revoked(&[&[1], &number.to_be_bytes()[..]].concat()));
    let long = crl(&hosts.ca, others.chain([revoked(&serial)]).collect());
    hosts.write("etcd-140/crl.der", 0o644, long);
    hosts.reissue("etcd-99/server", |params| {
        params
            .subject_alt_names
            .retain(|name| *name != rcgen::SanType::IpAddress([10, 0, 0, 100].into()));
    });
    let found: Vec<String> = hosts
        .findings()
        .iter()
        .map(|found| format!("{} {}", found.rule.id, found.evidence))
        .collect();
    let [advertised, listed] = &found[..] else { panic!("{found:#?}") };
    let expected = "srv-san-advertise advertise-client-urls contains https://10.0.0.100:2379, but";
    assert!(advertised.starts_with(expected), "{advertised}");
    assert!(listed.starts_with("leaf-revoked crl.der on etcd-140 lists serial number"), "{listed}");
}
