//! The machine: clock, randomness, name, addresses, streams. Only this file uses them.

mod terminal;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::OnceLock;

use pki_core::{IssuanceContext, SerialNumber};
use time::{OffsetDateTime, UtcOffset};
use zeroize::Zeroizing;

pub(crate) use self::terminal::{LONGEST_SECRET, hidden_answer};
use crate::failure::Failure;

/// The time, in UTC.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The time in the zone of `TZ` or `/etc/localtime`, or in UTC if that cannot be read.
pub(crate) fn local_now() -> OffsetDateTime {
    // The zone is read only once, because that takes longer than a line of a log.
    static OFFSET: OnceLock<UtcOffset> = OnceLock::new();
    let now = now();
    let offset = OFFSET.get_or_init(|| UtcOffset::local_offset_at(now).unwrap_or(UtcOffset::UTC));
    now.to_offset(*offset)
}

/// The time and a fresh serial number.
pub(crate) fn issuance_context() -> Result<IssuanceContext, Failure> {
    let mut random = [0; 20];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::environment(format!("reading randomness: {error}")))?;
    Ok(IssuanceContext { now: now(), serial: SerialNumber::from_random(random) })
}

/// A random password that every program accepts: 160 random bits in hexadecimal.
pub(crate) fn random_password() -> Result<Zeroizing<String>, Failure> {
    let mut random = Zeroizing::new([0_u8; 20]);
    getrandom::fill(&mut *random)
        .map_err(|error| Failure::environment(format!("reading randomness: {error}")))?;
    let mut password = Zeroizing::new(String::with_capacity(2 * random.len()));
    for byte in *random {
        let _ = write!(password, "{byte:02x}");
    }
    Ok(password)
}

/// The host's name as the kernel knows it.
pub(crate) fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The host's addresses that other hosts can reach.
pub(crate) fn addresses() -> Result<Vec<IpAddr>, Failure> {
    let interfaces = if_addrs::get_if_addrs()
        .map_err(|error| Failure::environment(format!("reading the host's addresses: {error}")))?;
    let reachable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    };
    Ok(interfaces.iter().map(if_addrs::Interface::ip).filter(reachable).collect())
}

/// Turns core dumps of this process off, because they would contain its keys. If the system refuses, the process
/// continues, because this is only one of several protections.
pub(crate) fn refuse_core_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Standard input, without a buffer: it may hold a key, and a buffer would keep a copy.
pub(crate) fn stdin() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Whether standard output was probably closed when the program started. Rust opens `/dev/null` for reading and writing in its
/// place, while a shell opens it only for writing. Some programs start others with `/dev/null` open for both.
pub(crate) fn stdout_seems_closed() -> bool {
    use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, stat};
    let stdout = io::stdout();
    let (Ok(out), Ok(flags), Ok(null)) = (fstat(&stdout), fcntl_getfl(&stdout), stat("/dev/null"))
    else {
        return false;
    };
    FileType::from_raw_mode(out.st_mode) == FileType::CharacterDevice
        && out.st_rdev == null.st_rdev
        && flags & OFlags::RWMODE == OFlags::RDWR
}

/// Writes data to standard output. It is not an error if the reader has closed the pipe.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    // Colours are sequences of control characters, so only such text needs to be searched for them. Without an early end,
    // the compiler compares many bytes at once.
    let controls = text.bytes().filter(|byte| *byte != b'\n' && byte.is_ascii_control());
    let is_plain = controls.count() == 0;
    let mut out: Box<dyn Write> =
        if is_plain { Box::new(io::stdout().lock()) } else { Box::new(anstream::stdout().lock()) };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::environment(format!("writing to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a text with a secret to standard output of any kind. Unlike in [`print`], a closed pipe is an error, because
/// the secret is nowhere else.
pub(crate) fn print_raw(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::environment(format!("writing to standard output: {error}")))
}

/// Writes bytes to standard output, unless it is a terminal.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        return Err(Failure::usage("refusing to write binary data to a terminal")
            .hinted("send it to a file or through a pipe, or name a file with --out"));
    }
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::environment(format!("writing to standard output: {error}")))
}

/// Ends standard output before the process ends. The program on the right of a pipe need not wait until the kernel has freed
/// the memory of this one, which takes longer than a signature.
pub(crate) fn end_stdout() {
    if let Ok(null) = File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(null);
    }
}

/// A variable of the environment that the command line names; it holds a secret.
pub(crate) fn variable(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    std::env::var_os(name).map(|value| Zeroizing::new(value.into_encoded_bytes()))
}

/// A variable of the environment that stands for an option that was not given. An empty variable counts as unset.
pub(crate) fn setting(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The arguments of the command line. Anything that is not UTF-8 is replaced.
pub(crate) fn arguments() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The path of this program.
pub(crate) fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::environment(format!("finding this program: {error}")))
}

/// Whether standard error is a terminal.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Asks a question on the terminal and returns the answer, or `None` without a terminal.
pub(crate) fn asked(question: &str) -> Result<Option<String>, Failure> {
    if !io::stdin().is_terminal() || !is_watched() {
        return Ok(None);
    }
    say(question);
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::environment(format!("reading the answer: {error}")))?;
    Ok(Some(answer))
}

/// Writes a message to standard error. A failure of this cannot be reported anywhere.
pub(crate) fn say(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
