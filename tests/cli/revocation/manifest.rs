//! `crl: true` in a manifest: the members get the CRL and the options that use it.

use std::fs;

use crate::inventory::sqlite;
use crate::lab::Lab;

const MANIFEST: &str = "\
cluster: lab
crl: true
etcd: [{ name: etcdone, ip: 192.168.29.61 }, { name: etcdtwo, ip: 192.168.29.62 }]
control_plane: [{ name: masterone, ip: 192.168.29.51 }]
";

const APPLY: [&str; 3] = ["apply", "-f", "cluster.yaml"];

fn applied(manifest: &str) -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest);
    let run = lab.run(&["plan", "-f", "cluster.yaml"]);
    assert!(run.stdout.contains("etcdone/crl.der\n"), "{run:?}");
    lab.ok(&APPLY);
    lab
}

#[track_caller]
fn nothing_to_do(lab: &Lab) {
    let run = lab.run(&["plan", "-f", "cluster.yaml", "--exit-code"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(lab.ok(&APPLY).ends_with("nothing to do\n"));
}

#[test]
fn members_get_the_crl_in_der_and_the_options_for_it() {
    for version in ["3.4", "3.5.1", "3.6.4"] {
        let lab = applied(&format!("{MANIFEST}etcd_version: \"{version}\"\n"));
        for member in ["etcdone", "etcdtwo"] {
            let unit =
                String::from_utf8(lab.read(format!("pki/hosts/{member}/etcd.service"))).unwrap();
            let install = lab.read(format!("pki/hosts/{member}/install.sh"));
            assert!(String::from_utf8(install).unwrap().contains("crl.der"), "{member}");
            for option in ["ETCD_CLIENT_CRL_FILE", "ETCD_PEER_CRL_FILE"] {
                assert!(
                    unit.contains(&format!("Environment={option}=/etc/etcd/crl.der\n")),
                    "{unit}"
                );
            }
            assert!(!unit.contains("--config-file"), "with the file, etcd ignores them: {unit}");
            let crl = pki_core::Crl::from_der(&lab.read(format!("pki/hosts/{member}/crl.der")));
            assert!(crl.unwrap().is_empty());
        }
        assert!(!lab.path("pki/hosts/masterone/crl.der").exists());
        nothing_to_do(&lab);
        let run = lab.run(&["verify", "-f", "cluster.yaml"]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(!run.stdout.contains('['), "apply's own files have no findings: {run:?}");
        lab.ok(&["export", "etcdone", "-f", "cluster.yaml"]);
    }
}

#[test]
fn a_revoked_certificate_is_replaced_and_on_the_members_crl_with_the_next_apply() {
    let lab = applied(MANIFEST);
    lab.ok(&[
        "revoke",
        "pki/hosts/masterone/apiserver-etcd-client.pem",
        "--reason",
        "keyCompromise",
    ]);
    let run = lab.run(&["status", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 1, "{run:?}");
    let revoked: Vec<&str> =
        run.stdout.lines().filter(|line| line.ends_with("  revoked")).collect();
    assert!(
        matches!(revoked[..], [line] if line.starts_with("masterone/apiserver-etcd-client.pem")),
        "{run:?}"
    );
    let run = lab.run(&["plan", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 0, "{run:?}");
    let lines = run.stdout.lines().filter(|line| line.starts_with("  "));
    let changes: Vec<&str> = lines.filter(|line| !line.starts_with("  keep ")).collect();
    assert_eq!(
        changes,
        [
            "  write    etcdone/crl.der",
            "  write    etcdtwo/crl.der",
            "  reissue  masterone/apiserver-etcd-client.pem",
            "           status: revoked -> not revoked"
        ]
    );
    let key = lab.read("pki/hosts/masterone/apiserver-etcd-client-key.pem");
    lab.ok(&APPLY);
    let crl = lab.read("pki/hosts/etcdone/crl.der");
    assert_eq!(crl, lab.read("pki/hosts/etcdtwo/crl.der"));
    assert_eq!(pki_core::Crl::from_der(&crl).unwrap().len(), 1);
    nothing_to_do(&lab);
    // A key that may have been copied is not used again.
    assert_ne!(key, lab.read("pki/hosts/masterone/apiserver-etcd-client-key.pem"));
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 0, "{run:?}");
}

/// A key that is kept offline: the CRL that members have works on, because etcd does not check its dates. A revocation
/// waits for the key.
#[test]
fn without_the_key_only_a_revocation_stops_apply() {
    let lab = applied(MANIFEST);
    fs::rename(lab.path("pki/ca-key.pem"), lab.path("key")).unwrap();
    nothing_to_do(&lab);
    lab.ok(&["revoke", "pki/hosts/etcdone/server.pem"]);
    let run = lab.run(&APPLY);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("a CRL waits for the CA's signature: "), "{run:?}");
    fs::rename(lab.path("key"), lab.path("pki/ca-key.pem")).unwrap();
    lab.ok(&APPLY);
    nothing_to_do(&lab);
    assert_eq!(sqlite(&lab, "pki/inventory.db", "SELECT max(number) FROM crls"), "2\n");
}

#[test]
fn the_options_follow_from_crl() {
    let lab = Lab::new();
    for option in ["client-crl-file", "peer-crl-file"] {
        lab.write("cluster.yaml", format!("{MANIFEST}etcd_config: {{ {option}: /etc/crl }}\n"));
        let run = lab.run(&APPLY);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(&format!("{option} follows from \"crl\"")), "{run:?}");
    }
}
