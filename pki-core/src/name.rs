//! Subject alternative names. A value of one of these types is valid, because its parser checks it.
//!
//! etcd compares the names of a certificate only with IP addresses and host names. The parser rejects any
//! name that cannot match one of them and gives the reason, so that it is not signed.

mod dns;
mod email;
mod mistakes;
mod san;
mod uri;

pub use self::dns::DnsName;
pub(crate) use self::dns::is_plain_host;
pub use self::email::EmailAddress;
pub use self::san::San;
pub(crate) use self::san::only_reverse_lookup_finds;
pub use self::uri::Uri;
pub(crate) use self::uri::{authority, check_syntax, is_literal, is_port, is_scheme};
