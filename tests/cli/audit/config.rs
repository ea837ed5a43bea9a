//! Faults in the members' configuration.

use super::{after, append, edit};

const CONF: &str = "etcdone/etcd.conf.yaml";

const UNIT: &str = "etcdone/etcd.service";

/// Edits the configuration of one member, and returns the violated rules.
#[track_caller]
fn conf(from: &str, to: &str, rule: &str) {
    assert_eq!(after(|lab| edit(lab, CONF, from, to)), [format!("{CONF}: {rule}")]);
}

#[track_caller]
fn more(line: &str, rule: &str) {
    assert_eq!(after(|lab| append(lab, CONF, line)), [format!("{CONF}: {rule}")]);
}

#[test]
fn a_port_without_tls_is_found() {
    conf("https://127.0.0.1:2379", "http://127.0.0.1:2379", "cfg-auth-off");
}

#[test]
fn members_that_ask_nobody_are_found() {
    let options = "  trusted-ca-file: \"/etc/etcd/ca.pem\"\n  client-cert-auth: true\npeer";
    conf(options, "peer", "cfg-auth-off");
    conf(options, "  client-cert-auth: true\npeer", "cfg-ca-missing");
}

#[test]
fn certificates_that_etcd_makes_itself_are_found() {
    more("  auto-tls: true\n", "cfg-auto-tls");
}

#[test]
fn a_key_that_etcd_passes_over_is_found() {
    more("  client-crl-file: \"/etc/etcd/crl.der\"\n", "cfg-yaml-unknown-key");
    more("peer-cert-allowed-hostname: \"etcd-peer.lab\"\n", "cfg-yaml-unknown-key");
}

/// Nothing in it takes effect, and etcd starts.
#[test]
fn a_section_that_is_mistyped_is_found() {
    let found = after(|lab| {
        edit(lab, CONF, "client-transport-security:", "client-transport-securty:");
    });
    let rules = ["cfg-auth-off", "cfg-cert-missing", "cfg-yaml-unknown-key"];
    assert_eq!(found, rules.map(|id| format!("{CONF}: {id}")));
}

#[test]
fn a_file_that_is_not_yaml_is_found() {
    more("  : : [\n", "cfg-malformed");
}

#[test]
fn an_option_in_a_second_place_is_found() {
    for line in ["Environment=ETCD_CLIENT_CERT_AUTH=false\n", ""] {
        let found = after(|lab| {
            let unit = "etcdone/etcd.service";
            if line.is_empty() {
                edit(lab, unit, "etcd.conf.yaml\n", "etcd.conf.yaml --client-cert-auth=false\n");
            } else {
                edit(lab, unit, "ExecStart=", &format!("{line}ExecStart="));
            }
        });
        assert_eq!(found, ["etcdone/etcd.service: cfg-env-flag-clash"]);
    }
}

/// An older etcd is configured through the environment in its unit.
#[test]
fn the_same_faults_in_a_unit_are_found() {
    let original = super::applied("etcd_version: \"3.5.1\"\n");
    for (from, to, rule) in [
        (
            "ExecStart=/usr/bin/etcd",
            "ExecStart=/usr/bin/etcd --cert-file=/etc/etcd/server.pem",
            "cfg-env-flag-clash",
        ),
        (",https://127.0.0.1", ",http://127.0.0.1", "cfg-auth-off"),
        (
            "ExecStart=/usr/bin/etcd",
            "ExecStart=/usr/bin/etcd \\\n  --experimental-peer-skip-client-san-verification",
            "cfg-skip-san",
        ),
        (
            "ALLOWED_HOSTNAME=etcd-peer.lab",
            "ALLOWED_HOSTNAME=etcd-peer.lab,x",
            "peer-allow-hostname",
        ),
        // A port after a space inside quotes, and one on a continuation line.
        (
            "Environment=ETCD_LISTEN_CLIENT_URLS=https://192.168.29.61:2379,",
            "Environment=\"ETCD_LISTEN_CLIENT_URLS=https://192.168.29.61:2379, http://0.0.0.0:2378\" \\\n  A=",
            "cfg-auth-off",
        ),
        (
            "ExecStart=",
            "Environment=ETCD_NAME=etcdone \\\n# a comment\n  ETCD_LISTEN_METRICS_URLS=http://0.0.0.0:2381\nExecStart=",
            "cfg-auth-off",
        ),
        ("PEER_CERT_ALLOWED_HOSTNAME", "PEER_CERT_ALLOWED_HOSTNAMES", "cfg-unknown-variable"),
        (
            "ExecStart=/usr/bin/etcd",
            "ExecStart=/usr/bin/etcd --trusted-ca-files=/x",
            "cfg-malformed",
        ),
        (
            "ExecStart=/usr/bin/etcd",
            "ExecStart=/usr/bin/etcd\nExecStart=/usr/bin/etcd",
            "cfg-malformed",
        ),
        (
            "CLIENT_CERT_AUTH=true\nEnvironment=ETCD_PEER_CERT",
            "CLIENT_CERT_AUTH=yes\nEnvironment=ETCD_PEER_CERT",
            "cfg-malformed",
        ),
        ("ExecStart=", "EnvironmentFile=/etc/etcd/etcd.env\nExecStart=", "cfg-malformed"),
        ("ExecStart=", "EnvironmentFile=-/etc/default/etcd\nExecStart=", "file-unseen"),
        ("ETCD_DATA_DIR=/var/lib/etcd", "ETCD_DATA_DIR=/var/lib/etcd/%m", "cfg-unreadable"),
        ("/usr/bin/etcd\n", "/usr/bin/etcd $DAEMON_ARGS\n", "cfg-unreadable"),
        ("/usr/bin/etcd\n", "/bin/sh -c 'exec /usr/bin/etcd'\n", "cfg-unreadable"),
        ("ExecStart=", "Environment=ETCD_PROXY_URL=x\nExecStart=", "cfg-option-unused"),
        ("TRUSTED_CA_FILE=/etc/etcd/ca.pem\n", "AUTO_TLS=false\n", "cfg-ca-missing"),
    ] {
        let lab = super::copy_of(&original);
        edit(&lab, UNIT, from, to);
        let wanted = [format!("{UNIT}: {rule}")];
        assert_eq!(super::found(&lab), wanted, "{to}");
    }
}

#[test]
fn suites_that_do_not_go_with_the_key_are_found() {
    more("cipher-suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n", "cfg-cipher-vs-key");
}

#[test]
fn a_peer_port_that_checks_no_name_is_found() {
    more("  skip-client-san-verification: true\n", "cfg-skip-san");
}

#[test]
fn a_gateway_that_its_own_allow_list_shuts_out_is_found() {
    let section = "client-transport-security:\n";
    let list = format!("{section}  allowed-hostname: [\"api.lab\"]\n");
    conf(section, &list, "cfg-allowed-hostname-gateway");
}

#[test]
fn two_allow_lists_are_found() {
    more("  allowed-cn: [\"etcdone\", \"etcdtwo\", \"etcdthree\"]\n", "peer-allow-both");
}

#[test]
fn an_allow_list_that_nobody_is_on_is_found() {
    conf("[\"etcd-peer.lab\"]", "[\"etcd-peer.example\"]", "peer-allow-hostname");
}

#[test]
fn a_member_that_dials_another_where_it_is_not_is_found() {
    let (from, to) = ("etcdtwo=https://192.168.29.62:2380", "etcdtwo=https://10.0.0.62:2380");
    conf(from, to, "peer-pairs");
}

/// The certificate is valid, but not for the URL that etcd advertises to its clients.
#[test]
fn a_url_that_the_certificate_is_not_for_is_found() {
    let (from, to) = (
        "advertise-client-urls: \"https://192.168.29.61:2379\"",
        "advertise-client-urls: \"https://10.0.0.61:2379\"",
    );
    let found = after(|lab| edit(lab, CONF, from, to));
    assert_eq!(found, ["etcdone/server.pem: srv-san-advertise"]);
}

/// A name under .invalid, which the metrics port compares with the caller's address.
#[test]
fn metrics_that_no_client_can_read_are_reported() {
    let found = after(|lab| {
        append(lab, CONF, "listen-metrics-urls: https://192.168.29.61:2381\n");
    });
    assert_eq!(found, ["masterone/apiserver-etcd-client.pem: cli-sentinel-metrics"]);
}

/// The environment that systemd sets counts, not the line in which a variable is set.
#[test]
fn an_environment_file_in_the_folder_is_read() {
    let original = super::applied("etcd_version: \"3.5.1\"\n");
    edit(&original, UNIT, "ExecStart=", "EnvironmentFile=-/etc/etcd/etcd.env\nExecStart=");
    for (file, wanted) in [
        ("# ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379\n", None),
        (
            "ETCD_LISTEN_CLIENT_URLS='https://192.168.29.61:2379, http://0.0.0.0:2378'\n",
            Some("cfg-auth-off"),
        ),
        ("ETCD_AUTO_TLS=\\\ntrue\n", Some("cfg-auto-tls")),
        ("export ETCD_AUTO_TLS=true\n", Some("cfg-unknown-variable")),
        ("ETCD_TRUSTED_CA_FILES=/etc/etcd/ca.pem\n", Some("cfg-unknown-variable")),
    ] {
        let lab = super::copy_of(&original);
        lab.write(super::host("etcdone/etcd.env"), file);
        let found = super::found(&lab);
        let rules: Vec<&str> = found.iter().filter_map(|line| line.split(": ").nth(1)).collect();
        assert_eq!(rules, wanted.into_iter().collect::<Vec<_>>(), "{file}: {found:?}");
    }
}

/// An unknown value is not a host name, and an option that may be set is not missing.
#[test]
fn nothing_is_concluded_from_a_variable_that_is_not_known() {
    let lab = super::applied("etcd_version: \"3.5.1\"\n");
    edit(&lab, UNIT, "Environment=ETCD_LISTEN_CLIENT_URLS=", "Environment=LISTEN=");
    edit(&lab, UNIT, "/usr/bin/etcd\n", "/usr/bin/etcd --listen-client-urls=${LISTEN}\n");
    assert_eq!(super::found(&lab), [""; 0]);
    edit(&lab, UNIT, "Environment=LISTEN=", "Environment=OTHER=");
    assert_eq!(super::found(&lab), [format!("{UNIT}: cfg-unreadable")]);
}

/// kubeadm then starts an etcd of its own, and etcdctl asks one on its own host.
#[test]
fn a_client_without_endpoints_is_found() {
    const KUBEADM: &str = "masterone/kubeadm-config.yaml";
    const ETCDCTL: &str = "masterone/etcdctl.env";
    let original = super::applied("");
    for (file, from, to) in [
        (KUBEADM, "  external:", "  local:"),
        (KUBEADM, "kind: ClusterConfiguration", "kind: ["),
        (ETCDCTL, "ETCDCTL_ENDPOINTS=", "# "),
    ] {
        let lab = super::copy_of(&original);
        edit(&lab, file, from, to);
        assert_eq!(super::found(&lab), [format!("{file}: client-setting-missing")], "{to}");
    }
}
