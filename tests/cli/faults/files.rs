//! Faults in the files of a member: keys, certificates and trust files on disk.

use super::Sight::{ClientFails, Ends, Rejects};
use super::forge::run;
use super::{Cluster, Fault, Forged, authority, both, faults};
use crate::machines::Machines;
use crate::peers;

const CERTIFICATE: &str = "etcdone/server.pem";
const KEY: &str = "etcdone/server-key.pem";
const TRUST: &str = "etcdone/ca.pem";

const NO_PAIR: &str = "tls: private key does not match public key";
const NO_PEM_CERTIFICATE: &str = "tls: failed to find any PEM data in certificate input";
const NO_PEM_KEY: &str = "tls: failed to find any PEM data in key input";
const UNKNOWN: &str = "x509: certificate signed by unknown authority";

/// Runs OpenSSL on a file, and replaces the file with the output.
fn convert(machines: &Machines, file: &str, args: &[&str]) {
    let file = machines.lab.path("pki/hosts").join(file);
    let made = file.with_extension("made");
    let mut openssl = peers::program("openssl");
    openssl.args(args).arg("-in").arg(&file).arg("-out").arg(&made);
    run(&mut openssl);
    std::fs::rename(made, file).unwrap();
}

fn write(machines: &Machines, file: &str, contents: impl AsRef<[u8]>) {
    machines.lab.write(format!("pki/hosts/{file}"), contents);
}

fn read(machines: &Machines, file: &str) -> Vec<u8> {
    machines.lab.read(format!("pki/hosts/{file}"))
}

faults! {
    key_encrypted: Fault {
        what: "The server's key is encrypted",
        cluster: Cluster::One,
        plant: |machines| convert(machines, KEY, &["pkey", "-aes256", "-passout", "pass:secret"]),
        seen: both(&[Ends("etcdone", "tls: failed to parse private key")]),
        rule: "key-encrypted",
        file: KEY,
    },
    key_of_another_certificate: Fault {
        what: "The server's key belongs to another certificate",
        cluster: Cluster::One,
        plant: |machines| write(machines, KEY, read(machines, "etcdone/peer-key.pem")),
        seen: both(&[Ends("etcdone", NO_PAIR)]),
        rule: "key-mismatch",
        file: CERTIFICATE,
    },
    key_in_der: Fault {
        what: "The server's key is in DER",
        cluster: Cluster::One,
        plant: |machines| convert(machines, KEY, &["pkey", "-outform", "DER"]),
        seen: both(&[Ends("etcdone", NO_PEM_KEY)]),
        rule: "pem-der",
        file: KEY,
    },
    key_missing: Fault {
        what: "The server's key is missing",
        cluster: Cluster::One,
        plant: |machines| {
            std::fs::remove_file(machines.lab.path("pki/hosts").join(KEY)).unwrap();
        },
        seen: both(&[Ends("etcdone", "server-key.pem: no such file or directory")]),
        rule: "file-missing",
        file: KEY,
    },
    certificate_in_der: Fault {
        what: "The server certificate is in DER",
        cluster: Cluster::One,
        plant: |machines| convert(machines, CERTIFICATE, &["x509", "-outform", "DER"]),
        seen: both(&[Ends("etcdone", NO_PEM_CERTIFICATE)]),
        rule: "pem-der",
        file: CERTIFICATE,
    },
    certificate_file_empty: Fault {
        what: "The server certificate's file is empty, because a disk was full",
        cluster: Cluster::One,
        plant: |machines| write(machines, CERTIFICATE, ""),
        seen: both(&[Ends("etcdone", NO_PEM_CERTIFICATE)]),
        rule: "pem-empty",
        file: CERTIFICATE,
    },
    certificate_and_key_swapped: Fault {
        what: "The paths of the server's certificate and key are swapped",
        cluster: Cluster::One,
        plant: |machines| {
            let (certificate, key) = (read(machines, CERTIFICATE), read(machines, KEY));
            write(machines, CERTIFICATE, key);
            write(machines, KEY, certificate);
        },
        seen: both(&[Ends("etcdone", "PEM inputs may have been switched")]),
        rule: "pem-swapped",
        file: CERTIFICATE,
    },
    certificate_with_openssls_label: Fault {
        what: "The server certificate has the label TRUSTED CERTIFICATE, as written by `openssl x509 -trustout`",
        cluster: Cluster::One,
        plant: |machines| convert(machines, CERTIFICATE, &["x509", "-trustout"]),
        seen: both(&[Ends("etcdone", r#"tls: failed to find "CERTIFICATE" PEM block"#)]),
        rule: "pem-label",
        file: CERTIFICATE,
    },
    chain_in_the_wrong_order: Fault {
        what: "The server's file has the intermediate CA before the certificate",
        cluster: Cluster::One,
        plant: |machines| {
            authority::reissued(machines, |ca| ca);
            authority::intermediate(machines);
            let chain = [machines.lab.read("between.pem"), read(machines, CERTIFICATE)];
            write(machines, CERTIFICATE, chain.concat());
        },
        seen: both(&[Ends("etcdone", NO_PAIR)]),
        rule: "chain-order",
        file: CERTIFICATE,
    },
    trust_file_empty: Fault {
        what: "The member's trust file is empty",
        cluster: Cluster::One,
        plant: |machines| write(machines, TRUST, ""),
        seen: both(&[ClientFails("tls: bad certificate"), Rejects("etcdone", UNKNOWN)]),
        rule: "trust-empty",
        file: TRUST,
    },
    trust_file_in_der: Fault {
        what: "The member's trust file is in DER",
        cluster: Cluster::One,
        plant: |machines| convert(machines, TRUST, &["x509", "-outform", "DER"]),
        seen: both(&[ClientFails("tls: bad certificate"), Rejects("etcdone", UNKNOWN)]),
        rule: "trust-empty",
        file: TRUST,
    },
    trust_file_with_the_cas_key: Fault {
        what: "The member's trust file also contains the CA's key",
        cluster: Cluster::One,
        plant: |machines| {
            let both = [read(machines, TRUST), machines.lab.read("pki/ca-key.pem")];
            write(machines, TRUST, both.concat());
        },
        seen: [
            &[Ends("etcdone", "x509: malformed tbs certificate")],
            &[Ends("etcdone", "asn1: structure error: tags don't match")],
        ],
        rule: "trust-foreign-block",
        file: TRUST,
    },
    trust_file_of_a_leaf: Fault {
        what: "The member trusts its own certificate instead of the CA",
        cluster: Cluster::One,
        plant: |machines| write(machines, TRUST, read(machines, CERTIFICATE)),
        seen: both(&[ClientFails("tls: bad certificate"), Rejects("etcdone", UNKNOWN)]),
        rule: "trust-not-ca",
        file: TRUST,
    },
    trust_file_of_another_ca: Fault {
        what: "The member trusts another CA",
        cluster: Cluster::One,
        plant: |machines| {
            Forged::another_ca(machines).named("another CA").write("another");
            write(machines, TRUST, machines.lab.read("another.pem"));
        },
        seen: both(&[ClientFails("tls: bad certificate"), Rejects("etcdone", UNKNOWN)]),
        rule: "trust-wrong-ca",
        file: TRUST,
    },
}
