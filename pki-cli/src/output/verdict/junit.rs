//! JUnit XML, the format of test reports: a test case for each input, a failure for each error.

use std::fmt::Write as _;

use pki_core::{Finding, Severity};

use super::form::{Form, Head, View};
use super::outcome::Outcome;
use super::totals::Totals;

pub(super) struct Junit;

impl Form for Junit {
    fn head(&self) -> Head {
        Head::FromTotals(head)
    }

    fn outcome(&self, outcome: &Outcome, _: &View) -> String {
        let mut case = format!(
            "  <testcase classname=\"etcdpki.verify\" name=\"{}\">\n",
            escaped(&outcome.name)
        );
        match &outcome.result {
            Ok(verified) => {
                let (errors, others): (Vec<_>, Vec<_>) =
                    verified.counting().partition(|found| found.severity == Severity::Error);
                for found in errors {
                    let _ = writeln!(
                        case,
                        "    <failure type=\"{}\" message=\"{}\">{}</failure>",
                        found.rule.id,
                        escaped(&format!("{}: {}", found.subject, found.evidence)),
                        escaped(&text(found)),
                    );
                }
                let trust = verified.trust().map(|(_, trust)| format!("trust: {trust}"));
                let mut said: Vec<String> =
                    trust.into_iter().chain(others.into_iter().map(text)).collect();
                said.extend(
                    verified.ignored().map(|(found, reason)| {
                        format!("ignored: {} (reason: {reason})", text(found))
                    }),
                );
                if !said.is_empty() {
                    let said = escaped(&said.join("\n\n"));
                    let _ = writeln!(case, "    <system-out>{said}</system-out>");
                }
            }
            Err(failure) => {
                let _ = writeln!(
                    case,
                    "    <error type=\"{}\" message=\"{}\">{}</error>",
                    failure.kind.as_str(),
                    escaped(&failure.message),
                    escaped(failure.hint.as_deref().unwrap_or_default()),
                );
            }
        }
        case.push_str("  </testcase>\n");
        case
    }

    fn end(&self, _: &Totals, _: &View) -> String {
        "</testsuite>\n".to_owned()
    }
}

/// The head contains the totals.
fn head(totals: &Totals) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"etcdpki verify\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n",
        totals.files, totals.with_errors, totals.failed
    )
}

fn text(finding: &Finding) -> String {
    let rule = finding.rule;
    format!("{finding}\nimpact: {}\nfix: {}\nsee: {}", rule.impact, rule.remedy, rule.citation)
}

/// XML 1.0 cannot represent most control characters, not even escaped (section 2.2), but certificates can contain them.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // In an attribute, an unescaped line end would be read as a space.
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_say_is_replaced() {
        assert_eq!(escaped("<a & \"b\">\n\u{1}\u{b}é"), "&lt;a &amp; &quot;b&quot;&gt;&#10;��é");
    }
}
