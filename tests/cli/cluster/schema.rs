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

/// An independent validator accepts whole manifests.
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
    for manifest in [LAB, layout::GROWN, &example] {
        assert_eq!(with_manifest(manifest).run(PLAN).code, 1, "{manifest}");
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
    ] {
        let manifest = LAB.replacen(from, to, 1);
        assert_ne!(manifest, LAB, "{from}");
        assert_eq!(with_manifest(&manifest).run(PLAN).code, 2, "{to}");
        let run = judge(&manifest);
        assert_eq!(run.code, 1, "{to}: {run:?}");
        assert!(!run.stdout.is_empty(), "{to}: {run:?}");
    }
}
