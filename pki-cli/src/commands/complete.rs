//! What a shell offers for the values of options: profiles, key algorithms, rules, and the hosts of the manifest.

use std::ffi::OsStr;
use std::path::Path;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use pki_core::{KeyAlgorithm, SigningConfig, rules};

use super::cluster::{read_manifest, specs_by_host};
use crate::host;
use crate::store;

/// The manifest that completions read if the command line does not name one.
const MANIFEST: &str = "cluster.yaml";

/// The profiles of `--config`, or the built-in ones.
pub(super) fn profiles() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let file = value_of(&["--config"]);
        let config = file.and_then(|path| {
            SigningConfig::from_json(&store::read_regular(Path::new(&path)).ok()?).ok()
        });
        let config = config.unwrap_or_else(SigningConfig::etcd);
        starting_with(current, config.profiles.into_iter().map(|profile| profile.name))
    })
}

/// The key algorithms that can be generated.
pub(super) fn algorithms() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        starting_with(current, KeyAlgorithm::GENERATED.map(|algorithm| algorithm.to_string()))
    })
}

/// The ids of the rules.
pub(super) fn rule_ids() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        starting_with(current, rules().map(|rule| rule.id.to_owned()))
    })
}

/// The ids of the rules that can be ignored, each followed by `=`.
pub(super) fn ignorable_rules() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let rules = rules().filter(|rule| !rule.is_about_trust());
        starting_with(current, rules.map(|rule| format!("{}=", rule.id)))
    })
}

/// The hosts of the manifest that have a folder.
pub(super) fn hosts() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let file = value_of(&["-f", "--file"]).unwrap_or_else(|| MANIFEST.to_owned());
        let path = Path::new(&file);
        // Standard input belongs to the shell.
        let manifest = path.is_file().then(|| read_manifest(path).ok()).flatten();
        let hosts = manifest.and_then(|manifest| specs_by_host(&manifest, &[]).ok());
        starting_with(current, hosts.unwrap_or_default().into_keys())
    })
}

fn starting_with(
    current: &OsStr,
    values: impl IntoIterator<Item = String>,
) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let values = values.into_iter().filter(|value| value.starts_with(&*current));
    values.map(CompletionCandidate::new).collect()
}

/// The value of an option in the command line that is being completed.
fn value_of(names: &[&str]) -> Option<String> {
    let words = host::arguments();
    let long = |word: &String| {
        let (name, value) = word.split_once('=')?;
        names.contains(&name).then(|| value.to_owned())
    };
    let pairs = words.windows(2).find(|pair| names.contains(&pair[0].as_str()));
    pairs.map(|pair| pair[1].clone()).or_else(|| words.iter().find_map(long))
}
