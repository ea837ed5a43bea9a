//! One JSON document, thing by thing. docs/json.md and docs/verify.schema.json describe it.

use serde::Serialize;

use super::{EndpointFacts, Judged, Outcome, Totals};
use crate::failure::Failure;
use crate::output::facts::FindingFacts;

pub(super) const BEGIN: &str = "{\n  \"files\": [\n";

#[derive(Serialize)]
struct Thing<'a> {
    file: &'a str,
    ok: bool,
    path: &'a [String],
    limit: Option<&'static str>,
    not_after: Option<&'a str>,
    findings: Vec<FindingFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a EndpointFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Reason<'a>>,
}

/// Why it could not be judged.
#[derive(Serialize)]
struct Reason<'a> {
    kind: &'static str,
    exit_code: u8,
    message: &'a str,
    hint: Option<&'a str>,
}

pub(super) fn outcome(outcome: &Outcome) -> String {
    let thing = match &outcome.result {
        Ok(judged) => Thing {
            file: &outcome.name,
            ok: judged.is_ok(),
            path: &judged.path,
            limit: judged.limit,
            not_after: judged.not_after.as_deref(),
            findings: findings(judged),
            endpoint: judged.endpoint.as_ref(),
            error: None,
        },
        Err(failure) => Thing {
            file: &outcome.name,
            ok: false,
            path: &[],
            limit: None,
            not_after: None,
            findings: Vec::new(),
            endpoint: None,
            error: Some(reason(failure)),
        },
    };
    compact(&thing, "    ")
}

fn findings(judged: &Judged) -> Vec<FindingFacts> {
    let facts = judged.found.iter().map(|found| FindingFacts {
        ignored: found.ignored.clone(),
        ..FindingFacts::from(&found.finding)
    });
    facts.collect()
}

fn reason(failure: &Failure) -> Reason<'_> {
    Reason {
        kind: failure.kind.as_str(),
        exit_code: failure.kind.exit_code(),
        message: &failure.message,
        hint: failure.hint.as_deref(),
    }
}

pub(super) fn end(totals: &Totals) -> String {
    let (passed, counts) = (compact(&totals.passed_over, ""), compact(totals, ""));
    let ok = totals.is_ok();
    format!("\n  ],\n  \"passed_over\": {passed},\n  \"totals\": {counts},\n  \"ok\": {ok}\n}}\n")
}

/// One line. A value of strings, numbers and lists always has one.
pub(super) fn compact(value: &impl Serialize, indent: &str) -> String {
    let json = serde_json::to_string(value);
    format!("{indent}{}", json.unwrap_or_else(|error| format!("{:?}", error.to_string())))
}
