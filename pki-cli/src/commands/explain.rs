//! `etcdpki explain`

use std::fmt::Write as _;
use std::process::ExitCode;

use pki_core::Rule;
use serde::Serialize;

use super::{Common, complete};
use crate::failure::Failure;
use crate::host;
use crate::output::{Format, json, text};

/// Explain the rules of `verify`: what fails, how to fix it, and the source
///
/// Without RULE, lists all rules, one on each line. With the words of a log line, lists the rules that may be
/// behind it, the most likely first. docs/rules.md has the same texts.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki explain peer-eku-both\n  \
    etcdpki explain 'remote error: tls: bad certificate'\n  \
    etcdpki explain --format json | jq -r '.rules[].rule'")]
pub(crate) struct ExplainArgs {
    /// The id of a rule, as shown in brackets in a finding, or the words of a log line
    #[arg(value_name = "RULE or WORDS", allow_hyphen_values = true, add = complete::rule_ids())]
    about: Vec<String>,
}

#[derive(Serialize)]
struct ExplainOutput {
    rules: Vec<RuleFacts>,
}

#[derive(Serialize)]
struct RuleFacts {
    rule: &'static str,
    severity: &'static str,
    source: &'static str,
    impact: &'static str,
    remedy: &'static str,
    citation: &'static str,
}

impl From<&Rule> for RuleFacts {
    fn from(rule: &Rule) -> Self {
        Self {
            rule: rule.id,
            severity: rule.severity.as_str(),
            source: rule.source.as_str(),
            impact: rule.impact,
            remedy: rule.remedy,
            citation: rule.citation,
        }
    }
}

pub(crate) fn run(args: &ExplainArgs, common: &Common) -> Result<ExitCode, Failure> {
    let rules = asked_about(&args.about.join(" "))?;
    match (common.format, &rules[..]) {
        (Format::Json, _) => {
            json::print(&ExplainOutput {
                rules: rules.into_iter().map(RuleFacts::from).collect(),
            })?;
        }
        (_, [rule]) => host::print(&whole(rule))?,
        (_, rules) => host::print(&list(rules))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The rule with this id, or else those behind a log line with these words; all rules if there are none.
fn asked_about(words: &str) -> Result<Vec<&'static Rule>, Failure> {
    if words.is_empty() {
        return Ok(pki_core::rules().collect());
    }
    match (pki_core::rule(words), pki_core::rules_behind(words)) {
        (Ok(rule), _) => Ok(vec![rule]),
        // A text without spaces is meant as an id.
        (Err(_), behind) if words.contains(' ') && !behind.is_empty() => Ok(behind),
        (Err(error), _) => Err(error.into()),
    }
}

fn whole(rule: &Rule) -> String {
    format!(
        "{}: {}, required by {}\n  impact: {}\n  fix:    {}\n  see:    {}\n",
        rule.id,
        text::coloured(Some(rule.severity), rule.severity.as_str()),
        rule.source.as_str(),
        rule.impact,
        rule.remedy,
        rule.citation,
    )
}

fn list(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        // Pad before adding colour codes, which have no width.
        let severity =
            text::coloured(Some(rule.severity), &format!("{:<7}", rule.severity.as_str()));
        let _ = writeln!(text, "{:<width$}  {severity}  {}", rule.id, rule.impact);
    }
    text
}
