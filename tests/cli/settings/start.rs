//! Compares units with the etcd that they start, with the same environment and flags.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use pki_core::{EtcdSettings, EtcdVersion, FileLookup, RemarkKind};

use super::options::etcds;
use crate::lab::{Lab, Run};
use crate::members::Process;
use crate::process::{PATIENCE, PAUSE, finish};

struct Start<'a> {
    environment: &'a [&'a str],
    flags: &'a [&'a str],
}

const PLAIN: Start<'_> = Start { environment: &[], flags: &[] };

impl Start<'_> {
    fn command(&self, etcd: &Path) -> Command {
        let mut command = Command::new(etcd);
        command.env_clear().args(self.flags);
        command.envs(self.environment.iter().map(|variable| variable.split_once('=').unwrap()));
        command
    }

    fn settings(&self, version: EtcdVersion) -> EtcdSettings {
        let quoted = |words: &[&str]| {
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
        };
        let (environment, flags) = (quoted(self.environment), quoted(self.flags));
        let unit =
            format!("[Service]\nEnvironment={environment}\nExecStart=/usr/bin/etcd {flags}\n");
        EtcdSettings::from_unit("etcd.service", &[&unit], version, &|_| FileLookup::Unseen)
    }

    /// The messages of etcd with these settings before it starts. It exits because of a too short election timeout, which it
    /// checks after everything that matters here.
    fn said(&self, etcd: &Path) -> Run {
        finish(self.command(etcd).env("ETCD_ELECTION_TIMEOUT", "1"))
    }
}

#[test]
fn etcd_exits_on_what_is_reported_as_malformed_or_in_two_places_and_on_nothing_else() {
    for (start, exits) in [
        (PLAIN, false),
        (Start { flags: &["--client-cert-auth=T", "-name", "a b"], ..PLAIN }, false),
        (Start { flags: &["--client-cert-auth=yes"], ..PLAIN }, true),
        (Start { flags: &["--client-cert-auth", "false"], ..PLAIN }, true),
        (Start { flags: &["--snapshot-count=x"], ..PLAIN }, true),
        (Start { flags: &["--nonsense"], ..PLAIN }, true),
        (Start { flags: &["--ca-file=/x"], ..PLAIN }, true),
        (Start { flags: &["stray"], ..PLAIN }, true),
        (Start { flags: &["--name"], ..PLAIN }, true),
        (Start { flags: &["---name=x"], ..PLAIN }, true),
        (Start { flags: &["--listen-client-urls=https://a.example:2379"], ..PLAIN }, true),
        (Start { flags: &["--listen-client-urls=https://127.0.0.1"], ..PLAIN }, true),
        (Start { flags: &["--listen-client-urls=https://127.0.0.1:2379/"], ..PLAIN }, true),
        (Start { flags: &["--listen-peer-urls=127.0.0.1:2380"], ..PLAIN }, true),
        (Start { flags: &["--advertise-client-urls=https://a.example:2379"], ..PLAIN }, false),
        (Start { environment: &["ETCD_CLIENT_CERT_AUTH=yes"], ..PLAIN }, true),
        (Start { environment: &["ETCD_CLIENT_CERT_AUTH=1"], ..PLAIN }, false),
        (Start { environment: &["ETCD_NONSENSE=1", "ETCD_NAME="], ..PLAIN }, false),
        (Start { environment: &["ETCD_VERSION=1", "ETCD_UNSUPPORTED_ARCH=x"], ..PLAIN }, false),
        (Start { environment: &["ETCD_NAME=a"], flags: &["--name=a"] }, true),
        (Start { environment: &["ETCD_NAME="], flags: &["--name=a"] }, true),
    ] {
        let (environment, flags) = (start.environment, start.flags);
        for (version, etcd) in etcds() {
            let said = start.said(&etcd);
            let text = format!("{}{}", said.stdout, said.stderr);
            assert_ne!(said.code, 0, "{version}: {environment:?} {flags:?}: {text}");
            let reached = text.contains("should be at least as 5 times as");
            assert_eq!(!reached, exits, "{version}: {environment:?} {flags:?}: {text}");
            let settings = start.settings(version);
            let remarks = settings.remarks();
            let told = remarks
                .iter()
                .any(|remark| matches!(remark.kind, RemarkKind::Malformed | RemarkKind::Clash));
            assert_eq!(told, exits, "{version}: {environment:?} {flags:?}: {remarks:?}");
        }
    }
}

#[test]
fn etcd_does_not_recognize_the_variables_that_are_reported_as_ignored() {
    for (variable, ignored) in [
        ("ETCD_PEER_CERT_ALLOWED_HOSTNAME=x", false),
        ("ETCD_PEER_CERT_ALLOWED_HOSTNAMES=x", true),
        ("ETCD_CA_FILE=/x", true),
        ("ETCD_TLS_MIN_VERSION=TLS1.3", true),
        ("ETCD_CONFIG=x", false),
        ("ETCD_NONSENSE=x", true),
        ("ETCDCTL_API=3", false),
    ] {
        let start = Start { environment: &[variable], ..PLAIN };
        for (version, etcd) in etcds() {
            let said = start.said(&etcd);
            let text = format!("{}{}", said.stdout, said.stderr);
            let unrecognized = text.contains("unrecognized environment variable");
            assert_eq!(unrecognized, ignored, "{version}: {variable}: {text}");
            let settings = start.settings(version);
            let remarks = settings.remarks();
            let told = remarks.iter().any(|remark| {
                matches!(remark.kind, RemarkKind::IgnoredVariable | RemarkKind::Foreign)
            });
            assert_eq!(told, ignored, "{version}: {variable}: {remarks:?}");
        }
    }
}

/// etcd opens the port after a comma and a space, which was once not recognized.
#[test]
fn etcd_opens_the_port_behind_a_blank() {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (version, etcd) in etcds() {
        let lab = Lab::new();
        let (first, hidden, peer) = (free(), free(), free());
        let urls = format!("ETCD_LISTEN_CLIENT_URLS=http://{first}, http://{hidden}");
        let data = format!("ETCD_DATA_DIR={}", lab.path("data").display());
        let advertised = format!("ETCD_ADVERTISE_CLIENT_URLS=http://{first}");
        let peers = format!("ETCD_LISTEN_PEER_URLS=http://{peer}");
        let start = Start { environment: &[&urls, &data, &advertised, &peers], ..PLAIN };
        let settings = start.settings(version);
        assert!(settings.find("listen-client-urls").unwrap().contains(&hidden.to_string()));
        let mut process = Process::default();
        process.start(start.command(&etcd).stdout(Stdio::null()).stderr(Stdio::null()));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(hidden).is_err() {
            assert!(process.ended().is_none() && Instant::now() < deadline, "{version}");
            sleep(PAUSE);
        }
    }
}
