//! Values that are too long, and keys on the command line.

use super::*;

#[test]
fn a_value_of_a_megabyte_is_not_repeated() {
    let lab = lab();
    let long = "x".repeat(1 << 20);
    for contents in [
        format!("cluster: {long}\n"),
        format!("{MANIFEST}{long}: 1\n"),
        MANIFEST.replace("etcdone", &long),
        format!("{{\"CN\": \"{long}\"}}"),
        format!("{{\"{long}\": 1}}"),
        format!("-----BEGIN {long}-----\n-----END {long}-----\n"),
    ] {
        lab.write("given", contents);
        for args in [
            &["plan", "-f", "given"][..],
            &["issue", "--profile", "client", "new", "--csr-json", "given"],
            &["inspect", "given"],
            &["verify", "given"],
        ] {
            let run = lab.run(args);
            assert!(run.stdout.len() + run.stderr.len() < 20_000, "{args:?}: {}", run.stderr.len());
        }
    }
}

#[test]
fn a_key_on_the_command_line_is_not_repeated_by_the_message_about_it() {
    let lab = lab();
    let secret = Secret::new(KeyAlgorithm::EcdsaP256, KeyFormat::Pkcs8);
    for value in [&secret.base64, &secret.pem, &secret.pem.replace('\n', " ")] {
        for args in [
            &["issue", "--profile", value, "new"][..],
            &["issue", "--profile", "client", value],
            &["issue", "--profile", "client", "new", "--san", value],
            &["issue", "--profile", "client", "new", "--cn", value],
            &["issue", "--profile", "client", "new", "--key", value],
            &["issue", "--profile", "client", "new", "--expiry", value],
            &["issue", "--profile", "client", "new", value],
            &["issue", "--profile", "client", "new", "--format", value],
            &["verify", "api.pem", "--ignore", value],
            &["verify", "api.pem", "--host", value],
            &["export", value],
            &["plan", "-f", "cluster.yaml", "--only", value],
            &["inspect", value],
            &["explain", value],
            &["list", "--host", value],
            &["list", "--serial", value],
            &["show", value],
            &["revoke", value],
            &["revoke", "--host", value],
            &["revoke", "api.pem", "--reason", value],
            &["issue", "--profile", "client", "new", "--ca-passphrase", value],
            &["issue", "--profile", "client", "new", "--signer-cmd", value],
            &["issue", "--profile", "client", "new", "--pkcs11", value],
            &["passwd", "--new-passphrase", value],
            &["import-ca", "--dir", "new", "--cert", value],
            &["adopt", value],
            &["certdb", "import", value],
            &["renew", value],
            &["rotate-ca", value, "-f", "cluster.yaml"],
            &["rotate-ca", "begin", "-f", "cluster.yaml", "--ca", value],
            &["rotate-ca", "reissue", "-f", "cluster.yaml", "--restarted", value],
            &["verify", "--connect", value],
            &["verify", "--connect", "127.0.0.1:1", "--sni", value],
            &["verify", "api.pem", "--at", value],
            &["verify", "api.pem", "--expires-within", value],
            &["verify", "api.pem", "--policy", value],
            &["status", "-f", "cluster.yaml", "--warn", value],
            &["export", "etcdone", "--as", value],
            &["list", "--dir", value],
            &["cfssl", value],
            &["cfssl", "gencert", value],
            &["cfssl", "gencert", &format!("-{value}")],
            &["cfssl", "gencert", &format!("-initca={value}")],
            &["cfssljson", value],
            &["cfssljson", "-f", value],
            &["man", value],
            &["completions", value],
            &["help", value],
            &[value],
        ] {
            // A common name may look like a key, and then the requested certificate contains it.
            let run = lab.run(args);
            if run.code != 0 {
                assert_eq!(
                    secret.is_in(&format!("{}{}", run.stdout, run.stderr)),
                    None,
                    "{args:?}"
                );
            }
            let _ = fs::remove_file(lab.path("new.pem"));
            let _ = fs::remove_file(lab.path("new-key.pem"));
        }
    }
}
