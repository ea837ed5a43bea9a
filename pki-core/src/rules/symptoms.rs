//! Finds the rules that may explain a log line.

use std::cmp::Reverse;

use super::rules;
use crate::finding::{Rule, Severity};

/// A TLS alert names only a class of faults. The rules for each were measured on etcd (docs/faults.md); the most frequent
/// fault comes first.
const ALERTS: [(&str, &[&str]); 4] = [
    ("bad certificate", BAD_CERTIFICATE),
    ("bad_certificate", BAD_CERTIFICATE),
    ("unknown certificate authority", UNKNOWN_AUTHORITY),
    ("unknown_ca", UNKNOWN_AUTHORITY),
];

/// Go before 1.26 sends this alert for any fault of a client's certificate.
const BAD_CERTIFICATE: &[&str] = &[
    "leaf-expired",
    "path-unknown-authority",
    "trust-wrong-ca",
    "cli-eku",
    "peer-eku-both",
    "path-signature",
    "endpoint-stale-trust",
    "chain-missing-intermediate",
    "leaf-not-yet-valid",
    "ca-time",
    "ca-eku-nesting",
    "trust-empty",
    "trust-not-ca",
];

const UNKNOWN_AUTHORITY: &[&str] = &[
    "path-unknown-authority",
    "trust-wrong-ca",
    "path-signature",
    "chain-missing-intermediate",
    "trust-empty",
];

/// The minimum length, because shorter quotations are in too many texts.
const SHORTEST_QUOTATION: usize = 12;
const SHORTEST_WORD: usize = 4;
/// The limit on results.
const MOST_BY_WORDS: usize = 10;

/// The rules that may explain a log line, the most likely first: those of the TLS alert in it, then those that quote a part
/// of it or contain it, then those that share most of its words.
pub fn rules_behind(line: &str) -> Vec<&'static Rule> {
    let line = line.to_lowercase();
    let line = line.trim();
    if line.is_empty() {
        return Vec::new();
    }
    let by_alert = ALERTS.iter().filter(|(alert, _)| line.contains(alert));
    let by_alert = by_alert.flat_map(|(_, ids)| ids.iter());
    let mut found: Vec<&'static Rule> =
        by_alert.filter_map(|id| rules().find(|rule| rule.id == *id)).collect();
    let mut quoting: Vec<(usize, &'static Rule)> = rules()
        .map(|rule| (quotation(rule, line), rule))
        .filter(|(length, _)| *length > 0)
        .collect();
    quoting.sort_by_key(|(length, rule)| Reverse((*length, rule.severity)));
    found.extend(quoting.into_iter().map(|(_, rule)| rule));
    if found.is_empty() {
        found = by_words(line);
    }
    let mut seen = Vec::new();
    found.retain(|rule| {
        !seen.contains(&rule.id) && {
            seen.push(rule.id);
            true
        }
    });
    found
}

/// How many octets of the line are in a rule's texts: the longest quoted log message that the line contains, or the line
/// itself.
fn quotation(rule: &Rule, line: &str) -> usize {
    let impact = rule.impact.to_lowercase();
    if line.len() >= SHORTEST_QUOTATION && impact.contains(line) {
        return line.len();
    }
    // Quotations are in backquotes, and an ellipsis replaces the parts that vary.
    let quotations = impact.split('`').skip(1).step_by(2).flat_map(|quoted| quoted.split('…'));
    let parts = quotations.map(|part| part.trim_matches([' ', ',', '.']));
    let known = parts.filter(|part| part.len() >= SHORTEST_QUOTATION && line.contains(part));
    known.map(str::len).max().unwrap_or(0)
}

/// The rules that share most of the line's words, at least half of them.
fn by_words(line: &str) -> Vec<&'static Rule> {
    let words: Vec<&str> = line
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() >= SHORTEST_WORD)
        .collect();
    let shared = |rule: &Rule| {
        let text = format!("{} {} {}", rule.id, rule.impact, rule.remedy).to_lowercase();
        words.iter().filter(|word| text.contains(*word)).count()
    };
    let mut scored: Vec<(usize, Severity, &'static Rule)> =
        rules().map(|rule| (shared(rule), rule.severity, rule)).collect();
    scored.retain(|(shared, ..)| *shared > 0 && 2 * shared >= words.len());
    scored.sort_by_key(|(shared, severity, _)| Reverse((*shared, *severity)));
    scored.into_iter().map(|(.., rule)| rule).take(MOST_BY_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(line: &str) -> Vec<&'static str> {
        rules_behind(line).into_iter().map(|rule| rule.id).collect()
    }

    #[test]
    fn every_rule_behind_an_alert_exists() {
        for (_, ids) in ALERTS {
            assert!(ids.iter().all(|id| rules().any(|rule| rule.id == *id)), "{ids:?}");
        }
    }

    #[test]
    fn a_log_line_leads_to_the_rule_that_quotes_it() {
        for (line, first) in [
            ("tls: bad certificate", "leaf-expired"),
            (
                "rejected connection: x509: certificate specifies an incompatible key usage",
                "cli-eku",
            ),
            ("tls: private key does not match public key", "chain-order"),
            ("tls: failed to find any PEM data in certificate input", "pem-empty"),
        ] {
            let found = ids(line);
            assert!(found.iter().take(4).any(|id| *id == first), "{line}: {found:?}");
        }
    }

    #[test]
    fn nothing_is_behind_nothing() {
        assert_eq!(ids(" "), [""; 0]);
        assert_eq!(ids("zzzz qqqq"), [""; 0]);
    }
}
