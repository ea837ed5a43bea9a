//! Compares the table of etcd's options with the flags and the configuration file of a real etcd.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use pki_core::{EtcdOption, EtcdVersion, OptionKind, YamlKey, etcd_options};

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

pub(super) fn etcds() -> [(EtcdVersion, PathBuf); 2] {
    let debian = peers::program("etcd").get_program().into();
    [(EtcdVersion(3, 4, 23), debian), (EtcdVersion(3, 5, 1), peers::etcd_3_5("etcd"))]
}

/// The options that `etcd --help` lists.
fn listed(etcd: &Path) -> BTreeSet<String> {
    let run = finish(Command::new(etcd).arg("--help"));
    let flags = run.stdout.lines().chain(run.stderr.lines()).filter_map(|line| {
        let flag = line.strip_prefix("  --")?;
        Some(flag.split(' ').next()?.to_owned())
    });
    flags.collect()
}

#[test]
fn every_option_that_etcd_lists_is_in_the_table() {
    for (version, etcd) in etcds() {
        let listed = listed(&etcd);
        assert!(listed.len() > 75, "{version}: {listed:?}");
        let known: BTreeSet<_> =
            etcd_options().filter(|o| o.is_flag_in(version)).map(|o| o.name.to_owned()).collect();
        let lacking: Vec<_> = listed.difference(&known).collect();
        assert!(lacking.is_empty(), "{version}: {lacking:?}");
    }
}

/// Go's package flag reports an unknown flag as not defined, and an invalid boolean as invalid.
#[test]
fn etcd_takes_the_flags_that_the_table_has_for_its_release_and_no_others() {
    for (version, etcd) in etcds() {
        each_option(|option| {
            let flag = format!("--{}=~", option.name);
            let said = finish(Command::new(&etcd).args([&flag, "--help"])).stderr;
            let is_known = !said.contains("flag provided but not defined");
            assert_eq!(is_known, option.is_flag_in(version), "{version}: {flag}: {said}");
            let is_switch = said.contains("invalid boolean value");
            assert_eq!(
                is_switch,
                is_known && option.kind == OptionKind::Switch,
                "{version}: {flag}"
            );
        });
    }
}

/// If etcd reads a key, a map as its value makes etcd report the expected type.
#[test]
fn etcd_reads_the_keys_that_the_table_has_for_its_release_and_no_others() {
    let lab = Lab::new();
    for (version, etcd) in etcds() {
        each_option(|option| {
            let probe = "{ a: b }";
            let yaml = match option.yaml {
                YamlKey::Client(key) => {
                    format!("client-transport-security: {{ {key}: {probe} }}\n")
                }
                YamlKey::Peer(key) => format!("peer-transport-security: {{ {key}: {probe} }}\n"),
                _ => format!("{}: {probe}\n", option.name),
            };
            // Makes etcd exit before it starts. The options of the v2 proxy are read later than that.
            let end = "\nheartbeat-interval: 1000\nelection-timeout: 1000\n";
            if end.contains(option.name) || option.name.starts_with("proxy") {
                return;
            }
            if option.name == "discovery-fallback" {
                return;
            }
            let file = format!("{version}-{}.yaml", option.name);
            lab.write(&file, format!("{yaml}{end}"));
            let run = finish(Command::new(&etcd).arg("--config-file").arg(lab.path(&file)));
            let said = format!("{}{}", run.stdout, run.stderr);
            assert_ne!(run.code, 0, "{version}: {yaml}: {said}");
            let is_read = said.contains("cannot unmarshal");
            assert_eq!(is_read, option.is_yaml_in(version), "{version}: {yaml}: {said}");
            if is_read {
                let expected = match option.kind {
                    OptionKind::List => "of type []string",
                    OptionKind::Switch => "of type bool",
                    OptionKind::Duration => "of type time.Duration",
                    OptionKind::Number => "int",
                    _ => "of type ",
                };
                assert!(said.contains(expected), "{version}: {yaml}: {said}");
            }
        });
    }
}

/// Every option, on all processors, because each needs an etcd process.
fn each_option(check: impl Fn(&EtcdOption) + Sync) {
    let options: Vec<_> = etcd_options().collect();
    thread::scope(|scope| {
        for part in options.chunks(options.len().div_ceil(4)) {
            scope.spawn(|| part.iter().for_each(|option| check(option)));
        }
    });
}

#[test]
fn no_option_stands_in_the_table_twice() {
    let names: BTreeSet<_> = etcd_options().map(|option| option.name).collect();
    assert_eq!(names.len(), etcd_options().count());
}
