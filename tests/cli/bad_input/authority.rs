//! Common faults in the CA's own files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Table;
use super::openssl::OpenSsl;
use crate::lab::Lab;

const P256: &[&str] = &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const CA: &str = "basicConstraints=critical,CA:TRUE";
const SIGNS: &str = "keyUsage=critical,keyCertSign,cRLSign";
const SKI: &str = "subjectKeyIdentifier=hash";
const NOW: [&str; 2] = ["20200101", "20990101"];

/// `etcdpki issue` with the CA in this folder.
fn issue(folder: &str) -> [&str; 6] {
    ["issue", "--dir", folder, "--profile", "client", "api"]
}

/// A lab with a valid CA in `pki`, and copies of it to damage.
fn lab_with_copies(copies: &[&str]) -> Lab {
    let lab = Lab::with_ca(&[]);
    for copy in copies {
        fs::create_dir(lab.path(copy)).unwrap();
        for file in ["ca.pem", "ca-key.pem"] {
            fs::copy(lab.path("pki").join(file), lab.path(copy).join(file)).unwrap();
        }
    }
    lab
}

#[test]
fn a_ca_that_is_not_there_or_half_there_is_refused() {
    let lab = lab_with_copies(&["no-certificate", "no-key"]);
    fs::create_dir(lab.path("empty")).unwrap();
    fs::remove_file(lab.path("no-certificate/ca.pem")).unwrap();
    fs::remove_file(lab.path("no-key/ca-key.pem")).unwrap();
    lab.write("file", "");
    let config = r#"{"signing": {"profiles": {"client": {"expiry": "1h", "usages": ["any"]}}}}"#;
    lab.write("config.json", config);
    let mut table = Table::new(lab);
    // cfssl reports this, prints nothing, and exits with 0.
    for folder in ["missing", "empty", "no-certificate", "no-key", "file"] {
        table.refused(folder, 3, &issue(folder));
    }
    for folder in ["empty", "no-certificate", "no-key"] {
        let row = format!("{folder}, with --config");
        let config = ["--config", "config.json"];
        table.refused(&row, 3, &[&issue(folder)[..], &config].concat());
    }
    for folder in ["no-certificate", "no-key"] {
        table.refused(&format!("{folder}, init-ca"), 3, &["init-ca", "--dir", folder]);
    }
    table.refused("file, init-ca", 3, &["init-ca", "--dir", "file"]);
    table.refused("file in the way, init-ca", 3, &["init-ca", "--dir", "file/pki"]);
    table.snapshot("ca_missing");
}

#[test]
fn a_ca_whose_files_are_damaged_or_mixed_up_is_refused() {
    let folders = [
        "swapped",
        "other-key",
        "empty-certificate",
        "empty-key",
        "text-certificate",
        "text-key",
        "half-certificate",
        "half-key",
        "damaged-key",
        "two-keys",
        "request",
        "folder-certificate",
        "folder-key",
        "der-key",
        "encrypted-pkcs8",
        "encrypted-pkcs1",
        "leaf-behind",
        "wrong-order",
    ];
    let lab = lab_with_copies(&folders);
    let openssl = OpenSsl::in_lab(&lab);
    let (certificate, key) = (lab.read("pki/ca.pem"), lab.read("pki/ca-key.pem"));
    lab.ok(&["init-ca", "--dir", "other", "--cn", "another CA"]);
    let (other, other_key) = (lab.read("other/ca.pem"), lab.read("other/ca-key.pem"));

    lab.write("swapped/ca.pem", &key);
    lab.write("swapped/ca-key.pem", &certificate);
    lab.write("other-key/ca-key.pem", &other_key);
    lab.write("empty-certificate/ca.pem", "");
    lab.write("empty-key/ca-key.pem", "");
    lab.write("text-certificate/ca.pem", "404 page not found\n");
    lab.write("text-key/ca-key.pem", "404 page not found\n");
    lab.write("half-certificate/ca.pem", &certificate[..certificate.len() / 2]);
    lab.write("half-key/ca-key.pem", &key[..key.len() / 2]);
    // The second line of base64 is missing.
    let mut lines: Vec<_> = key.split_inclusive(|byte| *byte == b'\n').collect();
    lines.remove(2);
    lab.write("damaged-key/ca-key.pem", lines.concat());
    lab.write("two-keys/ca-key.pem", [&key[..], &other_key].concat());
    openssl.key("leaf.key", P256);
    lab.write("request/ca.pem", openssl.request("leaf.key", &[]));
    for (folder, file) in [("folder-certificate", "ca.pem"), ("folder-key", "ca-key.pem")] {
        fs::remove_file(lab.path(folder).join(file)).unwrap();
        fs::create_dir(lab.path(folder).join(file)).unwrap();
        fs::set_permissions(lab.path(folder).join(file), PermissionsExt::from_mode(0o700)).unwrap();
    }
    let key_in = ["-in", "pki/ca-key.pem"];
    let make = |args: &[&str]| openssl.run(&[args, &key_in].concat());
    make(&["pkey", "-outform", "DER", "-out", "der-key/ca-key.pem"]);
    make(&["pkey", "-aes256", "-passout", "pass:x", "-out", "encrypted-pkcs8/ca-key.pem"]);
    make(&["ec", "-aes256", "-passout", "pass:x", "-out", "encrypted-pkcs1/ca-key.pem"]);
    lab.ok(&["issue", "--profile", "client", "leaf"]);
    lab.write("leaf-behind/ca.pem", [certificate.clone(), lab.read("leaf.pem")].concat());
    lab.write("wrong-order/ca.pem", [&other[..], &certificate].concat());
    for folder in folders {
        fs::set_permissions(
            lab.path(folder).join("ca-key.pem"),
            PermissionsExt::from_mode(if folder == "folder-key" { 0o700 } else { 0o600 }),
        )
        .unwrap();
    }

    let mut table = Table::new(lab);
    for folder in folders {
        let environment = folder.starts_with("folder-") || folder == "encrypted-pkcs8";
        let code = if environment { 3 } else { 2 };
        table.refused(folder, code, &issue(folder));
    }
    table.snapshot("ca_files");
}

#[test]
fn a_ca_key_that_others_can_read_or_change_is_refused() {
    // cfssl does not check this, and neither does etcd.
    let mut table = Table::new(Lab::with_ca(&[]));
    for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o666, 0o777] {
        let key = table.lab.path("pki/ca-key.pem");
        fs::set_permissions(key, PermissionsExt::from_mode(mode)).unwrap();
        table.refused(&format!("mode {mode:o}"), 3, &issue("pki"));
    }
    table.snapshot("ca_key_modes");
}

#[test]
fn a_ca_that_must_not_sign_is_refused() {
    let lab = Lab::new();
    let openssl = OpenSsl::in_lab(&lab);
    let good = [CA, SIGNS, SKI];
    let rsa1024 = ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
    let p224 = ["EC", "-pkeyopt", "ec_paramgen_curve:P-224"];
    for (folder, algorithm, extensions, life) in [
        ("leaf", P256, &["basicConstraints=CA:FALSE", "keyUsage=digitalSignature", SKI][..], NOW),
        ("no-constraints", P256, &[SIGNS, SKI], NOW),
        ("no-key-cert-sign", P256, &[CA, "keyUsage=critical,cRLSign", SKI], NOW),
        ("expired", P256, &good, ["20200101", "20210101"]),
        ("not-yet-valid", P256, &good, ["20980101", "20990101"]),
        ("rsa-1024", &rsa1024, &good, NOW),
        ("p-224", &p224, &good, NOW),
        ("unknown-critical", P256, &[CA, SIGNS, SKI, "1.2.3.4=critical,DER:0500"], NOW),
    ] {
        openssl.ca(folder, algorithm, extensions, life);
    }
    let mut table = Table::new(lab);
    for (row, code) in [
        ("leaf", 1),
        ("no-constraints", 1),
        ("no-key-cert-sign", 1),
        ("expired", 1),
        ("not-yet-valid", 1),
        // cfssl signs with SHA-1 for these two.
        ("rsa-1024", 2),
        ("p-224", 2),
        ("unknown-critical", 1),
    ] {
        table.refused(row, code, &issue(row));
    }
    table.snapshot("ca_that_must_not_sign");
}

#[test]
fn what_its_ca_does_not_allow_is_refused() {
    let constrained = ["--permit", "192.168.29.0/24", "--permit", "lab", "--exclude", "dns:x.lab"];
    let lab = Lab::with_ca(&constrained);
    lab.ok(&["init-ca", "--dir", "short", "--expiry", "1d"]);
    lab.write(
        "config.json",
        r#"{"signing": {"profiles": {"inter": {"expiry": "1h", "usages": ["cert sign", "crl sign"],
            "ca_constraint": {"is_ca": true}}}}}"#,
    );
    let mut table = Table::new(lab);
    let short = [&issue("short")[..], &["--expiry", "2d"]].concat();
    table.refused("a leaf that outlives its CA", 1, &short);
    let elsewhere = [&issue("pki")[..], &["--san", "api.example.com"]].concat();
    table.refused("a name outside", 1, &elsewhere);
    let peer = |san| ["issue", "--profile", "peer", "a.lab", "--san", san];
    table.refused("an address outside", 1, &peer("8.8.8.8"));
    table.refused("an excluded name", 1, &peer("y.x.lab"));
    table.refused(
        "a CA below a CA for leaves alone",
        1,
        &["issue", "--dir", "short", "--config", "config.json", "--profile", "inter", "below"],
    );
    table.snapshot("ca_does_not_allow");
}

#[test]
fn every_common_encoding_of_a_ca_key_is_read() {
    let lab = Lab::new();
    let openssl = OpenSsl::in_lab(&lab);
    let rsa = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    for (folder, algorithm) in
        [("pkcs8", P256), ("ec-parameters", P256), ("ed25519", &["ED25519"]), ("pkcs1", &rsa)]
    {
        openssl.ca(folder, algorithm, &[CA, SIGNS, SKI], NOW);
    }
    // `openssl ecparam -genkey` writes the curve in front of the key.
    let traditional = |folder: &str| {
        let key = format!("{folder}/ca-key.pem");
        openssl.run(&["pkey", "-traditional", "-in", &key, "-out", "key.pem"]);
        openssl.take("key.pem")
    };
    openssl.run(&["ecparam", "-name", "prime256v1", "-out", "curve.pem"]);
    let ec = [lab.read("curve.pem"), traditional("ec-parameters")].concat();
    assert!(ec.starts_with(b"-----BEGIN EC PARAMETERS-----"));
    lab.write("ec-parameters/ca-key.pem", ec);
    let rsa = traditional("pkcs1");
    assert!(rsa.starts_with(b"-----BEGIN RSA PRIVATE KEY-----"));
    lab.write("pkcs1/ca-key.pem", rsa);
    // Text around a certificate. cfssl accepts it in front of the certificate and rejects it after.
    let certificate = lab.read("pkcs8/ca.pem");
    lab.write(
        "pkcs8/ca.pem",
        [b"etcd CA\n", &certificate[..], b"kept by the platform team\n"].concat(),
    );
    for folder in ["pkcs8", "ec-parameters", "ed25519", "pkcs1"] {
        let issued = [&issue(folder)[..], &["--out", folder]].concat();
        lab.ok(&issued);
        let leaf = format!("{folder}/api.pem");
        openssl.run(&["verify", "-CAfile", &format!("{folder}/ca.pem"), &leaf]);
    }
}

#[test]
fn a_root_behind_the_ca_is_there_to_be_trusted() {
    // cfssl: `should contain only one object`. During a rotation, a bundle contains two roots.
    let lab = Lab::with_ca(&[]);
    lab.ok(&["init-ca", "--dir", "other", "--cn", "the next CA"]);
    lab.write("pki/ca.pem", [lab.read("pki/ca.pem"), lab.read("other/ca.pem")].concat());
    lab.ok(&["issue", "--profile", "client", "--chain", "api"]);
    lab.ok(&["verify", "api.pem"]);
    let chain = String::from_utf8(lab.read("api.pem")).unwrap();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 1, "{chain}");
}

#[test]
fn a_leaf_named_like_its_ca_names_the_key_of_its_ca() {
    // etcd accepts such a leaf certificate. cfssl and Go omit the authority key identifier, so OpenSSL treats it as
    // self-signed.
    let lab = Lab::with_ca(&["--cn", "etcd"]);
    lab.ok(&["issue", "--profile", "server", "etcd"]);
    let keys = |file: &str, name: &str| {
        let out = lab.ok(&["inspect", file]);
        let line = out.lines().find(|line| line.trim_start().starts_with(name));
        line.map(|line| line.split_whitespace().next_back().unwrap().to_owned())
    };
    assert_eq!(keys("etcd.pem", "subject "), keys("pki/ca.pem", "subject "));
    let ca = keys("pki/ca.pem", "subject key id").unwrap();
    assert_eq!(keys("etcd.pem", "authority key id"), Some(ca));
    lab.ok(&["verify", "etcd.pem", "--purpose", "server", "--host", "etcd"]);
}
