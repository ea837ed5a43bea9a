//! `verify --connect` with real etcd members, and with ports of other servers.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use super::certificates::{self, CLIENT, HOSTS};
use super::cluster::Version::{V3_4, V3_5};
use super::cluster::{Cluster, Version};
use super::wait_until_healthy;
use crate::lab::{Lab, Run};
use crate::members::openssl_server;

/// The result of `verify` for one endpoint.
#[derive(Debug, PartialEq)]
struct Seen {
    code: i32,
    tls: Option<String>,
    client: String,
    rules: Vec<String>,
}

fn seen(code: i32, tls: Option<&str>, client: &str, rules: &[&str]) -> Seen {
    Seen {
        code,
        tls: tls.map(str::to_owned),
        client: client.to_owned(),
        rules: rules.iter().map(ToString::to_string).collect(),
    }
}

fn connect(lab: &Lab, endpoint: &str, certificate: Option<&str>, more: &[&str]) -> Seen {
    let files = certificate.map(|base| (format!("{base}.pem"), format!("{base}-key.pem")));
    let mut args = vec!["verify", "--format", "json", "--connect", endpoint];
    if let Some((cert, key)) = &files {
        args.extend(["--cert", cert, "--cert-key", key]);
    }
    args.extend(more);
    let run = lab.run(&args);
    let document: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let one = &document["files"][0];
    assert!(one["endpoint"].is_object(), "{run:?}");
    let rules = one["findings"].as_array().unwrap().iter();
    Seen {
        code: run.code,
        tls: one["endpoint"]["tls_version"].as_str().map(str::to_owned),
        client: one["endpoint"]["client_certificate"].as_str().unwrap().to_owned(),
        rules: rules.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect(),
    }
}

#[test]
fn endpoints_of_etcd_3_4_are_seen_as_they_are() {
    endpoints_are_seen_as_they_are(V3_4, "TLSv1.3");
}

/// The upstream binary was built with a Go version whose etcd servers support only TLS 1.2.
#[test]
fn endpoints_of_etcd_3_5_are_seen_as_they_are() {
    endpoints_are_seen_as_they_are(V3_5, "TLSv1.2");
}

fn endpoints_are_seen_as_they_are(version: Version, tls: &str) {
    let lab = certificates::lab("ecdsa-p256");
    let metrics = TcpListener::bind(("127.0.0.5", 0)).unwrap().local_addr().unwrap();
    let options = ["--listen-metrics-urls", &format!("http://{metrics}")];
    let mut cluster = Cluster::start(version, &lab, &HOSTS[..1], &options);
    wait_until_healthy(&mut cluster);
    let member = &cluster.members[0];
    let client_port = member.client_url();
    let peer_port = member.peer_url();
    let tls = Some(tls);

    // A valid server certificate, and how the endpoint handles client certificates.
    let refused = ["endpoint-refuses-client"];
    assert_eq!(connect(&lab, &client_port, None, &[]), seen(0, tls, "required", &[]));
    assert_eq!(connect(&lab, &client_port, Some(CLIENT), &[]), seen(0, tls, "accepted", &[]));
    for stranger in ["stranger", "server-only"] {
        let found = connect(&lab, &client_port, Some(stranger), &[]);
        assert_eq!(found, seen(1, tls, "refused", &refused), "{stranger}");
    }
    // The peer port compares a certificate's names with the address that connects, and rejects it without an alert.
    let peer = ["--purpose", "peer"];
    let found = connect(&lab, &peer_port, Some("etcdone-peer"), &peer);
    assert_eq!(found, seen(0, tls, "accepted", &[]));
    assert_eq!(connect(&lab, &peer_port, Some(CLIENT), &peer), seen(1, tls, "refused", &refused));
    let text = lab.run(&[
        "verify",
        "--connect",
        &peer_port,
        "--purpose",
        "peer",
        "--cert",
        &format!("{CLIENT}.pem"),
        "--cert-key",
        &format!("{CLIENT}-key.pem"),
    ]);
    assert!(text.stdout.contains("closed the connection without an alert"), "{text:?}");

    // A name that is not in the certificate, a server name, another time, another CA.
    let wrong = ["--host", "elsewhere.example.com"];
    assert_eq!(
        connect(&lab, &client_port, None, &wrong),
        seen(1, tls, "required", &["host-mismatch"])
    );
    let sni = ["--sni", "etcdone.example.com"];
    assert_eq!(connect(&lab, &client_port, None, &sni), seen(0, tls, "required", &[]));
    let found = connect(&lab, &client_port, None, &["--ca", "other/ca.pem"]);
    assert!(found.rules.contains(&"path-signature".to_owned()), "{found:?}");

    // etcd uses a new certificate at the next handshake: one for another host, and one that expires.
    let issue = |more: &[&str]| {
        lab.ok(&[&["issue", "--force", "--profile", "server", "etcdone"], more].concat());
    };
    issue(&["--san", "127.0.0.99"]);
    assert_eq!(connect(&lab, &client_port, None, &[]).rules, ["host-mismatch"]);
    issue(&["--san", HOSTS[0].address, "--expiry", "1s"]);
    cluster.wait("the certificate expires", |_| {
        let found = connect(&lab, &client_port, None, &[]);
        if found.rules == ["leaf-expired"] { Ok(()) } else { Err(format!("{found:?}")) }
    });

    // A key that does not belong to the certificate: Go has nothing to serve, and reports only internal_error.
    issue(&["--san", HOSTS[0].address]);
    lab.write("etcdone-key.pem", lab.read("etcdone-peer-key.pem"));
    let found = lab.run(&["verify", "--connect", &client_port]);
    let explanation = "the TLS alert internal_error: etcd cannot read its certificate or key";
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.stdout.contains(explanation), "{found:?}");

    // A port of the same member that uses plain HTTP.
    let found = connect(&lab, &metrics.to_string(), None, &[]);
    assert_eq!(found, seen(1, None, "not-asked", &["endpoint-plain-http"]));
}

/// OpenSSL's server, which does not request a client certificate.
#[test]
fn a_server_that_lets_everybody_in_is_a_hole() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "server", "open", "--san", "127.0.0.1"]);
    let (_server, endpoint) = openssl_server(&lab, "open", &["-www"]);
    let found = connect(&lab, &endpoint, None, &[]);
    let by_rfc = connect(&lab, &endpoint, None, &["--policy", "rfc5280"]);
    assert_eq!(found, seen(0, Some("TLSv1.3"), "not-asked", &["endpoint-open"]));
    assert_eq!(by_rfc, seen(0, Some("TLSv1.3"), "not-asked", &[]));
}

/// OpenSSL's server without -www closes the connection when its standard input ends. The TLS session is valid, and
/// no client certificate is requested.
#[test]
fn a_session_without_an_answer_is_not_a_failed_handshake() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "server", "open", "--san", "127.0.0.1"]);
    let (_server, endpoint) = openssl_server(&lab, "open", &["-quiet"]);
    let found = connect(&lab, &endpoint, None, &[]);
    assert_eq!(found, seen(0, Some("TLSv1.3"), "not-asked", &["endpoint-open"]));
}

fn fails(lab: &Lab, endpoint: &str, reason: &str) -> Run {
    let run = lab.run(&["verify", "--connect", endpoint, "--timeout", "300ms"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{run:?}");
    assert!(run.stderr.starts_with(&format!("error: {endpoint}: {reason}")), "{run:?}");
    assert!(run.stderr.contains("  hint: "), "{run:?}");
    run
}

#[test]
fn each_reason_for_a_failed_connection_has_its_own_message() {
    let lab = Lab::with_ca(&[]);
    let listener = TcpListener::bind(("127.0.0.6", 0)).unwrap();
    let silent = listener.local_addr().unwrap().to_string();
    let _ = fails(
        &lab,
        &silent,
        "the server accepted the connection, but did not answer in TLS within 0.3 s",
    );
    drop(listener);
    let _ = fails(&lab, &silent, "connection refused");
    // RFC 6761: no name under .invalid resolves.
    let _ = fails(&lab, "etcd.invalid:2379", "the name does not resolve");
}

/// Any other server whose first bytes are not a handshake.
#[test]
fn a_server_that_speaks_first_and_something_else_is_a_finding() {
    let lab = Lab::with_ca(&[]);
    for (greeting, rule) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "endpoint-handshake"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "endpoint-plain-http"),
    ] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(greeting.as_bytes()).unwrap();
            // Until the client has closed the connection.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let found = connect(&lab, &endpoint, None, &[]);
        server.join().unwrap();
        assert_eq!((found.code, &found.rules[..]), (1, &[rule.to_owned()][..]), "{found:?}");
    }
}

/// Python's http.server answers a malformed request as in HTTP/0.9, with only a page.
#[test]
fn a_page_without_a_status_line_is_plain_http() {
    let lab = Lab::with_ca(&[]);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        for answer in ["<!DOCTYPE HTML>\n<p>Bad request syntax\n", "HTTP/1.0 404 Not Found\r\n\r\n"]
        {
            let (mut stream, _) = listener.accept().unwrap();
            assert_ne!(stream.read(&mut [0; 8192]).unwrap(), 0);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let found = connect(&lab, &endpoint, None, &[]);
    server.join().unwrap();
    assert_eq!(found, seen(1, None, "not-asked", &["endpoint-plain-http"]));
}

/// Options for endpoints are not silently ignored if files are verified.
#[test]
fn options_for_endpoints_go_with_endpoints() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    for options in [
        &["--sni", "etcdone"][..],
        &["--timeout", "1s"],
        &["--cert", "api.pem", "--cert-key", "api-key.pem"],
    ] {
        let run = lab.run(&[&["verify", "api.pem"], options].concat());
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        let run = lab.run(&[&["verify", "-f", "cluster.yaml"], options].concat());
        assert!(run.code == 2 && run.stderr.contains("--connect"), "{run:?}");
    }
}

/// Any answer leads to a finding, because Go clients also parse every certificate that is served.
#[test]
fn what_is_served_and_cannot_be_read_is_a_finding() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "server", "open", "--san", "127.0.0.1"]);
    let leaf = CertificateDer::from_pem_slice(&lab.read("open.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&lab.read("open-key.pem")).unwrap();
    let chain = vec![leaf, CertificateDer::from(vec![0x30, 0x03, 0x02, 0x01, 0x01])];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = rustls::StreamOwned::new(connection, stream);
        assert_ne!(tls.read(&mut [0; 1024]).unwrap(), 0);
        tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    });
    let found = connect(&lab, &endpoint, None, &[]);
    server.join().unwrap();
    let rules = ["endpoint-handshake", "endpoint-open"];
    assert_eq!(found, seen(1, Some("TLSv1.3"), "not-asked", &rules));
}
