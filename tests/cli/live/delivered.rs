//! From the bundle to the running host, as the documents say it: members that run as the user `etcd` from `/etc/etcd`
//! start, and a renewal reaches them while two clients write.

use std::fs;
use std::process::{Command, Stdio};

use super::three_members::{MACHINES, MANIFEST, MEMBERS};
use crate::machines::Program;
use crate::machines::real::RealMachines;
use crate::machines::writers::Writers;
use crate::peers;
use crate::process::{finish, tell};

#[test]
fn etcd_3_4_starts_and_renews_as_the_documents_say() {
    starts_and_renews(Program::V3_4, "3.4");
}

#[test]
fn etcd_3_5_1_starts_and_renews_as_the_documents_say() {
    starts_and_renews(Program::V3_5_1, "3.5.1");
}

fn starts_and_renews(program: Program, version: &str) {
    let mut machines = RealMachines::new(program, &MACHINES, "");
    machines.lab.write("cluster.yaml", format!("{MANIFEST}etcd_version: \"{version}\"\n"));
    let applied = machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    assert!(applied.contains("install.sh"), "{applied}");

    machines.deliver("masterone");
    // A machine of its own has no user for etcd yet.
    let etc = machines.lab.path("etcdone/etc");
    for file in ["passwd", "group"] {
        let text = fs::read_to_string(etc.join(file)).unwrap();
        let others = text.split_inclusive('\n').filter(|line| !line.starts_with("etcd:"));
        fs::write(etc.join(file), others.collect::<String>()).unwrap();
    }
    let installed = machines.deliver("etcdone");
    assert_eq!(installed.lines().count(), 7, "{installed}");
    machines.deliver_archive("etcdtwo");
    // Without the script, for an image: tar knows the user, and the unit is one of the files.
    machines.export("etcdthree");
    machines.install(
        "etcdthree",
        "mkdir -p /etc/etcd /etc/systemd/system && tar -xpzf host.tar.gz -C /etc/etcd && \
         mv /etc/etcd/etcd.service /etc/systemd/system/",
    );
    for (name, _) in MEMBERS {
        machines.start(name);
    }
    for (_, address) in MEMBERS {
        let line = format!("ETCDCTL_ENDPOINTS=https://{address}:2379 etcdctl endpoint health");
        machines.wait(&format!("{address} is healthy"), |machines| {
            let run = machines.shell("masterone", &line);
            if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
        });
    }

    let writers = Writers::start(&mut machines);
    let same_keys = writers.during(&mut machines, |machines| {
        for (name, address) in MEMBERS {
            renew_with_the_same_keys(machines, name, address);
            let installed = machines.deliver(name);
            let files = ["/etc/etcd/peer.pem\n", "/etc/etcd/server.pem\n"];
            assert!(files.iter().all(|file| installed.contains(file)), "{installed}");
            assert!(!installed.contains("key"), "the keys stay: {installed}");
            assert_eq!(machines.deliver(name), "", "the second run has nothing to do");
        }
    });
    same_keys.has_lost_nothing(&machines, version);
    assert_eq!(same_keys.failures(), 0, "{version}: {same_keys:?}");

    let writers = Writers::start(&mut machines);
    let new_keys = writers.during(&mut machines, |machines| {
        for (turn, (name, _)) in [0, 1, 2, 3, 4, 5].into_iter().zip(MEMBERS.iter().cycle()) {
            for file in ["server.pem", "server-key.pem", "peer.pem", "peer-key.pem"] {
                fs::remove_file(machines.lab.path("pki/hosts").join(name).join(file)).unwrap();
            }
            machines.lab.ok(&["apply", "-f", "cluster.yaml", "--only", name]);
            let deliver =
                if turn % 2 == 0 { RealMachines::deliver_archive } else { RealMachines::deliver };
            assert_eq!(deliver(machines, name).lines().count(), 4);
        }
    });
    new_keys.has_lost_nothing(&machines, version);
    assert_eq!(new_keys.long_lived.failed.len(), 0, "{version}: {new_keys:?}");
    // Six renewals. A handshake can fall between the two renames of a pair.
    tell(&format!(
        "{version}: {} of {} handshakes fell between two renames",
        new_keys.failures(),
        new_keys.reconnecting.acknowledged.len()
    ));
    assert!(new_keys.failures() <= 6, "{version}: {new_keys:?}");
    for (name, _) in MEMBERS {
        let log = machines.log(name);
        assert!(!log.contains("permission denied"), "{name}: {log}");
    }
}

/// Certificates for the keys that a member has, in its folder.
fn renew_with_the_same_keys(machines: &RealMachines, name: &str, address: &str) {
    let lab = &machines.lab;
    for (role, sans) in
        [("server", vec![name, address]), ("peer", vec![name, address, "etcd-peer.lab"])]
    {
        let key = format!("pki/hosts/{name}/{role}-key.pem");
        let mut openssl = peers::program("openssl");
        openssl.args(["req", "-new", "-key", &key, "-subj", &format!("/CN={name}")]);
        let run = finish(openssl.args(["-out", "request.csr"]).current_dir(lab.folder()));
        assert_eq!(run.code, 0, "{run:?}");
        let mut issue = vec!["issue", "--profile", role, "--csr", "request.csr", "--force", role];
        issue.extend(sans.iter().flat_map(|san| ["--san", san]));
        lab.ok(&issue);
        lab.write(format!("pki/hosts/{name}/{role}.pem"), lab.read(format!("{role}.pem")));
    }
}

/// The script in every host's folder, with every kind of file, judged by shellcheck.
#[test]
fn shellcheck_accepts_every_install_script() {
    let lab = crate::lab::Lab::new();
    let manifest = "cluster: lab\n\
        paths: { etcd: /etc/etcd, data: /srv/etcd, kubernetes: /etc/etcd }\n\
        etcd_config: { wal-dir: \"/srv/it's a wal\" }\n\
        etcd:\n  - { name: e1, ip: 10.9.0.1, combined: true }\n  - { name: e2, ip: 10.9.0.2 }\n\
        control_plane:\n  - { name: e1 }\n  - { name: m1, ip: 10.9.0.9 }\n\
        clients:\n  - { name: \"a_b@example.com\", host: e2, format: [pem, pkcs12, combined] }\n  \
        - { name: backup }\n";
    lab.write("cluster.yaml", manifest);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    for host in ["e1", "e2", "m1", "admin"] {
        let script = lab.path(format!("pki/hosts/{host}/install.sh"));
        let mut shellcheck = peers::program("shellcheck");
        let run = finish(shellcheck.arg("--shell=sh").arg(&script));
        assert_eq!(run.code, 0, "{host}: {}", run.stdout);
    }
}

/// An image has users and numbers of its own.
#[test]
fn the_script_installs_into_an_image() {
    if !rustix::process::geteuid().is_root() {
        let mut shell = Command::new("sh");
        let script = peers::root().join("pki-core/src/bundle/install.sh");
        let run = finish(shell.arg(script).stdin(Stdio::null()));
        assert_eq!((run.code, &*run.stderr), (1, "install.sh: run it as root\n"));
        return;
    }
    let lab = crate::lab::Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    fs::create_dir_all(lab.path("image/etc")).unwrap();
    for file in ["passwd", "group"] {
        lab.write(
            format!("image/etc/{file}"),
            "root:x:0:0::/root:/bin/sh\netcd:x:4711:4712::/:/bin/false\n",
        );
    }
    let install = |args: &[&str]| {
        let mut sh = peers::program("sh");
        finish(sh.arg("pki/hosts/etcdone/install.sh").args(args).current_dir(lab.folder()))
    };
    let run = install(&["--root", "image"]);
    assert_eq!(run.code, 0, "{run:?}");
    let image = lab.path("image").canonicalize().unwrap().display().to_string();
    assert!(run.stdout.contains(&format!("{image}/etc/systemd/system/etcd.service\n")), "{run:?}");
    let owner = |file: &str| {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(lab.path("image").join(file)).unwrap();
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
    };
    assert_eq!(owner("etc/etcd"), (0, 0, 0o755));
    assert_eq!(owner("etc/etcd/server.pem"), (0, 0, 0o644));
    assert_eq!(owner("etc/etcd/server-key.pem"), (4711, 4712, 0o600));

    // What somebody changed is corrected, and named.
    fs::set_permissions(
        lab.path("image/etc/etcd/server-key.pem"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    let again = install(&["--root", "image"]);
    assert_eq!(again.stdout, format!("{image}/etc/etcd/server-key.pem\n"), "{again:?}");
    assert_eq!(owner("etc/etcd/server-key.pem"), (4711, 4712, 0o600));
    let nothing = install(&["--root", "image"]);
    assert_eq!((nothing.code, &*nothing.stdout), (0, ""), "{nothing:?}");

    // The image has no such user yet.
    for file in ["passwd", "group"] {
        lab.write(format!("image/etc/{file}"), "root:x:0:0::/root:/bin/sh\n");
    }
    let created = install(&["--root", "image/"]);
    assert_eq!(created.code, 0, "{created:?}");
    let passwd = String::from_utf8(lab.read("image/etc/passwd")).unwrap();
    assert!(
        passwd.contains("\netcd:") && passwd.contains(":/var/lib/etcd:/usr/sbin/nologin"),
        "{passwd}"
    );

    for (args, says) in [
        (&["--root"][..], "install.sh: usage: sh install.sh [--root DIR]\n"),
        (&["--root", "nowhere"], "install.sh: nowhere has no folder etc"),
        (&["--help"], "install.sh: usage: sh install.sh [--root DIR]\n"),
    ] {
        let run = install(args);
        assert!(run.code == 1 && run.stderr.starts_with(says), "{run:?}");
    }
    fs::remove_file(lab.path("pki/hosts/etcdone/peer.pem")).unwrap();
    let run = install(&["--root", "image"]);
    assert!(run.code == 1 && run.stderr.contains("peer.pem is missing"), "{run:?}");
}
