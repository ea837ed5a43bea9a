//! Every command that signs, with every place of the CA's key: the table in docs/custody.md.

use super::token::{Token, options, uri};
use super::*;

/// A place of the CA's key.
struct Place<'a> {
    /// Runs etcdpki and expects success.
    ok: &'a dyn Fn(&[&str]) -> String,
    lab: &'a Lab,
    /// The options of every command.
    options: &'a [&'a str],
    /// Those of the commands that create a CA.
    create: &'a [&'a str],
    /// The same for the CA that replaces the first one.
    next_options: &'a [&'a str],
    next_create: &'a [&'a str],
}

impl Place<'_> {
    /// Runs every command that signs, from the first CA to its replacement.
    fn lives_through_every_command(&self) {
        let run = |args: &[&str], options: &[&str]| (self.ok)(&[args, options].concat());
        let apply = ["apply", "-f", "cluster.yaml"];
        let issue = ["issue", "--profile", "client", "api", "--force"];
        let verify = ["verify", "-CAfile", "pki/ca.pem", "api.pem"];
        run(&["init-ca"], self.create);
        run(&apply, self.options);
        is_the_lab(self.lab);
        run(&issue, self.options);
        openssl(self.lab, &verify);
        let first = self.lab.read("api.pem");
        run(&["renew", "api.pem"], self.options);
        assert_ne!(self.lab.read("api.pem"), first);
        openssl(self.lab, &verify);
        run(&["renew", "-f", "cluster.yaml", "--host", "etcdone", "--before", "9y"], self.options);
        is_the_lab(self.lab);
        // Without the key.
        run(&["revoke", "api.pem"], &[]);
        run(&["crl", "--out", "ca.crl"], self.options);
        let serial = ["x509", "-in", "api.pem", "-noout", "-serial"];
        let serial = String::from_utf8(openssl(self.lab, &serial)).unwrap();
        let crl = ["crl", "-in", "ca.crl", "-CAfile", "pki/ca.pem", "-noout", "-text"];
        let crl = String::from_utf8(openssl(self.lab, &crl)).unwrap();
        assert!(crl.contains(serial.trim().trim_start_matches("serial=")), "{crl}");
        let ca = self.lab.read("pki/ca.pem");
        std::thread::sleep(std::time::Duration::from_secs(2));
        run(&["renew", "--ca", "-f", "cluster.yaml"], self.options);
        assert_ne!(self.lab.read("pki/ca.pem"), ca);
        run(&apply, self.options);
        is_the_lab(self.lab);
        let rotate = |step| ["rotate-ca", step, "-f", "cluster.yaml"];
        let restarted = |step| [&rotate(step)[..], &["--restarted", "all"]].concat();
        run(&rotate("begin"), self.next_create);
        run(&restarted("reissue"), self.next_options);
        run(&restarted("finish"), self.next_options);
        is_the_lab(self.lab);
        run(&issue, self.next_options);
        openssl(self.lab, &verify);
        (self.ok)(&["check"]);
    }
}

#[test]
fn an_encrypted_key_lives_through_every_command() {
    let lab = lab();
    write_secret(&lab, "pass", "correct horse");
    let options = ["--ca-passphrase", "file:pass"];
    let place = Place {
        ok: &|args| lab.ok(args),
        lab: &lab,
        options: &options,
        create: &options,
        next_options: &options,
        next_create: &options,
    };
    place.lives_through_every_command();
    let keys = fs::read_dir(lab.path("pki")).unwrap().map(|entry| entry.unwrap().path());
    let keys: Vec<_> = keys.filter(|path| path.to_string_lossy().ends_with("-key.pem")).collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        let begins = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
        assert!(fs::read(&key).unwrap().starts_with(begins), "{key:?}");
    }
}

#[test]
fn a_key_behind_a_command_lives_through_every_command() {
    let lab = lab();
    for name in ["one", "two"] {
        let (key, public) = (format!("{name}.key"), format!("{name}.pub"));
        let curve = "ec_paramgen_curve:P-256";
        openssl(&lab, &["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", &key]);
        openssl(&lab, &["pkey", "-in", &key, "-pubout", "-out", &public]);
    }
    let place = Place {
        ok: &|args| lab.ok(args),
        lab: &lab,
        options: &["--signer-cmd", "openssl dgst -sha256 -sign one.key"],
        create: &["--signer-cmd", "openssl dgst -sha256 -sign one.key", "--public-key", "one.pub"],
        next_options: &["--signer-cmd", "openssl dgst -sha256 -sign two.key"],
        next_create: &[
            "--signer-cmd",
            "openssl dgst -sha256 -sign two.key",
            "--public-key",
            "two.pub",
        ],
    };
    place.lives_through_every_command();
    assert!(!lab.path("pki/ca-key.pem").exists() && !lab.path("pki/ca-next-key.pem").exists());
}

#[test]
fn a_key_in_a_token_lives_through_every_command() {
    let token = Token::new();
    let (one, two) = (uri("one"), uri("two"));
    let (one, two) = (options(&one), options(&two));
    let place = Place {
        ok: &|args| token.ok(args),
        lab: &token.lab,
        options: &one,
        create: &one,
        next_options: &two,
        next_create: &two,
    };
    place.lives_through_every_command();
    assert!(!token.lab.path("pki/ca-key.pem").exists());
}

/// What cannot work in two steps says so before it changes anything, and names what to do instead.
#[test]
fn commands_that_need_the_key_at_once_say_what_to_do_without_it() {
    let lab = lab();
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    fs::rename(lab.path("pki/ca-key.pem"), lab.path("ca-key.pem")).unwrap();
    let api = lab.read("api.pem");
    for args in [
        &["renew", "api.pem"][..],
        &["renew", "-f", "cluster.yaml", "--host", "etcdone", "--before", "9y"],
        &["renew", "--ca", "-f", "cluster.yaml"],
        &["crl"],
        &["issue", "--profile", "client", "another"],
    ] {
        let run = lab.run(args);
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        assert!(run.stderr.contains("--tbs-out"), "{args:?}: {run:?}");
    }
    assert_eq!(lab.read("api.pem"), api);
    lab.ok(&["list"]);
    lab.ok(&["revoke", "api.pem"]);
    // Nothing is due that needs the key.
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    is_the_lab(&lab);
}
