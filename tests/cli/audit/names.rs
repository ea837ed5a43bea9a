//! Faults in certificates that the lab's own CA signed.

use time::Duration;

use super::plant::{BOTH, Planted, openssl};
use super::{after, host};

fn server(plant: impl Fn() -> Planted<'static>) -> Vec<String> {
    after(|lab| plant().write(lab, &host("etcdone/server")))
}

fn peer(plant: impl Fn() -> Planted<'static>) -> Vec<String> {
    after(|lab| plant().write(lab, &host("etcdone/peer")))
}

fn client(plant: impl Fn() -> Planted<'static>) -> Vec<String> {
    after(|lab| plant().write(lab, &host("masterone/apiserver-etcd-client")))
}

#[track_caller]
fn only(found: &[String], file: &str, rules: &[&str]) {
    let wanted: Vec<String> = rules.iter().map(|rule| format!("{file}: {rule}")).collect();
    assert_eq!(found, wanted);
}

const SERVER_FILE: &str = "etcdone/server.pem";
const PEER_FILE: &str = "etcdone/peer.pem";
const CLIENT_FILE: &str = "masterone/apiserver-etcd-client.pem";

#[test]
fn what_is_planted_is_sound_but_for_its_fault() {
    let lab = super::copy_of(&super::APPLIED);
    Planted::server().write(&lab, &host("etcdone/server"));
    Planted::peer().serial("52").write(&lab, &host("etcdone/peer"));
    Planted::client().serial("53").write(&lab, &host("masterone/apiserver-etcd-client"));
    assert_eq!(super::found(&lab), [""; 0]);
}

#[test]
fn an_expired_certificate_is_found() {
    let ended = || Planted::server().life(Duration::days(-10), Duration::days(-1));
    only(&server(ended), SERVER_FILE, &["leaf-expired"]);
}

#[test]
fn a_certificate_that_is_not_yet_valid_is_found() {
    let early = || Planted::server().life(Duration::days(1), Duration::days(366));
    only(&server(early), SERVER_FILE, &["leaf-not-yet-valid"]);
}

#[test]
fn a_certificate_that_ends_soon_is_found() {
    let soon = || Planted::server().life(Duration::days(-355), Duration::days(10));
    only(&server(soon), SERVER_FILE, &["leaf-expiring"]);
}

#[test]
fn a_name_that_only_the_manifest_misses_is_found() {
    let more =
        || Planted::server().names("DNS:etcdone, DNS:localhost, IP:127.0.0.1, IP:192.168.29.61");
    only(&server(more), SERVER_FILE, &["manifest-drift"]);
}

#[test]
fn two_certificates_with_one_serial_number_are_found() {
    let found = after(|lab| {
        Planted::server().write(lab, &host("etcdone/server"));
        Planted::peer().write(lab, &host("etcdone/peer"));
    });
    only(&found, SERVER_FILE, &["serial-dup"]);
}

#[test]
fn a_server_without_the_address_that_it_advertises_is_found() {
    let local = || Planted::server().names("DNS:etcdone, DNS:localhost, IP:127.0.0.1");
    only(&server(local), SERVER_FILE, &["srv-san-advertise"]);
}

#[test]
fn a_server_without_its_loopback_is_found() {
    let remote = || Planted::server().names("DNS:etcdone, DNS:localhost, IP:192.168.29.61");
    only(&server(remote), SERVER_FILE, &["srv-san-loopback"]);
}

#[test]
fn a_server_with_only_a_common_name_is_found() {
    only(&server(|| Planted::server().names("")), SERVER_FILE, &["san-none-cn-only"]);
}

#[test]
fn a_server_with_its_address_as_a_dns_name_is_found() {
    let text =
        || Planted::server().names("DNS:etcdone, DNS:localhost, IP:127.0.0.1, DNS:192.168.29.61");
    only(&server(text), SERVER_FILE, &["san-ip-as-dns", "srv-san-advertise"]);
}

#[test]
fn a_server_with_the_address_of_another_member_is_found() {
    const NAMES: &str =
        "DNS:etcdone, DNS:localhost, IP:127.0.0.1, IP:192.168.29.61, IP:192.168.29.62";
    only(&server(|| Planted::server().names(NAMES)), SERVER_FILE, &["san-foreign-node"]);
}

#[test]
fn a_server_whose_gateway_gets_no_answer_is_found() {
    let plain = || Planted::server().usages("serverAuth");
    only(&server(plain), SERVER_FILE, &["srv-eku-client"]);
}

#[test]
fn a_client_certificate_on_the_servers_port_is_found() {
    let plain = || Planted::server().usages("clientAuth");
    only(&server(plain), SERVER_FILE, &["srv-eku-server"]);
}

#[test]
fn a_certificate_for_any_usage_is_found() {
    let any = || Planted::server().usages("anyExtendedKeyUsage");
    only(&server(any), SERVER_FILE, &["eku-any"]);
}

#[test]
fn a_key_that_may_not_sign_is_found() {
    const USAGE: &str = "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, keyAgreement";
    only(&server(|| Planted::server().more(USAGE)), SERVER_FILE, &["leaf-ku"]);
}

#[test]
fn a_leaf_that_is_a_ca_is_found() {
    const CA: &str = "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, digitalSignature";
    only(&server(|| Planted::server().more(CA)), SERVER_FILE, &["leaf-is-ca"]);
}

#[test]
fn a_signature_over_sha_1_is_found() {
    only(&server(|| Planted::server().hash("sha1")), SERVER_FILE, &["sig-weak"]);
}

/// The cluster looks healthy, because the other side's streams carry both directions.
#[test]
fn a_peer_that_cannot_dial_or_cannot_be_dialled_is_found() {
    for usage in ["serverAuth", "clientAuth"] {
        let one_way = || Planted::peer().usages(usage);
        only(
            &after(|lab| one_way().write(lab, &host("etcdone/peer"))),
            PEER_FILE,
            &["peer-eku-both"],
        );
    }
}

#[test]
fn a_peer_with_only_names_is_found() {
    let named = || Planted::peer().names("DNS:etcdone, DNS:etcd-peer.lab");
    only(&peer(named), PEER_FILE, &["peer-san-dial", "peer-san-dns-only"]);
}

#[test]
fn a_peer_with_the_address_of_another_member_is_found() {
    let other = || Planted::peer().names("IP:192.168.29.62, DNS:etcd-peer.lab");
    let rules = ["peer-san-dial", "peer-san-source", "san-foreign-node"];
    only(&peer(other), PEER_FILE, &rules);
}

#[test]
fn a_peer_without_the_name_that_all_peers_share_is_found() {
    let alone = || Planted::peer().names("DNS:etcdone, IP:192.168.29.61");
    only(&peer(alone), PEER_FILE, &["peer-allow-hostname"]);
}

#[test]
fn a_client_that_the_peer_port_lets_in_is_found() {
    only(&client(|| Planted::client().names("")), CLIENT_FILE, &["peer-port-open-to-clients"]);
    let at_home = || Planted::client().names("IP:192.168.29.51");
    only(&client(at_home), CLIENT_FILE, &["cli-san-matches-host"]);
}

#[test]
fn a_client_that_can_pose_as_a_member_is_found() {
    only(&client(|| Planted::client().usages(BOTH)), CLIENT_FILE, &["cli-has-serverauth"]);
}

#[test]
fn a_client_that_is_root_is_found() {
    let root = || Planted::new("root", "DNS:apiserver-etcd-client.invalid", "clientAuth");
    only(&client(root), CLIENT_FILE, &["cli-cn-root"]);
}

#[test]
fn a_server_certificate_where_a_client_belongs_is_found() {
    let serving = || Planted::client().usages("serverAuth");
    only(&client(serving), CLIENT_FILE, &["cli-eku", "cli-has-serverauth"]);
}

/// As on a master if one certificate is used for everything.
#[test]
fn a_client_with_the_key_of_a_member_is_found() {
    let found = after(|lab| {
        let key = "apiserver-etcd-client-key.pem";
        super::copy(lab, "hosts/etcdone/peer-key.pem", &format!("hosts/masterone/{key}"));
        Planted::client().write(lab, &host("masterone/apiserver-etcd-client"));
    });
    only(&found, CLIENT_FILE, &["cli-shared-key"]);
}

#[test]
fn a_key_that_is_too_small_is_found() {
    let found = after(|lab| {
        openssl(lab, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small.pem");
        std::fs::copy(lab.path("small.pem"), lab.path(host("etcdone/server-key.pem"))).unwrap();
        Planted::server().write(lab, &host("etcdone/server"));
    });
    only(&found, SERVER_FILE, &["key-weak"]);
}
