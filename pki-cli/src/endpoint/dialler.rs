//! Connects to endpoints: the handshake, one request, and how the connection ends.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::client::ClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, ProtocolVersion};

use super::address::Address;
use super::client::{Client, Identity};
use super::connection::{self, is_timeout, too_late};
use crate::failure::Failure;

/// What an endpoint did.
pub(crate) struct Session {
    pub(crate) address: SocketAddr,
    pub(crate) server_name: ServerName<'static>,
    /// The chain as sent, starting with the leaf; empty if none was sent.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) tls_version: Option<&'static str>,
    /// Whether the handshake completed, as far as the client can tell. In TLS 1.3, a server can reject a client
    /// certificate afterwards.
    pub(crate) established: bool,
    /// Whether the server requested a client certificate.
    pub(crate) asked: bool,
    pub(crate) answer: Answer,
}

/// How the connection ended.
pub(crate) enum Answer {
    /// The server answered a request, so it accepts this client.
    Answered,
    /// It closed the connection with an alert of this name.
    Alert(String),
    /// It closed the connection without an alert, as etcd does because of a CRL or a name.
    Closed,
    /// It completed the handshake, but did not answer a request.
    Silent,
    /// It speaks plain HTTP.
    PlainHttp,
    /// No session was established, because of this client or of TLS itself.
    Broken(String),
}

/// Connects to endpoints with one client certificate and timeout.
pub(crate) struct Dialler {
    client: Client,
    timeout: Duration,
}

impl Dialler {
    pub(crate) fn new(identity: Option<Identity>, timeout: Duration) -> Result<Self, Failure> {
        let client = Client::new(identity)
            .map_err(|error| Failure::usage(format!("client certificate: {error}")))?;
        Ok(Self { client, timeout })
    }

    /// Connects, completes the handshake and requests `/version`, which etcd answers on both of its ports. Only
    /// the answer shows whether it accepts this client, because in TLS 1.3 a rejection comes after the
    /// handshake.
    pub(crate) fn dial(
        &self,
        to: &Address,
        server_name: &ServerName<'static>,
    ) -> Result<Session, Failure> {
        let deadline = Instant::now() + self.timeout;
        let stream = connection::open(to, self.timeout, deadline)?;
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
                return Err(too_late(
                    to,
                    self.timeout,
                    "the server accepted the connection, but did not answer in TLS",
                ));
            }
            Err(error) if is_no_tls(&error, &connection) => Answer::Broken(format!(
                "it does not speak TLS; its answer starts with \"{}\"",
                stream.first.escape_ascii()
            )),
            Err(error) => answer_of(&error),
        };
        // An HTTP port of etcd closes a connection that starts with a TLS handshake. Python's
        // http.server answers with a page without an HTTP header.
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
}

fn shake_hands(connection: &mut ClientConnection, stream: &mut Bounded) -> io::Result<()> {
    while connection.is_handshaking() {
        match connection.complete_io(stream) {
            Ok((0, 0)) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(error) if matches!(answer_of(&error), Answer::Closed) => {
                return Err(unread_alert(connection, stream).unwrap_or(error));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The alert of a server that closed the connection before it read everything, so that writing failed.
fn unread_alert(connection: &mut ClientConnection, stream: &mut Bounded) -> Option<io::Error> {
    while connection.read_tls(stream).ok()? > 0 {
        if let Err(error) = connection.process_new_packets() {
            return Some(io::Error::other(error));
        }
    }
    None
}

/// Sends a request. Any answer means that the server accepts this client.
fn ask(connection: &mut ClientConnection, stream: &mut Bounded, to: &Address) -> Answer {
    let mut tls = rustls::Stream::new(connection, stream);
    let request = format!(
        "GET /version HTTP/1.1\r\nHost: {to}\r\nUser-Agent: etcdpki\r\nConnection: close\r\n\r\n"
    );
    let mut buffer = [0; 64];
    // A server that has closed the connection can reject the request before its alert is read, so read in
    // both cases.
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

/// True if the first bytes were not a TLS record.
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

/// Whether the server answers a request without TLS. A TLS port answers with 400 to say that it needs TLS.
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

/// A connection with one deadline for the whole exchange, however slowly the bytes arrive.
struct Bounded {
    stream: TcpStream,
    deadline: Instant,
    /// The first bytes received, which show whether this is HTTP.
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
        let needed = 8_usize.saturating_sub(self.first.len()).min(read);
        self.first.extend_from_slice(&buffer[..needed]);
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
