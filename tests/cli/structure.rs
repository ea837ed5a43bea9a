//! The structure of the sources: the length of files, and which file imports from which.

mod imports;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use self::imports::Imports;

/// CONTRIBUTING.md: a file imports only from modules above it in `lib.rs`.
#[test]
fn modules_import_only_what_stands_above_them() {
    for package in ["pki-core", "pki-cli"] {
        let found = Imports::of(package).against_the_order();
        assert!(found.is_empty(), "{package}:\n{}", found.join("\n"));
    }
}

/// If two files import from each other, nobody can read one of them without the other. What they share needs a file of its own
/// below both, or stands in the wrong one.
#[test]
fn no_files_import_from_each_other() {
    for package in ["pki-core", "pki-cli"] {
        let found = Imports::of(package).circles();
        assert!(found.is_empty(), "{package}:\n{}", found.join("\n"));
    }
}

/// A longer file has two subjects, each of which deserves a file.
#[test]
fn source_files_have_at_most_350_lines() {
    let mut found = String::new();
    for (path, source) in sources(&["pki-core", "pki-cli", "tests"]) {
        let lines = source.lines().count();
        if lines > 350 {
            let _ = writeln!(found, "{}: {lines} lines; split it by subject", path.display());
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// CONTRIBUTING.md asks for structs or the types themselves.
#[test]
fn the_sources_have_no_type_aliases() {
    let mut found = String::new();
    for (path, source) in sources(&["pki-core/src", "pki-cli/src"]) {
        // An indented one is a type of a trait.
        let is_alias = |line: &&str| {
            line.starts_with("type ")
                || line.starts_with("pub type ")
                || line.starts_with("pub(crate) type ")
        };
        for alias in source.lines().filter(is_alias) {
            let _ = writeln!(found, "{}: {alias}", path.display());
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// The Rust files below these folders, without what cargo builds.
pub(crate) fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                sources.push((path, source));
            }
        }
    }
    assert!(sources.len() > 100, "only {} files were found", sources.len());
    sources
}
