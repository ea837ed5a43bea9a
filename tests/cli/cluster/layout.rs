//! The contents of each host's folder, and their fitness for its purpose.

use std::process::Command;

use super::*;

/// The names below `pki`; folders end with a slash.
fn names(lab: &Lab) -> Vec<String> {
    let slash = |entry: &Entry| if entry.bytes.is_none() { "/" } else { "" };
    let tree = tree(lab);
    tree.iter().map(|(name, entry)| format!("{name}{}", slash(entry))).collect()
}

fn is_certificate(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|kind| kind == "pem") && !name.ends_with("-key.pem")
}

/// Verifies every pair below `hosts/` with its key, for the purpose in its name.
pub(super) fn every_certificate_verifies(lab: &Lab) {
    let mut pairs = 0;
    for name in
        tree(lab).keys().filter(|name| name.ends_with("-key.pem") && name.contains("/hosts/"))
    {
        let pem = name.replace("-key.pem", ".pem");
        let purposes: &[&str] = match pem.rsplit('/').next().unwrap() {
            "server.pem" => &["server"],
            "peer.pem" => &["peer"],
            "member.pem" => &["server", "peer"],
            _ => &["client"],
        };
        for purpose in purposes {
            let run = lab.run(&["verify", &pem, "--purpose", purpose, "--key", name]);
            assert!(run.code == 0 && run.stdout.starts_with(&format!("{pem}: ok\n")), "{run:?}");
        }
        pairs += 1;
    }
    assert!(pairs >= 7, "{pairs} pairs");
}

fn verify_for(lab: &Lab, file: &str, purpose: &str, hosts: &[&str]) {
    for host in hosts {
        let run = lab.run(&["verify", file, "--purpose", purpose, "--host", host]);
        assert_eq!(run.code, 0, "{file} for {host}: {run:?}");
    }
}

#[test]
fn each_host_holds_what_it_needs_and_nothing_else() {
    let lab = applied(LAB);
    snapshot("layout", &(names(&lab).join("\n") + "\n"));
}

#[test]
fn keys_are_their_owners_and_so_are_the_folders() {
    let lab = applied(LAB);
    modes_are_right(&lab, &[]);
}

/// All modes below `pki`, except for these files.
pub(super) fn modes_are_right(lab: &Lab, but: &[&str]) {
    for (name, entry) in tree(lab).into_iter().filter(|(name, _)| !but.contains(&name.as_str())) {
        let wanted = match (&entry.bytes, name.ends_with("-key.pem")) {
            (None, _) => 0o700,
            (_, true) => 0o600,
            _ if name.contains("/inventory.db") || name == "pki/hosts.json" => 0o600,
            _ => 0o644,
        };
        assert_eq!(entry.mode, wanted, "{name}: {:o}", entry.mode);
    }
}

#[test]
fn the_ca_key_is_in_no_file_of_a_host() {
    let lab = applied(LAB);
    let key = lab.read("pki/ca-key.pem");
    let secret = String::from_utf8(key).unwrap().lines().nth(1).unwrap().to_owned();
    for (name, entry) in tree(&lab) {
        let text = String::from_utf8_lossy(entry.bytes.as_deref().unwrap_or_default()).into_owned();
        assert_eq!(text.contains(&secret), name == "pki/ca-key.pem", "{name}");
    }
}

#[test]
fn each_certificate_is_fit_for_what_it_is_for() {
    let lab = applied(LAB);
    every_certificate_verifies(&lab);
    for (host, address) in
        [("etcdone", "192.168.29.61"), ("etcdtwo", "192.168.29.62"), ("etcdthree", "192.168.29.63")]
    {
        let fqdn = format!("{host}.example.com");
        let server = format!("pki/hosts/{host}/server.pem");
        verify_for(&lab, &server, "server", &[host, &fqdn, address, "localhost", "127.0.0.1"]);
        verify_for(
            &lab,
            &format!("pki/hosts/{host}/peer.pem"),
            "peer",
            &[address, "etcd-peer.lab"],
        );
        assert_eq!(lab.read(format!("pki/hosts/{host}/ca.pem")), lab.read("pki/ca.pem"));
        let other = if host == "etcdone" { "192.168.29.62" } else { "192.168.29.61" };
        let run = lab.run(&["verify", &server, "--purpose", "server", "--host", other]);
        assert_eq!(run.code, 1, "the certificate of {host} is valid for {other}: {run:?}");
    }
    let client = "pki/hosts/masterone/apiserver-etcd-client.pem";
    let run = lab.run(&["verify", client, "--purpose", "server"]);
    assert_eq!(run.code, 1, "a client certificate is valid as a server: {run:?}");
}

#[test]
fn no_two_certificates_share_a_key_or_a_serial() {
    let lab = applied(LAB);
    let pems: Vec<Vec<u8>> = tree(&lab)
        .into_iter()
        .filter(|(name, _)| is_certificate(name))
        .filter(|(name, _)| !name.contains("/hosts/") || !name.ends_with("/ca.pem"))
        .filter_map(|(_, entry)| entry.bytes)
        .collect();
    let all: Vec<_> =
        pems.iter().map(|pem| pki_core::Certificate::from_pem_or_der(pem).unwrap()).collect();
    let serials: BTreeSet<String> = all.iter().map(|c| c[0].serial.to_string()).collect();
    let keys: BTreeSet<String> = all.iter().map(|c| c[0].public_key.key_id().to_string()).collect();
    assert_eq!((all.len(), serials.len(), keys.len()), (8, 8, 8));
}

pub(super) const GROWN: &str = "\
cluster: lab
domain: example.com
etcd_version: \"3.5.9\"
constrain: true
etcd:
  - { name: etcdone, ip: [192.168.29.61, 10.0.0.61, 2001:db8::61], sans: [etcd.example.net, 203.0.113.7, \"*.wild.example.org\"] }
  - { name: etcdtwo, ip: 192.168.29.62, combined: true, key: rsa-2048, expiry: 90d }
  - { name: etcdthree, ip: 192.168.29.63, key: ed25519, sans: [etcdthree, 127.0.0.1, 192.168.29.63] }
control_plane:
  - { name: masterone, ip: 192.168.29.51, key: ecdsa-p384 }
clients:
  - { name: backup }
  - { name: monitoring, key: ecdsa-p521, expiry: 30d }
  - { name: metrics, host: etcdone }
";

#[test]
fn a_grown_manifest_makes_what_it_says() {
    let lab = applied(GROWN);
    nothing_to_do(&lab);
    every_certificate_verifies(&lab);
    let hosts: Vec<String> = names(&lab).into_iter().filter(|n| n.contains("/hosts/")).collect();
    snapshot("layout_grown", &(hosts.join("\n") + "\n"));

    let one = "pki/hosts/etcdone/server.pem";
    let addresses = ["192.168.29.61", "10.0.0.61", "2001:db8::61", "203.0.113.7"];
    verify_for(&lab, one, "server", &addresses);
    verify_for(&lab, one, "server", &["etcd.example.net", "any.wild.example.org"]);
    verify_for(&lab, "pki/hosts/etcdone/peer.pem", "peer", &addresses[..3]);
    let member = "pki/hosts/etcdtwo/member.pem";
    verify_for(&lab, member, "server", &["etcdtwo", "192.168.29.62", "localhost", "etcd-peer.lab"]);
    for (file, key) in [
        (member, "rsa-2048"),
        ("pki/hosts/etcdthree/peer.pem", "ed25519"),
        ("pki/hosts/masterone/apiserver-etcd-client.pem", "ecdsa-p384"),
        ("pki/hosts/admin/monitoring.pem", "ecdsa-p521"),
    ] {
        let leaf = pki_core::Certificate::from_pem_or_der(&lab.read(file)).unwrap().swap_remove(0);
        assert_eq!(leaf.public_key.algorithm_name(), key, "{file}");
        let days = (leaf.not_after - leaf.not_before).whole_days();
        let wanted = match key {
            "rsa-2048" => 90,
            "ecdsa-p521" => 30,
            _ => 365,
        };
        assert_eq!(days, wanted, "{file}");
    }
}

/// OpenSSL also applies the CA's constraints to the leaf certificates.
#[test]
fn a_constrained_ca_certifies_the_manifests_names_and_no_others() {
    let lab = applied(GROWN);
    let ca =
        pki_core::Certificate::from_pem_or_der(&lab.read("pki/ca.pem")).unwrap().swap_remove(0);
    let constraints = ca.extensions.name_constraints.as_ref().unwrap();
    let permitted: Vec<String> = constraints.permitted.iter().map(ToString::to_string).collect();
    snapshot("constraints", &(permitted.join("\n") + "\n"));
    let mut leaves = 0;
    for name in tree(&lab).keys().filter(|name| name.contains("/hosts/")) {
        if !is_certificate(name) || name.ends_with("/ca.pem") {
            continue;
        }
        let mut openssl: Command = crate::peers::program("openssl");
        openssl.args(["verify", "-x509_strict", "-CAfile", "pki/ca.pem", name]);
        let output = openssl.current_dir(lab.folder()).output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        leaves += 1;
    }
    assert_eq!(leaves, 9);
    let stranger = ["issue", "--profile", "server", "stranger", "--san", "10.1.2.3"];
    let run = lab.run(&stranger);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("is not permitted by CN=etcd CA"), "{run:?}");
}

/// The CA cannot certify a new member, and no part of its folder is written.
#[test]
fn a_member_that_a_constrained_ca_does_not_permit_is_refused_and_nothing_changes() {
    let lab = applied(GROWN);
    let before = tree(&lab);
    edit(&lab, "control_plane:", "  - { name: stranger, ip: 10.1.2.3 }\ncontrol_plane:");
    let run = lab.run(APPLY);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("is not permitted by CN=etcd CA"), "{run:?}");
    assert_eq!(changes(&before, &tree(&lab)), Vec::<String>::new());
}
