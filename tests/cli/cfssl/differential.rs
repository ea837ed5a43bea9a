//! Generated cases in both programs: the same exit code class, JSON, files, modes, certificates and requests, or a
//! difference of the table in docs/cfssl.md with its warning.

use std::collections::BTreeMap;

use super::cases::Case;
use super::compare::{self, Difference};
use super::later::Later;
use super::random::Random;
use super::rare::KEYS;
use super::sides::{Side, Sides};
use crate::lab::Run;

/// A difference of docs/cfssl.md: its warning, and the fields that differ with it.
const DIFFERENCES: &[(&str, &[&str])] = &[
    ("it is shortened to the CA's end", &["notAfter"]),
    ("the same value twice", &["subject", "CSR subject", "issuer"]),
    ("an empty string; it is left out", &["extensions"]),
    ("an empty name", &["extensions", "CSR extensions"]),
    ("the same name twice", &["extensions", "CSR extensions"]),
    ("a CA certificate has no hosts", &["extensions"]),
    ("issuer_urls has no effect", &["extensions"]),
    ("its mistaken hosts are left out", &["extensions", "CSR extensions"]),
    ("twice; it is written once", &["extensions"]),
    ("takes effect here, but cfssl ignores it", &["extensions", "notBefore", "notAfter"]),
];

/// What cfssl completes and we refuse, because nobody can use it: a part of our message.
const REFUSALS: &[&str] = &[
    "an address with a port",
    "a network; a certificate contains single addresses",
    "several names in one string",
    "a URL; etcd compares hosts, not URLs",
    "a URI must be ASCII",
    "the lifetime must be positive",
    "would name nobody",
    "missing subject information",
    "a CA needs a name",
    "the certificate would already be expired",
    "is_ca without the usage",
    "a space before or after the name",
    "a name that contains a space",
    "`*` is allowed only as the whole first label",
    "an address in brackets",
    "not a valid IPv4 address",
    "a trailing dot",
    "not a host name: each label",
    "control character",
    "are allowed here",
    "unknown usage",
    "unknown profile",
];

/// What cfssl refuses and we complete: a part of our warning.
const COMPLETIONS: &[&str] = &[
    "but this command does not use it",
    // A name_whitelist does not match the empty name of cfssl, or the names that a CA does not get.
    "an empty name",
    "a CA certificate has no hosts",
];

#[test]
fn a_sample_of_cases_is_as_in_cfssl() {
    compare_cases(Case::new, 20, 30);
}

#[test]
fn a_sample_of_rare_cases_is_as_in_cfssl() {
    compare_cases(Case::rare, 22, 40);
}

#[test]
fn a_sample_of_unusual_json_is_read_as_by_cfssl() {
    compare_cases(Case::of_unusual_form, 20, 40);
}

#[test]
#[ignore = "takes two minutes; run it with --ignored, and ETCDPKI_CFSSL_SEED for other cases"]
fn four_hundred_cases_of_unusual_json_are_read_as_by_cfssl() {
    compare_cases(Case::of_unusual_form, seed(), 400);
}

#[test]
#[ignore = "takes two minutes; run it with --ignored, and ETCDPKI_CFSSL_SEED for other cases"]
fn four_hundred_cases_are_as_in_cfssl() {
    compare_cases(Case::new, seed(), 400);
}

#[test]
#[ignore = "takes two minutes; run it with --ignored, and ETCDPKI_CFSSL_SEED for other cases"]
fn four_hundred_rare_cases_are_as_in_cfssl() {
    compare_cases(Case::rare, seed(), 400);
}

fn seed() -> u64 {
    std::env::var("ETCDPKI_CFSSL_SEED").map_or(12, |seed| seed.parse().unwrap())
}

fn compare_cases(case: fn(&mut Random) -> Case, seed: u64, count: usize) {
    let sides = Sides::new();
    sides.write(
        "ecdsa.json",
        r#"{"CN": "ecdsa CA", "key": {"algo": "ecdsa", "size": 256}, "names": [{"O": "Lab"}]}"#,
    );
    sides.write("rsa.json", r#"{"CN": "rsa CA", "key": {"algo": "rsa", "size": 2048}}"#);
    sides.write("req.cnf", "[req]\ndistinguished_name = name\n[name]\n");
    let keys = KEYS.iter().map(|(name, kind)| {
        let make = format!("openssl req -new -newkey {kind} -nodes -keyout {name}.key -subj /CN=x");
        format!("{make} -config req.cnf -out made.csr 2>/dev/null; cp {name}.key ../theirs")
    });
    let run = sides.run(Side::Ours, &keys.collect::<Vec<_>>().join("\n"));
    assert_eq!(run.code, 0, "{run:?}");
    for side in [Side::Ours, Side::Theirs] {
        for ca in ["ecdsa", "rsa"] {
            let script = format!("cfssl gencert -initca {ca}.json | cfssljson -bare {ca}");
            let run = sides.run(side, &script);
            assert_eq!(run.code, 0, "{run:?}");
        }
    }
    let mut random = Random(seed);
    let mut wrong = Vec::new();
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 0..count {
        let case = case(&mut random);
        let outcome = compare_case(&sides, &case);
        let name = match &outcome {
            Ok(name) => name,
            Err(problem) => {
                wrong
                    .push(format!("case {number}: {problem}\n{}\n{:#?}", case.command, case.files));
                "wrong"
            }
        };
        *outcomes.entry(name).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{outcomes:?}\n{}", wrong.join("\n"));
    eprintln!("seed {seed}: {outcomes:?}");
    let equal = outcomes.get("equal").copied().unwrap_or_default();
    // A test in which nothing is issued proves nothing.
    assert!(equal * 3 > count, "{outcomes:?}");
}

/// The kind of outcome, or what is wrong.
fn compare_case(sides: &Sides, case: &Case) -> Result<&'static str, String> {
    for (name, contents) in &case.files {
        sides.write(name, contents);
    }
    let script =
        format!("rm -f out*; {} > out.json; cfssljson -f out.json -bare out", case.command);
    let [ours, theirs] = [Side::Ours, Side::Theirs].map(|side| sides.run(side, &script));
    interface(&ours)?;
    if ours.code != 0 && sides.has(Side::Ours, "out.json") {
        let printed = sides.read(Side::Ours, "out.json");
        if !printed.is_empty() {
            return Err(format!("it fails and prints {}", String::from_utf8_lossy(&printed)));
        }
    }
    match (ours.code, theirs.code) {
        (0, 0) => {
            let differences = compare::all(sides, case.issuer, &Later::of(case));
            let unexplained: Vec<&Difference> =
                differences.iter().filter(|one| !is_explained(one, &ours)).collect();
            match (unexplained.is_empty(), differences.is_empty()) {
                (false, _) => Err(format!("{unexplained:#?}\n{}", ours.stderr)),
                (_, true) => Ok("equal"),
                (_, false) => Ok("differs with a warning"),
            }
        }
        (0, _) if COMPLETIONS.iter().any(|message| ours.stderr.contains(message)) => {
            Ok("completed with a warning")
        }
        (0, _) => Err(format!("only cfssl refuses it: {}", theirs.stderr)),
        (_, 0) if REFUSALS.iter().any(|message| ours.stderr.contains(message)) => {
            Ok("refused because nobody can use it")
        }
        (_, 0) => Err(format!("only we refuse it: {}", ours.stderr)),
        _ => Ok("refused by both"),
    }
}

/// Scripts read the number from the one line with the word "serial".
fn interface(run: &Run) -> Result<(), String> {
    for line in run.stderr.lines().filter(|line| line.contains("serial")) {
        let number = line.split(' ').nth(8).unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if !line.contains("[INFO] signed certificate with serial number ") || !is_number {
            return Err(format!("a line with the word: {line}"));
        }
    }
    Ok(())
}

fn is_explained(difference: &Difference, run: &Run) -> bool {
    DIFFERENCES.iter().any(|(warning, fields)| {
        run.stderr.lines().any(|line| line.contains("[WARNING]") && line.contains(warning))
            && fields.contains(&difference.field.as_str())
    })
}
