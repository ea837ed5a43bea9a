//! Where a passphrase can be seen while etcdpki runs: the processes, and what they print.

use super::*;
use crate::lab::Run;

const SECRET: &str = "hunter2-the-passphrase";

/// A signer command that writes down what it can see of itself and of etcdpki, then signs.
const OBSERVER: &str = "cat /proc/self/environ >child.environ; tr '\\0' ' ' </proc/self/cmdline >child.cmdline; \
    cat /proc/$PPID/cmdline >parent.cmdline; cat /proc/$PPID/limits >parent.limits; \
    cat /proc/$PPID/comm >parent.comm; openssl dgst -sha256 -sign hidden.pem";

fn observed() -> Lab {
    let lab = lab();
    let curve = "ec_paramgen_curve:P-256";
    openssl(&lab, &["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", "hidden.pem"]);
    openssl(&lab, &["pkey", "-in", "hidden.pem", "-pubout", "-out", "public.pem"]);
    write_secret(&lab, "pass", SECRET);
    lab
}

fn run(lab: &Lab, args: &[&str]) -> Run {
    let mut command = lab.command(args);
    command.env("THE_PIN", SECRET).env("ROOT_PIN", SECRET).env("UNRELATED", "kept");
    command.output().unwrap().into()
}

/// Checks what the observer wrote down in the run before.
fn nothing_was_visible(lab: &Lab, run: &Run, variables: &[&str]) {
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET), "{run:?}");
    let read = |name: &str| String::from_utf8_lossy(&lab.read(name)).into_owned();
    assert_eq!(read("parent.comm"), "etcdpki\n");
    assert!(!read("parent.cmdline").contains(SECRET));
    assert!(!read("child.cmdline").contains(SECRET));
    let environ = read("child.environ");
    assert!(environ.contains("UNRELATED=kept"), "{environ}");
    for variable in variables {
        assert!(!environ.contains(variable), "{variable}: {environ}");
    }
    let limits = read("parent.limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    for file in ["child.environ", "child.cmdline", "parent.cmdline", "parent.limits"] {
        fs::remove_file(lab.path(file)).unwrap();
    }
}

/// `ps` shows the command line, and a signer command could pass its environment on.
#[test]
fn a_passphrase_is_in_no_command_line_and_not_in_the_signers_environment() {
    let lab = observed();
    let signer = ["--signer-cmd", OBSERVER, "--ca-passphrase", "env:THE_PIN"];
    let init = ["init-ca", "--public-key", "public.pem"];
    nothing_was_visible(&lab, &run(&lab, &[&init[..], &signer].concat()), &["THE_PIN"]);
    for command in [
        &["issue", "--profile", "client", "api"][..],
        &["apply", "-f", "cluster.yaml"],
        &["crl", "--out", "ca.crl"],
        &["renew", "api.pem"],
    ] {
        nothing_was_visible(&lab, &run(&lab, &[command, &signer].concat()), &["THE_PIN"]);
    }
}

/// Two keys are in use: the passphrase of each is hidden from the command that signs for the other.
#[test]
fn the_passphrases_of_two_keys_are_hidden_from_both_signers() {
    let lab = observed();
    lab.ok(&["--dir", "root", "init-ca", "--cn", "root", "--path-len", "1"]);
    fs::rename(lab.path("root/ca-key.pem"), lab.path("hidden.pem")).unwrap();
    let both = ["THE_PIN", "ROOT_PIN"];
    let of_root = ["--root-signer-cmd", OBSERVER, "--root-passphrase", "env:ROOT_PIN"];
    let init =
        ["init-ca", "--intermediate", "--root-dir", "root", "--ca-passphrase", "env:THE_PIN"];
    nothing_was_visible(&lab, &run(&lab, &[&init[..], &of_root].concat()), &both);
    assert!(lab.read("pki/ca-key.pem").starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

/// Other users cannot look into the process, and a crash leaves no core.
#[test]
fn a_process_with_a_passphrase_cannot_be_dumped() {
    let lab = observed();
    lab.ok(&["init-ca", "--ca-passphrase", "file:pass"]);
    // It waits for its passphrase in a pipe.
    let pipe = lab.path("pipe");
    let made = peers::program("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let mut child = lab
        .command(&["issue", "--profile", "client", "api", "--ca-passphrase", "file:pipe"])
        .spawn()
        .unwrap();
    let proc = Path::new("/proc").join(child.id().to_string());
    // A process that may not be dumped belongs to root in /proc (proc(5), PR_SET_DUMPABLE), and its memory with it.
    let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let limits = fs::read_to_string(proc.join("limits")).unwrap();
    assert!(limits.contains("Max core file size        0                    0"), "{limits}");
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(proc.join("environ")).unwrap());
    assert_eq!(owner, 0);
    std::io::Write::write_all(&mut writer, SECRET.as_bytes()).unwrap();
    drop(writer);
    assert!(child.wait().unwrap().success());
}

#[test]
fn wrong_passphrases_end_with_exit_code_3_and_are_not_repeated() {
    let lab = observed();
    lab.ok(&["init-ca", "--ca-passphrase", "file:pass"]);
    let wrong = "hunter3-a-wrong-one";
    write_secret(&lab, "wrong", wrong);
    for command in [
        &["issue", "--profile", "client", "api"][..],
        &["apply", "-f", "cluster.yaml"],
        &["crl"],
        &["renew", "--ca"],
        &["passwd", "--new-passphrase", "file:pass"],
        &["--dir", "copy", "import-ca", "--cert", "pki/ca.pem", "--key", "pki/ca-key.pem"],
    ] {
        for format in ["text", "json"] {
            let options = ["--ca-passphrase", "file:wrong", "--format", format];
            let run = lab.run(&[command, &options].concat());
            assert_eq!(run.code, 3, "{command:?}: {run:?}");
            for text in [&run.stdout, &run.stderr] {
                assert!(!text.contains(wrong) && !text.contains(SECRET), "{run:?}");
            }
        }
    }
}
