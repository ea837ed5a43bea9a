//! Chains with Go's verdict beside them, from a file: one JSON object a line.
#![expect(clippy::disallowed_methods, reason = "a file that the environment names")]

use pki_core::Purpose;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::judge::{Question, Verdict};
use crate::differential::judges::from_base64;

/// A line.
#[derive(Deserialize)]
struct Vector {
    what: String,
    leaf: String,
    intermediates: Vec<String>,
    roots: Vec<String>,
    host: Option<String>,
    purpose: String,
    at: String,
    go: Recorded,
}

/// Go's verdict, where the words are absent when it accepts.
#[derive(Deserialize)]
struct Recorded {
    accepts: bool,
    stage: Option<String>,
    error: Option<String>,
}

#[test]
#[ignore = "set ETCDPKI_GO_VECTORS to a file of chains with Go's verdicts; docs/verification.md says how it looks"]
#[expect(clippy::disallowed_macros, reason = "the counts are shown with --nocapture")]
fn what_go_refused_we_refuse() {
    let path = std::env::var_os("ETCDPKI_GO_VECTORS").expect("set ETCDPKI_GO_VECTORS");
    let lines = std::fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    let mut stricter = Vec::new();
    for line in lines.lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let ours = ours(&vector);
        let Recorded { accepts, stage, error } = vector.go;
        let verdict =
            Verdict { accepts, stage: stage.unwrap_or_default(), error: error.unwrap_or_default() };
        match (ours, verdict.accepts) {
            (None, false) => {
                wrong.push(format!("{}: {} {}", vector.what, verdict.stage, verdict.error));
            }
            (Some(ours), true) => stricter.push(format!("{}: {ours}", vector.what)),
            _ => {}
        }
    }
    println!("Go accepts and we refuse {}:\n{}", stricter.len(), stricter.join("\n"));
    assert!(wrong.is_empty(), "Go refuses and we accept {}:\n{}", wrong.len(), wrong.join("\n"));
}

fn ours(vector: &Vector) -> Option<String> {
    let ders = |texts: &[String]| texts.iter().map(|text| from_base64(text)).collect();
    // The command line rejects a leap second too, which Go cannot parse and `time` can.
    let at = OffsetDateTime::parse(&vector.at, &Rfc3339).ok();
    let Some(at) = at.filter(|_| !vector.at.contains(":60")) else {
        return Some("at".to_owned());
    };
    let question = Question {
        leaf: from_base64(&vector.leaf),
        intermediates: ders(&vector.intermediates),
        roots: ders(&vector.roots),
        host: vector.host.clone(),
        purpose: purpose(&vector.purpose),
        at,
    };
    question.ours()
}

fn purpose(text: &str) -> Purpose {
    match text {
        "server" => Purpose::Server,
        "client" => Purpose::Client,
        "peer" => Purpose::Peer,
        "any" => Purpose::Any,
        other => panic!("purpose {other:?}"),
    }
}
