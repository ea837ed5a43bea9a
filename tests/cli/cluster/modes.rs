//! Modes of files and folders that differ from those that `apply` sets.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::drift::drift;
use super::*;

fn set_mode(lab: &Lab, name: &str, mode: u32) {
    let path = lab.path(Path::new("pki/hosts").join(name));
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// No file is recreated: the files stay the same, with their contents and times.
#[test]
fn a_wrong_mode() {
    let wrong = [
        ("etcdone", 0o755),
        ("etcdone/peer-key.pem", 0o640),
        ("etcdone/etcd.conf.yaml", 0o666),
        ("etcdthree/server.pem", 0o400),
        ("etcdtwo/ca.pem", 0o777),
        ("masterone/apiserver-etcd-client-key.pem", 0o4600),
    ];
    drift(
        "modes",
        LAB,
        |lab| wrong.iter().for_each(|(name, mode)| set_mode(lab, name, *mode)),
        &[],
    );

    let lab = applied(LAB);
    let fresh = tree(&lab);
    for (name, mode) in wrong {
        set_mode(&lab, name, mode);
    }
    lab.ok(APPLY);
    assert_eq!(tree(&lab), fresh);
}

/// Together with a certificate that is reissued in the same run.
#[test]
fn a_wrong_mode_beside_another_drift() {
    drift(
        "mode_and_names",
        LAB,
        |lab| {
            set_mode(lab, "etcdone/peer-key.pem", 0o644);
            set_mode(lab, "masterone/apiserver-etcd-client-key.pem", 0o644);
            edit(lab, "ip: 192.168.29.51 }", "ip: 192.168.29.51, key: ed25519 }");
        },
        &["masterone/apiserver-etcd-client-key.pem", "masterone/apiserver-etcd-client.pem"],
    );
}

/// The modes of files from `apply` do not depend on the user's umask; otherwise the next run would change them.
#[test]
fn any_umask_makes_the_same_modes() {
    for umask in ["0", "027", "077"] {
        let lab = with_manifest(LAB);
        let mut shell = crate::peers::program("sh");
        shell.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]);
        shell.arg(env!("CARGO_BIN_EXE_etcdpki")).args(APPLY).current_dir(lab.folder());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        layout::modes_are_right(&lab, &["pki/ca.pem"]);
        nothing_to_do(&lab);
    }
}
