//! A real etcd rejects a client certificate, and `verify --connect` says which of the two is wrong.

use serde_json::Value;

use super::certificates::{self, CLIENT, HOSTS};
use super::cluster::Cluster;
use super::cluster::Version::{V3_4, V3_5};
use super::wait_until_healthy;
use crate::lab::Lab;

/// The evidence of `endpoint-refuses-client`.
fn evidence(lab: &Lab, endpoint: &str, client: &str, more: &[&str]) -> String {
    let (cert, key) = (format!("{client}.pem"), format!("{client}-key.pem"));
    let connect = ["verify", "--format", "json", "--connect", endpoint];
    let run = lab.run(&[&connect[..], &["--cert", &cert, "--cert-key", &key], more].concat());
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = document["files"][0]["findings"].as_array().unwrap();
    let refused = findings.iter().find(|one| one["rule"] == "endpoint-refuses-client");
    refused.unwrap_or_else(|| panic!("{run:?}"))["evidence"].as_str().unwrap().to_owned()
}

/// With TLS 1.2, as in etcd 3.5.1, the alert arrives while the client still sends, and often got lost.
#[test]
fn etcd_rejects_a_client_and_the_evidence_says_whose_fault_it_is() {
    for version in [V3_4, V3_5] {
        let lab = certificates::lab("ecdsa-p256");
        let mut cluster = Cluster::start(version, &lab, &HOSTS[..1], &[]);
        wait_until_healthy(&mut cluster);
        cluster.wait("the short-lived certificate expires", |cluster| {
            let run = cluster.lab.run(&["verify", "expired.pem"]);
            if run.stdout.contains("leaf-expired") { Ok(()) } else { Err(run.stdout) }
        });
        let client_port = cluster.members[0].client_url();
        for (client, rule) in [
            ("expired", "leaf-expired"),
            ("stranger", "path-signature"),
            ("server-only", "cli-eku"),
        ] {
            for _ in 0..5 {
                let said = evidence(&lab, &client_port, client, &[]);
                let expected = format!(
                    "it sent the TLS alert bad_certificate; the client certificate is at fault: [{rule}]"
                );
                assert!(said.starts_with(&expected), "{version:?} {client}: {said}");
            }
        }
        let ca = ["--ca", "other/ca.pem"];
        let said = evidence(&lab, &client_port, "stranger", &ca);
        assert!(said.contains("so the server is at fault: it does not trust that CA"), "{said}");
        let said = evidence(&lab, &cluster.members[0].peer_url(), CLIENT, &["--purpose", "peer"]);
        assert!(said.contains("without an alert"), "{said}");
        assert!(said.contains("on a peer port of etcd because none of its names"), "{said}");
    }
}
