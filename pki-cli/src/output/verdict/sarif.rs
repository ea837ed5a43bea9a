//! SARIF 2.1.0 (OASIS), the format of code scanning.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use pki_core::{Finding, Severity, rules};
use serde_json::{Value, json};

use super::form::{Form, Head, View};
use super::json::compact;
use super::outcome::{Location, Outcome, Verified};
use super::totals::Totals;

/// The rule for inputs that could not be verified. Code scanning shows results and hides notifications.
const NOT_VERIFIED: &str = "not-verified";

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) struct Sarif;

impl Form for Sarif {
    fn head(&self) -> Head {
        Head::Known(head())
    }

    fn outcome(&self, outcome: &Outcome, _: &View) -> String {
        let results: Vec<String> = match &outcome.result {
            Ok(verified) => {
                let mut seen = HashMap::new();
                verified
                    .all()
                    .map(|(finding, ignored)| {
                        let times =
                            seen.entry((finding.rule.id, &finding.subject)).or_insert(0_usize);
                        *times += 1;
                        result(outcome, finding, ignored, *times, verified)
                    })
                    .collect()
            }
            Err(failure) => {
                let message = match &failure.hint {
                    Some(hint) => format!("{}. {hint}", failure.message),
                    None => failure.message.clone(),
                };
                vec![compact(
                    &json!({
                        "ruleId": NOT_VERIFIED,
                        "level": "error",
                        "message": { "text": message },
                        "locations": [location(outcome)],
                        "partialFingerprints": { "primaryLocationLineHash": NOT_VERIFIED },
                    }),
                    "",
                )]
            }
        };
        results.join(",\n")
    }

    fn separator(&self) -> &'static str {
        ",\n"
    }

    fn end(&self, totals: &Totals, _: &View) -> String {
        let ran = totals.failed == 0;
        format!(
            "\n],\n\"invocations\": [{{ \"executionSuccessful\": {ran}, \"exitCode\": {} }}]\n}}]\n}}\n",
            totals.code
        )
    }
}

fn head() -> String {
    let mut descriptors: Vec<Value> = rules()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": rule.impact },
                "help": { "text": format!("{}\nSee {}.", rule.remedy, rule.citation) },
                "defaultConfiguration": { "level": level(rule.severity) },
                "properties": { "citation": rule.citation, "tags": ["pki"] },
            })
        })
        .collect();
    descriptors.push(json!({
        "id": NOT_VERIFIED,
        "shortDescription": { "text": "The file or endpoint could not be verified, so nothing is known about it." },
        "help": { "text": "Fix what the message names, and verify again." },
        "defaultConfiguration": { "level": "error" },
    }));
    let tool = json!({ "driver": {
        "name": "etcdpki",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": descriptors,
    }});
    format!(
        "{{\n\"$schema\": \"{SCHEMA}\",\n\"version\": \"2.1.0\",\n\"runs\": [{{\n\"tool\": {},\n\"columnKind\": \"unicodeCodePoints\",\n\"results\": [\n",
        compact(&tool, "")
    )
}

/// The fingerprint does not contain the evidence, which may contain the time, so that the same fault is the same alert
/// on the next day.
fn result(
    outcome: &Outcome,
    finding: &Finding,
    ignored: Option<&str>,
    times: usize,
    verified: &Verified,
) -> String {
    let rule = finding.rule;
    let text =
        format!("{}: {}. {} {}", finding.subject, finding.evidence, rule.impact, rule.remedy);
    let mut result = json!({
        "ruleId": rule.id,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [location(outcome)],
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{}:{}:{times}", rule.id, finding.subject),
        },
    });
    if let Some((trust, _)) = verified.trust() {
        result["properties"] = json!({ "trust": trust });
    }
    if let Some(reason) = ignored {
        result["suppressions"] = json!([{ "kind": "external", "justification": reason }]);
    }
    compact(&result, "")
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn location(outcome: &Outcome) -> Value {
    match &outcome.location {
        Location::File(path) => json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(path) },
            "region": { "startLine": 1 },
        }}),
        Location::Elsewhere => {
            json!({ "logicalLocations": [{ "fullyQualifiedName": outcome.name }] })
        }
    }
}

/// A path as a URI reference (RFC 3986): a relative one stays relative, to the root of the checkout.
fn uri(path: &Path) -> String {
    let mut text = if path.is_absolute() { "file://".to_owned() } else { String::new() };
    let path = path.strip_prefix("./").unwrap_or(path);
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(*byte)),
            byte => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uri_references() {
        assert_eq!(uri(Path::new("./certs/etcd one.pem")), "certs/etcd%20one.pem");
        assert_eq!(uri(Path::new("/etc/etcd/a#b.pem")), "file:///etc/etcd/a%23b.pem");
        // With a colon, the first segment would be read as a scheme.
        assert_eq!(uri(Path::new("a:b.pem")), "a%3Ab.pem");
    }
}
