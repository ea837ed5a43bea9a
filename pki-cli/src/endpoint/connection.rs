//! Opens the connection to an endpoint.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::address::Address;
use crate::failure::Failure;

/// Connects before the deadline, which is the end of the timeout.
pub(super) fn open(
    to: &Address,
    timeout: Duration,
    deadline: Instant,
) -> Result<TcpStream, Failure> {
    let addresses = (to.host.as_str(), to.port).to_socket_addrs().map_err(|error| {
        Failure::environment(format!("{to}: the name does not resolve: {error}")).hinted(
            "check the name, or connect to its address and pass the name with --sni and --host",
        )
    })?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    let opened = first_to_accept(&addresses, deadline);
    opened.map_err(|refusals| no_connection(to, timeout, &refusals))
}

/// Connects to the first address that accepts, as ssh and curl do, or says why each does not. The time that is left is divided
/// among the addresses, so that one that does not answer does not hide the others.
fn first_to_accept(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<TcpStream, Vec<(SocketAddr, io::Error)>> {
    let mut refusals = Vec::new();
    for (address, others) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(others).unwrap_or(u32::MAX);
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => refusals.push((*address, error)),
        }
    }
    Err(refusals)
}

fn no_connection(to: &Address, timeout: Duration, refusals: &[(SocketAddr, io::Error)]) -> Failure {
    match refusals {
        [] => too_late(to, timeout, "the name has no address to connect to"),
        [(_, error)] if is_timeout(error) => {
            too_late(to, timeout, "no server accepted the connection")
        }
        [(_, error)] if error.kind() == ErrorKind::ConnectionRefused => {
            Failure::environment(format!("{to}: connection refused"))
                .hinted("check the port, and that the server is running")
        }
        [(address, error)] => {
            Failure::environment(format!("{to}: cannot connect to {address}: {error}"))
                .hinted("check the address and the network route to it")
        }
        several => {
            let each = several.iter().map(|(address, error)| match error.kind() {
                ErrorKind::ConnectionRefused => format!("{address} refused it"),
                _ if is_timeout(error) => format!("{address} did not answer"),
                _ => format!("{address}: {error}"),
            });
            let each: Vec<String> = each.collect();
            let what = format!("{to}: no address accepts the connection: {}", each.join(", "));
            Failure::environment(what)
                .hinted("check the port, the addresses of the name, and that the server is running")
        }
    }
}

/// `what` did not happen within the timeout.
pub(super) fn too_late(to: &Address, timeout: Duration, what: &str) -> Failure {
    let seconds = timeout.as_secs_f64();
    Failure::environment(format!("{to}: {what} within {seconds} s"))
        .hinted("check the port, check that no firewall drops the connection, or wait longer with --timeout")
}

/// True for both error kinds of a read that timed out.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// As many connections as a listener keeps, so that it does not answer the next one.
    fn silent() -> (TcpListener, Vec<TcpStream>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let most = 10_000;
        let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(200));
        let kept: Vec<_> = (0..most).map_while(|number: i32| connect(number).ok()).collect();
        assert!(kept.len() < 10_000, "the listener accepts without end");
        (listener, kept)
    }

    #[test]
    fn an_address_that_does_not_answer_does_not_hide_the_next() {
        let (silent, _kept) = silent();
        let alive = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let [dead, alive] = [&silent, &alive].map(|listener| listener.local_addr().unwrap());
        let deadline = || Instant::now() + Duration::from_secs(2);
        let stream = first_to_accept(&[dead, alive], deadline()).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive);
        let refusals = first_to_accept(&[dead], Instant::now() + Duration::from_millis(300));
        assert!(is_timeout(&refusals.unwrap_err()[0].1));
    }

    #[test]
    fn each_address_that_does_not_accept_is_named() {
        let closed = [1, 2].map(|_| {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            listener.local_addr().unwrap()
        });
        let refusals = first_to_accept(&closed, Instant::now() + Duration::from_secs(4));
        let to = "etcd.example.com:2379".parse().unwrap();
        let failure = no_connection(&to, Duration::from_secs(4), &refusals.unwrap_err());
        let [one, other] = closed;
        let expected = format!(
            "etcd.example.com:2379: no address accepts the connection: {one} refused it, {other} refused it"
        );
        assert_eq!(failure.message, expected);
    }
}
