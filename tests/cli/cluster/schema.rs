//! The JSON Schema for editors: it has the same fields as etcdpki, and accepts what etcdpki accepts.

use std::collections::BTreeSet;

use super::*;
use crate::peers;
use crate::process::finish;

const SCHEMA: &str = "docs/manifest.schema.json";

fn schema() -> Value {
    serde_json::from_slice(&std::fs::read(peers::root().join(SCHEMA)).unwrap()).unwrap()
}

/// The fields of an object in the schema, by its path, such as `etcd` for the items of that list.
fn fields(schema: &Value, path: &str) -> BTreeSet<String> {
    let mut object = schema;
    if !path.is_empty() {
        object = &schema["properties"][path];
    }
    while let Some(reference) = object["$ref"].as_str() {
        object = schema.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let object = if object["type"] == "array" { &object["items"] } else { object };
    let object = match object["$ref"].as_str() {
        Some(reference) => schema.pointer(reference.trim_start_matches('#')).unwrap(),
        None => object,
    };
    assert_eq!(object["additionalProperties"], false, "{path}: accepts unknown fields");
    object["properties"].as_object().unwrap().keys().cloned().collect()
}

/// etcdpki lists the known fields in the hint for an unknown one.
#[test]
fn the_schema_has_the_fields_of_the_grammar_and_no_others() {
    let lists = ["etcd", "control_plane", "workers", "clients"];
    for path in ["", "ca", "defaults", "paths", "etcd", "control_plane", "workers", "clients"] {
        let unknown = "{ qqqqqqqqqqqqqqqqqqqqqqqq: 1 }";
        let manifest = match path {
            "" => "qqqqqqqqqqqqqqqqqqqqqqqq: 1\n".to_owned(),
            path if lists.contains(&path) => format!("{path}: [{unknown}]\n"),
            path => format!("{path}: {unknown}\n"),
        };
        let run = with_manifest(&manifest).run(PLAN);
        let mut lines = run.stderr.lines().skip_while(|line| !line.contains("unknown field"));
        let hint = lines.nth(1).unwrap_or_else(|| panic!("{path}: {run:?}"));
        let known = hint.trim().strip_prefix("hint: one of: ").unwrap();
        let known: BTreeSet<String> = known.split(", ").map(str::to_owned).collect();
        assert_eq!(fields(&schema(), path), known, "{path:?}");
    }
}

/// Every option of etcd that no other field of the manifest decides.
#[test]
fn the_schema_has_the_options_of_etcd() {
    let options = schema()["properties"]["etcd_config"]["propertyNames"]["enum"].clone();
    let options: BTreeSet<String> = serde_json::from_value(options).unwrap();
    let manifest = |option: &str| {
        let version = pki_core::EtcdOption::find(option).map(|option| {
            let versions = (4..=7).map(|minor| pki_core::EtcdVersion(3, minor, 0));
            let mut known = versions
                .filter(|version| option.is_flag_in(*version) || option.is_yaml_in(*version));
            known.next().map_or("3.5.99".to_owned(), |version| version.to_string())
        });
        let version = version.unwrap_or("3.6".to_owned());
        format!(
            "cluster: lab\netcd_version: \"{version}\"\netcd: [{{ name: one, ip: 10.0.0.1 }}]\netcd_config: {{ {option}: [] }}\n"
        )
    };
    for option in pki_core::etcd_options() {
        let mistakes = pki_core::Manifest::from_yaml(manifest(option.name).as_bytes()).unwrap_err();
        let told = mistakes[0].to_string();
        let decided = ["follows from", "etcdpki writes this file"];
        let is_free = !decided.iter().any(|decided| told.contains(decided));
        assert_eq!(options.contains(option.name), is_free, "{}: {told}", option.name);
    }
    let known = |name: &String| pki_core::EtcdOption::find(name).is_some();
    assert!(options.iter().all(known), "{options:?}");
}

/// A validator that others wrote agrees about whole manifests.
#[test]
fn the_schema_accepts_the_manifests_that_etcdpki_accepts() {
    const PROGRAM: &str = "\
import json, sys, yaml, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
errors = list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))))
print(*(error.message for error in errors), sep='\\n')
sys.exit(1 if errors else 0)
";
    let judge = |manifest: &str| {
        let lab = with_manifest(manifest);
        let mut python = std::process::Command::new(peers::venv("python"));
        python.args(["-c", PROGRAM]).arg(peers::root().join(SCHEMA)).arg("cluster.yaml");
        finish(python.current_dir(lab.folder()))
    };
    let example = std::fs::read_to_string(peers::root().join("examples/lab/cluster.yaml")).unwrap();
    for manifest in [LAB, layout::GROWN, shapes::EVERYTHING, &example] {
        assert_eq!(with_manifest(manifest).run(PLAN).code, 4, "{manifest}");
        let run = judge(manifest);
        assert_eq!(run.code, 0, "{manifest}\n{run:?}");
    }
    for (from, to) in [
        ("cluster: lab", "cluster: Lab One"),
        ("domain:", "domian:"),
        ("key: ecdsa-p256", "key: ecdsa-p265"),
        ("expiry: 1y", "expiry: 1yr"),
        ("ip: 192.168.29.61", "nmae: one"),
        ("ip: 192.168.29.71", "ip: 192.168.29.71, key: ed25519"),
        ("name: etcdone, ip: 192.168.29.61", "name: etcdone"),
        ("ip: 192.168.29.61", "ip: 192.168.29.61, reached_by: dns"),
        ("ip: 192.168.29.61", "ip: 192.168.29.61, initial_cluster_state: old"),
        ("domain:", "etcd_config: { quota: 1 }\ndomain:"),
        ("domain:", "etcd_config: { initial-cluster: a=b }\ndomain:"),
        ("domain:", "endpoints: [\"https://etcd.example.net\"]\ndomain:"),
        ("domain:", "control_plane_endpoint: [api]\ndomain:"),
        ("domain:", "kubernetes_version: 1.3\ndomain:"),
        ("domain:", "etcd_version: 2.3\ndomain:"),
        ("domain:", "clients: [{ name: a b }]\ndomain:"),
        ("domain:", "clients: [{ name: a, format: [pkcs12] }]\ndomain:"),
        ("domain:", "clients: [{ name: a, no_cn: \"yes\" }]\ndomain:"),
        ("domain:", "clients: [{ name: a, format: jks }]\ndomain:"),
        ("domain:", "clients: [{ name: a, sans: 10.0.0.1 }]\ndomain:"),
        ("domain:", "clients: [{ name: a, org: \"\" }]\ndomain:"),
        ("domain:", "clients: [{ name: a, host: b c }]\ndomain:"),
        ("domain:", "endpoints: etcd.example.net\ndomain:"),
        ("domain:", "etcd_config: [quota-backend-bytes]\ndomain:"),
    ] {
        let manifest = LAB.replacen(from, to, 1);
        assert_ne!(manifest, LAB, "{from}");
        assert_eq!(with_manifest(&manifest).run(PLAN).code, 2, "{to}");
        let run = judge(&manifest);
        assert_eq!(run.code, 1, "{to}: {run:?}");
        assert!(!run.stdout.is_empty(), "{to}: {run:?}");
    }
}
