//! Mistakes in a manifest: all are reported at once with their positions, and nothing is written.

use super::*;

/// Runs `plan` and `apply` with an invalid manifest, and returns their common output.
fn refused(manifest: &str) -> String {
    let lab = with_manifest(manifest);
    let plan = lab.run(PLAN);
    let apply = lab.run(APPLY);
    assert_eq!((plan.code, plan.stdout.as_str()), (2, ""), "{manifest}\n{plan:?}");
    assert_eq!((apply.code, apply.stdout.as_str()), (2, ""), "{manifest}\n{apply:?}");
    assert_eq!(plan.stderr, apply.stderr);
    assert!(!lab.path("pki").exists(), "something was written");
    plan.stderr
}

const MISTAKES: &str = "\
cluster: Lab One
domian: example.com
domain: \"*.example.com\"
ca: { cn: etcd CA, key: ecdsa-p265, expiry: 2y }
defaults: { key: ecdsa-p256, expiry: 1yr }
etcd_version: 3.5
paths: { etcd: etc/etcd }
renew_before: 30
constrain: \"yes\"
etcd:
  - { name: etcdone, ip: 192.168.29.61 }
  - { name: etcdone, ip: 192.168.29.62 }
  - { name: etcdthree, ip: 192.168.29.61 }
  - { name: etcdfour, ip: 192.168.29.0/24 }
  - { nmae: etcdfive, ip: 0.0.0.0 }
  - { name: etcdsix, ip: 192.168.29.66, expiry: 3y, sans: [https://etcdsix.example.com] }
  - { name: etcdseven, ip: 192.168.29.67, ip: 192.168.29.68 }
control_plane:
  - { name: masterone }
workers:
  - { name: workerone, ip: 224.0.0.1, client: apiserver }
clients:
  - { name: backup, host: workerone }
  - { name: server, host: etcdone }
  - apiserver
";

#[test]
fn every_mistake_is_reported_in_one_run_with_its_place() {
    let told = refused(MISTAKES);
    snapshot("mistakes", &told);
    let places = told.lines().filter(|line| line.starts_with("  line ")).count();
    assert!(places >= 20, "{places} mistakes have a position:\n{told}");
    let all = told.lines().filter(|line| line.starts_with("  ") && !line.starts_with("    "));
    assert_eq!(all.count(), places, "a mistake has no position:\n{told}");
}

/// Each field about the shape of a cluster, wrong in one way.
const SHAPES: &str = "\
cluster: prod
etcd_version: 3.8.1.2
kubernetes_version: 1.30
control_plane_endpoint: https://api.example.net:6443
endpoints: [etcd.example.net, etcd.example.net, \"*.example.net\", 10.9.0.100:99999, \"[2001:db8::1\", a b]
etcd_config:
  quota-backend-byte: 8589934592
  quota-backend-bytes: 8GiB
  initial-cluster-state: existing
  pre-vote: \"yes\"
  grpc-keepalive-timeout: 1d
  listen-metrics-urls: 127.0.0.1:2381
  config-file: /etc/etcd/other.yaml
  experimental-enable-v2v3: /v2
  auto-compaction-retention: [1h]
  discovery-srv: 10.0.0.1
etcd:
  - { name: e1, ip: 10.9.0.1, reached_by: dns }
  - { name: e2 }
  - { name: e3, ip: 10.9.0.3, initial_cluster_state: running }
  - { name: e4, ip: 10.9.0.4, sans: [e4_a] }
  - { name: e5, ip: 10.9.0.5, no_cn: true }
control_plane:
  - { name: e1, ip: 10.9.0.99 }
  - { name: e3 }
  - { name: e3 }
  - { name: m1 }
workers:
  - { name: e4, ip: 10.9.0.4 }
clients:
  - { name: \"a b\" }
  - { name: _internal }
  - { name: proxy, no_cn: 1 }
  - { name: prometheus, format: [pkcs12] }
  - { name: grafana, format: jks }
  - { name: loki, sans: 10.9.0.50 }
  - { name: tempo, org: \"\" }
  - { name: same, host: mon }
  - { name: same, host: mon }
  - { name: same }
  - { name: apiserver-etcd-client, host: mon }
  - { name: backup-combined }
";

#[test]
fn every_mistake_about_the_shape_of_a_cluster_is_reported_in_one_run_with_its_place() {
    let told = refused(SHAPES);
    snapshot("mistakes_of_shapes", &told);
    let places = told.lines().filter(|line| line.starts_with("  line ")).count();
    assert_eq!(places, 38, "{told}");
    let all = told.lines().filter(|line| line.starts_with("  ") && !line.starts_with("    "));
    assert_eq!(all.count(), places, "one has no place:\n{told}");
}

const ONE: &str = "cluster: lab\netcd: [{ name: one, ip: 10.0.0.1 }]\n";

/// Documents with one mistake each.
#[test]
fn each_mistake_is_reported() {
    let mut told = String::new();
    let member = |fields: &str| format!("cluster: lab\netcd: [{{ name: one, {fields} }}]\n");
    for manifest in [
        // The document
        String::new(),
        "just text".to_owned(),
        "[]".to_owned(),
        "cluster: lab".to_owned(),
        "cluster: lab\netcd: []".to_owned(),
        "cluster: lab\netcd: one".to_owned(),
        "etcd: [{ name: one, ip: 10.0.0.1 }]".to_owned(),
        "cluster:\netcd: [{ name: one, ip: 10.0.0.1 }]".to_owned(),
        "cluster: lab\netcd: [{ name: one, ip: 10.0.0.1 }".to_owned(),
        "cluster: lab\n\tetcd: []".to_owned(),
        "cluster: lab\n---\ncluster: other\n".to_owned(),
        "cluster: lab\netcd: *nothing\n".to_owned(),
        format!("cluster: other\n{ONE}"),
        format!("{ONE}Cluster: other\n"),
        // Names and addresses
        member("ip: 10.0.0.1, name: two"),
        member("ip: 10.0.0.256"),
        member("ip: 10.0.0.1:2380"),
        member("ip: []"),
        member("ip: {}"),
        member("ip: 10"),
        member("ip: [10.0.0.1, 10.0.0.1]"),
        member("ip: ff02::1"),
        member("ip: 255.255.255.255"),
        member("ip: \"::\""),
        member("ip: fe80::1%eth0"),
        "cluster: lab\netcd: [{ name: one.example.com, ip: 10.0.0.1 }]".to_owned(),
        "cluster: lab\netcd: [{ name: One, ip: 10.0.0.1 }]".to_owned(),
        "cluster: lab\netcd: [{ name: admin, ip: 10.0.0.1 }]".to_owned(),
        "cluster: lab\netcd: [{ name: 1.5, ip: 10.0.0.1 }]".to_owned(),
        member("ip: 10.0.0.1, sans: etcd.example.com"),
        member("ip: 10.0.0.1, sans: [a_b, 10.0.0.0/8, \"etcd.example.com.\"]"),
        format!("{ONE}domain: 10.0.0.1\n"),
        format!("{ONE}domain: .example.com\n"),
        format!("{ONE}domain: {}\n", ["abcdefgh"; 27].join(".")),
        format!("{ONE}workers: [{{ name: one, ip: 10.0.0.2 }}]\n"),
        format!("{ONE}control_plane: [{{ name: two, ip: 10.0.0.1 }}]\n"),
        format!("{ONE}control_plane: [{{ name: two, ip: 10.0.0.2, sans: [x] }}]\n"),
        // Keys and times
        member("ip: 10.0.0.1, key: rsa-1024"),
        member("ip: 10.0.0.1, key: 2048"),
        member("ip: 10.0.0.1, expiry: 0s"),
        member("ip: 10.0.0.1, expiry: -1y"),
        member("ip: 10.0.0.1, expiry: 10y"),
        member("ip: 10.0.0.1, combined: 1"),
        format!("{ONE}defaults: {{ expiry: 20y }}\n"),
        format!("{ONE}ca: {{ expiry: 1y }}\n"),
        format!("{ONE}ca: {{ cn: \"\" }}\n"),
        format!("{ONE}ca: {{ org: {} }}\n", "x".repeat(65)),
        format!("{ONE}ca: etcd CA\n"),
        format!("{ONE}renew_before: soon\n"),
        // Versions and paths
        format!("{ONE}etcd_version: \"3.3\"\n"),
        format!("{ONE}etcd_version: v3.6.1-rc.0\n"),
        format!("{ONE}etcd_version: 3.10\n"),
        format!("{ONE}paths: {{ data: /var/lib/my etcd }}\n"),
        format!("{ONE}paths: {{ kubernetes: / }}\n"),
        // Clients
        format!("{ONE}clients: [{{ host: one }}]\n"),
        format!("{ONE}clients: [{{ name: backup }}, {{ name: backup, host: admin }}]\n"),
        format!("{ONE}clients: [{{ name: apiserver-etcd-client }}]\n"),
        format!("{ONE}clients: [{{ name: ca }}, {{ name: backup-key }}]\n"),
        format!("{ONE}clients: [{{ name: peer, host: one }}, {{ name: member, host: one }}]\n"),
        format!("{ONE}clients: [{{ name: backup, expiry: 11y }}]\n"),
        format!("{ONE}clients: [{{ name: backup, host: ../etc }}]\n"),
        format!(
            "{ONE}workers: [{{ name: worker-one, ip: 10.0.0.2 }}]\nclients: [{{ name: backup, host: workerone }}]\n"
        ),
        format!(
            "{ONE}control_plane: [{{ name: master, ip: 10.0.0.2 }}]\nclients: [{{ name: backup, host: mastre }}]\n"
        ),
    ] {
        let report = refused(&manifest);
        told.push_str(&manifest);
        if !manifest.ends_with('\n') {
            told.push('\n');
        }
        for line in report.lines() {
            told.extend(["    ", line, "\n"]);
        }
        told.push('\n');
    }
    snapshot("each_mistake", &told);
}

/// A machine that is not in the manifest can have a client's files, unless its name is a mistyped one.
#[test]
fn a_clients_host_may_be_one_of_its_own() {
    for host in ["backup", "two", "admin", "node4"] {
        let node = "control_plane: [{ name: node3, ip: 10.0.0.2 }]\n";
        let lab = with_manifest(&format!("{ONE}{node}clients: [{{ name: c, host: {host} }}]\n"));
        lab.ok(APPLY);
        assert!(lab.path(format!("pki/hosts/{host}/c.pem")).exists(), "{host}");
        nothing_to_do(&lab);
    }
}

/// Bytes that are not text.
#[test]
fn a_manifest_that_is_not_text_is_refused() {
    let lab = Lab::new();
    lab.write("cluster.yaml", b"cluster: \xff\n");
    let run = lab.run(APPLY);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("not UTF-8"), "{run:?}");
}

/// JSON is also YAML.
#[test]
fn a_manifest_may_be_json() {
    let lab = with_manifest(
        r#"{"cluster": "lab", "etcd": [{"name": "one", "ip": ["10.0.0.1", "10.0.1.1"]}]}"#,
    );
    lab.ok(APPLY);
    nothing_to_do(&lab);
}
