//! Files, folders, bundles, standard input; a fault in one file does not hide another.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use serde_json::Value;

use super::{mixed, redacted};
use crate::lab::{Lab, Run};
use crate::peers;
use crate::process::finish;

fn names(run: &Run) -> Vec<String> {
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let files = document["files"].as_array().unwrap().iter();
    files.map(|file| file["file"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_folder_is_searched_and_what_is_not_a_leaf_is_skipped() {
    let lab = mixed();
    let run = lab.run(&["verify", "certs", "--format", "json"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(names(&run), ["certs/bad.crt", "certs/good.pem", "certs/more/client.pem"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let skipped = &document["skipped"];
    assert_eq!((&skipped["keys"], &skipped["trust_files"]), (&2.into(), &1.into()));
    insta::assert_snapshot!("folder", redacted(&lab, &lab.run(&["verify", "certs"])));
}

#[test]
fn a_folder_without_certificates_is_not_a_success() {
    let lab = Lab::with_ca(&[]);
    let run = lab.run(&["verify", "pki"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert!(run.stderr.contains("there is no certificate to verify"), "{run:?}");
}

/// A folder as Kubernetes mounts a secret, and one with a cycle of links.
#[test]
fn links_to_files_are_read_and_links_to_folders_are_not_followed() {
    let lab = Lab::with_ca(&[]);
    std::fs::create_dir_all(lab.path("secret/..data")).unwrap();
    lab.ok(&["issue", "--profile", "client", "api", "--out", "secret/..data"]);
    symlink("..data/api.pem", lab.path("secret/api.pem")).unwrap();
    symlink(".", lab.path("secret/again")).unwrap();
    let run = lab.run(&["verify", "secret", "--format", "json"]);
    assert_eq!((run.code, names(&run)), (0, vec!["secret/api.pem".to_owned()]), "{run:?}");
}

#[test]
fn the_worst_outcome_decides_and_hides_no_other() {
    let lab = mixed();
    let (good, bad) = ("certs/good.pem", "certs/bad.crt");
    for (code, files) in [
        (0, &[good][..]),
        (1, &[good, "pki/ca.pem"]),
        (2, &["pki/ca.pem", bad, good]),
        (3, &["nowhere.pem", bad, "pki/ca.pem", good]),
    ] {
        let run = lab.run(&[&["verify", "--format", "json"], files].concat());
        assert_eq!(run.code, code, "{files:?}: {run:?}");
        assert_eq!(names(&run), files, "{run:?}");
        let text = lab.run(&[&["verify"], files].concat());
        assert_eq!(text.code, code, "{files:?}: {text:?}");
        assert!(text.stdout.contains("certs/good.pem: ok\n"), "{text:?}");
    }
}

/// Several hundred certificates, of which every third has a fault, on any number of cores.
#[test]
fn the_order_is_that_of_the_names_and_always_the_same() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    std::fs::create_dir(lab.path("many")).unwrap();
    let (good, bad) = (lab.read("api.pem"), b"404".to_vec());
    for number in 0..300 {
        let contents = if number % 3 == 0 { &bad } else { &good };
        lab.write(format!("many/{number:03}.pem"), contents);
    }
    let at = ["verify", "many", "--at", "2026-12-01T00:00:00Z", "--format"];
    for format in ["text", "json", "sarif", "junit", "github"] {
        let run = lab.run(&[&at[..], &[format]].concat());
        assert_eq!(run.code, 2, "{format}");
        let again = lab.run(&[&at[..], &[format]].concat());
        assert_eq!((&run.stdout, &run.stderr), (&again.stdout, &again.stderr), "{format}");
    }
    let run = lab.run(&[&at[..], &["json"]].concat());
    let wanted: Vec<String> = (0..300).map(|number| format!("many/{number:03}.pem")).collect();
    assert_eq!(names(&run), wanted);
}

#[test]
fn a_bundle_is_a_leaf_and_its_chain() {
    let lab = Lab::with_ca(&["--path-len", "1"]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.write("bundle.pem", [lab.read("api.pem"), lab.read("pki/ca.pem")].concat());
    let mut page = String::new();
    let _ = writeln!(page, "{}", redacted(&lab, &lab.run(&["verify", "bundle.pem"])));
    // In the other order, etcd would use the CA as its own certificate.
    lab.write("turned.pem", [lab.read("pki/ca.pem"), lab.read("api.pem")].concat());
    let _ = writeln!(page, "{}", redacted(&lab, &lab.run(&["verify", "turned.pem"])));
    insta::assert_snapshot!("bundle", page);
}

#[test]
fn standard_input_is_a_file_among_others() {
    let lab = mixed();
    let mut command = lab.command(&["verify", "certs/good.pem", "-", "--format", "sarif"]);
    let input = std::fs::File::open(lab.path("certs/bad.crt")).unwrap();
    let run: Run = command.stdin(Stdio::from(input)).output().unwrap().into();
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.contains(r#""fullyQualifiedName":"-""#), "{run:?}");
}

/// Opening a pipe would wait for a writer forever.
#[test]
fn a_pipe_in_a_folder_is_not_waited_for() {
    let lab = mixed();
    let pipe = lab.path("certs/pipe.pem");
    assert!(peers::program("mkfifo").arg(&pipe).status().unwrap().success());
    symlink("pipe.pem", lab.path("certs/link.pem")).unwrap();
    let run = finish(&mut lab.command(&["verify", "certs", "--format", "json"]));
    assert_eq!(run.code, 3, "{run:?}");
    assert!(names(&run).contains(&"certs/good.pem".to_owned()), "{run:?}");
    for name in ["pipe", "link"] {
        let wanted = format!("error: certs/{name}.pem is not a file\n");
        assert!(run.stderr.contains(&wanted), "{run:?}");
    }
}

#[test]
fn what_is_not_a_certificate_is_named_and_skipped_in_a_folder() {
    let lab = mixed();
    std::fs::create_dir(lab.path("other")).unwrap();
    lab.write("index.txt", "");
    lab.write("crl.cnf", "[ca]\ndefault_ca = any\n[any]\ndatabase = index.txt\n");
    let openssl = |command: &str| {
        let mut openssl = peers::program("openssl");
        let run = finish(openssl.args(command.split(' ')).current_dir(lab.folder()));
        assert_eq!(run.code, 0, "{run:?}");
    };
    let ca = "-cert pki/ca.pem -keyfile pki/ca-key.pem -md sha256";
    openssl(&format!("ca -gencrl -config crl.cnf {ca} -crldays 30 -out crl.pem"));
    openssl("crl -in crl.pem -outform DER -out other/crl.der");
    openssl("pkey -in certs/good-key.pem -outform DER -out other/key.der");
    openssl("req -new -key certs/good-key.pem -subj /CN=x -outform DER -out other/request.der");
    for (file, what) in [
        ("other/crl.der", "a CRL"),
        ("other/key.der", "a private key"),
        ("other/request.der", "a certification request"),
        ("certs/good-key.pem", "a private key"),
    ] {
        let run = lab.run(&["verify", file]);
        let wanted = format!("error: {file}: not a certificate, but {what}\n");
        assert!(run.code == 2 && run.stderr.starts_with(&wanted), "{run:?}");
    }
    lab.write("other/good.pem", lab.read("certs/good.pem"));
    let run = lab.run(&["verify", "other", "--format", "json"]);
    assert_eq!((run.code, names(&run)), (0, vec!["other/good.pem".to_owned()]), "{run:?}");
    let wanted = r#""skipped": {"keys":1,"requests":1,"crls":1,"trust_files":0}"#;
    assert!(run.stdout.contains(wanted), "{run:?}");
}

/// A name could look like a line of output, or make the terminal hide one.
#[test]
fn names_of_files_cannot_pretend_to_be_verdicts() {
    let lab = mixed();
    let name = "certs/x\nno.pem: ok\u{1b}[8m\u{202e}.pem";
    lab.write(name, lab.read("certs/good.pem"));
    lab.write(format!("{name}.crt"), "no certificate");
    let run = lab.run(&["verify", "certs"]);
    let shown = r"certs/x\nno.pem: ok\u{1b}[8m\u{202e}.pem";
    assert!(run.stdout.contains(&format!("\n{shown}: ok\n")), "{run:?}");
    assert!(run.stderr.contains(&format!("error: {shown}.crt: not a certificate")), "{run:?}");
    // Machine-readable output contains the unchanged name.
    let run = lab.run(&["verify", "certs", "--format", "json"]);
    assert!(names(&run).contains(&name.to_owned()), "{run:?}");
}

#[test]
fn a_leaf_in_the_trust_file_is_not_its_own_trusted_ca() {
    let lab = mixed();
    let run = lab.run(&["verify", "certs/good.pem", "--ca", "certs/good.pem"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("no trusted CA\n") && !run.stdout.contains("(trusted)"), "{run:?}");
}

/// As in Go's net.IP.Equal, which clients with such a URL use.
#[test]
fn an_ipv4_address_in_the_form_of_ipv6_is_the_same_host() {
    let lab = mixed();
    for (host, code) in [("::ffff:10.0.0.1", 0), ("::10.0.0.1", 1)] {
        let run = lab.run(&["verify", "certs/good.pem", "--host", host]);
        assert_eq!(run.code, code, "{run:?}");
    }
}
