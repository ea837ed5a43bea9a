//! Live endpoints: dialling them over TLS, and telling what they do.
//!
//! Nothing is judged here. The chain that a server presents is recorded, however wrong; a server
//! must prove that it holds the key, or there is no session.

mod client;

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustls::client::ClientConnection;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, ProtocolVersion};

use self::client::Client;
use crate::failure::Failure;

/// `HOST:PORT`
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Address {
    /// A host name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for Address {
    type Err = String;

    /// Takes etcd's own form too, `https://HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("http://") {
            return Err("http:// has no certificates\n  hint: write HOST:PORT of a TLS port".into());
        }
        let bare = text.strip_prefix("https://").unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        let wanted = || "not HOST:PORT\n  hint: write 192.168.29.61:2379 or [::1]:2379".to_owned();
        let (host, port) = bare.rsplit_once(':').ok_or_else(wanted)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wanted)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address,
            None if host.contains(':') => return Err(wanted()),
            None => host,
        };
        match ServerName::try_from(host.to_owned()) {
            Ok(_) => Ok(Self { host: host.to_owned(), port }),
            Err(_) => Err(wanted()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// A client's certificate with the CAs behind it, and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// What a dialled endpoint did.
pub(crate) struct Session {
    pub(crate) address: SocketAddr,
    pub(crate) server_name: ServerName<'static>,
    /// The chain as it was sent, leaf first; empty where it did not come to that.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) tls_version: Option<&'static str>,
    /// Whether the handshake came to its end, as far as the client can tell: in TLS 1.3 a server may refuse
    /// a client certificate afterwards.
    pub(crate) established: bool,
    /// Whether a client certificate was asked for.
    pub(crate) asked: bool,
    pub(crate) answer: Answer,
}

/// How it ended.
pub(crate) enum Answer {
    /// The server answered a request: it lets this client in.
    Answered,
    /// It broke off with an alert: what the alert is called.
    Alert(String),
    /// It closed the connection without a word, as etcd does over a CRL or a name.
    Closed,
    /// It lets the handshake be, and does not answer a request.
    Silent,
    /// It speaks plain HTTP.
    PlainHttp,
    /// No session, for a reason that is ours or TLS's.
    Broken(String),
}

/// Dials endpoints in one way.
pub(crate) struct Dialler {
    client: Client,
    timeout: Duration,
}

impl Dialler {
    pub(crate) fn new(identity: Option<Identity>, timeout: Duration) -> Result<Self, Failure> {
        let client = Client::new(identity)
            .map_err(|error| Failure::usage(format!("the client certificate: {error}")))?;
        Ok(Self { client, timeout })
    }

    /// Dials, shakes hands and asks for `/version`, which etcd answers on both of its ports; only
    /// that tells whether it lets us in, for in TLS 1.3 a refusal comes after the handshake.
    pub(crate) fn dial(
        &self,
        to: &Address,
        server_name: &ServerName<'static>,
    ) -> Result<Session, Failure> {
        let deadline = Instant::now() + self.timeout;
        let stream = self.connect(to, deadline)?;
        let address =
            stream.peer_addr().map_err(|error| Failure::environment(format!("{to}: {error}")))?;
        let (config, seen) = self.client.configure();
        let mut connection = ClientConnection::new(config, server_name.clone())
            .map_err(|error| Failure::usage(format!("{to}: {error}")))?;
        let mut stream = Bounded { stream, deadline, first: Vec::new() };
        let mut answer = match shake_hands(&mut connection, &mut stream) {
            Ok(()) => ask(&mut connection, &mut stream, to),
            Err(_) if stream.first.starts_with(b"HTTP/") => Answer::PlainHttp,
            Err(error) if is_timeout(&error) => {
                return Err(self.too_late(to, "it took the connection and did not answer in TLS"));
            }
            Err(error) if is_no_tls(&error, &connection) => Answer::Broken(format!(
                "it does not speak TLS: its answer begins with \"{}\"",
                stream.first.escape_ascii()
            )),
            Err(error) => answer_of(&error),
        };
        // A plain port of etcd closes a connection that begins with a TLS handshake; Python's
        // http.server answers with a page and no HTTP before it.
        if (matches!(answer, Answer::Closed) || stream.first.starts_with(b"<"))
            && seen.chain().is_empty()
            && speaks_http(address, self.timeout)
        {
            answer = Answer::PlainHttp;
        }
        Ok(Session {
            address,
            server_name: server_name.clone(),
            chain: seen.chain(),
            tls_version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => Some("TLSv1.2"),
                Some(ProtocolVersion::TLSv1_3) => Some("TLSv1.3"),
                _ => None,
            },
            established: !connection.is_handshaking(),
            asked: seen.asked(),
            answer,
        })
    }

    /// The first address of the name that takes the connection, as ssh and curl have it.
    fn connect(&self, to: &Address, deadline: Instant) -> Result<TcpStream, Failure> {
        let addresses = (to.host.as_str(), to.port).to_socket_addrs().map_err(|error| {
            Failure::environment(format!("{to}: the name does not resolve: {error}")).hinted(
                "check the name, or dial its address and give the name with --sni and --host",
            )
        })?;
        let mut refusals = Vec::new();
        for address in addresses {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => return Ok(stream),
                Err(error) => refusals.push((address, error)),
            }
        }
        match refusals.pop() {
            None => Err(self.too_late(to, "it has no address that could be dialled")),
            Some((_, error)) if is_timeout(&error) => {
                Err(self.too_late(to, "nobody took the connection"))
            }
            Some((_, error)) if error.kind() == ErrorKind::ConnectionRefused => {
                Err(Failure::environment(format!("{to}: nobody listens there: connection refused"))
                    .hinted("check the port, and whether the server runs"))
            }
            Some((address, error)) => {
                Err(Failure::environment(format!("{to}: connecting to {address}: {error}"))
                    .hinted("check the address and the route to it"))
            }
        }
    }

    fn too_late(&self, to: &Address, what: &str) -> Failure {
        let seconds = self.timeout.as_secs_f64();
        Failure::environment(format!("{to}: {what} within {seconds} s"))
            .hinted("check that it is the right port and that no firewall drops it, or wait longer with --timeout")
    }
}

fn shake_hands(connection: &mut ClientConnection, stream: &mut Bounded) -> io::Result<()> {
    while connection.is_handshaking() {
        if connection.complete_io(stream)? == (0, 0) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Sends a request; any answer means that we are let in.
fn ask(connection: &mut ClientConnection, stream: &mut Bounded, to: &Address) -> Answer {
    let mut tls = rustls::Stream::new(connection, stream);
    let request = format!(
        "GET /version HTTP/1.1\r\nHost: {to}\r\nUser-Agent: etcdpki\r\nConnection: close\r\n\r\n"
    );
    let mut buffer = [0; 64];
    // A server that has closed may refuse our bytes before we read its alert, so both are tried.
    let sent = tls.write_all(request.as_bytes()).and_then(|()| tls.flush());
    match tls.read(&mut buffer) {
        Ok(1..) => Answer::Answered,
        Ok(0) => Answer::Closed,
        Err(error) if is_timeout(&error) => Answer::Silent,
        Err(error) => match (answer_of(&error), sent) {
            (Answer::Closed, Err(error)) => answer_of(&error),
            (answer, _) => answer,
        },
    }
}

fn answer_of(error: &io::Error) -> Answer {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (tls, error.kind()) {
        (Some(rustls::Error::AlertReceived(alert)), _) => Answer::Alert(alert_name(*alert)),
        (Some(other), _) => Answer::Broken(other.to_string()),
        (
            None,
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe,
        ) => Answer::Closed,
        (None, _) => Answer::Broken(error.to_string()),
    }
}

/// True when the first thing that came could not be read as a record of TLS.
fn is_no_tls(error: &io::Error, connection: &ClientConnection) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidMessage(_))) && connection.protocol_version().is_none()
}

/// The name of an alert in RFC 8446 section 6: `unknown_ca`, which rustls calls `UnknownCA`.
fn alert_name(alert: AlertDescription) -> String {
    let mut name = String::new();
    let letters: Vec<char> = format!("{alert:?}").chars().collect();
    for (at, c) in letters.iter().enumerate() {
        let after_lower = at > 0 && letters[at - 1].is_ascii_lowercase();
        let before_lower = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && at > 0 && (after_lower || before_lower) {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// The two names of a read that took too long.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

/// Whether a request without TLS is answered. A TLS port answers too, to say that it is one: with 400.
fn speaks_http(address: SocketAddr, timeout: Duration) -> bool {
    let Ok(stream) = TcpStream::connect_timeout(&address, timeout) else { return false };
    let deadline = Instant::now() + timeout;
    let mut stream = Bounded { stream, deadline, first: Vec::new() };
    let request = format!("GET /version HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    let answered =
        stream.write_all(request.as_bytes()).and_then(|()| stream.read_exact(&mut answer));
    answered.is_ok() && answer.starts_with(b"HTTP/1.") && !answer.ends_with(b" 400")
}

/// A connection whose whole exchange ends in time, however slowly the bytes come.
struct Bounded {
    stream: TcpStream,
    deadline: Instant,
    /// The first bytes that came: HTTP shows itself there.
    first: Vec<u8>,
}

impl Bounded {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        let read = self.stream.read(buffer)?;
        let wanted = 8_usize.saturating_sub(self.first.len()).min(read);
        self.first.extend_from_slice(&buffer[..wanted]);
        Ok(read)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("etcdone:2379", Some("etcdone:2379")),
            ("192.168.29.61:2379", Some("192.168.29.61:2379")),
            ("[::1]:2379", Some("[::1]:2379")),
            ("https://etcdone.example.com:2379/", Some("etcdone.example.com:2379")),
            ("http://etcdone:2379", None),
            ("etcdone", None),
            ("etcdone:0", None),
            ("etcdone:65536", None),
            ("::1:2379", None),
            (":2379", None),
            ("etcd one:2379", None),
        ] {
            let read = text.parse::<Address>().ok().map(|address| address.to_string());
            assert_eq!(read.as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn alerts_have_the_names_of_rfc_8446() {
        for (alert, name) in [
            (AlertDescription::BadCertificate, "bad_certificate"),
            (AlertDescription::UnknownCA, "unknown_ca"),
            (AlertDescription::InternalError, "internal_error"),
            (AlertDescription::UnknownPSKIdentity, "unknown_psk_identity"),
            (AlertDescription::CertificateRequired, "certificate_required"),
        ] {
            assert_eq!(alert_name(alert), name);
        }
    }
}
