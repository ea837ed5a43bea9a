//! `verify --connect --cert`: whose fault it is that a server rejects the client certificate.

use crate::lab::Lab;
use crate::members::openssl_server;

/// The evidence of `endpoint-refuses-client` from a server that trusts the CA in this file.
fn evidence(lab: &Lab, trusted: &str, client: &str) -> String {
    // The server accepts nobody else, and sends an alert.
    let options = ["-www", "-Verify", "3", "-verify_return_error", "-CAfile", trusted];
    let (_server, endpoint) = openssl_server(lab, "server", &options);
    let (cert, key) = (format!("{client}.pem"), format!("{client}-key.pem"));
    let connect = ["verify", "--connect", &endpoint, "--cert", &cert, "--cert-key", &key];
    let run = lab.run(&[&connect[..], &["--format", "json"]].concat());
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = document["files"][0]["findings"].as_array().unwrap();
    let refused = findings.iter().find(|one| one["rule"] == "endpoint-refuses-client");
    let Some(refused) = refused else { return format!("accepted: {run:?}") };
    assert_eq!(run.code, 1, "{run:?}");
    refused["evidence"].as_str().unwrap().to_owned()
}

#[test]
fn a_rejected_client_learns_which_of_the_two_is_wrong() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["init-ca", "--dir", "other", "--cn", "another CA"]);
    lab.ok(&["issue", "--profile", "server", "server", "--san", "127.0.0.1"]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.ok(&["issue", "--dir", "other", "--profile", "client", "stranger"]);
    assert!(evidence(&lab, "pki/ca.pem", "api").starts_with("accepted"));
    let wrong_server = evidence(&lab, "other/ca.pem", "api");
    assert!(wrong_server.contains("alert"), "{wrong_server}");
    assert!(wrong_server.contains("CN=api is valid under CN=etcd CA"), "{wrong_server}");
    assert!(wrong_server.contains("the server is at fault"), "{wrong_server}");
    let wrong_client = evidence(&lab, "pki/ca.pem", "stranger");
    assert!(wrong_client.contains("the client certificate is at fault"), "{wrong_client}");
    assert!(wrong_client.contains("[path-unknown-authority] CN=stranger"), "{wrong_client}");
}
