//! Crates outside the workspace, as somebody who embeds pki-core has them: a verifier without default features,
//! and an issuer with them.
#![expect(clippy::disallowed_methods, reason = "cargo is started, and files are written for it")]
#![expect(clippy::disallowed_macros, reason = "the number of crates is printed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use pki_core::{KeyAlgorithm, KeyFormat};

use crate::authority::below;
use crate::lab::{Ca, NOW};
use crate::openssl::Openssl;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A crate of one program in a folder of its own. It has the lock file of the workspace, so that nothing is
/// downloaded.
fn outside(folder: &Path, name: &str, program: &str, dependency: &str) {
    let folder = folder.join(name);
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\npki-core = {{ path = \"{ROOT}/pki-core\"{dependency} }}\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(format!("{ROOT}/Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    std::fs::write(folder.join("src/main.rs"), program).unwrap();
}

fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    // Kept between runs: AWS-LC takes a minute to compile.
    cargo.env("CARGO_TARGET_DIR", target());
    let output = cargo.args(arguments).arg("--offline").current_dir(folder).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside")
}

/// How many crates a program of this folder is made of, itself included.
fn crates(folder: &Path) -> usize {
    let tree = cargo(folder, &["tree", "--edges", "normal", "--prefix", "none"]);
    let names: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    names.len()
}

#[test]
fn a_crate_outside_the_workspace_verifies_without_default_features_and_issues_with_them() {
    let openssl = Openssl::new();
    let folder = openssl.folder();
    let (verifier, issuer) = (folder.join("verifier"), folder.join("issuer"));
    let bare = ", default-features = false";
    outside(folder, "verifier", include_str!("outside/verifier.rs"), bare);
    outside(folder, "issuer", include_str!("outside/issuer.rs"), "");
    let (of_verifier, of_issuer) = (crates(&verifier), crates(&issuer));
    println!("crates: {of_verifier} to verify, {of_issuer} with default features");
    assert!(of_verifier * 2 < of_issuer + 22, "{of_verifier} of {of_issuer}");
    cargo(&verifier, &["build"]);
    cargo(&issuer, &["build"]);

    let root = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.path_len = Some(1));
    let middle = below(&root, "last", "etcd CA 2027");
    openssl.write("root.pem", root.certificate().to_pem().unwrap());
    openssl.write("ca.pem", middle.certificate().to_pem().unwrap());
    openssl.write("ca-key.pem", middle.key.to_pem(KeyFormat::Pkcs8).unwrap().as_bytes());
    openssl.run(
        "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout leaf-key.pem \
         -out leaf.csr -config openssl.cnf -subj /CN=etcdone -addext subjectAltName=DNS:etcdone.lab",
    );
    let now = NOW.unix_timestamp().to_string();
    let run = |program: &str, arguments: &[&str]| {
        let program = target().join("debug").join(program);
        Command::new(program).args(arguments).current_dir(folder).output().unwrap()
    };
    let answer = run("issuer", &["ca.pem", "ca-key.pem", "leaf.csr", &now]);
    assert!(answer.status.success(), "{answer:?}");
    let chain = [answer.stdout, openssl.read("ca.pem")].concat();
    openssl.write("leaf.pem", &chain);
    openssl.run(&format!("verify -attime {now} -CAfile root.pem -untrusted ca.pem leaf.pem"));
    for (host, code) in [("etcdone.lab", 0), ("etcdtwo.lab", 1)] {
        let answer = run("verifier", &["root.pem", "leaf.pem", &now, host]);
        assert_eq!(answer.status.code(), Some(code), "{host}: {answer:?}");
    }
}
