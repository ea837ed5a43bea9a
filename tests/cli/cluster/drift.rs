//! Each way in which files can differ from the manifest: what `plan` reports and what `apply` changes.

use std::fs;
use std::time::Duration;

use super::*;

/// Runs `plan` and `apply` after a change. Only these files below `hosts/` may be replaced, compared with the state
/// after `change`.
pub(super) fn drift(name: &str, manifest: &str, change: impl FnOnce(&Lab), expected: &[&str]) {
    let lab = applied(manifest);
    nothing_to_do(&lab);
    change(&lab);
    let before = tree(&lab);

    let plan = lab.run(PLAN);
    assert_eq!(plan.code, 4, "{plan:?}");
    snapshot(name, &steady(&plan.stdout));
    assert_eq!(tree(&lab), before, "plan wrote");

    lab.ok(APPLY);
    let after = tree(&lab);
    assert_eq!(changes(&before, &after), expected);
    nothing_to_do(&lab);
    layout::every_certificate_verifies(&lab);
}

fn yaml(name: &str, from: &str, to: &str, expected: &[&str]) {
    drift(name, LAB, |lab| edit(lab, from, to), expected);
}

const ONE: &str = "pki/hosts/etcdone";

#[test]
fn a_name_more_changes_the_certificates_of_one_host() {
    yaml(
        "names",
        "ip: 192.168.29.61 }",
        "ip: 192.168.29.61, sans: [etcd.example.com] }",
        &[
            "etcdone/peer-key.pem",
            "etcdone/peer.pem",
            "etcdone/server-key.pem",
            "etcdone/server.pem",
        ],
    );
}

#[test]
fn another_address_changes_the_host_and_the_endpoints_of_all() {
    yaml(
        "address",
        "192.168.29.61",
        "192.168.29.65",
        &[
            "etcdone/etcd.conf.yaml",
            "etcdone/peer-key.pem",
            "etcdone/peer.pem",
            "etcdone/server-key.pem",
            "etcdone/server.pem",
            "etcdthree/etcd.conf.yaml",
            "etcdtwo/etcd.conf.yaml",
            "masterone/etcdctl.env",
            "masterone/kubeadm-config.yaml",
        ],
    );
}

#[test]
fn another_key_algorithm() {
    yaml(
        "key_algorithm",
        "ip: 192.168.29.51 }",
        "ip: 192.168.29.51, key: rsa-2048 }",
        &["masterone/apiserver-etcd-client-key.pem", "masterone/apiserver-etcd-client.pem"],
    );
}

/// 366 days and 365 days and an hour are not 365 days.
#[test]
fn another_lifetime_down_to_the_hour() {
    yaml(
        "lifetime",
        "ip: 192.168.29.62 }",
        "ip: 192.168.29.62, expiry: 8761h }",
        &[
            "etcdtwo/peer-key.pem",
            "etcdtwo/peer.pem",
            "etcdtwo/server-key.pem",
            "etcdtwo/server.pem",
        ],
    );
}

/// A member that becomes combined loses no files: the old pairs stay until somebody removes them.
#[test]
fn one_certificate_in_place_of_two() {
    yaml(
        "combined",
        "ip: 192.168.29.62 }",
        "ip: 192.168.29.62, combined: true }",
        &[
            "etcdtwo/etcd.conf.yaml",
            "etcdtwo/install.sh",
            "etcdtwo/member-key.pem",
            "etcdtwo/member.pem",
        ],
    );
}

/// Replaces a certificate from `apply` with one from `issue`.
fn smuggle(lab: &Lab, options: &[&str]) {
    lab.ok(&[&["issue", "--out", ONE, "--force"], options].concat());
}

#[test]
fn another_subject() {
    let names = ["--san", "192.168.29.61", "--san", "etcdone.example.com"];
    drift(
        "subject",
        LAB,
        |lab| {
            let options = ["server", "--profile", "server", "--cn", "etcdone", "--org", "Stranger"];
            smuggle(lab, &[&options[..], &names].concat());
        },
        &["etcdone/server-key.pem", "etcdone/server.pem"],
    );
}

#[test]
fn another_purpose() {
    let names = ["--san", "192.168.29.61", "--san", "etcd-peer.lab", "--san", "etcdone"];
    drift(
        "purpose",
        LAB,
        |lab| {
            let options = ["peer", "--profile", "client", "--cn", "etcdone"];
            smuggle(lab, &[&options[..], &names].concat());
        },
        &["etcdone/peer-key.pem", "etcdone/peer.pem"],
    );
}

#[test]
fn a_key_that_is_missing() {
    drift(
        "key_missing",
        LAB,
        |lab| fs::remove_file(lab.path("pki/hosts/etcdone/peer-key.pem")).unwrap(),
        &["etcdone/peer-key.pem", "etcdone/peer.pem"],
    );
}

#[test]
fn a_key_of_another_certificate() {
    drift(
        "key_mismatched",
        LAB,
        |lab| {
            let other = lab.path("pki/hosts/etcdone/server-key.pem");
            fs::copy(other, lab.path("pki/hosts/etcdone/peer-key.pem")).unwrap();
        },
        &["etcdone/peer-key.pem", "etcdone/peer.pem"],
    );
}

#[test]
fn a_certificate_that_is_missing() {
    drift(
        "certificate_missing",
        LAB,
        |lab| fs::remove_file(lab.path("pki/hosts/etcdone/server.pem")).unwrap(),
        &["etcdone/server-key.pem", "etcdone/server.pem"],
    );
}

#[test]
fn a_certificate_that_cannot_be_read() {
    drift(
        "certificate_unreadable",
        LAB,
        |lab| lab.write("pki/hosts/etcdone/server.pem", "-----BEGIN CERTIFICATE-----\n"),
        &["etcdone/server-key.pem", "etcdone/server.pem"],
    );
}

/// Flips one bit of the signature; all fields are still correct.
#[test]
fn a_certificate_whose_signature_is_damaged() {
    drift(
        "certificate_damaged",
        LAB,
        |lab| {
            let path = lab.path("pki/hosts/etcdone/server.pem");
            let pem = fs::read_to_string(&path).unwrap();
            let end = pem.find("\n-----END").unwrap() - 8;
            let other = if &pem[end..=end] == "A" { "B" } else { "A" };
            fs::write(&path, format!("{}{other}{}", &pem[..end], &pem[end + 1..])).unwrap();
        },
        &["etcdone/server-key.pem", "etcdone/server.pem"],
    );
}

#[test]
fn another_ca_under_the_same_name() {
    let hosts = ["etcdone", "etcdthree", "etcdtwo", "masterone"];
    let files = |host: &&str| -> Vec<String> {
        let files: &[&str] = match *host {
            "masterone" => {
                &["apiserver-etcd-client-key.pem", "apiserver-etcd-client.pem", "ca.pem"]
            }
            _ => &["ca.pem", "peer-key.pem", "peer.pem", "server-key.pem", "server.pem"],
        };
        files.iter().map(|file| format!("{host}/{file}")).collect()
    };
    let expected: Vec<String> = hosts.iter().flat_map(files).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    drift(
        "ca_changed",
        LAB,
        |lab| {
            lab.ok(&["--dir", "other", "init-ca"]);
            for file in ["ca.pem", "ca-key.pem", "inventory.db"] {
                fs::rename(lab.path("other").join(file), lab.path("pki").join(file)).unwrap();
            }
        },
        &expected,
    );
}

#[test]
fn a_configuration_that_was_edited_by_hand() {
    drift(
        "configuration_edited",
        LAB,
        |lab| {
            let path = "pki/hosts/etcdtwo/etcd.conf.yaml";
            let mut config = lab.read(path);
            config.extend(b"snapshot-count: 5000\n");
            lab.write(path, config);
        },
        &["etcdtwo/etcd.conf.yaml"],
    );
}

#[test]
fn a_ca_certificate_that_is_missing_on_a_host() {
    drift(
        "ca_missing_on_host",
        LAB,
        |lab| fs::remove_file(lab.path("pki/hosts/masterone/ca.pem")).unwrap(),
        &["masterone/ca.pem"],
    );
}

#[test]
fn a_whole_folder_that_is_missing() {
    drift(
        "host_missing",
        LAB,
        |lab| fs::remove_dir_all(lab.path("pki/hosts/masterone")).unwrap(),
        &[
            "masterone",
            "masterone/apiserver-etcd-client-key.pem",
            "masterone/apiserver-etcd-client.pem",
            "masterone/ca.pem",
            "masterone/etcdctl.env",
            "masterone/install.sh",
            "masterone/kubeadm-config.yaml",
        ],
    );
}

/// A certificate with a lifetime of ten seconds is renewed when less than five are left, whatever `renew_before` says.
/// Otherwise it would be renewed in every run.
#[test]
fn a_certificate_is_renewed_when_it_ends_soon() {
    let short = "ip: 192.168.29.51, expiry: 10s }";
    drift(
        "renew",
        &LAB.replace("ip: 192.168.29.51 }", short),
        |_| std::thread::sleep(Duration::from_millis(6_100)),
        &["masterone/apiserver-etcd-client-key.pem", "masterone/apiserver-etcd-client.pem"],
    );
}

/// If the CA differs from the manifest, `apply` reports it but does not change it, and certificates stay as they are.
#[test]
fn a_ca_that_is_not_the_manifests_is_a_warning() {
    let lab = applied(LAB);
    let before = tree(&lab);
    edit(
        &lab,
        "ca: { cn: etcd CA, key: ecdsa-p256, expiry: 10y }",
        "ca: { cn: New, key: rsa-3072 }",
    );
    edit(&lab, "cluster: lab", "constrain: true\ncluster: lab");
    let plan = lab.run(PLAN);
    assert_eq!(plan.code, 0, "{plan:?}");
    snapshot("ca_differs", &plan.stderr);
    let run = lab.run(APPLY);
    assert_eq!((run.code, run.stdout.as_str()), (0, "nothing to do\n"));
    assert_eq!(run.stderr, plan.stderr);
    assert_eq!(tree(&lab), before);
}
