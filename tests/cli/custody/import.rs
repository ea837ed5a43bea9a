//! CAs that other tools made, taken over with `import-ca`.

use std::process::Command;

use super::*;
use crate::etcd::certificates::HOSTS;
use crate::etcd::cluster::{Cluster, Version};

const PASSPHRASE: &str = "8fK-the-old-passphrase";

const OPENSSL: &str = "[req]\ndistinguished_name = dn\n[dn]\n\
    [ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, digitalSignature, keyEncipherment, keyCertSign\n\
    subjectKeyIdentifier = hash\n\
    [leaf]\nbasicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n\
    extendedKeyUsage = serverAuth, clientAuth\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
    subjectAltName = DNS:etcdone, IP:127.0.0.2, IP:127.0.0.1\n";

/// A CA of another tool, and how it is imported.
struct Old {
    lab: Lab,
    /// Its certificate and its key without encryption, to sign with.
    certificate: &'static str,
    key: &'static str,
    import: &'static [&'static str],
}

impl Old {
    /// Issues a certificate with OpenSSL, in `old/NAME.pem`.
    fn issue(&self, name: &str) {
        let Self { lab, certificate, key, .. } = self;
        let (leaf_key, leaf) = (format!("old/{name}-key.pem"), format!("old/{name}.pem"));
        let request = ["req", "-new", "-config", "openssl.cnf", "-subj", "/CN=etcdone", "-nodes"];
        let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
        let out = ["-keyout", &leaf_key, "-out", "leaf.csr"];
        openssl(lab, &[&request[..], &new_key, &out].concat());
        let sign = ["x509", "-req", "-in", "leaf.csr", "-CA", certificate, "-CAkey", key];
        let how =
            ["-CAcreateserial", "-days", "30", "-extfile", "openssl.cnf", "-extensions", "leaf"];
        openssl(lab, &[&sign[..], &how, &["-out", &leaf]].concat());
    }

    fn import(&self, options: &[&str]) -> String {
        self.lab.ok(&[&["import-ca"], self.import, options].concat())
    }
}

fn new_lab() -> Lab {
    let lab = Lab::new();
    lab.write("openssl.cnf", OPENSSL);
    fs::create_dir(lab.path("old")).unwrap();
    lab
}

/// A CA that OpenSSL makes, with a new key of this kind.
fn openssl_ca(lab: &Lab, kind: &[&str], subject: &str, certificate: &str, key: &str) {
    let make =
        ["req", "-x509", "-config", "openssl.cnf", "-extensions", "ca", "-nodes", "-days", "900"];
    let files = ["-subj", subject, "-keyout", key, "-out", certificate];
    openssl(lab, &[&make[..], &["-newkey"], kind, &files].concat());
}

const RSA: &[&str] = &["rsa:2048"];
const P384: &[&str] = &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"];

fn cfssl() -> Old {
    let lab = new_lab();
    lab.write("ca-csr.json", r#"{"CN": "etcd CA", "key": {"algo": "ecdsa", "size": 256}}"#);
    let mut shell = Command::new("sh");
    shell.args(["-c", "cfssl gencert -initca ca-csr.json | cfssljson -bare ca"]);
    peers::program("cfssljson");
    let output = shell.current_dir(lab.folder()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Old {
        lab,
        certificate: "ca.pem",
        key: "ca-key.pem",
        import: &["--cert", "ca.pem", "--key", "ca-key.pem"],
    }
}

fn kubeadm() -> Old {
    let lab = new_lab();
    fs::create_dir_all(lab.path("kubernetes/pki/etcd")).unwrap();
    let (certificate, key) = ("kubernetes/pki/etcd/ca.crt", "kubernetes/pki/etcd/ca.key");
    openssl_ca(&lab, RSA, "/CN=etcd-ca", certificate, key);
    // kubeadm writes PKCS #1.
    openssl(&lab, &["pkey", "-traditional", "-in", key, "-out", "old/ca.key"]);
    fs::rename(lab.path("old/ca.key"), lab.path(key)).unwrap();
    Old {
        lab,
        certificate,
        key,
        import: &["--cert", "kubernetes/pki/etcd/ca.crt", "--key", "kubernetes/pki/etcd/ca.key"],
    }
}

fn easy_rsa() -> Old {
    let lab = new_lab();
    let easyrsa = Path::new("/usr/share/easy-rsa/easyrsa");
    assert!(easyrsa.is_file(), "easy-rsa is missing; {}", peers::INSTALL);
    for args in [&["init-pki"][..], &["build-ca", "nopass"]] {
        let mut command = Command::new(easyrsa);
        command.arg("--batch").args(args).current_dir(lab.folder());
        let output = command.env("EASYRSA_PKI", lab.path("easy")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    Old {
        lab,
        certificate: "easy/ca.crt",
        key: "easy/private/ca.key",
        import: &["--cert", "easy/ca.crt", "--key", "easy/private/ca.key"],
    }
}

fn openssl_encrypted() -> Old {
    let lab = new_lab();
    write_secret(&lab, "passphrase", PASSPHRASE);
    openssl_ca(&lab, P384, "/O=Lab/CN=etcd CA", "ca.crt", "plain.key");
    let pass = format!("pass:{PASSPHRASE}");
    openssl(&lab, &["pkey", "-in", "plain.key", "-aes256", "-passout", &pass, "-out", "ca.key"]);
    let import = &["--cert", "ca.crt", "--key", "ca.key", "--ca-passphrase", "file:passphrase"];
    Old { lab, certificate: "ca.crt", key: "plain.key", import }
}

fn pkcs12() -> Old {
    let lab = new_lab();
    write_secret(&lab, "passphrase", PASSPHRASE);
    openssl_ca(&lab, RSA, "/CN=etcd CA", "ca.crt", "ca.key");
    let pass = format!("pass:{PASSPHRASE}");
    let files = ["-in", "ca.crt", "-inkey", "ca.key", "-passout", &pass, "-out", "ca.p12"];
    openssl(&lab, &[&["pkcs12", "-export"], &files[..]].concat());
    let import = &["--cert", "ca.p12", "--ca-passphrase", "file:passphrase"];
    Old { lab, certificate: "ca.crt", key: "ca.key", import }
}

/// A cluster runs on certificates of the old CA. After the import it accepts a new client, and an old client accepts a
/// member with a new certificate.
fn a_cluster_on_the_old_ca_accepts_new_leafs(old: &Old) {
    let lab = &old.lab;
    for name in ["etcdone", "etcdone-peer", "client"] {
        old.issue(name);
        for file in [format!("{name}.pem"), format!("{name}-key.pem")] {
            fs::copy(lab.path("old").join(&file), lab.path(&file)).unwrap();
        }
    }
    let printed = old.import(&["--scan", "old"]);
    assert!(printed.contains("3 recorded, 0 known before"), "{printed}");
    // The members trust the file of the old tool.
    let before = lab.read("pki/ca.pem");
    lab.write("pki/ca.pem", lab.read(old.certificate));
    let mut cluster = Cluster::start(Version::V3_5, lab, &HOSTS[..1], &[]);
    let healthy = |cluster: &mut Cluster<'_>, client: &'static str| {
        cluster.wait("the member answers", |cluster| {
            let run = cluster.etcdctl(&cluster.members[0], Some(client), &["endpoint", "health"]);
            if run.code == 0 { Ok(()) } else { Err(format!("{client}: {run:?}")) }
        });
    };
    healthy(&mut cluster, "client");
    let ca = lab.read("pki/ca.pem");
    lab.write("pki/ca.pem", before);
    let passphrase: &[&str] =
        if lab.path("passphrase").exists() { &["--ca-passphrase", "file:passphrase"] } else { &[] };
    lab.ok(&[&["issue", "--profile", "client", "new"], passphrase].concat());
    let server = ["issue", "--profile", "server", "etcdone", "--san", "127.0.0.2", "--force"];
    lab.ok(&[&server[..], passphrase].concat());
    lab.write("pki/ca.pem", ca);
    healthy(&mut cluster, "new");
    healthy(&mut cluster, "client");
}

#[test]
fn a_cluster_on_a_ca_of_cfssl_accepts_leafs_of_the_imported_ca() {
    a_cluster_on_the_old_ca_accepts_new_leafs(&cfssl());
}

#[test]
fn a_cluster_on_a_ca_of_kubeadm_accepts_leafs_of_the_imported_ca() {
    a_cluster_on_the_old_ca_accepts_new_leafs(&kubeadm());
}

#[test]
fn a_cluster_on_a_ca_of_easy_rsa_accepts_leafs_of_the_imported_ca() {
    a_cluster_on_the_old_ca_accepts_new_leafs(&easy_rsa());
}

#[test]
fn a_cluster_on_an_encrypted_ca_of_openssl_accepts_leafs_of_the_imported_ca() {
    let old = openssl_encrypted();
    a_cluster_on_the_old_ca_accepts_new_leafs(&old);
    assert!(old.lab.read("pki/ca-key.pem").starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

#[test]
fn a_cluster_on_a_ca_from_pkcs12_accepts_leafs_of_the_imported_ca() {
    let old = pkcs12();
    a_cluster_on_the_old_ca_accepts_new_leafs(&old);
    assert!(old.lab.read("pki/ca-key.pem").starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

#[test]
fn an_import_writes_the_files_and_can_be_repeated() {
    let old = kubeadm();
    old.issue("one");
    let printed = old.import(&["--scan", "old"]);
    assert!(printed.contains("1 recorded, 0 known before"), "{printed}");
    assert_eq!(mode(&old.lab, "pki/ca-key.pem"), 0o600);
    assert_eq!(mode(&old.lab, "pki"), 0o700);
    openssl(&old.lab, &["x509", "-in", "pki/ca.pem", "-noout"]);
    old.issue("two");
    let printed = old.import(&["--scan", "old"]);
    assert!(printed.contains("1 recorded, 1 known before"), "{printed}");
    assert!(printed.contains("kept    the files"), "{printed}");
    // Another CA is not put in its place.
    let other = ["import-ca", "--cert", "other.crt", "--key", "other.key"];
    openssl_ca(&old.lab, P384, "/CN=other", "other.crt", "other.key");
    let run = old.lab.run(&other);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("a CA is never overwritten"), "{run:?}");
}

/// A CA whose files were copied into the folder by hand is checked and recorded too.
#[test]
fn a_ca_that_was_copied_into_the_folder_is_recorded() {
    let old = cfssl();
    let lab = &old.lab;
    fs::create_dir(lab.path("pki")).unwrap();
    for file in ["ca.pem", "ca-key.pem"] {
        fs::copy(lab.path(file), lab.path("pki").join(file)).unwrap();
    }
    fs::set_permissions(lab.path("pki/ca-key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    lab.ok(&["import-ca", "--cert", "pki/ca.pem", "--key", "pki/ca-key.pem"]);
    let run = lab.run(&["issue", "--profile", "client", "api"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
}

#[test]
fn a_scan_leaves_out_what_other_cas_issued_and_reports_a_serial_number_that_was_used_twice() {
    let old = openssl_encrypted();
    let lab = &old.lab;
    old.issue("one");
    openssl_ca(lab, P384, "/CN=other", "old/other.crt", "old/other.key");
    let sign = ["x509", "-req", "-in", "leaf.csr", "-CA", "ca.crt", "-CAkey", "plain.key"];
    for file in ["old/seven.pem", "old/seven-too.pem"] {
        let serial =
            ["-set_serial", "7", "-days", "9", "-extfile", "openssl.cnf", "-extensions", "leaf"];
        openssl(lab, &[&sign[..], &serial, &["-out", file]].concat());
    }
    lab.write("old/damaged.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let import = [&["import-ca"], old.import, &["--scan", "old"]].concat();
    let run = lab.run(&import);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("2 recorded, 0 known before, 1 of other CAs"), "{run:?}");
    assert!(run.stderr.contains("the serial number 7"), "{run:?}");
    assert!(run.stderr.contains("not scanned: old/damaged.pem"), "{run:?}");
}

/// All that is wrong with a CA is reported at once, and nothing is written.
#[test]
fn a_ca_that_must_not_be_imported_is_refused_with_all_reasons() {
    let lab = new_lab();
    lab.write(
        "leaf.cnf",
        "[req]\ndistinguished_name = dn\n[dn]\n[x]\nbasicConstraints = CA:FALSE\n",
    );
    let make = ["req", "-x509", "-config", "leaf.cnf", "-extensions", "x", "-nodes", "-days", "1"];
    let weak =
        ["-newkey", "rsa:1024", "-subj", "/CN=no CA", "-keyout", "weak.key", "-out", "weak.crt"];
    openssl(&lab, &[&make[..], &weak].concat());
    openssl_ca(&lab, P384, "/CN=etcd CA", "ca.crt", "ca.key");
    fs::set_permissions(lab.path("ca.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let run = lab.run(&["import-ca", "--cert", "weak.crt", "--key", "ca.key"]);
    assert_ne!(run.code, 0, "{run:?}");
    for reason in ["ca.key has mode 0644", "is not the key of weak.crt", "[key-weak]", "[ca-bc]"] {
        assert!(run.stderr.contains(reason), "{reason}: {run:?}");
    }
    let mut damaged = lab.read("ca.crt");
    let place = damaged.len() - 60;
    damaged[place] = if damaged[place] == b'A' { b'B' } else { b'A' };
    lab.write("damaged.crt", damaged);
    for (certificate, key, reason) in [
        ("ca.key", "ca.crt", "no CERTIFICATE block"),
        ("missing.crt", "missing.key", "2 problems"),
        ("damaged.crt", "ca.key", "signature"),
    ] {
        let run = lab.run(&["import-ca", "--cert", certificate, "--key", key]);
        assert_ne!(run.code, 0, "{run:?}");
        assert!(run.stderr.contains(reason), "{reason}: {run:?}");
    }
    assert!(!lab.path("pki").exists());
}

#[test]
fn an_intermediate_is_imported_with_the_cas_above_it() {
    let lab = Lab::new();
    lab.make_intermediate_ca();
    fs::rename(lab.path("pki"), lab.path("old")).unwrap();
    let certificates = String::from_utf8(lab.read("old/ca.pem")).unwrap();
    let (first, _) = certificates.split_at(certificates.rfind("-----BEGIN").unwrap());
    lab.write("alone.pem", first);
    let run = lab.run(&["import-ca", "--cert", "alone.pem", "--key", "old/ca-key.pem"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("is missing, the issuer of"), "{run:?}");
    lab.ok(&["import-ca", "--cert", "old/ca.pem", "--key", "old/ca-key.pem"]);
    assert_eq!(lab.read("pki/ca.pem"), lab.read("old/ca.pem"));
    lab.ok(&["issue", "--profile", "client", "api", "--chain"]);
    openssl(&lab, &["verify", "-CAfile", "root/ca.pem", "-untrusted", "api.pem", "api.pem"]);
}

#[test]
fn the_error_about_a_missing_ca_names_the_import_of_one_that_lies_there() {
    let old = kubeadm();
    let lab = &old.lab;
    for folder in ["kubernetes/pki", "kubernetes/pki/etcd", "kubernetes/pki/new"] {
        let run = lab.run(&["--dir", folder, "issue", "--profile", "client", "api"]);
        assert_eq!(run.code, 3, "{run:?}");
        let command = format!("etcdpki --dir {folder} import-ca --cert ");
        assert!(run.stderr.contains(&command), "{run:?}");
    }
    let run = lab.run(&["--dir", "elsewhere/pki", "issue", "--profile", "client", "api"]);
    assert!(run.stderr.contains("create one with etcdpki init-ca"), "{run:?}");
}
