//! `etcdpki rotate-ca --ca` and `renew --ca` with separate CAs: each is replaced by itself.

use std::collections::BTreeMap;

use super::{APPLY, MANIFEST, PLAN, cas, certificates, everybody_agrees, files, json, refused};
use crate::lab::{Lab, Run};

/// One of the CAs.
pub(super) struct Separate {
    /// The value of `--ca`.
    ca: &'static str,
    pub(super) old: &'static str,
    pub(super) new: &'static str,
    /// The files of hosts that contain it, and what they contain besides.
    trust: &'static [(&'static str, &'static [&'static str])],
    /// A certificate that it issues.
    leaf: &'static str,
    /// The hosts that trust it, and those that present certificates of it.
    trusting: &'static str,
    presenting: &'static str,
}

const MEMBERS: &str = "etcdone, etcdthree, etcdtwo";

pub(super) const ALL: [Separate; 3] = [
    Separate {
        ca: "server",
        old: "etcd server CA",
        new: "etcd server CA G2",
        trust: &[
            ("masterone/ca.pem", &[]),
            ("etcdone/ca.pem", &[]),
            // etcd's gateway presents the certificate of the server to its own client port.
            ("etcdone/client-ca.pem", &["etcd client CA"]),
        ],
        leaf: "etcdone/server.pem",
        trusting: "etcdone, etcdthree, etcdtwo, masterone",
        presenting: MEMBERS,
    },
    Separate {
        ca: "peer",
        old: "etcd peer CA",
        new: "etcd peer CA G2",
        trust: &[("etcdone/peer-ca.pem", &[])],
        leaf: "etcdone/peer.pem",
        trusting: MEMBERS,
        presenting: MEMBERS,
    },
    Separate {
        ca: "client",
        old: "etcd client CA",
        new: "etcd client CA G2",
        trust: &[("etcdone/client-ca.pem", &["etcd server CA"])],
        leaf: "masterone/apiserver-etcd-client.pem",
        trusting: MEMBERS,
        presenting: "masterone",
    },
];

pub(super) fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", format!("{MANIFEST}cas: {{}}\n"));
    lab.ok(APPLY);
    lab
}

impl Separate {
    pub(super) fn args(&self, step: &'static str) -> [&'static str; 6] {
        ["rotate-ca", step, "-f", "cluster.yaml", "--ca", self.ca]
    }

    fn rotate(&self, lab: &Lab, step: &'static str, more: &[&str]) -> Run {
        lab.run(&[&self.args(step), more].concat())
    }

    pub(super) fn rotated(&self, lab: &Lab, step: &'static str) -> String {
        let word: &[&str] = if step == "begin" { &[] } else { &["--restarted", "all"] };
        let run = self.rotate(lab, step, word);
        assert_eq!(run.code, 0, "{} {step}: {run:?}", self.ca);
        run.stdout
    }

    fn refused(&self, lab: &Lab, step: &'static str, more: &[&'static str], reasons: &[&str]) {
        refused(lab, &[&self.args(step), more].concat(), reasons);
    }

    fn next(&self, lab: &Lab) -> String {
        let status = json(&self.rotate(lab, "status", &["--format", "json"]));
        status["next"].as_str().unwrap().to_owned()
    }

    /// Every file that contains the CA to trust accepts the certificate, whichever step was killed.
    pub(super) fn is_accepted(&self, lab: &Lab) {
        let leaf = certificates(lab, &format!("pki/hosts/{}", self.leaf)).swap_remove(0);
        let issuer = leaf.issuer.common_name().unwrap().to_owned();
        for (file, _) in self.trust {
            let trusted = cas(lab, &format!("pki/hosts/{file}"));
            assert!(trusted.contains(&issuer), "{file}: {trusted:?} without {issuer}");
        }
        let phase = match (cas(lab, &format!("pki/hosts/{}", self.trust[0].0)), issuer == self.old)
        {
            (trusted, _) if trusted.len() == 1 && trusted[0] == self.new => "finished",
            (trusted, true) if trusted.len() == 1 => "before",
            (_, true) => "begun",
            (_, false) => "reissued",
        };
        let status = json(&self.rotate(lab, "status", &["--format", "json"]));
        let hosts = status["hosts"].as_array().unwrap();
        let host = self.trust[0].0.split('/').next().unwrap();
        let of_host = hosts.iter().find(|line| line["host"] == host);
        let is_same_host = self.leaf.starts_with(host);
        assert!(of_host.is_none_or(|line| !is_same_host || line["phase"] == phase), "{status}");
    }

    /// The hosts trust these CAs, and the certificate is from that one.
    pub(super) fn hosts(&self, lab: &Lab, trusted: &[&str], issuer: &str) {
        for (file, others) in self.trust {
            let mut expected = [trusted, others].concat();
            let mut found = cas(lab, &format!("pki/hosts/{file}"));
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "{file}");
        }
        let leaf = certificates(lab, &format!("pki/hosts/{}", self.leaf)).swap_remove(0);
        assert_eq!(leaf.issuer.common_name(), Some(issuer), "{}", self.leaf);
    }

    /// What this CA has nothing to do with: all other certificates, all keys of hosts, and the folders of the other CAs.
    fn strangers(&self, lab: &Lab) -> BTreeMap<String, Vec<u8>> {
        let mut all = files(lab);
        let base = self.leaf.rsplit('/').next().unwrap();
        let own = format!("pki/{}-ca/", self.ca);
        all.retain(|path, _| {
            let trusts =
                self.trust.iter().any(|(file, _)| path.ends_with(&file[file.find('/').unwrap()..]));
            !path.starts_with(&own) && !path.ends_with(base) && !trusts
        });
        all
    }
}

#[test]
fn each_of_three_cas_is_replaced_by_itself_and_every_command_agrees_after_each_step() {
    for separate in ALL {
        let lab = lab();
        let Separate { ca, old, new, .. } = separate;
        let before = separate.strangers(&lab);
        separate.hosts(&lab, &[old], old);
        separate.refused(
            &lab,
            "reissue",
            &["--restarted", "all"],
            &["no rotation is under way", &format!("rotate-ca begin -f cluster.yaml --ca {ca}")],
        );

        let said = separate.rotated(&lab, "begin");
        let next = format!("rotate-ca reissue -f cluster.yaml --ca {ca} --restarted all");
        assert!(said.contains(&next), "{said}");
        let every = if ca == "server" { "every process" } else { "every member" };
        assert!(said.contains(&format!("restart {every}")), "{said}");
        separate.hosts(&lab, &[old, new], old);
        everybody_agrees(&lab);
        assert_eq!(separate.next(&lab), "reissue");
        let overview = lab.ok(&["status", "-f", "cluster.yaml"]);
        assert!(overview.contains(&format!("the CA for {ca}s is being replaced")), "{overview}");
        assert!(overview.contains(&format!("rotate-ca reissue --ca {ca}")), "{overview}");

        separate.refused(&lab, "finish", &["--restarted", "all"], &["from the old", "reissue"]);
        // Only the programs that trust the CA have to be restarted.
        let waits = format!("these hosts are ready: {}\n", separate.trusting);
        separate.refused(&lab, "reissue", &[], &[&waits]);

        let trust = lab.read(format!("pki/hosts/{}", separate.trust[0].0));
        separate.rotated(&lab, "reissue");
        separate.hosts(&lab, &[old, new], new);
        assert_eq!(lab.read(format!("pki/hosts/{}", separate.trust[0].0)), trust, "{ca}");
        everybody_agrees(&lab);
        assert_eq!(separate.next(&lab), "finish");
        separate.refused(&lab, "begin", &[], &["the hosts are not ready for begin", "finish"]);
        // Only the programs that present certificates of the CA matter.
        let waits = format!("these hosts are ready: {}\n", separate.presenting);
        separate.refused(&lab, "finish", &[], &[&waits]);

        let said = separate.rotated(&lab, "finish");
        assert!(said.contains(&format!("then destroy pki/{ca}-ca/ca-retired-")), "{said}");
        separate.hosts(&lab, &[new], new);
        everybody_agrees(&lab);
        assert_eq!(separate.next(&lab), "none");
        assert!(before == separate.strangers(&lab), "{ca}: something else changed");
    }
}

#[test]
fn each_of_three_cas_is_put_back_from_every_step() {
    for separate in ALL {
        let lab = lab();
        let Separate { ca, old, new, .. } = separate;
        let before = files(&lab);
        separate.rotated(&lab, "begin");
        separate.rotated(&lab, "abort");
        let mut after = files(&lab);
        after.retain(|path, _| !path.contains("ca-retired-"));
        assert!(before == after, "{ca}: abort after begin leaves what was there before");

        separate.rotated(&lab, "begin");
        separate.rotated(&lab, "reissue");
        let said = separate.rotated(&lab, "abort");
        assert!(said.contains(&format!("rotate-ca abort -f cluster.yaml --ca {ca}")), "{said}");
        separate.hosts(&lab, &[old, new], old);
        everybody_agrees(&lab);
        let waits = format!("these hosts are ready: {}\n", separate.presenting);
        separate.refused(&lab, "abort", &[], &[&waits]);
        separate.rotated(&lab, "abort");
        separate.hosts(&lab, &[old], old);
        everybody_agrees(&lab);
        assert_eq!(separate.next(&lab), "none");
    }
}

/// Somebody restores the ca.pem of one CA from a backup in the middle of its rotation.
#[test]
fn a_stray_apply_is_refused_for_each_of_three_cas() {
    for separate in ALL {
        let lab = lab();
        let path = format!("pki/{}-ca/ca.pem", separate.ca);
        let before = lab.read(&path);
        for step in ["begin", "reissue"] {
            separate.rotated(&lab, step);
            let now = lab.read(&path);
            lab.write(&path, &before);
            let status = format!("rotate-ca status -f MANIFEST --ca {}", separate.ca);
            for args in [APPLY, PLAN] {
                refused(&lab, args, &["would finish or abort a rotation of the CA for", &status]);
            }
            lab.write(&path, now);
        }
    }
}

/// Two of them at the same time do not get in each other's way.
#[test]
fn two_of_three_cas_are_replaced_at_the_same_time() {
    let lab = lab();
    let [server, _, client] = ALL;
    server.rotated(&lab, "begin");
    client.rotated(&lab, "begin");
    let overview = lab.ok(&["status", "-f", "cluster.yaml"]);
    assert_eq!(overview.matches("is being replaced").count(), 2, "{overview}");
    assert_eq!(cas(&lab, "pki/hosts/etcdone/client-ca.pem").len(), 4);
    everybody_agrees(&lab);
    for step in ["reissue", "finish"] {
        server.rotated(&lab, step);
        client.rotated(&lab, step);
        everybody_agrees(&lab);
    }
    assert_eq!(cas(&lab, "pki/hosts/etcdone/client-ca.pem"), [client.new, server.new]);
}

#[test]
fn the_option_says_which_ca_and_only_with_separate_cas() {
    let lab = lab();
    for step in ["begin", "status", "abort"] {
        let run = lab.run(&["rotate-ca", step, "-f", "cluster.yaml"]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("--ca server, --ca peer or --ca client"), "{run:?}");
    }
    let run = lab.run(&["rotate-ca", "begin", "-f", "cluster.yaml", "--ca", "servers"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("server, peer, client"), "{run:?}");
    let taken = ["--cn", "etcd server CA"];
    let run = ALL[1].rotate(&lab, "begin", &taken);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.stderr.contains("another CA of the cluster has the name etcd server CA"),
        "{run:?}"
    );

    lab.write("one.yaml", MANIFEST);
    let run = lab.run(&["rotate-ca", "begin", "-f", "one.yaml", "--ca", "peer"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("--ca works only with separate CAs"), "{run:?}");
}

/// Each is renewed in its own folder, and its certificates stay valid.
#[test]
fn each_of_three_cas_is_renewed_by_its_folder() {
    let lab = lab();
    for separate in ALL {
        let before = separate.strangers(&lab);
        let folder = format!("pki/{}-ca", separate.ca);
        let old = certificates(&lab, &format!("{folder}/ca.pem")).swap_remove(0);
        let leaf = lab.read(format!("pki/hosts/{}", separate.leaf));
        lab.ok(&["--dir", &folder, "renew", "--ca"]);
        lab.ok(APPLY);
        for (file, _) in separate.trust {
            let trusted = certificates(&lab, &format!("pki/hosts/{file}"));
            let of_it = |ca: &&pki_core::Certificate| ca.is_same_ca(&old);
            let now: Vec<_> = trusted.iter().filter(of_it).collect();
            assert!(now.len() == 1 && now[0].serial != old.serial, "{file}");
        }
        assert_eq!(lab.read(format!("pki/hosts/{}", separate.leaf)), leaf);
        assert!(before == separate.strangers(&lab), "{}: something else changed", separate.ca);
        everybody_agrees(&lab);
        assert_eq!(separate.next(&lab), "none");
    }
}
