//! What waits for a signature from another machine: the bytes to sign, and the key that was generated for them.

use std::fmt::Write as _;
use std::path::Path;

use pki_core::{IssuanceContext, PublicKey, SerialNumber, SignatureAlgorithm};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::failure::{Failure, shown};
use crate::host;
use crate::store::{self, Access, Batch};

/// A certificate or a CRL between the two commands of an air gap. Its file has a line of JSON, then the key in PEM.
pub(crate) struct Unsigned {
    /// The DER of a TBSCertificate or a TBSCertList.
    pub(crate) tbs: Vec<u8>,
    /// The time, in whole seconds, and the serial number of a draft that the second command makes again.
    pub(crate) again: Option<IssuanceContext>,
    /// The key that was generated for it: PKCS #8 in PEM, perhaps encrypted.
    pub(crate) key: Option<Zeroizing<String>>,
}

/// The first line of the file. The private key follows in PEM.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// In seconds since 1970.
    moment: Option<i64>,
    /// In hexadecimal.
    serial: Option<String>,
    /// In hexadecimal.
    tbs: String,
    has_key: bool,
}

impl Unsigned {
    /// Reads what the first command kept.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        if !store::is_there(path)? {
            return Err(Failure::environment(format!("{} is missing", shown(path))).hinted(
                "run the same command with --tbs-out first, with the same NAME and folders",
            ));
        }
        let bytes = store::read_secret(path)?;
        let unsigned = Self::parse(&bytes);
        unsigned.ok_or_else(|| {
            Failure::usage(format!("{} is damaged", shown(path)))
                .hinted("run the command with --tbs-out again, and have the new bytes signed")
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (line, pem) = bytes.split_at(end);
        let head: Head = serde_json::from_slice(line).ok()?;
        let again = match (head.moment, head.serial) {
            (Some(moment), Some(serial)) => {
                let now = OffsetDateTime::from_unix_timestamp(moment).ok()?;
                Some(IssuanceContext { now, serial: serial.parse::<SerialNumber>().ok()? })
            }
            (None, None) => None,
            _ => return None,
        };
        let pem = std::str::from_utf8(&pem[1..]).ok()?;
        let key = head.has_key.then(|| Zeroizing::new(pem.to_owned()));
        Some(Self { tbs: bytes_of(&head.tbs)?, again, key })
    }

    /// Writes its file and the bytes to sign next to their places.
    pub(crate) fn stage(
        &self,
        batch: &mut Batch,
        pending: &Path,
        tbs_out: &Path,
    ) -> Result<(), Failure> {
        let head = Head {
            moment: self.again.as_ref().map(|context| context.now.unix_timestamp()),
            serial: self.again.as_ref().map(|context| context.serial.to_string()),
            tbs: hexadecimal(&self.tbs),
            has_key: self.key.is_some(),
        };
        let head = serde_json::to_string(&head)
            .map_err(|error| Failure::bug(format!("writing a draft: {error}")))?;
        let key = self.key.as_ref().map_or("", |key| key.as_str());
        let mut contents = Zeroizing::new(String::with_capacity(head.len() + 1 + key.len()));
        for part in [&head, "\n", key] {
            contents.push_str(part);
        }
        batch.stage(pending.to_owned(), contents.as_bytes(), Access::Secret)?;
        batch.stage(tbs_out.to_owned(), &self.tbs, Access::Public)
    }

    /// Reads the signature from its file. The key that must have made it is that of `ca`.
    pub(crate) fn signature(
        &self,
        ca: &PublicKey,
        signature_in: &Path,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let signature = store::read(signature_in)?;
        if ca.verify(&self.tbs, &signature) {
            return Ok(signature);
        }
        Err(Failure::usage(format!(
            "{}: its {} bytes are not a signature of the CA's key for the bytes that wait for one",
            shown(signature_in),
            signature.len()
        ))
        .hinted(format!("sign the file of --tbs-out: {}", openssl_command(ca, "FILE"))))
    }
}

/// Removes the file of a draft that is finished. Everything is issued by now, so a failure is only a warning.
pub(crate) fn remove(pending: &Path) {
    if let Err(error) = std::fs::remove_file(pending) {
        let failure = Failure::file("removing", pending, &error);
        host::say(&format!(
            "warning: {failure}; everything was issued; remove this file, which may have a copy of the key\n"
        ));
    }
}

/// How OpenSSL signs a file with a key of this kind.
pub(crate) fn openssl_command(key: &PublicKey, file: &str) -> String {
    let digest = match SignatureAlgorithm::of(key) {
        Some(SignatureAlgorithm::Ed25519) => "",
        Some(SignatureAlgorithm::EcdsaP384Sha384 | SignatureAlgorithm::RsaSha384) => {
            "-digest sha384 "
        }
        Some(SignatureAlgorithm::EcdsaP521Sha512 | SignatureAlgorithm::RsaSha512) => {
            "-digest sha512 "
        }
        _ => "-digest sha256 ",
    };
    format!("openssl pkeyutl -sign -rawin {digest}-inkey CA-KEY.pem -in {file} -out {file}.sig")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hexadecimal
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect();
    let digits = digits?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}
