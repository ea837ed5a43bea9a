//! The certificates of a cluster with three members, issued as a user issues them.

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

/// The DNS name in all peer certificates, for `--peer-cert-allowed-hostname`.
pub(super) const PEER_NAME: &str = "etcd-peer.lab";

/// The API server's certificate, from the built-in profile.
pub(super) const CLIENT: &str = "apiserver-etcd-client";

/// A client certificate without subjectAltName, as kubeadm issues it.
pub(super) const NAMELESS: &str = "nameless";

/// A client's certificate from a request that asks for the address which the client dials from.
pub(super) const ASKED: &str = "asked";

/// The same, with that address on the operator's word.
pub(super) const GRANTED: &str = "granted";

/// The certificates that a member's client port must refuse, each with the reason in its log. Go
/// writes these reasons; they are the same in etcd 3.4 and 3.5.
pub(super) const REFUSED: [(Option<&str>, &str); 4] = [
    (None, "client didn't provide a certificate"),
    (Some("stranger"), "x509: certificate signed by unknown authority"),
    (Some("expired"), "x509: certificate has expired or is not yet valid"),
    (Some("server-only"), "x509: certificate specifies an incompatible key usage"),
];

/// Profiles that are wrong for etcd and therefore not built in.
const CONFIG: &str = r#"{ "signing": { "profiles": {
    "server-auth-only": { "expiry": "1h", "usages": ["signing", "server auth"] },
    "nameless-client": { "expiry": "1h", "usages": ["signing", "client auth"] }
} } }"#;

/// A member's address and ports in the lab.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(super) name: &'static str,
    /// Not 127.0.0.1, which is the source of every connection on this machine: a client could take one of its ports
    /// after it is chosen and before etcd starts.
    pub(super) address: &'static str,
}

pub(crate) const HOSTS: [Host; 3] = [
    Host { name: "etcdone", address: "127.0.0.2" },
    Host { name: "etcdtwo", address: "127.0.0.3" },
    Host { name: "etcdthree", address: "127.0.0.4" },
];

/// A CA, and a separate certificate and key for each server, peer and client. All keys have this algorithm.
pub(super) fn lab(algorithm: &str) -> Lab {
    let lab = Lab::with_ca(&["--key", algorithm]);
    let issue = |args: &[&str]| lab.ok(&[&["issue", "--key", algorithm], args].concat());
    for Host { name, address } in HOSTS {
        issue(&["--profile", "server", name, "--san", address]);
        let peer = format!("{name}-peer");
        let names = ["--san", address, "--san", "127.0.0.1", "--san", PEER_NAME];
        // The kernel connects to every loopback address from 127.0.0.1, and etcd compares a peer's addresses with the
        // address that it connects from.
        issue(&[&["--profile", "peer", &peer, "--cn", name], &names[..]].concat());
    }
    issue(&["--profile", "client", CLIENT]);
    by_request(&lab, ASKED, &[]);
    by_request(&lab, GRANTED, &["--san", "127.0.0.1"]);

    lab.write("wrong.json", CONFIG);
    issue(&["--config", "wrong.json", "--profile", "nameless-client", NAMELESS]);
    let profile = ["--config", "wrong.json", "--profile", "server-auth-only"];
    issue(&[&["server-only", "--san", "127.0.0.1"], &profile[..]].concat());
    issue(&["--profile", "client", "expired", "--expiry", "1s"]);
    // Another CA with the same name, which differs only in its key.
    lab.ok(&["--dir", "other", "init-ca", "--key", algorithm]);
    issue(&["--dir", "other", "--profile", "client", "stranger"]);
    lab
}

/// A CA that permits only the names and addresses of the members, the certificates of the first member, and a client's.
pub(super) fn constrained() -> Lab {
    let permitted = ["--permit", "localhost", "--permit", "example.com", "--permit", "127.0.0.0/8"];
    let lab = Lab::with_ca(&permitted);
    let Host { name, address } = HOSTS[0];
    let cn = ["--cn", "etcdone.example.com", "--san", address];
    lab.ok(&[&["issue", "--profile", "server", name], &cn[..]].concat());
    lab.ok(&[&["issue", "--profile", "peer", &format!("{name}-peer")], &cn[..]].concat());
    lab.ok(&["issue", "--profile", "client", CLIENT]);
    lab
}

fn by_request(lab: &Lab, name: &str, options: &[&str]) {
    let (key, csr) = (format!("{name}-key.pem"), format!("{name}.csr"));
    let mut openssl = peers::program("openssl");
    openssl.args(["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
    openssl.args(["-config", "/dev/null", "-subj", &format!("/CN={name}"), "-keyout", &key]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1", "-out", &csr]);
    let run = finish(openssl.current_dir(lab.folder()));
    assert_eq!(run.code, 0, "{run:?}");
    lab.ok(&[&["issue", "--profile", "client", "--csr", &csr], options].concat());
}

/// Puts a certificate without client authentication in the place of a member's own.
pub(super) fn damage_server_certificate(lab: &Lab, host: Host) {
    let profile = ["--config", "wrong.json", "--profile", "server-auth-only"];
    lab.ok(&[&["issue", "--force", host.name, "--san", host.address], &profile[..]].concat());
}
