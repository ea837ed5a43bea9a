//! PEM files that this program reads and etcd does not, and files in other formats.

use crate::lab::Lab;

fn changed(lab: &Lab, file: &str, change: impl Fn(&str) -> String) -> String {
    let text = String::from_utf8(lab.read(file)).unwrap();
    text.lines().map(|line| change(line) + "\n").collect()
}

fn indented(line: &str) -> String {
    format!("  {line}")
}

/// As a YAML file or a heredoc has them. etcd: `tls: failed to find any PEM data`.
#[test]
fn indented_lines_are_damage_to_etcd_in_the_certificate_the_key_and_the_ca() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "server", "etcdone", "--san", "10.0.0.1"]);
    let tab = |line: &str| format!("\t{line}");
    let only = |word: &'static str| {
        move |line: &str| if line.contains(word) { indented(line) } else { line.to_owned() }
    };
    let body = |line: &str| if line.starts_with('-') { line.to_owned() } else { indented(line) };
    for (text, words) in [
        (changed(&lab, "etcdone.pem", indented), "the lines are indented"),
        (changed(&lab, "etcdone.pem", tab), "the lines are indented"),
        (changed(&lab, "etcdone.pem", only("BEGIN")), "the BEGIN line is indented"),
        (changed(&lab, "etcdone.pem", only("END")), "the END line is indented"),
        (changed(&lab, "etcdone.pem", body), ""),
    ] {
        lab.write("changed.pem", text);
        let run = lab.run(&["verify", "changed.pem"]);
        assert_eq!(run.code, i32::from(!words.is_empty()), "{run:?}");
        assert_eq!(run.stdout.contains("[pem-damaged]"), !words.is_empty(), "{run:?}");
        assert!(run.stdout.contains(words), "{run:?}");
        let run = lab.run(&["verify", "changed.pem", "--policy", "rfc5280"]);
        assert_eq!(run.code, 0, "{run:?}");
    }
    lab.write("key.pem", changed(&lab, "etcdone-key.pem", indented));
    lab.write("ca.pem", changed(&lab, "pki/ca.pem", indented));
    for option in [["--key", "key.pem"], ["--ca", "ca.pem"]] {
        let run = lab.run(&["verify", "etcdone.pem", option[0], option[1]]);
        assert_eq!(run.code, 1, "{run:?}");
        let found = format!("error [pem-damaged] {}: line 1", option[1]);
        assert!(run.stdout.contains(&found), "{run:?}");
    }
    // The key that is found by its name.
    lab.write("etcdone-key.pem", changed(&lab, "etcdone-key.pem", indented));
    let run = lab.run(&["verify", "etcdone.pem"]);
    assert!(run.code == 1 && run.stdout.contains("etcdone-key.pem: line 1"), "{run:?}");
}

/// Only two of three certificates need padding, so several are tried.
#[test]
fn base64_without_its_padding_is_damage_to_etcd_in_the_certificate_the_key_and_the_ca() {
    let lab = Lab::new();
    let is_padded = |file: &str| lab.read(file).contains(&b'=');
    let unpadded = |file: &str| String::from_utf8(lab.read(file)).unwrap().replace('=', "");
    let tried = (0..100).find(|number| {
        let folder = format!("pki-{number}");
        lab.ok(&["init-ca", "--dir", &folder]);
        let issue = ["issue", "--dir", &folder, "--profile", "server", "etcdone", "--force"];
        lab.ok(&[&issue[..], &["--key", "rsa-2048", "--san", "10.0.0.1"]].concat());
        [&format!("{folder}/ca.pem"), "etcdone.pem", "etcdone-key.pem"]
            .iter()
            .all(|file| is_padded(file))
    });
    let ca = format!("pki-{}/ca.pem", tried.unwrap());
    let verify = |args: &[&str]| lab.run(&[&["verify"], args].concat());
    assert_eq!(verify(&["etcdone.pem", "--ca", &ca]).code, 0);
    lab.write("leaf.pem", unpadded("etcdone.pem"));
    lab.write("key.pem", unpadded("etcdone-key.pem"));
    lab.write("ca.pem", unpadded(&ca));
    for (file, args) in [
        ("leaf.pem", ["leaf.pem", "--ca", &ca].to_vec()),
        ("ca.pem", ["etcdone.pem", "--ca", "ca.pem"].to_vec()),
    ] {
        let run = verify(&args);
        let found = format!("error [pem-damaged] {file}: line 1");
        assert!(run.code == 1 && run.stdout.contains(&found), "{run:?}");
        assert!(run.stdout.contains("the padding (=) at the end of its base64 is missing"));
    }
    // A key must be in full form to be read at all.
    let run = verify(&["etcdone.pem", "--ca", &ca, "--key", "key.pem"]);
    assert!(run.code == 2 && run.stderr.contains("key.pem: not PEM: line 1"), "{run:?}");
}

#[test]
fn a_file_in_another_format_is_called_what_it_is() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "server", "etcdone", "--san", "10.0.0.1"]);
    let pem = String::from_utf8(lab.read("etcdone.pem")).unwrap();
    let mut keystore = vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2];
    keystore.extend([0; 64]);
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(pem.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let base64 = std::process::Command::new("openssl")
        .args(["base64", "-in"])
        .arg(lab.path("etcdone.pem"))
        .output();
    for (bytes, words, hint) in [
        (format!("\u{feff}{pem}").into_bytes(), "byte order mark", "tail -c +4"),
        (pem.replace('\n', "").into_bytes(), "its line ends are missing", "separate lines"),
        (pem.replace('\n', "\\n").into_bytes(), "its line ends are written as \\n", "printf"),
        (base64.unwrap().stdout, "the base64 of a PEM file", "base64 -d"),
        (utf16, "a text in UTF-16", "iconv"),
        (keystore, "a Java keystore", "keytool"),
        (vec![0x30, 0x82, 0x09, 0x00, 0x02, 0x01, 0x03, 0x30], "a PKCS #12 file", "openssl pkcs12"),
    ] {
        lab.write("other.pem", bytes);
        let run = lab.run(&["verify", "other.pem"]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(words) && run.stderr.contains(hint), "{run:?}");
    }
}
