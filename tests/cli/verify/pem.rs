//! Damaged PEM files and files in other formats, wherever `verify` reads a file.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::lab::{Lab, Run};
use crate::peers;
use crate::process::finish;

/// A change to a PEM file.
struct Kind {
    name: &'static str,
    change: fn(&Lab, &str) -> Vec<u8>,
    says: Says,
}

/// What `verify` says about it.
#[derive(Clone, Copy)]
enum Says {
    /// Nothing: every reader of PEM accepts it.
    Nothing,
    /// `pem-damaged`, because etcd cannot read the file although `verify` can.
    Damaged(&'static str),
    /// An error in these words, because nobody can read it.
    Unreadable(&'static str),
}

/// Defines a test for each kind, which has the name of the kind.
macro_rules! kinds {
    ($($name:ident: $says:expr, $change:expr;)*) => {
        static KINDS: &[Kind] =
            &[$(Kind { name: stringify!($name), change: $change, says: $says }),*];
        $(#[test] fn $name() { is_reported_in_every_place(stringify!($name)); })*
    };
}

kinds! {
    all_lines_are_indented: Says::Damaged("the lines are indented"),
        |_, text| each(text, |line| format!("  {line}"));
    all_lines_begin_with_a_tab: Says::Damaged("the lines are indented"),
        |_, text| each(text, |line| format!("\t{line}"));
    only_the_begin_line_is_indented: Says::Damaged("the BEGIN line is indented"),
        |_, text| each(text, |line| indented_if(line.contains("BEGIN"), line));
    only_the_end_line_is_indented: Says::Damaged("the END line is indented"),
        |_, text| each(text, |line| indented_if(line.contains("END"), line));
    the_padding_is_stripped: Says::Damaged("the padding (=) at the end of its base64 is missing"),
        |_, text| text.replace('=', "").into_bytes();
    only_the_body_is_indented: Says::Nothing,
        |_, text| each(text, |line| indented_if(!line.starts_with('-'), line));
    the_line_ends_are_lost: Says::Unreadable("its line ends are missing"),
        |_, text| text.replace('\n', "").into_bytes();
    the_line_ends_are_written_as_backslash_n: Says::Unreadable(r"its line ends are written as \n"),
        |_, text| text.replace('\n', r"\n").into_bytes();
    a_byte_order_mark_precedes_it: Says::Unreadable("a byte order mark (BOM) precedes it"),
        |_, text| format!("\u{feff}{text}").into_bytes();
    its_end_line_has_another_label: Says::Unreadable(r#"but "END SOMETHING" is found"#),
        |_, text| each(text, |line| {
            if line.contains("END") { "-----END SOMETHING-----".to_owned() } else { line.to_owned() }
        });
    it_is_a_text_in_utf_16: Says::Unreadable("is a text in UTF-16"),
        |_, text| [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    it_is_the_base64_of_a_pem_file: Says::Unreadable("is the base64 of a PEM file"),
        |lab, text| {
            lab.write("plain.pem", text);
            openssl(lab, &["base64", "-in", "plain.pem"]).stdout.into_bytes()
        };
    it_is_a_pkcs12_file: Says::Unreadable("is a PKCS #12 file"),
        |lab, _| {
            let from = ["-in", "leaf.pem", "-inkey", "leaf-key.pem", "-passout", "pass:x"];
            let _ = openssl(lab, &[&["pkcs12", "-export", "-out", "leaf.p12"], &from[..]].concat());
            lab.read("leaf.p12")
        };
    it_is_a_java_keystore: Says::Unreadable("is a Java keystore"),
        |_, _| [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &[0; 64]].concat();
}

fn each(text: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    text.lines().map(|line| change(line) + "\n").collect::<String>().into_bytes()
}

fn indented_if(indent: bool, line: &str) -> String {
    format!("{}{line}", if indent { "  " } else { "" })
}

fn openssl(lab: &Lab, arguments: &[&str]) -> Run {
    let run = finish(peers::program("openssl").args(arguments).current_dir(lab.folder()));
    assert_eq!(run.code, 0, "{run:?}");
    run
}

const MANIFEST: &str = "cluster: demo\netcd: [{ name: etcdone, ip: 192.0.2.1 }]\n";
const TRUST_FILE: &str = "pki/hosts/etcdone/ca.pem";

/// A CA, a certificate with its key, a CRL, and the folder of a host. The base64 of each file ends with padding, which is
/// so for two of three certificates, and for every PKCS #8 with a key on P-384.
fn lab() -> MutexGuard<'static, Lab> {
    static LAB: LazyLock<Mutex<Lab>> = LazyLock::new(|| {
        let lab = Lab::new();
        let is_padded = |file: &str| lab.read(file).contains(&b'=');
        let is_made = (0..100).any(|_| {
            let _ = std::fs::remove_dir_all(lab.path("pki"));
            lab.ok(&["init-ca"]);
            is_padded("pki/ca.pem")
        });
        assert!(is_made);
        let issue = ["issue", "--profile", "server", "leaf", "--san", "192.0.2.1", "--force"];
        let is_made = (0..100).any(|_| {
            lab.ok(&[&issue[..], &["--key", "ecdsa-p384"]].concat());
            is_padded("leaf.pem") && is_padded("leaf-key.pem")
        });
        assert!(is_made);
        let is_made = (0..100).any(|_| {
            lab.ok(&["crl", "--out", "crl.pem"]);
            is_padded("crl.pem")
        });
        assert!(is_made);
        lab.write("cluster.yaml", MANIFEST);
        lab.ok(&["apply", "-f", "cluster.yaml"]);
        assert!(is_padded(TRUST_FILE));
        Mutex::new(lab)
    });
    LAB.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files that `verify` reads: each place has a file, and the arguments with which it is read as `changed.pem`.
const PLACES: [(&str, &[&str]); 4] = [
    ("leaf.pem", &["changed.pem", "--key", "leaf-key.pem"]),
    ("leaf-key.pem", &["leaf.pem", "--key", "changed.pem"]),
    ("pki/ca.pem", &["leaf.pem", "--ca", "changed.pem"]),
    ("crl.pem", &["leaf.pem", "--crl", "changed.pem"]),
];

fn is_reported_in_every_place(name: &str) {
    let lab = lab();
    let kind = KINDS.iter().find(|kind| kind.name == name).unwrap();
    for (file, arguments) in PLACES {
        let text = String::from_utf8(lab.read(file)).unwrap();
        lab.write("changed.pem", (kind.change)(&lab, &text));
        let run = lab.run(&[&["verify"], arguments].concat());
        match kind.says {
            Says::Nothing => assert_eq!(run.code, 0, "{file}: {run:?}"),
            Says::Damaged(words) => {
                let label = text.lines().next().unwrap().trim_matches('-');
                let finding =
                    format!("error [pem-damaged] changed.pem: line 1, {label}: {words}\n");
                assert!(run.code == 1 && run.stdout.contains(&finding), "{file}: {run:?}");
                let run = lab.run(&[&["verify", "--policy", "rfc5280"], arguments].concat());
                assert_eq!(run.code, 0, "{file}: {run:?}");
            }
            Says::Unreadable(words) => {
                assert!(run.code == 2 && run.stderr.contains(words), "{file}: {run:?}");
                assert!(run.stderr.contains("\n  hint: "), "{file}: {run:?}");
            }
        }
    }
    let trusted = lab.read(TRUST_FILE);
    let text = String::from_utf8(trusted.clone()).unwrap();
    lab.write(TRUST_FILE, (kind.change)(&lab, &text));
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    let in_folder = lab.run(&["verify", "--dir", "nowhere", "pki/hosts/etcdone"]);
    lab.write(TRUST_FILE, trusted);
    match kind.says {
        Says::Nothing => assert_eq!(in_folder.code, 0, "{in_folder:?}"),
        Says::Damaged(words) => {
            let finding =
                format!("error [pem-damaged] {TRUST_FILE}: line 1, BEGIN CERTIFICATE: {words}\n");
            assert!(in_folder.code == 1 && in_folder.stdout.contains(&finding), "{in_folder:?}");
        }
        Says::Unreadable(words) => {
            assert!(in_folder.code == 2 && in_folder.stderr.contains(words), "{in_folder:?}");
        }
    }
    let (code, rule, words) = match kind.says {
        Says::Nothing => (0, "", ""),
        // A file that is not PEM at all holds no CA.
        Says::Unreadable(words) if words.starts_with("is ") => {
            (1, "error [trust-empty] ca.pem: ", words)
        }
        Says::Damaged(words) | Says::Unreadable(words) => {
            (1, "error [pem-damaged] ca.pem: ", words)
        }
    };
    assert_eq!(run.code, code, "{run:?}");
    assert!(run.stdout.contains(rule) && run.stdout.contains(words), "{run:?}");
    // One fault is one finding.
    assert_eq!(run.stdout.matches("\n  error [").count(), usize::from(code == 1), "{run:?}");
}

/// `X-key.pem` beside `X.pem` is read without an option.
#[test]
fn the_key_that_is_found_by_its_name_is_damaged() {
    let lab = lab();
    let key = String::from_utf8(lab.read("leaf-key.pem")).unwrap();
    lab.write("copy.pem", lab.read("leaf.pem"));
    for (text, words) in [
        (each(&key, |line| format!("  {line}")), "the lines are indented"),
        (key.replace('=', "").into_bytes(), "the padding (=) at the end of its base64 is missing"),
    ] {
        lab.write("copy-key.pem", text);
        let run = lab.run(&["verify", "copy.pem"]);
        let finding =
            format!("error [pem-damaged] copy-key.pem: line 1, BEGIN PRIVATE KEY: {words}\n");
        assert!(run.code == 1 && run.stdout.contains(&finding), "{run:?}");
    }
}

/// etcd reads every block of its trust file as a certificate; in the file of a certificate it skips other blocks.
#[test]
fn another_block_in_a_file_of_trusted_cas_is_an_error_and_in_that_of_a_certificate_is_none() {
    let lab = lab();
    let more = |file: &str, other: &str| [lab.read(file), lab.read(other)].concat();
    for (other, label) in [("leaf-key.pem", "PRIVATE KEY"), ("crl.pem", "X509 CRL")] {
        lab.write("more.pem", more("pki/ca.pem", other));
        let run = lab.run(&["verify", "leaf.pem", "--ca", "more.pem"]);
        let finding = format!(
            "error [trust-foreign-block] more.pem: the file contains a PEM block with the label {label}\n"
        );
        assert!(run.code == 1 && run.stdout.contains(&finding), "{run:?}");
        let run = lab.run(&["verify", "leaf.pem", "--ca", "more.pem", "--policy", "rfc5280"]);
        assert_eq!(run.code, 0, "{run:?}");
        lab.write("more.pem", more("leaf.pem", other));
        let run = lab.run(&["verify", "more.pem"]);
        assert_eq!(run.code, 0, "{run:?}");
    }
}
