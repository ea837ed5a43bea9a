//! CAs in unusual files: each is imported, or refused with the reason and the command that helps.

use super::*;

/// Makes a CA in `NAME.crt` and `NAME.key` with OpenSSL.
fn make(lab: &Lab, name: &str, kind: &[&str]) {
    lab.write(
        "ca.cnf",
        "[req]\ndistinguished_name = dn\n[dn]\n[x]\nbasicConstraints = critical, CA:TRUE\n\
        keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n",
    );
    let new = [
        "req",
        "-x509",
        "-config",
        "ca.cnf",
        "-extensions",
        "x",
        "-nodes",
        "-days",
        "900",
        "-newkey",
    ];
    let (subject, key, out) = (format!("/CN={name}"), format!("{name}.key"), format!("{name}.crt"));
    openssl(lab, &[&new[..], kind, &["-subj", &subject, "-keyout", &key, "-out", &out]].concat());
}

const P256: &[&str] = &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

fn cas() -> Lab {
    let lab = Lab::new();
    make(&lab, "ec", P256);
    make(&lab, "rsa", &["rsa:2048"]);
    write_secret(&lab, "pass", "secret-passphrase");
    write_secret(&lab, "bad", "wrong-passphrase");
    lab
}

fn secret(lab: &Lab, name: &str) {
    fs::set_permissions(lab.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

/// Imports into a new folder, and issues a certificate, which OpenSSL checks.
fn works(lab: &Lab, number: usize, import: &[&str]) {
    let folder = format!("pki-{number}");
    let import = [&["--dir", &folder, "import-ca"], import].concat();
    lab.ok(&import);
    let at = import.iter().position(|word| *word == "--ca-passphrase");
    let passphrase = at.map_or(&[][..], |at| &import[at..at + 2]);
    let issue = ["--dir", &folder, "issue", "--profile", "client", &folder];
    lab.ok(&[&issue[..], passphrase].concat());
    openssl(lab, &["verify", "-CAfile", &format!("{folder}/ca.pem"), &format!("{folder}.pem")]);
}

fn refused(lab: &Lab, import: &[&str], code: i32, says: &[&str]) {
    let run = lab.run(&[&["--dir", "none", "import-ca"], import].concat());
    assert_eq!(run.code, code, "{import:?}: {run:?}");
    for says in says {
        assert!(run.stderr.contains(says), "{import:?}: {says}: {run:?}");
    }
    assert!(!run.stderr.contains("secret-pass") && !run.stderr.contains("wrong-pass"), "{run:?}");
    assert!(!lab.path("none").exists(), "{run:?}");
}

#[test]
fn keys_in_every_common_form_are_imported() {
    let lab = cas();
    openssl(&lab, &["pkey", "-traditional", "-in", "rsa.key", "-out", "pkcs1.key"]);
    openssl(&lab, &["pkey", "-traditional", "-in", "ec.key", "-out", "sec1.key"]);
    let parameters = openssl(&lab, &["ecparam", "-name", "prime256v1"]);
    lab.write("with-parameters.key", [parameters, lab.read("sec1.key")].concat());
    lab.write(
        "with-text.key",
        [&b"Bag Attributes\n    friendlyName: ca\n"[..], &lab.read("ec.key")].concat(),
    );
    openssl(&lab, &["x509", "-in", "ec.crt", "-text", "-out", "with-text.crt"]);
    openssl(&lab, &["x509", "-in", "ec.crt", "-outform", "DER", "-out", "der.crt"]);
    lab.write("both.pem", [lab.read("ec.key"), lab.read("ec.crt")].concat());
    for key in ["pkcs1.key", "sec1.key", "with-parameters.key", "with-text.key", "both.pem"] {
        secret(&lab, key);
    }
    for (number, import) in [
        ["--cert", "rsa.crt", "--key", "pkcs1.key"],
        ["--cert", "ec.crt", "--key", "sec1.key"],
        ["--cert", "ec.crt", "--key", "with-parameters.key"],
        ["--cert", "with-text.crt", "--key", "with-text.key"],
        ["--cert", "der.crt", "--key", "ec.key"],
        ["--cert", "both.pem", "--key", "both.pem"],
    ]
    .iter()
    .enumerate()
    {
        works(&lab, number, import);
    }
}

#[test]
fn encrypted_keys_of_openssl_are_imported_and_a_wrong_passphrase_is_3() {
    let lab = cas();
    let schemes: [&[&str]; 5] = [
        &["-scrypt"],
        &["-v2", "aes256", "-v2prf", "hmacWithSHA1"],
        &["-v2", "aes256", "-v2prf", "hmacWithSHA256"],
        &["-v2", "aes128", "-v2prf", "hmacWithSHA512"],
        &["-v2", "des3"],
    ];
    for (number, scheme) in schemes.iter().enumerate() {
        let name = format!("{number}.key");
        let encrypt = ["pkcs8", "-topk8", "-in", "ec.key", "-passout", "file:pass", "-out", &name];
        openssl(&lab, &[&encrypt[..], scheme].concat());
        secret(&lab, &name);
        let import = ["--cert", "ec.crt", "--key", &name, "--ca-passphrase"];
        refused(&lab, &[&import[..], &["file:bad"]].concat(), 3, &["the passphrase is wrong"]);
        works(&lab, number, &[&import[..], &["file:pass"]].concat());
    }
}

/// Each message has a command that works on the file.
#[test]
fn forms_that_are_not_read_come_with_the_command_that_converts_them() {
    let lab = cas();
    let pass = "file:pass";
    openssl(&lab, &["pkey", "-in", "ec.key", "-outform", "DER", "-out", "der.key"]);
    let encrypt = ["pkcs8", "-topk8", "-in", "ec.key", "-passout", pass];
    openssl(&lab, &[&encrypt[..], &["-outform", "DER", "-out", "encrypted-der.key"]].concat());
    openssl(&lab, &[&encrypt[..], &["-v1", "PBE-SHA1-3DES", "-out", "pbes1.key"]].concat());
    let traditional = ["-traditional", "-aes256", "-passout", pass];
    openssl(&lab, &[&["pkey", "-in", "rsa.key", "-out", "old.key"], &traditional[..]].concat());
    assert!(lab.read("old.key").windows(19).any(|part| part == b"Proc-Type: 4,ENCRYP"));
    for (certificate, key, reason, command) in [
        ("ec.crt", "der.key", "it is DER", "openssl pkey -inform DER"),
        ("ec.crt", "encrypted-der.key", "an encrypted key in DER", "openssl pkcs8 -inform DER"),
        ("ec.crt", "pbes1.key", "encryption scheme is not supported", "openssl pkey -aes256"),
        ("rsa.crt", "old.key", "that of OpenSSL before PKCS #8", "openssl pkey -aes256"),
    ] {
        secret(&lab, key);
        let import = ["--cert", certificate, "--key", key, "--ca-passphrase", pass];
        refused(&lab, &import, 2, &[reason, command]);
    }
    let both = "pass:secret-passphrase";
    let convert = ["pkey", "-aes256", "-in", "old.key", "-passin", both, "-passout", both];
    openssl(&lab, &[&convert[..], &["-out", "new.key"]].concat());
    secret(&lab, "new.key");
    works(&lab, 0, &["--cert", "rsa.crt", "--key", "new.key", "--ca-passphrase", pass]);
}

#[test]
fn pkcs12_files_of_openssl_and_java_are_imported_or_refused_with_a_command() {
    let lab = cas();
    let export = |certificate: &str, key: &str, more: &[&str]| {
        let export =
            ["pkcs12", "-export", "-passout", "file:pass", "-in", certificate, "-inkey", key];
        openssl(&lab, &[&export[..], more].concat());
    };
    export("ec.crt", "ec.key", &["-out", "default.p12"]);
    export("ec.crt", "ec.key", &["-nomac", "-out", "nomac.p12"]);
    export("ec.crt", "ec.key", &["-certpbe", "NONE", "-out", "plain.p12"]);
    export("ec.crt", "ec.key", &["-legacy", "-out", "legacy.p12"]);
    export("ec.crt", "ec.key", &["-nocerts", "-out", "nocert.p12"]);
    export("rsa.crt", "rsa.key", &["-name", "rsa", "-out", "rsa.p12"]);
    openssl(
        &lab,
        &[
            "pkcs12",
            "-export",
            "-nokeys",
            "-passout",
            "file:pass",
            "-in",
            "ec.crt",
            "-out",
            "nokey.p12",
        ],
    );
    // As Java merges two keystores.
    for from in ["default.p12", "rsa.p12"] {
        let mut keytool = peers::program("keytool");
        keytool.args([
            "-importkeystore",
            "-noprompt",
            "-srckeystore",
            from,
            "-srcstorepass",
            "secret-passphrase",
        ]);
        keytool.args([
            "-destkeystore",
            "two.p12",
            "-deststoretype",
            "PKCS12",
            "-deststorepass",
            "secret-passphrase",
        ]);
        let output = keytool.current_dir(lab.folder()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        if from == "default.p12" {
            fs::copy(lab.path("two.p12"), lab.path("one.p12")).unwrap();
        }
    }
    lab.write("java.jks", b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\0");
    for (number, file) in ["default.p12", "nomac.p12", "plain.p12", "one.p12"].iter().enumerate() {
        works(&lab, number, &["--cert", file, "--ca-passphrase", "file:pass"]);
        let wrong = ["--cert", file, "--ca-passphrase", "file:bad"];
        refused(&lab, &wrong, 3, &["the password is wrong"]);
    }
    for (file, reason, command) in [
        ("legacy.p12", "RC2 or 3DES", "openssl pkcs12 -legacy"),
        ("two.p12", "it holds 2 private keys", "keytool -importkeystore"),
        ("nokey.p12", "it holds no private key", "openssl pkcs12 -export"),
        ("nocert.p12", "no certificate of its key", "export the key together"),
        ("java.jks", "it is a Java keystore", "keytool -importkeystore"),
    ] {
        refused(&lab, &["--cert", file, "--ca-passphrase", "file:pass"], 2, &[reason, command]);
    }
    // The file has the key, so a token of the environment is not asked.
    let mut command =
        lab.command(&["import-ca", "--cert", "default.p12", "--ca-passphrase", "file:pass"]);
    let output = command.env("ETCDPKI_SIGNER_CMD", "false").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn certificates_that_do_not_fit_are_refused_and_a_second_root_is_named() {
    let lab = cas();
    make(&lab, "weak", &["rsa:1024"]);
    make(&lab, "p192", &["ec", "-pkeyopt", "ec_paramgen_curve:P-192"]);
    lab.write("two.crt", [lab.read("ec.crt"), lab.read("rsa.crt")].concat());
    lab.write("twice.crt", [lab.read("ec.crt"), lab.read("ec.crt")].concat());
    lab.write("two.key", [lab.read("ec.key"), lab.read("rsa.key")].concat());
    secret(&lab, "two.key");
    for (certificate, key, reason) in [
        ("ec.crt", "rsa.key", "rsa.key is not the key of ec.crt"),
        ("two.crt", "rsa.key", "which is not the first certificate"),
        ("ec.crt", "two.key", "a second key"),
        ("weak.crt", "weak.key", "[key-weak]"),
        ("p192.crt", "p192.key", "[key-curve]"),
    ] {
        refused(&lab, &["--cert", certificate, "--key", key], 2, &[reason]);
    }
    // A certificate has another mode than a key, which is reported too.
    refused(
        &lab,
        &["--cert", "ec.key", "--key", "ec.crt"],
        3,
        &["check that two paths are not swapped"],
    );
    works(&lab, 0, &["--cert", "twice.crt", "--key", "ec.key"]);
    let run = lab.run(&["import-ca", "--cert", "two.crt", "--key", "ec.key"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("hosts will also trust CN=rsa"), "{run:?}");
    // An expired CA: its key was used until now, and then nothing that it signs is accepted.
    lab.ok(&["--dir", "short", "init-ca", "--expiry", "2s"]);
    std::thread::sleep(std::time::Duration::from_secs(3));
    refused(&lab, &["--cert", "short/ca.pem", "--key", "short/ca-key.pem"], 1, &["[ca-time]"]);
}
