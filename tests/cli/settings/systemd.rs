//! Compares units with systemd itself: `systemd --test` loads them and prints what it read, without running as init.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pki_core::{EtcdSettings, EtcdVersion, FileLookup, Remark, RemarkKind};
use proptest::prelude::*;

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

/// How systemd reads a unit.
#[derive(Debug, Default)]
struct Loaded {
    /// `NAME=value`; of two equal names, the later one.
    environment: Vec<(String, String)>,
    /// The words of the command.
    command: Vec<String>,
}

/// A folder with all units that systemd needs to start one.
fn units(unit: &str, drop_in: Option<&str>) -> Lab {
    let lab = Lab::new();
    // systemd refuses to do this as root, and another user must be able to read the folder.
    fs::set_permissions(lab.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    for target in ["basic", "default", "shutdown", "sysinit"] {
        lab.write(format!("{target}.target"), "[Unit]\nDefaultDependencies=no\n");
    }
    lab.write("etcd.service", unit);
    if let Some(drop_in) = drop_in {
        fs::create_dir(lab.path("etcd.service.d")).unwrap();
        lab.write("etcd.service.d/10.conf", drop_in);
    }
    lab
}

fn load(folder: &Path) -> Loaded {
    let mut systemd = peers::program("setpriv");
    systemd
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i"])
        .arg(format!("SYSTEMD_UNIT_PATH={}", folder.display()))
        .args(["XDG_RUNTIME_DIR=/tmp", "SYSTEMD_LOG_LEVEL=err"])
        .args([peers::systemd().as_os_str(), "--test".as_ref(), "--system".as_ref()])
        .arg("--unit=etcd.service");
    let output = systemd.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let unit = text.split("-> Unit etcd.service:").nth(1);
    let unit = unit.unwrap_or_else(|| panic!("{output:?}"));
    // systemd's lines start with two or three tabs; the lines of a multi-line value have none.
    let unit = unit.split("\n\t-> Unit ").next().unwrap_or(unit);
    let unit = unit.split("\n-> By jobs:").next().unwrap_or(unit);
    let mut loaded = Loaded::default();
    for line in unit.lines() {
        if let Some(assignment) = line.strip_prefix("\t\tEnvironment: ") {
            let (name, value) = assignment.split_once('=').unwrap();
            loaded.environment.push((name.to_owned(), value.to_owned()));
        } else if let Some(command) = line.strip_prefix("\t\t\tCommand Line: ") {
            loaded.command = command_words(command);
        } else if let (false, Some((_, value))) =
            (line.starts_with("\t\t"), loaded.environment.last_mut())
        {
            value.push('\n');
            value.push_str(line);
        }
    }
    loaded
}

/// systemd prints a word unchanged or in quotes, with backslashes before characters that are special in a shell.
fn command_words(line: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), line.chars().peekable());
    while rest.peek().is_some() {
        let mut word = String::new();
        let is_quoted = rest.next_if_eq(&'"').is_some();
        while let Some(c) = rest.next() {
            match c {
                ' ' if !is_quoted => break,
                '"' if is_quoted => {
                    rest.next();
                    break;
                }
                '\\' if is_quoted => word.push(match rest.next().unwrap() {
                    't' => '\t',
                    'n' => '\n',
                    c => c,
                }),
                c => word.push(c),
            }
        }
        words.push(word);
    }
    words
}

fn read(texts: &[&str]) -> EtcdSettings {
    let unseen = |_: &str| FileLookup::Unseen;
    EtcdSettings::from_unit("etcd.service", texts, EtcdVersion(3, 6, 0), &unseen)
}

/// Options that accept any text, one for each word of a line.
const OPTIONS: [&str; 4] = ["name", "data-dir", "wal-dir", "initial-cluster"];

fn variable(option: &str) -> String {
    format!("ETCD_{}", option.to_uppercase().replace('-', "_"))
}

/// The environment that systemd sets is the one that pki-core reads from the unit.
#[track_caller]
fn same_environment(texts: &[&str]) {
    let loaded = load(units(texts[0], texts.get(1).copied()).folder());
    let settings = read(texts);
    for option in OPTIONS {
        let name = variable(option);
        // Values that depend on the machine, such as %H, are skipped.
        let is_unreadable = |remark: &Remark| {
            remark.kind == RemarkKind::Unreadable && remark.text.starts_with(&format!("{name} "))
        };
        if settings.remarks().iter().any(is_unreadable) {
            continue;
        }
        let value = loaded.environment.iter().rev().find(|(known, _)| *known == name);
        let value = value.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
        assert_eq!(settings.find(option), value, "{option} of {texts:#?}: {loaded:#?}");
    }
}

/// The arguments that systemd passes are the flags that pki-core reads from the unit.
#[track_caller]
fn same_command(texts: &[&str]) {
    let loaded = load(units(texts[0], texts.get(1).copied()).folder());
    let settings = read(texts);
    for option in OPTIONS {
        let flag = format!("--{option}=");
        let value = loaded.command.iter().skip(1).rev().find_map(|word| word.strip_prefix(&flag));
        let value = value.filter(|value| !value.is_empty());
        assert_eq!(settings.find(option), value, "{option} of {texts:#?}: {loaded:#?}");
    }
}

#[test]
fn assignments_are_read_as_systemd_reads_them() {
    for lines in [
        "Environment=ETCD_NAME=one ETCD_DATA_DIR=/two\n",
        "Environment=\"ETCD_NAME=a, b\" 'ETCD_DATA_DIR=/c d' ETCD_WAL_DIR=\"e\"'f'\n",
        "Environment=ETCD_NAME=a \\\n# a comment\n  ETCD_DATA_DIR=/b \\\n  ; another\n  ETCD_WAL_DIR=/c\n",
        "Environment=ETCD_NAME=a\\x20b\\tc ETCD_DATA_DIR=\\u00e9\\101 ETCD_WAL_DIR=x\\\\y\n",
        "Environment=ETCD_NAME=a ETCD_DATA_DIR=\\q ETCD_WAL_DIR=/c\n",
        "Environment=ETCD_NAME=a ETCD_DATA_DIR=\"/open ETCD_WAL_DIR=/c\n",
        "Environment=ETCD_NAME=a\nEnvironment=\nEnvironment=ETCD_DATA_DIR=/b\n",
        "Environment=ETCD_NAME=a\n[Install]\nEnvironment=ETCD_NAME=b\n",
        "Environment=ETCD_NAME=%n%%%N%p-%i ETCD_DATA_DIR=%S/etcd ETCD_WAL_DIR=%E%t%-% ETCD_INITIAL_CLUSTER=%z\n",
        "Environment = ETCD_NAME=a=b=c\n  Environment=ETCD_DATA_DIR=#/x;y\n",
        "Environment=ETCD_NAME=a 9X=b ETCD-Y=c noassignment ETCD_WAL_DIR=/c\n",
        "Environment=ETCD_NAME=$HOME ETCD_DATA_DIR=${HOME}\n",
        "Environment=\"ETCD_NAME=a\\\n   b\" ETCD_DATA_DIR=/c\n",
    ] {
        same_environment(&[&format!("[Service]\n{lines}[Service]\nExecStart=/usr/bin/etcd\n")]);
    }
    same_environment(&[
        "[Service]\nEnvironment=ETCD_NAME=a ETCD_DATA_DIR=/b\nExecStart=/usr/bin/etcd\n",
        "[Service]\nEnvironment=\nEnvironment=ETCD_NAME=c\n",
    ]);
}

#[test]
fn commands_are_read_as_systemd_reads_them() {
    for line in [
        "ExecStart=/usr/bin/etcd --name=one --data-dir=/two",
        "ExecStart=-+/usr/bin/etcd \"--name=a b\" '--data-dir=/c d' --wal-dir=\"e\"'f'",
        "ExecStart=@/usr/bin/etcd --name=zero --data-dir=/two",
        "ExecStart=:/usr/bin/etcd --name=one \\\n  # a comment\n  --data-dir=/two\\x20three",
        "ExecStart=/usr/bin/etcd --name=\\q --data-dir=a\\ b",
        "ExecStart=/usr/bin/etcd --name=a%%b --data-dir=%S/%N --wal-dir=\\;",
        "ExecStart=/bin/false\nExecStart=\nExecStart=/usr/bin/etcd --name=one",
    ] {
        same_command(&[&format!("[Service]\n{line}\n")]);
    }
    same_command(&[
        "[Service]\nExecStart=/usr/bin/etcd --name=one\n",
        "[Service]\nExecStart=\nExecStart=/usr/bin/etcd --name=two --data-dir=/d\n",
    ]);
}

/// With two commands or none, systemd does not load the unit.
#[test]
fn what_systemd_refuses_is_reported_as_refused() {
    for line in [
        "ExecStart=/bin/true\nExecStart=/usr/bin/etcd\n",
        "User=etcd\n",
        "ExecStart=/bin/true ; /usr/bin/etcd\n",
    ] {
        let unit = format!("[Service]\n{line}");
        let lab = units(&unit, None);
        let mut analyze = peers::program("systemd-analyze");
        let run = finish(analyze.args(["verify", "--man=no"]).arg(lab.path("etcd.service")));
        assert!(run.stderr.contains("etcd.service"), "{run:?}");
        assert_ne!(run.code, 0, "{run:?}");
        let settings = read(&[&unit]);
        let texts: Vec<_> = settings.remarks().iter().map(|remark| &remark.text).collect();
        assert!(texts.iter().any(|text| text.contains("ExecStart=")), "{texts:?}");
    }
}

/// Parts of lines with a special meaning in systemd, in any order.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "b", " ", "  ", "\t", "\"", "'", "\\", "\\x41", "\\n", "\\s", "\\q", "\\101",
        "\\u00e9", "%%", "%n", "%", "$", "${", "}", ";", "#", "=", ",", "é", "\\\\", "\\\"", "\\'",
        "\\\n", "\\;", "-",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// The values of an assignment.
    #[test]
    fn any_assignment_is_read_as_systemd_reads_it(
        pieces in prop::collection::vec(piece(), 0..12),
        more in prop::collection::vec(piece(), 0..8),
    ) {
        let (one, two) = (pieces.concat(), more.concat());
        same_environment(&[&format!(
            "[Service]\nEnvironment=ETCD_NAME={one} ETCD_DATA_DIR={two} ETCD_WAL_DIR=/w\n\
             Environment=ETCD_INITIAL_CLUSTER=c\nExecStart=/usr/bin/etcd\n"
        )]);
    }
}
