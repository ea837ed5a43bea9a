//! Names the format of a file that is neither PEM nor DER of the expected kind, and how to convert it.

/// A format that people often have instead of PEM.
pub(crate) struct FileFormat {
    /// Continues "not a certificate: it is".
    pub(crate) name: &'static str,
    /// How to convert it, if a certificate is expected.
    pub(crate) hint: &'static str,
    /// How to convert it, if a private key is expected.
    pub(crate) key_hint: &'static str,
}

/// The format, if it is one of these.
pub(crate) fn recognize(bytes: &[u8]) -> Option<FileFormat> {
    // The base64 of "-----BEGIN ".
    const BASE64_OF_PEM: &[u8] = b"LS0tLS1CRUdJTi";
    let text = |name, hint| FileFormat { name, hint, key_hint: hint };
    Some(match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            text("a text in UTF-16", "convert it: iconv -f UTF-16 -t ASCII FILE > NEW")
        }
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => FileFormat {
            name: "a Java keystore",
            hint: "export the certificate: keytool -exportcert -rfc -keystore FILE -alias ALIAS > NEW.pem",
            key_hint: "convert it: keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype \
                PKCS12; then extract the key: (umask 077; openssl pkcs12 -in NEW.p12 -nocerts -nodes -out NEW.pem)",
        },
        _ if bytes.trim_ascii_start().starts_with(BASE64_OF_PEM) => text(
            "the base64 of a PEM file, as in a Kubernetes Secret",
            "decode it: base64 -d FILE > NEW.pem",
        ),
        _ if is_pkcs12(bytes) => FileFormat {
            name: "a PKCS #12 file",
            hint: "extract the certificates: openssl pkcs12 -in FILE -nokeys -out NEW.pem",
            key_hint: "extract the key: (umask 077; openssl pkcs12 -in FILE -nocerts -nodes -out NEW.pem)",
        },
        _ => return None,
    })
}

/// True for `PFX ::= SEQUENCE { version INTEGER {v3(3)}, … }` (RFC 7292 section 4).
pub(crate) fn is_pkcs12(bytes: &[u8]) -> bool {
    let contents = match bytes {
        [0x30, length @ ..0x81, rest @ ..] if *length != 0 => rest,
        [0x30, 0x81, _, rest @ ..]
        | [0x30, 0x82, _, _, rest @ ..]
        | [0x30, 0x83, _, _, _, rest @ ..] => rest,
        _ => return false,
    };
    contents.starts_with(&[0x02, 0x01, 0x03])
}

#[cfg(test)]
mod tests {
    use super::recognize;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        for (bytes, expected) in [
            (&b"\xff\xfe-\0-\0"[..], Some("UTF-16")),
            (b"\xfe\xed\xfe\xed\0\0\0\x02", Some("Java keystore")),
            (b"\nLS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==", Some("base64")),
            (b"\x30\x82\x09\x00\x02\x01\x03\x30", Some("PKCS #12")),
            (b"\x30\x80\x02\x01\x03\x30", Some("PKCS #12")),
            (b"\x30\x82\x09\x00\x30\x82", None),
            (b"hello", None),
            (b"", None),
        ] {
            let name = recognize(bytes).map(|format| format.name);
            assert_eq!(name.is_some(), expected.is_some(), "{bytes:02x?}");
            assert!(name.unwrap_or_default().contains(expected.unwrap_or_default()), "{name:?}");
        }
    }
}
