//! Endless files, pipes that nobody writes to, and processes with low resource limits.

use std::fmt::Write as _;
use std::fs::File;
use std::process::Command;

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

const ISSUE: &[&str] = &["issue", "--profile", "client", "api"];

/// The command exits by itself with this code and prints this.
#[track_caller]
fn ends(mut command: Command, code: i32, says: &str) {
    let run = finish(&mut command);
    assert_eq!(run.code, code, "{command:?}: {run:?}");
    assert!(run.stderr.contains(says), "{says:?} was expected: {run:?}");
    assert!(run.stderr.contains("\n  hint: "), "{run:?}");
}

#[test]
fn an_input_without_end_is_refused() {
    let lab = Lab::with_ca(&[]);
    for args in [
        &["inspect", "/dev/zero"][..],
        &["plan", "-f", "/dev/zero"],
        &["apply", "-f", "/dev/zero"],
        &["verify", "/dev/zero"],
        &["verify", "pki/ca.pem", "--ca", "/dev/zero"],
        &["verify", "pki/ca.pem", "--crl", "/dev/zero"],
        &["verify", "pki/ca.pem", "--key", "/dev/zero"],
        &[ISSUE, &["--csr", "/dev/zero"]].concat(),
        &[ISSUE, &["--csr-json", "/dev/zero"]].concat(),
        &[ISSUE, &["--config", "/dev/zero"]].concat(),
        &["init-ca", "--dir", "new", "--csr-json", "/dev/zero"],
    ] {
        ends(lab.command(args), 2, "/dev/zero is larger than 16 MiB");
    }
}

#[test]
fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
    let lab = Lab::with_ca(&[]);
    let file = File::create(lab.path("large.pem")).unwrap();
    file.set_len(16 << 20).unwrap();
    // It is read, but contains nothing usable.
    ends(lab.command(&["inspect", "large.pem"]), 2, "large.pem");
    file.set_len((16 << 20) + 1).unwrap();
    ends(lab.command(&["inspect", "large.pem"]), 2, "large.pem is larger than 16 MiB");
    file.set_len(15 << 40).unwrap();
    ends(lab.command(&["inspect", "large.pem"]), 2, "large.pem is larger than 16 MiB");
}

/// It counted as an empty file: `export` packed it, and `verify -f` said nothing.
#[test]
fn a_large_file_in_a_hosts_folder_is_named_and_never_taken_for_an_empty_one() {
    let lab = Lab::new();
    lab.write("cluster.yaml", "cluster: lab\netcd: [{ name: etcdone, ip: 10.0.0.1 }]\n");
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    let folder = lab.path("pki/hosts/etcdone");
    let large = |name: &str| {
        File::create(folder.join(name)).unwrap().set_len((16 << 20) + 1).unwrap();
    };
    large("snapshot.db");
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("warning [file-unread] snapshot.db: it is larger"), "{run:?}");
    ends(
        lab.command(&["export", "-f", "cluster.yaml", "etcdone"]),
        1,
        "snapshot.db: larger than 16 MiB",
    );
    // What apply did not make stays where it is.
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    assert_eq!(folder.join("snapshot.db").metadata().unwrap().len(), (16 << 20) + 1);
    large("server-key.pem");
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("[pem-damaged] server-key.pem: the file is too large"), "{run:?}");
    for command in ["plan", "apply"] {
        let run = lab.run(&[command, "-f", "cluster.yaml"]);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stderr.contains("server-key.pem: larger than 16 MiB"), "{run:?}");
    }
}

#[test]
fn a_pipe_in_place_of_a_file_does_not_block_the_lock() {
    let lab = Lab::with_ca(&[]);
    let pipe = |name: &str| {
        let made = peers::program("mkfifo").arg(lab.path(name)).status().unwrap();
        assert!(made.success());
    };
    lab.ok(&["issue", "--profile", "client", "other"]);
    let request = crate::peers::program("openssl")
        .args(["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-keyout", "key.pem", "-out", "api.csr", "-subj", "/CN=api"])
        .current_dir(lab.folder())
        .output()
        .unwrap();
    assert!(request.status.success(), "{request:?}");
    // The key of the request may be next to the certificate; a pipe there is not a key.
    pipe("api-key.pem");
    let run = finish(&mut lab.command(&[ISSUE, &["--csr", "api.csr"]].concat()));
    assert_eq!(run.code, 0, "{run:?}");

    std::fs::rename(lab.path("pki/ca-key.pem"), lab.path("ca-key.pem")).unwrap();
    pipe("pki/ca-key.pem");
    let issue = ["issue", "--profile", "client", "new"];
    ends(lab.command(&issue), 3, "pki/ca-key.pem is not a regular file");
    std::fs::rename(lab.path("ca-key.pem"), lab.path("pki/ca-key.pem")).unwrap();

    lab.write("cluster.yaml", "cluster: lab\netcd:\n  - { name: etcdone, ip: 192.168.29.61 }\n");
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    pipe("pki/hosts/etcdone/pipe.pem");
    for command in ["apply", "plan", "status"] {
        let says = "pki/hosts/etcdone/pipe.pem is not a file";
        ends(lab.command(&[command, "-f", "cluster.yaml"]), 3, says);
    }
}

#[test]
fn a_huge_file_in_a_hosts_folder_is_kept_and_not_read() {
    let lab = Lab::new();
    let manifest = |name: &str| {
        format!("cluster: lab\netcd:\n  - {{ name: etcdone, ip: 192.168.29.61, sans: [{name}] }}\n")
    };
    lab.write("cluster.yaml", manifest("old.example.com"));
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    let huge = lab.path("pki/hosts/etcdone/snapshot.db");
    File::create(&huge).unwrap().set_len(15 << 40).unwrap();
    lab.write("cluster.yaml", manifest("new.example.com"));
    let run = finish(&mut lab.command(&["apply", "-f", "cluster.yaml"]));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(huge.metadata().unwrap().len(), 15 << 40);
}

/// `etcdpki` as a user who is not root and may not start threads, or with this memory limit.
fn limited(lab: &Lab, limit: &str, args: &[&str]) -> Command {
    let mut command = peers::program("unshare");
    // In a separate user namespace without capabilities, because limits do not apply to root.
    let script = format!("{limit}; exec \"$@\"");
    command.args(["--user", "--", "sh", "-c", &script, "sh"]);
    command.arg(env!("CARGO_BIN_EXE_etcdpki")).args(args);
    command.current_dir(lab.folder()).env_remove("ETCDPKI_DIR");
    command
}

#[test]
fn little_memory_is_an_answer_and_no_abort() {
    let lab = Lab::with_ca(&[]);
    lab.ok(ISSUE);
    // A manifest that needs much more memory than its size.
    let mut manifest = "cluster: lab\netcd:\n".to_owned();
    for host in 0..100_000 {
        let _ = writeln!(manifest, "  - {{ name: e{host}, ip: 10.1.1.1, sans: [a.example.com] }}");
    }
    lab.write("cluster.yaml", &manifest);
    let mut seen = Vec::new();
    for megabytes in [40, 80, 120] {
        for args in [
            &["verify", "api.pem"][..],
            &["plan", "-f", "cluster.yaml"],
            &["inspect", "cluster.yaml"],
        ] {
            let run = |kilobytes| {
                let limit = format!("ulimit -v {kilobytes}");
                finish(&mut limited(&lab, &limit, args))
            };
            let first = run(megabytes << 10);
            // If the stack cannot grow because the memory is used up, the kernel kills a program, which cannot prevent it.
            let run = if first.code == -1 { run((megabytes << 10) + 700) } else { first };
            assert!([0, 1, 2, 3].contains(&run.code), "{megabytes} MB, {args:?}: {run:?}");
            assert!(!run.stderr.contains("a bug"), "{megabytes} MB, {args:?}: {run:?}");
            assert!(run.code < 2 || !run.stderr.is_empty(), "{megabytes} MB, {args:?}: {run:?}");
            seen.push(run.code);
        }
    }
    assert!(seen.contains(&3), "no limit was reached: {seen:?}");
}

/// This limit does not apply to root, so root runs it as another user.
#[test]
fn one_thread_is_enough() {
    let lab = Lab::new();
    let mut manifest = "cluster: lab\netcd:\n".to_owned();
    for host in 1..40 {
        let _ = writeln!(manifest, "  - {{ name: e{host}, ip: 10.1.1.{host} }}");
    }
    lab.write("cluster.yaml", manifest);
    let somebody = 61_235;
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(lab.folder(), Some(somebody), None).unwrap();
    }
    for args in [
        &["apply", "-f", "cluster.yaml"][..],
        &["plan", "-f", "cluster.yaml"],
        &["verify", "-f", "cluster.yaml"],
        &["verify", "pki/hosts"],
    ] {
        let mut command = peers::program(if is_root { "setpriv" } else { "sh" });
        if is_root {
            command.args([&format!("--reuid={somebody}"), "--clear-groups", "sh"]);
        }
        let script = "ulimit -u 1; exec \"$@\"";
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_etcdpki")]).args(args);
        command.current_dir(lab.folder()).env_remove("ETCDPKI_DIR");
        let run = finish(&mut command);
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
    }
}
