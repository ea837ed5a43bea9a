//! Clusters as people run them: dialled by name, grown, behind a load balancer, on hosts that are several
//! things, with clients that need more than a name.

use super::*;
use crate::peers;
use crate::process::finish;

/// Everything that a manifest can say, in a way that is right.
pub(super) const EVERYTHING: &str = "\
cluster: prod
domain: example.com
etcd_version: 3.6
kubernetes_version: \"1.30\"
control_plane_endpoint: api.example.net:6443
endpoints: [etcd.example.net, 10.9.0.100, \"lb.example.net:3379\", \"2001:db8::100\"]
etcd_config:
  quota-backend-bytes: 8589934592
  auto-compaction-retention: 1h
  listen-metrics-urls: http://127.0.0.1:2381
etcd:
  - { name: e1, ip: 10.9.0.1, reached_by: name, sans: [e1.other.test] }
  - { name: e2, reached_by: name }
  - { name: e3, ip: [10.9.0.3, 2001:db8::3], initial_cluster_state: new }
control_plane:
  - { name: e1 }
  - { name: m2, ip: 10.9.0.12 }
workers:
  - { name: w1, ip: 10.9.0.21 }
clients:
  - { name: proxy, host: e2, no_cn: true }
  - { name: prometheus, host: mon, sans: [10.9.0.50, mon.example.net], format: [pem, pkcs12, combined] }
  - { name: \"alice_b@example.com\", org: ops }
  - { name: backup, host: e1 }
  - { name: backup, format: pem }
";

pub(super) fn text(lab: &Lab, path: &str) -> String {
    String::from_utf8(lab.read(format!("pki/hosts/{path}"))).unwrap()
}

fn certificate(lab: &Lab, path: &str) -> pki_core::Certificate {
    let pem = lab.read(format!("pki/hosts/{path}"));
    pki_core::Certificate::from_pem_or_der(&pem).unwrap().swap_remove(0)
}

/// The names of a certificate, sorted.
fn names_in(lab: &Lab, path: &str) -> Vec<String> {
    let certificate = certificate(lab, path);
    let names = certificate.extensions.subject_alt_name.iter().flatten();
    let mut names: Vec<String> = names.map(ToString::to_string).collect();
    names.sort();
    names
}

#[test]
fn a_manifest_with_every_field_makes_files_without_findings() {
    for constrain in ["", "constrain: true\n", "combined: true\n"] {
        let lab = applied(&format!("{constrain}{EVERYTHING}"));
        nothing_to_do(&lab);
        let run = lab.run(&["verify", "-f", "cluster.yaml", "--warn-as-error"]);
        assert_eq!(run.code, 0, "{constrain}{run:?}");
        lab.ok(&["status", "-f", "cluster.yaml"]);
        for host in ["e1", "e2", "e3", "m2", "mon", "admin"] {
            lab.ok(&["export", host, "--out", &format!("{host}.tar.gz")]);
        }
    }
}

#[test]
fn servers_and_peers_have_the_names_at_which_they_are_reached() {
    let lab = applied(EVERYTHING);
    let of_all =
        ["dns:etcd.example.net", "dns:lb.example.net", "ip:10.9.0.100", "ip:2001:db8::100"];
    let own = ["dns:e1", "dns:e1.example.com", "dns:e1.other.test", "ip:10.9.0.1"];
    let sorted = |mut names: Vec<&str>| {
        names.sort_unstable();
        names.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let server = [&of_all[..], &own, &["dns:localhost", "ip:127.0.0.1"]].concat();
    assert_eq!(names_in(&lab, "e1/server.pem"), sorted(server));
    assert_eq!(names_in(&lab, "e1/peer.pem"), sorted([&own[..], &["dns:etcd-peer.prod"]].concat()));
    let by_name = ["dns:e2", "dns:e2.example.com", "dns:etcd-peer.prod"];
    assert_eq!(names_in(&lab, "e2/peer.pem"), sorted(by_name.to_vec()));

    let config = text(&lab, "e1/etcd.conf.yaml");
    for line in [
        "listen-client-urls: \"https://10.9.0.1:2379,https://127.0.0.1:2379\"",
        "advertise-client-urls: \"https://e1.example.com:2379\"",
        "listen-peer-urls: \"https://10.9.0.1:2380\"",
        "initial-advertise-peer-urls: \"https://e1.example.com:2380\"",
        "initial-cluster: \"e1=https://e1.example.com:2380,e2=https://e2.example.com:2380,e3=https://10.9.0.3:2380\"",
        "quota-backend-bytes: 8589934592",
    ] {
        assert!(config.lines().any(|found| found == line), "{line}\n{config}");
    }
    // It has no address of its own to listen on.
    let config = text(&lab, "e2/etcd.conf.yaml");
    assert!(config.contains("\nlisten-client-urls: \"https://0.0.0.0:2379\"\n"), "{config}");
    assert!(config.contains("\nlisten-peer-urls: \"https://0.0.0.0:2380\"\n"), "{config}");
}

#[test]
fn api_servers_and_clients_get_the_endpoints() {
    let lab = applied(EVERYTHING);
    let endpoints = [
        "https://etcd.example.net:2379",
        "https://10.9.0.100:2379",
        "https://lb.example.net:3379",
        "https://[2001:db8::100]:2379",
    ];
    for host in ["e1", "e2", "m2", "mon", "admin"] {
        let env = text(&lab, &format!("{host}/etcdctl.env"));
        assert!(env.contains(&format!("ETCDCTL_ENDPOINTS={}\n", endpoints.join(","))), "{env}");
    }
    // A member's client has its files where the member has them, an API server where kubeadm looks.
    assert!(text(&lab, "e2/etcdctl.env").contains("ETCDCTL_CERT=/etc/etcd/proxy.pem\n"));
    let apiserver = "ETCDCTL_CERT=/etc/kubernetes/pki/etcd/apiserver-etcd-client.pem\n";
    assert!(text(&lab, "e1/etcdctl.env").contains(apiserver));
    let kubeadm = text(&lab, "m2/kubeadm-config.yaml");
    for line in [
        "apiVersion: kubeadm.k8s.io/v1beta3",
        "controlPlaneEndpoint: \"api.example.net:6443\"",
        "    - https://lb.example.net:3379",
    ] {
        assert!(kubeadm.lines().any(|found| found == line), "{line}\n{kubeadm}");
    }
    assert!(!kubeadm.contains("kubernetesVersion"), "no patch version is known:\n{kubeadm}");
    for (version, line) in [
        ("\"1.30\"", "apiVersion: kubeadm.k8s.io/v1beta3"),
        ("1.31", "apiVersion: kubeadm.k8s.io/v1beta4"),
        ("v1.34.2", "apiVersion: kubeadm.k8s.io/v1beta4"),
        ("\"1.34.2\"", "kubernetesVersion: v1.34.2"),
    ] {
        let lab = applied(&EVERYTHING.replace("\"1.30\"", version));
        let kubeadm = text(&lab, "m2/kubeadm-config.yaml");
        assert!(kubeadm.lines().any(|found| found == line), "{version}: {line}\n{kubeadm}");
    }
}

/// etcd runs as a user who must not read the key of the API server.
#[test]
fn a_member_that_is_a_control_plane_has_one_folder_with_both_parts() {
    let lab = applied(EVERYTHING);
    let files: Vec<String> = tree(&lab)
        .into_keys()
        .filter_map(|name| name.strip_prefix("pki/hosts/e1/").map(str::to_owned))
        .collect();
    snapshot("layout_stacked", &(files.join("\n") + "\n"));
    for file in files {
        let kind = pki_core::FileKind::from_name(&file).unwrap();
        let of_etcd = ["server-key.pem", "peer-key.pem"].contains(&file.as_str());
        assert_eq!(kind.owner().user(), if of_etcd { "etcd" } else { "root" }, "{file}");
    }
}

#[test]
fn clients_are_who_the_manifest_says() {
    let lab = applied(EVERYTHING);
    for (file, subject, names) in [
        ("e2/proxy.pem", "O=prod", vec!["dns:prod.invalid"]),
        ("e1/backup.pem", "CN=backup", vec!["dns:backup.invalid"]),
        ("admin/backup.pem", "CN=backup", vec!["dns:backup.invalid"]),
        (
            "admin/alice_b@example.com.pem",
            "O=ops, CN=alice_b@example.com",
            vec!["dns:alice-b-example.com.invalid"],
        ),
        (
            "mon/prometheus.pem",
            "CN=prometheus",
            vec!["dns:mon.example.net", "dns:prometheus.invalid", "ip:10.9.0.50"],
        ),
    ] {
        assert_eq!(certificate(&lab, file).subject.to_string(), subject, "{file}");
        assert_eq!(names_in(&lab, file), names, "{file}");
    }
    edit(&lab, "host: e2, no_cn: true", "host: e2, no_cn: true, org: grpc proxies");
    lab.ok(APPLY);
    assert_eq!(certificate(&lab, "e2/proxy.pem").subject.to_string(), "O=grpc proxies");
    nothing_to_do(&lab);
}

/// Runs a program on the files of the host of `prometheus`.
fn judged(lab: &Lab, program: &str, args: &[&str]) -> String {
    let mut command = peers::program(program);
    let run = finish(command.args(args).current_dir(lab.path("pki/hosts/mon")));
    assert_eq!(run.code, 0, "{program} {args:?}: {run:?}");
    run.stdout
}

#[test]
fn a_client_gets_its_certificate_in_every_form_that_it_needs() {
    let lab = applied(EVERYTHING);
    let password = ["-passin", "file:prometheus.p12.password"];
    let read = [&["pkcs12", "-in", "prometheus.p12", "-nodes"], &password[..]].concat();
    let leaf = judged(&lab, "openssl", &[&read[..], &["-nokeys", "-clcerts"]].concat());
    let of = |pem: &[u8]| pki_core::Certificate::from_pem_or_der(pem).unwrap();
    assert_eq!(of(leaf.as_bytes()), of(&lab.read("pki/hosts/mon/prometheus.pem")));
    let cas = judged(&lab, "openssl", &[&read[..], &["-nokeys", "-cacerts"]].concat());
    assert_eq!(of(cas.as_bytes()), of(&lab.read("pki/ca.pem")));
    // Java trusts what the file marks as trusted.
    let password = text(&lab, "mon/prometheus.p12.password");
    let list = [
        "-list",
        "-keystore",
        "prometheus.p12",
        "-storetype",
        "PKCS12",
        "-storepass",
        password.trim(),
    ];
    let entries = judged(&lab, "keytool", &list);
    for entry in ["prometheus, ", "ca, ", "PrivateKeyEntry", "trustedCertEntry"] {
        assert!(entries.contains(entry), "{entry}:\n{entries}");
    }
    // Python's OpenSSL takes the one file for both.
    let program =
        "import ssl; ssl.create_default_context().load_cert_chain('prometheus-combined.pem')";
    judged(&lab, "python3", &["-c", program]);
    for file in ["prometheus-combined.pem", "prometheus.p12", "prometheus.p12.password"] {
        assert_eq!(tree(&lab)[&format!("pki/hosts/mon/{file}")].mode, 0o600, "{file}");
    }
}

#[test]
fn the_other_forms_follow_their_certificate_and_keep_their_password() {
    let lab = applied(EVERYTHING);
    let before = tree(&lab);
    let path = |file: &str| format!("pki/hosts/mon/{file}");
    // Each that is missing or something else is made again, and nothing else.
    for file in ["prometheus-combined.pem", "prometheus.p12"] {
        for damage in [true, false] {
            if damage {
                lab.write(path(file), lab.read(path("prometheus.pem")));
            } else {
                std::fs::remove_file(lab.path(path(file))).unwrap();
            }
            let plan = lab.run(PLAN);
            assert_eq!(plan.code, 4, "{plan:?}");
            let steps = plan
                .stdout
                .lines()
                .filter(|line| line.starts_with("  ") && !line.starts_with("  keep"));
            assert_eq!(steps.collect::<Vec<_>>(), [format!("  write    mon/{file}")]);
            lab.ok(APPLY);
            nothing_to_do(&lab);
        }
    }
    let same = |file: &str| tree(&lab)[&path(file)].bytes == before[&path(file)].bytes;
    assert!(same("prometheus-combined.pem") && same("prometheus.p12.password"));

    edit(&lab, "host: mon, sans", "host: mon, key: ed25519, sans");
    lab.ok(APPLY);
    nothing_to_do(&lab);
    assert!(same("prometheus.p12.password") && !same("prometheus-combined.pem"));
    let read = ["pkcs12", "-in", "prometheus.p12", "-nodes", "-nokeys", "-clcerts"];
    let read = [&read[..], &["-passin", "file:prometheus.p12.password"]].concat();
    let leaf = judged(&lab, "openssl", &read);
    let leaf = pki_core::Certificate::from_pem_or_der(leaf.as_bytes()).unwrap().swap_remove(0);
    assert_eq!(leaf, certificate(&lab, "mon/prometheus.pem"));

    // A format that the manifest no longer lists is a copy of the key that nobody needs.
    edit(&lab, ", format: [pem, pkcs12, combined]", "");
    let plan = lab.run(PLAN);
    for file in ["prometheus.p12", "prometheus.p12.password", "prometheus-combined.pem"] {
        assert!(plan.stdout.contains(&format!("  orphan   mon/{file}\n")), "{plan:?}");
    }
    lab.ok(&[APPLY, &["--prune", "--yes"][..]].concat());
    let left: Vec<String> =
        tree(&lab).into_keys().filter(|name| name.starts_with("pki/hosts/mon/p")).collect();
    assert_eq!(left, ["prometheus-key.pem", "prometheus.pem"].map(path));
}
