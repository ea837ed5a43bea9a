//! Rules about configuration that etcd rejects or ignores, or that these files do not decide.

use super::{Row, Violation};
use crate::deployment::Deployment;
use crate::etcd::RemarkKind;
use crate::finding::{Rule, Severity, Source};

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "cfg-malformed",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The member does not start: etcd exits with this reason, or systemd refuses the unit.",
            remedy: "Correct the file, or run `etcdpki apply -f MANIFEST`, which writes it again. Then restart the member: `systemctl daemon-reload && systemctl restart etcd`.",
            citation: "systemd.service(5); measured on etcd 3.4, 3.5",
        },
        malformed,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-yaml-unknown-key",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd silently ignores the key, so the option that it should set keeps its default.",
            remedy: "Spell the key as etcd's sample configuration file does; `etcd --help` lists the options. Options that exist only as flags, such as client-crl-file, need a systemd unit without --config-file, which `etcdpki apply -f MANIFEST` writes if `etcd_config` sets one.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        yaml_unknown_key,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-unknown-variable",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd ignores the variable, with a warning in its log at most (`unrecognized environment variable`), so what it should restrict stays open.",
            remedy: "Correct the name: ETCD_ and the option's name in upper case, such as `ETCD_PEER_CERT_ALLOWED_HOSTNAME=NAME`; `etcd --help` lists the options.",
            citation: "measured on etcd 3.4, 3.5",
        },
        unknown_variable,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-option-unused",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd ignores the setting, because this release has no such option; nothing changes when somebody edits it.",
            remedy: "Remove it, or set `etcd_version: VERSION` in the manifest to the release that runs, and run `etcdpki apply -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5",
        },
        option_unused,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-unreadable",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "The setting depends on something outside these files, so etcdpki cannot check what etcd gets there.",
            remedy: "Write the value itself into etcd.conf.yaml or the unit, or put the file that sets it into the host's folder (`cp FILE pki/hosts/HOST/`), and verify again: `etcdpki verify -f MANIFEST`.",
            citation: "systemd.service(5), systemd.exec(5), systemd.unit(5)",
        },
        unreadable,
    ),
    Row::deployment(
        &Rule {
            id: "file-unseen",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcdpki has not read the file, and nothing here says whether it is right.",
            remedy: "Put the file into the host's folder (`cp FILE pki/hosts/HOST/`), or set `paths: {etcd: FOLDER}` in the manifest to the folder on the host that has it; then verify again: `etcdpki verify -f MANIFEST`.",
            citation: "docs/design.md",
        },
        file_unseen,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-env-flag-clash",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits at startup: `conflicting environment variable is shadowed by corresponding command-line flag`. With a configuration file, etcd silently ignores both.",
            remedy: "Set each option in only one place: remove the line `ETCD_NAME=VALUE` from the environment file, or the flag from the unit. Then restart the member: `systemctl daemon-reload && systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        env_flag_clash,
    ),
];

/// The remarks of one kind, each about the file that it is in.
fn remarks(deployment: &Deployment<'_>, kind: RemarkKind) -> Vec<Violation> {
    let members = deployment.members.iter();
    let all = members.flat_map(|member| member.settings.remarks().iter().map(move |r| (member, r)));
    all.filter(|(_, remark)| remark.kind == kind)
        .map(|(member, remark)| Violation::about(member, &remark.file, remark.text.clone()))
        .collect()
}

fn malformed(deployment: &Deployment<'_>) -> Vec<Violation> {
    remarks(deployment, RemarkKind::Malformed)
}

fn yaml_unknown_key(deployment: &Deployment<'_>) -> Vec<Violation> {
    remarks(deployment, RemarkKind::IgnoredKey)
}

fn unknown_variable(deployment: &Deployment<'_>) -> Vec<Violation> {
    remarks(deployment, RemarkKind::IgnoredVariable)
}

fn option_unused(deployment: &Deployment<'_>) -> Vec<Violation> {
    remarks(deployment, RemarkKind::Foreign)
}

fn unreadable(deployment: &Deployment<'_>) -> Vec<Violation> {
    remarks(deployment, RemarkKind::Unreadable)
}

fn file_unseen(deployment: &Deployment<'_>) -> Vec<Violation> {
    let mut violations = remarks(deployment, RemarkKind::Unseen);
    violations.extend(deployment.unseen.iter().map(|(file, evidence)| {
        let subject = file.split('/').next_back().unwrap_or_default().to_owned();
        Violation { file: file.clone(), subject, evidence: evidence.clone() }
    }));
    violations
}

fn env_flag_clash(deployment: &Deployment<'_>) -> Vec<Violation> {
    remarks(deployment, RemarkKind::Clash)
}
