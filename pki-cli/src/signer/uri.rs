//! PKCS #11 URIs (RFC 7512): which token, and which key in it.

use std::fmt;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::passphrase::PassphraseSource;

/// A key in a PKCS #11 token. Everything that is given must match.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct TokenUri {
    /// The library of the token's vendor.
    pub(super) module: PathBuf,
    pub(super) token: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    /// The label of the key.
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) pin: Option<PassphraseSource>,
}

const HINT: &str =
    "write pkcs11:token=LABEL;object=KEY?module-path=/usr/lib/…/LIBRARY.so (RFC 7512)";

impl TokenUri {
    /// Parses a URI. A message does not repeat it, because it may hold a PIN.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |problem: String| Failure::usage(problem).hinted(HINT);
        let rest = text
            .strip_prefix("pkcs11:")
            .ok_or_else(|| wrong("a PKCS #11 URI begins with pkcs11:".to_owned()))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self::default();
        let attributes = path.split(';').chain(query.split('&'));
        for attribute in attributes.filter(|attribute| !attribute.is_empty()) {
            let (name, value) = attribute
                .split_once('=')
                .ok_or_else(|| wrong("each attribute is NAME=VALUE".to_owned()))?;
            let bytes = decode(value)
                .ok_or_else(|| wrong(format!("{name} has a wrong percent-encoding")))?;
            let is_new = uri.set(name, bytes).map_err(wrong)?;
            if !is_new {
                return Err(wrong(format!("{name} is given twice")));
            }
        }
        if uri.module.as_os_str().is_empty() {
            return Err(wrong(
                "module-path is missing; it names the library of the token".to_owned(),
            ));
        }
        if uri.object.is_none() && uri.id.is_none() {
            return Err(wrong("object or id is missing; one of them must name the key".to_owned()));
        }
        Ok(uri)
    }

    /// Sets an attribute, and says whether it was not set before.
    fn set(&mut self, name: &str, bytes: Vec<u8>) -> Result<bool, String> {
        if name == "id" {
            return Ok(self.id.replace(bytes).is_none());
        }
        let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
        let field = match name {
            "token" => &mut self.token,
            "serial" => &mut self.serial,
            "manufacturer" => &mut self.manufacturer,
            "model" => &mut self.model,
            "object" => &mut self.object,
            "type" if text == "private" => return Ok(true),
            "type" => return Err("type can only be private".to_owned()),
            "module-path" => {
                let is_new = self.module.as_os_str().is_empty();
                self.module = text.into();
                return Ok(is_new);
            }
            "pin-source" => {
                let path = text.strip_prefix("file:").unwrap_or(&text);
                return Ok(self.pin.replace(PassphraseSource::File(path.into())).is_none());
            }
            "pin-value" => {
                return Err("pin-value would show the PIN to every user of this machine; \
                            give it with --ca-passphrase or pin-source"
                    .to_owned());
            }
            other => return Err(format!("{other:?} is not an attribute that etcdpki knows")),
        };
        Ok(field.replace(text).is_none())
    }
}

/// The key and its token, for messages.
impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.object, &self.id) {
            (Some(object), _) => write!(f, "the key {object:?}")?,
            (None, Some(id)) => write!(f, "the key with the id {id:02x?}")?,
            (None, None) => f.write_str("the key")?,
        }
        match &self.token {
            Some(token) => write!(f, " in the token {token:?}"),
            None => f.write_str(" in the token"),
        }
    }
}

/// Percent-decoding (RFC 3986 section 2.1).
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read() {
        let uri = "pkcs11:token=The%20CA;serial=1;object=ca%3B;id=%00%ff;type=private\
                   ?module-path=/lib/a.so&pin-source=file:/run/pin";
        let uri = TokenUri::parse(uri).unwrap();
        assert_eq!(uri.token.as_deref(), Some("The CA"));
        assert_eq!(uri.serial.as_deref(), Some("1"));
        assert_eq!(uri.object.as_deref(), Some("ca;"));
        assert_eq!(uri.id, Some(vec![0, 0xff]));
        assert_eq!(uri.module, PathBuf::from("/lib/a.so"));
        assert_eq!(uri.pin, Some(PassphraseSource::File("/run/pin".into())));
    }

    #[test]
    fn mistakes_are_named_and_a_pin_is_not_repeated() {
        for (uri, problem) in [
            ("softhsm:object=ca", "begins with pkcs11:"),
            ("pkcs11:object=ca", "module-path is missing"),
            ("pkcs11:token=t?module-path=/a.so", "object or id is missing"),
            ("pkcs11:object=ca;object=cb?module-path=/a.so", "object is given twice"),
            ("pkcs11:object=%zz?module-path=/a.so", "percent-encoding"),
            ("pkcs11:object=%f?module-path=/a.so", "percent-encoding"),
            ("pkcs11:object=ca;slot-id=1?module-path=/a.so", "\"slot-id\" is not an attribute"),
            ("pkcs11:object=ca;1234?module-path=/a.so", "NAME=VALUE"),
            ("pkcs11:object=ca?module-path=/a.so&pin-value=1234", "pin-value"),
        ] {
            let failure = TokenUri::parse(uri).unwrap_err();
            assert!(failure.message.contains(problem), "{uri}: {failure}");
            assert!(!failure.message.contains("1234"), "{failure}");
        }
    }
}
