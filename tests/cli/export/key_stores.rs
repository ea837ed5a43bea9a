//! PKCS #12 files checked with OpenSSL and GnuTLS, and the sources of their password.

use super::*;

/// Non-ASCII letters, spaces and quotes, because the two MACs hash the password in different encodings.
const PASSWORD: &str = "dreißig $\"Löwen\" 東";

fn with_password() -> Lab {
    let lab = lab();
    write_password(&lab, &format!("{PASSWORD}\nsecond line\n"), 0o600);
    lab
}

fn write_password(lab: &Lab, text: &str, mode: u32) {
    lab.write("password", text);
    fs::set_permissions(lab.path("password"), fs::Permissions::from_mode(mode)).unwrap();
}

const FROM_FILE: [&str; 4] = ["--as", "pkcs12", "--password-file", "password"];

fn export(host: &str) -> Vec<&str> {
    [&["export", host, "--out", "stores"], &FROM_FILE[..]].concat()
}

fn openssl(lab: &Lab, args: &[&str]) -> crate::lab::Run {
    finish(peers::program("openssl").args(args).current_dir(lab.folder()))
}

/// Every key store of the lab: ECDSA, RSA and Ed25519.
#[test]
fn openssl_and_gnutls_read_back_key_certificate_and_ca() {
    let lab = with_password();
    for (host, base) in [
        ("etcdone", "peer"),
        ("etcdtwo", "member"),
        ("etcdthree", "server"),
        ("masterone", "apiserver-etcd-client"),
        ("admin", "backup"),
    ] {
        lab.ok(&export(host));
        let store = format!("stores/{host}-{base}.p12");
        assert_eq!(mode(&lab.path(&store)), 0o600);

        let own = format!("pki/hosts/{host}/{base}");
        let read = ["pkcs12", "-in", &store, "-passin", "file:password", "-nodes"];
        let key = openssl(&lab, &[&read[..], &["-nocerts"]].concat());
        assert_eq!(key.code, 0, "{key:?}");
        lab.write("read-key.pem", key.stdout);
        let public = |file: &str| openssl(&lab, &["pkey", "-in", file, "-pubout"]).stdout;
        assert_eq!(public("read-key.pem"), public(&format!("{own}-key.pem")));
        assert!(!public("read-key.pem").is_empty());

        let der = |pem: Vec<u8>| {
            let certificates = pki_core::Certificate::from_pem_or_der(&pem).unwrap();
            certificates.iter().map(|c| c.der().to_vec()).collect::<Vec<_>>()
        };
        let leaf = openssl(&lab, &[&read[..], &["-nokeys", "-clcerts"]].concat()).stdout;
        assert_eq!(der(leaf.into()), der(lab.read(format!("{own}.pem"))), "{store}");
        let ca = openssl(&lab, &[&read[..], &["-nokeys", "-cacerts"]].concat()).stdout;
        assert_eq!(der(ca.into()), der(lab.read("pki/ca.pem")), "{store}");

        let mut certtool = peers::program("certtool");
        certtool.args(["--p12-info", "--inder", "--infile", &store, "--password", PASSWORD]);
        let run = finish(certtool.current_dir(lab.folder()));
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(run.stdout.matches("BEGIN CERTIFICATE").count(), 2, "{run:?}");
        assert_eq!(run.stdout.matches("PRIVATE KEY-----\n").count(), 2, "{run:?}");
        assert!(run.stdout.contains(&format!("Friendly name: {host}-{base}\n")), "{run:?}");
    }
}

/// No SHA-1, RC2 or triple DES, and more than the 2,048 rounds of OpenSSL.
#[test]
fn the_algorithms_are_those_of_today() {
    let lab = with_password();
    lab.ok(&export("admin"));
    let store = "stores/admin-backup.p12";
    let info = ["pkcs12", "-in", store, "-passin", "file:password", "-info", "-noout"];
    let run = openssl(&lab, &info);
    assert_eq!(run.code, 0, "{run:?}");
    insta::assert_snapshot!("pkcs12_algorithms", run.stderr);
    let wrong = openssl(&lab, &["pkcs12", "-in", store, "-passin", "pass:wrong", "-noout"]);
    assert_ne!(wrong.code, 0, "{wrong:?}");
}

#[test]
fn the_password_may_come_from_the_environment_or_standard_input() {
    let lab = with_password();
    let mut command = lab.command(&["export", "admin", "--as", "pkcs12", "--password-env", "P12"]);
    let output = command.env("P12", PASSWORD).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let args = ["export", "admin", "--as", "pkcs12", "--password-file", "-", "--out", "-"];
    let mut command = lab.command(&args);
    let output = command.stdin(fs::File::open(lab.path("password")).unwrap()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    lab.write("from-stdin.p12", output.stdout);
    for store in ["admin-backup.p12", "from-stdin.p12"] {
        let args = ["pkcs12", "-in", store, "-passin", "file:password", "-noout"];
        assert_eq!(openssl(&lab, &args).code, 0, "{store}");
    }
}

#[test]
fn an_invalid_password_is_refused_before_anything_is_written() {
    let lab = with_password();
    let mut told = String::new();
    let mut refuse = |lab: &Lab, what: &str, args: &[&str]| {
        let run = lab.run(&[&["export", "etcdone"], args].concat());
        assert!(run.code == 2 || run.code == 3, "{what}: {run:?}");
        assert!(!run.stderr.contains("secret"), "{what}: the password is printed: {run:?}");
        told.extend([format!("## {what}\nexit {}\n{}\n", run.code, run.stderr)]);
    };
    refuse(&lab, "none", &["--as", "pkcs12"]);
    refuse(&lab, "no file", &["--as", "pkcs12", "--password-file", "nowhere"]);
    refuse(&lab, "no variable", &["--as", "pkcs12", "--password-env", "NOWHERE"]);
    refuse(&lab, "for a tar.gz", &["--password-file", "password"]);
    refuse(&lab, "two certificates, one stream", &[&FROM_FILE[..], &["--out", "-"]].concat());
    write_password(&lab, "secret\n", 0o644);
    refuse(&lab, "a file for all to read", &FROM_FILE);
    write_password(&lab, "\nsecret\n", 0o600);
    refuse(&lab, "an empty first line", &FROM_FILE);
    lab.write("password", b"secret\xff\n");
    refuse(&lab, "not UTF-8", &FROM_FILE);
    insta::assert_snapshot!("password_refused", told);
    let stores = files_below(lab.folder());
    assert!(stores.iter().all(|name| !name.ends_with("p12")), "{stores:?}");
}
