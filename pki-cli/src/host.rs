//! The machine: clock, randomness, name, addresses, streams. The only file that names them.

use std::io::{self, Read, Write};
use std::net::IpAddr;

use pki_core::{Moment, SerialNumber};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The time, in UTC.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The time and a fresh serial number.
pub(crate) fn moment() -> Result<Moment, Failure> {
    let mut random = [0; 20];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::environment(format!("reading randomness: {error}")))?;
    Ok(Moment { now: now(), serial: SerialNumber::from_random(random) })
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

/// Everything on standard input; it may hold a key.
pub(crate) fn stdin() -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Data, for standard output. A reader that has seen enough is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::environment(format!("writing to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Words, for standard error. There is nowhere to report that this failed.
pub(crate) fn say(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
