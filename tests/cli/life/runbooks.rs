//! docs/operations.md: every command in it is run, in the order of the page.

use std::fs;
use std::path::Path;

use super::APPLY;
use super::rotation::MANIFEST;
use crate::lab::{Lab, Run};
use crate::peers;

/// Programs that reach other machines. The tests of live clusters deliver files, restart members and move leaders.
const REMOTE: [&str; 3] = ["rsync ", "ssh ", "env -u ETCDCTL_ENDPOINTS "];

/// A runbook: its heading, and the lines of its commands.
struct Runbook {
    heading: String,
    commands: Vec<String>,
}

fn runbooks() -> Vec<Runbook> {
    let page = fs::read_to_string(peers::root().join("docs/operations.md")).unwrap();
    let mut runbooks: Vec<Runbook> = Vec::new();
    let mut is_command = false;
    for line in page.lines() {
        match line {
            "```sh" => is_command = true,
            "```" => is_command = false,
            _ if is_command => runbooks.last_mut().unwrap().commands.push(line.to_owned()),
            _ => {
                if let Some(heading) = line.strip_prefix("## ") {
                    runbooks.push(Runbook { heading: heading.to_owned(), commands: Vec::new() });
                }
            }
        }
    }
    runbooks
}

/// Runs a line in the lab, with our program on the PATH.
fn shell(lab: &Lab, line: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_etcdpki")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = peers::program("sh");
    command
        .args(["-c", line])
        .current_dir(lab.folder())
        .env("PATH", path)
        .env_remove("ETCDPKI_DIR");
    command.output().unwrap().into()
}

#[test]
fn every_command_of_the_runbooks_does_what_it_says() {
    let runbooks = runbooks();
    assert_eq!(runbooks.len(), 9);
    let mut count = 0;
    for Runbook { heading, commands } in runbooks {
        let lab = Lab::new();
        let is_separate = commands.iter().any(|line| line.contains("--ca peer"));
        let cas = if is_separate { "cas: {}\n" } else { "" };
        lab.write("cluster.yaml", format!("{MANIFEST}{cas}"));
        lab.ok(APPLY);
        for line in commands {
            if REMOTE.iter().any(|program| line.starts_with(program)) {
                let folder = line.split_whitespace().find(|word| word.starts_with("pki/hosts/"));
                assert!(folder.is_none_or(|folder| lab.path(folder).is_dir()), "{heading}: {line}");
                continue;
            }
            let run = shell(&lab, &line);
            assert_eq!(run.code, 0, "{heading}: {line}: {run:?}");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

/// The live tests run the same line.
#[test]
fn the_leader_is_moved_as_the_runbooks_say() {
    let page = fs::read_to_string(peers::root().join("docs/operations.md")).unwrap();
    let test = fs::read_to_string(peers::root().join("tests/cli/live/rotated.rs")).unwrap();
    let line = page.lines().find(|line| line.starts_with(REMOTE[2])).unwrap();
    for word in
        line.split_whitespace().filter(|word| !word.contains("$LEADER") && !word.contains("$OTHER"))
    {
        assert!(test.contains(word), "{word}");
    }
}
