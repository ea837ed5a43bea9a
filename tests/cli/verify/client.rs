//! `verify --connect --cert`: whose fault it is that a server rejects the client certificate.

use crate::lab::Lab;
use crate::members::{openssl_server, openssl_server_at};

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

/// etcd reads its certificate at each handshake, but the CAs that it trusts only when it starts. The manifest decides the
/// port, so the address is one that no other test uses.
#[test]
fn a_member_that_serves_its_folder_and_rejects_a_valid_client_trusts_what_it_read_when_it_started()
{
    const ADDRESS: &str = "127.84.10.11";
    let lab = Lab::new();
    let member = format!("etcd: [{{ name: etcdone, ip: {ADDRESS} }}]");
    lab.write("cluster.yaml", format!("cluster: demo\n{member}\nclients: [{{ name: api }}]\n"));
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&["init-ca", "--dir", "old", "--cn", "old CA"]);
    let client = ["--cert", "pki/hosts/admin/api.pem", "--cert-key", "pki/hosts/admin/api-key.pem"];
    let finding = |trusted: &str| {
        let options = ["-www", "-Verify", "3", "-verify_return_error", "-CAfile", trusted];
        let endpoint = format!("{ADDRESS}:2379");
        let _server = openssl_server_at(&endpoint, &lab, "pki/hosts/etcdone/server", &options);
        let verify = ["verify", "-f", "cluster.yaml", "--connect", "--format", "json"];
        let run = lab.run(&[&verify[..], &client].concat());
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let findings = document["files"][0]["findings"].as_array().unwrap();
        findings.first().map(|one| [&one["rule"], &one["remedy"]].map(ToString::to_string))
    };
    assert_eq!(finding("pki/ca.pem"), None);
    let [rule, remedy] = finding("old/ca.pem").unwrap();
    assert_eq!(rule, "\"endpoint-stale-trust\"");
    assert!(remedy.contains("Restart the member: `systemctl restart etcd`"), "{remedy}");
}
