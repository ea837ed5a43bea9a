//! Certificates from the command line in a real cluster of three members, which require certificates on the client
//! port and on the peer port.

mod blame;
pub(crate) mod certificates;
pub(crate) mod cluster;
mod connect;
mod https;

use std::thread;

use certificates::{ASKED, CLIENT, GRANTED, HOSTS, NAMELESS, PEER_NAME, REFUSED};
use cluster::Version::{V3_4, V3_5};
use cluster::{Cluster, Member, Version};
use https::{Request, ask};

/// Reads the key `key`, in base64 for the gateway.
const GATEWAY_RANGE: &str = r#"{"key": "a2V5"}"#;

/// `value`, in base64.
const GATEWAY_VALUE: &str = r#""value":"dmFsdWU=""#;

/// The errors for a connection that the client closed, in the text of 3.4 and in the JSON of 3.5. If the client
/// closed it because of a certificate, the error differs: Go sends `remote error: tls: bad certificate`.
const WENT_AWAY: [&str; 3] = [r#"error "EOF""#, r#""error":"EOF""#, "connection reset by peer"];

#[test]
fn etcd_3_4_lives_on_ecdsa_p256() {
    three_members_live(V3_4, "ecdsa-p256");
}

#[test]
fn etcd_3_4_lives_on_ed25519() {
    three_members_live(V3_4, "ed25519");
}

#[test]
fn etcd_3_4_lives_on_rsa_2048() {
    three_members_live(V3_4, "rsa-2048");
}

#[test]
fn etcd_3_5_lives_on_ecdsa_p256() {
    three_members_live(V3_5, "ecdsa-p256");
}

#[test]
fn etcd_3_5_lives_on_ed25519() {
    three_members_live(V3_5, "ed25519");
}

#[test]
fn etcd_3_5_lives_on_rsa_2048() {
    three_members_live(V3_5, "rsa-2048");
}

/// The control for `no_member_rejected_a_connection`: with a certificate as in many tutorials, a member rejects its
/// own gateway (etcd-io/etcd#9785), and everything else seems healthy.
#[test]
fn a_server_certificate_without_client_auth_makes_etcd_reject_its_own_gateway() {
    for version in [V3_4, V3_5] {
        let lab = certificates::lab("ecdsa-p256");
        certificates::damage_server_certificate(&lab, HOSTS[0]);
        let mut cluster = Cluster::start(version, &lab, &HOSTS[..1], &[]);
        wait_until_healthy(&mut cluster);
        let reason = "x509: certificate specifies an incompatible key usage";
        cluster.wait("the member rejects its gateway", |cluster| {
            let rejections = cluster.rejections(&cluster.members[0]);
            let found = rejections.iter().any(|line| line.contains(reason));
            if found { Ok(()) } else { Err(format!("{rejections:?}")) }
        });
        let answer = &ask(&lab, &[gateway(&cluster.members[0], Some(CLIENT))])[0];
        assert_eq!(answer.status, Some(503), "{version:?}: {answer:?}");
    }
}

/// With the name that all peers share, the peer port rejects every other certificate of the CA, even one without
/// names.
#[test]
fn the_shared_peer_name_shuts_the_peer_port_to_nameless_clients() {
    for version in [V3_4, V3_5] {
        let lab = certificates::lab("ecdsa-p256");
        let options = ["--peer-cert-allowed-hostname", PEER_NAME];
        let mut cluster = Cluster::start(version, &lab, &HOSTS, &options);
        wait_until_healthy(&mut cluster);
        members_may_dial_each_other(&cluster);
        refused(&mut cluster, "client certificate authentication failed", |member| {
            members(member, NAMELESS)
        });
    }
}

/// The names that the CA permits do not include `.invalid`, so the sentinel is below one of them.
#[test]
fn the_client_of_a_constrained_ca_is_rejected_only_by_the_peer_port() {
    for version in [V3_4, V3_5] {
        let lab = certificates::constrained();
        let mut cluster = Cluster::start(version, &lab, &HOSTS[..1], &[]);
        wait_until_healthy(&mut cluster);
        let reason = format!("does not match any of DNSNames [\"{CLIENT}.invalid.example.com\"]");
        refused(&mut cluster, &reason, |member| members(member, CLIENT));
    }
}

fn three_members_live(version: Version, algorithm: &str) {
    let lab = certificates::lab(algorithm);
    let mut cluster = Cluster::start(version, &lab, &HOSTS, &[]);
    wait_until_healthy(&mut cluster);
    every_endpoint_writes_and_reads(&cluster);
    every_gateway_reads(&cluster);
    members_may_dial_each_other(&cluster);
    a_stopped_member_is_not_missed_and_catches_up(&mut cluster);
    no_member_rejected_a_connection(&cluster);
    the_client_port_refuses_wrong_certificates(&mut cluster);
    the_peer_port_refuses_the_client(&mut cluster);
}

/// Queries each member separately, because a client of all three hides one that fails by trying the next.
fn wait_until_healthy(cluster: &mut Cluster<'_>) {
    cluster.wait("every member is healthy", |cluster| {
        for member in &cluster.members {
            let run = cluster.etcdctl(member, Some(CLIENT), &["endpoint", "health"]);
            if run.code != 0 {
                return Err(format!("{}: {run:?}", member.host.name));
            }
        }
        Ok(())
    });
}

fn every_endpoint_writes_and_reads(cluster: &Cluster<'_>) {
    for member in &cluster.members {
        let name = member.host.name;
        let run = cluster.etcdctl(member, Some(CLIENT), &["put", name, "value"]);
        assert_eq!((run.code, run.stdout.as_str()), (0, "OK\n"), "{name}: {run:?}");
    }
    for member in &cluster.members {
        for written in HOSTS {
            let args = ["get", "--print-value-only", written.name];
            let run = cluster.etcdctl(member, Some(CLIENT), &args);
            assert_eq!((run.code, run.stdout.as_str()), (0, "value\n"), "{run:?}");
        }
    }
}

/// The gateway is etcd's JSON API. It connects to its own member with the server certificate as client certificate.
fn every_gateway_reads(cluster: &Cluster<'_>) {
    let run = cluster.etcdctl(&cluster.members[0], Some(CLIENT), &["put", "key", "value"]);
    assert_eq!(run.code, 0, "{run:?}");
    let requests: Vec<_> = cluster.members.iter().map(|m| gateway(m, Some(CLIENT))).collect();
    for answer in ask(cluster.lab, &requests) {
        assert_eq!(answer.status, Some(200), "{answer:?}");
        assert!(answer.text.contains(GATEWAY_VALUE), "{answer:?}");
    }
}

/// Every ordered pair. The members' health does not prove it, because the streams that the other side opened hide a
/// fault in one direction.
fn members_may_dial_each_other(cluster: &Cluster<'_>) {
    let certificates: Vec<_> = HOSTS.iter().map(|host| format!("{}-peer", host.name)).collect();
    let mut requests = Vec::new();
    for member in &cluster.members {
        requests.extend(certificates.iter().map(|certificate| members(member, certificate)));
    }
    for (request, answer) in requests.iter().zip(ask(cluster.lab, &requests)) {
        assert_eq!(answer.status, Some(200), "{request:?}: {answer:?}");
        assert!(answer.text.contains("etcdthree"), "{answer:?}");
    }
}

/// Stops the leader. The others must elect a new one over their peer connections before a write succeeds.
fn a_stopped_member_is_not_missed_and_catches_up(cluster: &mut Cluster<'_>) {
    let leader = cluster.wait("a member leads", leader);
    cluster.stop_member(leader);
    let put = ["--command-timeout=1s", "put", "while-one-was-away", "value"];
    for survivor in (0..HOSTS.len()).filter(|index| *index != leader) {
        cluster.wait("a write while a member is away", |cluster| {
            let run = cluster.etcdctl(&cluster.members[survivor], Some(CLIENT), &put);
            if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
        });
    }
    cluster.start_member(leader);
    cluster.wait("the stopped member catches up", |cluster| {
        // A serializable read uses only the member's own store.
        let get = ["get", "--consistency=s", "--print-value-only", "while-one-was-away"];
        let run = cluster.etcdctl(&cluster.members[leader], Some(CLIENT), &get);
        if run.stdout == "value\n" { Ok(()) } else { Err(format!("{run:?}")) }
    });
    wait_until_healthy(cluster);
    every_gateway_reads(cluster);
}

/// The index of the leader.
fn leader(cluster: &Cluster<'_>) -> Result<usize, String> {
    let status = |member: &Member| Request {
        url: format!("{}/v3/maintenance/status", member.client_url()),
        certificate: Some(CLIENT),
        body: Some("{}"),
    };
    let requests: Vec<_> = cluster.members.iter().map(status).collect();
    let answers = ask(cluster.lab, &requests);
    let leads = |text: &str| {
        let status: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        status["leader"].is_string() && status["leader"] == status["header"]["member_id"]
    };
    answers.iter().position(|answer| leads(&answer.text)).ok_or_else(|| format!("{answers:?}"))
}

/// Nobody has used a wrong certificate yet, so any rejection would be of etcd's own connections. A client that closes
/// its connection does not count: etcdctl does that on a timeout, and so does a member that is killed.
fn no_member_rejected_a_connection(cluster: &Cluster<'_>) {
    for member in &cluster.members {
        let mut rejections = cluster.rejections(member);
        rejections.retain(|line| !WENT_AWAY.iter().any(|error| line.contains(error)));
        assert!(rejections.is_empty(), "{}: {rejections:#?}", member.host.name);
    }
}

fn the_client_port_refuses_wrong_certificates(cluster: &mut Cluster<'_>) {
    cluster.wait("the short-lived certificate expires", |cluster| {
        let run = cluster.lab.run(&["verify", "expired.pem"]);
        if run.code == 1 && run.stdout.contains("expired") { Ok(()) } else { Err(run.stdout) }
    });
    for (certificate, reason) in REFUSED {
        refused(cluster, reason, |member| gateway(member, certificate));
    }
    // Also with etcdctl, which retries until its timeout; therefore all in parallel.
    let first = &cluster.members[0];
    thread::scope(|scope| {
        for (certificate, reason) in REFUSED {
            let cluster = &*cluster;
            scope.spawn(move || {
                let args = ["--dial-timeout=1s", "--command-timeout=1s", "put", "wrong", reason];
                let run = cluster.etcdctl(first, certificate, &args);
                assert_ne!(run.code, 0, "{certificate:?}: {run:?}");
            });
        }
    });
    let get = ["get", "--print-value-only", "wrong"];
    let run = cluster.etcdctl(first, Some(CLIENT), &get);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
}

/// etcd holds the names of a peer's certificate against the address that dials; a certificate
/// without names it lets in (checkCertSAN). The name under .invalid that our client profile adds is
/// what shuts the port; without it the same request is answered. So it is if the operator adds the
/// address that the client dials from; a PKCS #10 that asks for it does not get it. etcd asks its resolver for that
/// name: the only word of these tests that may leave the machine.
fn the_peer_port_refuses_the_client(cluster: &mut Cluster<'_>) {
    for client in [CLIENT, ASKED] {
        let reason = format!("does not match any of DNSNames [\"{client}.invalid\"]");
        refused(cluster, &reason, |member| members(member, client));
    }
    for control in [NAMELESS, GRANTED] {
        let requests: Vec<_> = cluster.members.iter().map(|m| members(m, control)).collect();
        for answer in ask(cluster.lab, &requests) {
            assert_eq!(answer.status, Some(200), "the control must pass: {answer:?}");
        }
    }
}

/// No member answers this request, and its log gives the reason.
fn refused<'a>(cluster: &mut Cluster<'_>, reason: &str, request: impl Fn(&Member) -> Request<'a>) {
    let requests: Vec<_> = cluster.members.iter().map(request).collect();
    let answers = ask(cluster.lab, &requests);
    for (index, (request, answer)) in requests.iter().zip(answers).enumerate() {
        assert_eq!(answer.status, None, "{request:?}: {answer:?}");
        let dialler = format!("{}\"", answer.local);
        cluster.wait("the member logs the reason for the rejection", |cluster| {
            let rejections = cluster.rejections(&cluster.members[index]);
            match rejections.iter().find(|line| line.contains(&dialler)) {
                Some(line) if line.contains(reason) => Ok(()),
                other => Err(format!("{request:?}: {answer:?}: {reason:?} is not in {other:?}")),
            }
        });
    }
}

/// A read through the gateway of a member's client port.
fn gateway<'a>(member: &Member, certificate: Option<&'a str>) -> Request<'a> {
    let url = format!("{}/v3/kv/range", member.client_url());
    Request { url, certificate, body: Some(GATEWAY_RANGE) }
}

/// The list of members, from a member's peer port.
fn members<'a>(member: &Member, certificate: &'a str) -> Request<'a> {
    let url = format!("{}/members", member.peer_url());
    Request { url, certificate: Some(certificate), body: None }
}
