//! `verify -f` and `status`: a cluster's files against its manifest, and etcd's rules.

mod config;
mod crls;
mod files;
mod healthy;
mod names;
mod plant;
mod trust;

use std::fs;
use std::sync::LazyLock;

use serde_json::Value;

use crate::lab::Lab;
use crate::peers;

/// The example lab, applied once and copied for each test.
static APPLIED: LazyLock<Lab> = LazyLock::new(|| applied(""));

/// The example lab with more lines in its manifest, applied.
fn applied(more: &str) -> Lab {
    let lab = Lab::new();
    let manifest = peers::root().join("examples/lab/cluster.yaml");
    let manifest = fs::read_to_string(manifest).unwrap();
    lab.write("cluster.yaml", format!("{manifest}{more}"));
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab
}

fn copy_of(original: &Lab) -> Lab {
    let lab = Lab::new();
    let mut copy = peers::program("cp");
    copy.arg("-a").args([original.path("pki"), original.path("cluster.yaml")]).arg(lab.folder());
    assert!(copy.status().unwrap().success());
    lab
}

/// The findings as `FILE: RULE`, sorted and without duplicates.
fn found(lab: &Lab) -> Vec<String> {
    let run = lab.run(&["verify", "-f", "cluster.yaml", "--format", "json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let (mut found, mut errors) = (Vec::new(), false);
    for file in document["files"].as_array().unwrap() {
        for finding in file["findings"].as_array().unwrap() {
            let (file, rule) = (file["file"].as_str().unwrap(), finding["rule"].as_str().unwrap());
            found.push(format!("{file}: {rule}"));
            errors |= finding["severity"] == "error";
        }
    }
    assert_eq!(run.code, i32::from(errors), "{run:?}");
    found.sort();
    found.dedup();
    found
}

/// Plants a fault in a lab that was just applied, and returns the findings.
fn after(plant: impl Fn(&Lab)) -> Vec<String> {
    let lab = copy_of(&APPLIED);
    plant(&lab);
    // `status` shows everything that `verify` finds, whatever its severity.
    assert_eq!(lab.run(&["status", "-f", "cluster.yaml"]).code, 1);
    found(&lab)
}

/// A path below the hosts' folders.
fn host(path: &str) -> String {
    format!("pki/hosts/{path}")
}

fn copy(lab: &Lab, from: &str, to: &str) {
    fs::copy(lab.path("pki").join(from), lab.path("pki").join(to)).unwrap();
}

fn append(lab: &Lab, path: &str, more: impl AsRef<[u8]>) {
    let mut contents = lab.read(host(path));
    contents.extend_from_slice(more.as_ref());
    lab.write(host(path), contents);
}

fn edit(lab: &Lab, path: &str, from: &str, to: &str) {
    let text = String::from_utf8(lab.read(host(path))).unwrap();
    assert!(text.contains(from), "{path} has no {from:?}:\n{text}");
    lab.write(host(path), text.replace(from, to));
}

#[test]
fn prometheus_reads_the_metrics_of_every_certificate() {
    let lab = copy_of(&APPLIED);
    let text = lab.ok(&["status", "-f", "cluster.yaml", "--output", "prometheus"]);
    let ends =
        text.lines().filter(|line| line.starts_with("etcdpki_certificate_not_after_seconds{"));
    assert_eq!(ends.count(), 8);
    let sample =
        "etcdpki_certificate_problems{host=\"etcdone\",file=\"peer.pem\",purpose=\"peer\"} 0";
    assert!(text.lines().any(|line| line == sample), "{text}");
}
