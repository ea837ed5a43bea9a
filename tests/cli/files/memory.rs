//! What of a key is in memory, and what would be in a core dump.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::fs::OFlags;

use super::key;
use crate::lab::Lab;
use crate::peers;
use crate::process::{PATIENCE, PAUSE};

/// `issue`, stopped when everything is written and only its last words are not: the pipe is full.
fn stopped_issue(lab: &Lab) -> (Child, std::io::PipeReader) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(&[0; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    let mut command = lab.command(&["issue", "--profile", "client", "api"]);
    let child = command.stdout(writer).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    let call = format!("/proc/{}/wchan", child.id());
    while !fs::read_to_string(&call).unwrap_or_default().contains("pipe_write") {
        assert!(start.elapsed() < PATIENCE, "it does not wait for the pipe");
        std::thread::sleep(PAUSE);
    }
    (child, reader)
}

/// Everything that the process has in memory that it can write to.
fn memory(child: &Child) -> Vec<Vec<u8>> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", child.id())).unwrap();
    let mut memory = File::open(format!("/proc/{}/mem", child.id()))
        .expect("this test reads the memory of a process, which only root can");
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.seek(SeekFrom::Start(from)).unwrap();
        if memory.read_exact(&mut bytes).is_ok() {
            all.push(bytes);
        }
    }
    all
}

fn count(memory: &[Vec<u8>], what: &[u8]) -> usize {
    let finds =
        |bytes: &Vec<u8>| bytes.windows(what.len()).filter(|window| *window == what).count();
    memory.iter().map(finds).sum()
}

#[test]
fn of_the_cas_key_no_base64_is_left_in_memory() {
    // rustls-pemfile left the base64 of the whole key behind.
    let lab = Lab::with_ca(&[]);
    key(&lab.path("pki/ca-key.pem"));
    let pem = String::from_utf8(lab.read("pki/ca-key.pem")).unwrap();
    let (mut child, reader) = stopped_issue(&lab);
    let memory = memory(&child);
    drop(reader);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // The name of the CA is in memory, so this finds what is there.
    assert!(count(&memory, b"etcd CA") > 0);
    // The 32 octets of the secret stand between the header of PKCS #8, 36 octets, and the public key.
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for start in 48..=(36 + 32) / 3 * 4 - 16 {
        let window = &base64[start..start + 16];
        assert_eq!(count(&memory, window.as_bytes()), 0, "{window}, from {start}");
    }
}

#[test]
fn a_process_leaves_no_core_dump() {
    let lab = Lab::with_ca(&[]);
    let mut shell: Command = peers::program("sh");
    let script = "ulimit -c unlimited 2>/dev/null; exec \"$@\"";
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_etcdpki")]);
    shell.args(["issue", "--profile", "client", "api", "--csr", "-"]);
    let mut child = shell.current_dir(lab.folder()).stdin(Stdio::piped()).spawn().unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let start = Instant::now();
    let is_off = |line: &str| {
        let mut words = line.split_whitespace().skip(4);
        line.starts_with("Max core file size") && words.next() == Some("0")
    };
    // Before that it is the shell, whose limit may be any.
    let runs = || {
        let program = fs::read_link(format!("/proc/{}/exe", child.id())).unwrap();
        program == Path::new(env!("CARGO_BIN_EXE_etcdpki"))
    };
    while !(runs() && fs::read_to_string(&limits).unwrap().lines().any(is_off)) {
        assert!(start.elapsed() < PATIENCE, "core dumps are on");
        std::thread::sleep(PAUSE);
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::TRAP,
    )
    .unwrap();
    let status = child.wait().unwrap();
    assert!(status.signal().is_some() && !status.core_dumped(), "{status:?}");
}
