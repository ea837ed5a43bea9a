//! `issue --tbs-out` and `issue --signature-in`: the CA's key is on another machine, and only bytes and signatures travel.
//!
//! Between the two commands, NAME.pending keeps the key of the leaf and what makes the second command draft the same bytes
//! again. So the second command applies the profile and the rules again, and notices a changed option.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use pki_core::{
    Draft, IssuanceContext, KeyFormat, PrivateKey, PublicKey, SerialNumber, SignatureAlgorithm,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::wanted::Wanted;
use crate::ca::{self, Ca};
use crate::commands::Common;
use crate::failure::{Failure, shown};
use crate::host;
use crate::named_pair::NamedPair;
use crate::output::{Format, json};
use crate::store::{self, Access, Batch};

/// A certificate that waits for its signature.
pub(super) struct PendingIssue {
    pub(super) context: IssuanceContext,
    tbs: String,
    /// The key that was generated for it, unless a PKCS #10 request came with its own.
    pub(super) key: Option<PrivateKey>,
}

/// The first line of NAME.pending. The private key follows in PEM.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// When the certificate was drafted, in seconds since 1970.
    moment: i64,
    /// In hexadecimal.
    serial: String,
    /// The bytes to sign, in hexadecimal.
    tbs: String,
    has_key: bool,
}

impl PendingIssue {
    /// Reads what `--tbs-out` kept.
    pub(super) fn read(files: &NamedPair) -> Result<Self, Failure> {
        let path = &files.pending;
        if !store::is_there(path)? {
            return Err(Failure::environment(format!("{} is missing", shown(path))).hinted(
                "run the same command with --tbs-out first, with the same NAME and --out",
            ));
        }
        let bytes = store::read_secret(path)?;
        let damaged = || {
            Failure::usage(format!("{} is damaged", shown(path)))
                .hinted("run the command with --tbs-out again, and have the new bytes signed")
        };
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let head: Head = serde_json::from_slice(line).map_err(|_| damaged())?;
        let now = OffsetDateTime::from_unix_timestamp(head.moment).map_err(|_| damaged())?;
        let serial: SerialNumber = head.serial.parse().map_err(|_| damaged())?;
        let key = head.has_key.then(|| PrivateKey::from_pem(&bytes));
        let key = key.transpose().map_err(|error| Failure::from(error).in_file(path))?;
        Ok(Self { context: IssuanceContext { now, serial }, tbs: head.tbs, key })
    }

    /// Reads the signature of the draft. It must be of the bytes that were sent away.
    pub(super) fn signature(
        &self,
        draft: &Draft,
        wanted: &Wanted,
        ca: &Ca,
        signature_in: &Path,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.check_same(draft.tbs(), &wanted.files)?;
        let signature = store::read(signature_in)?;
        let public_key = &ca.certificate().public_key;
        if public_key.verify(draft.tbs(), &signature) {
            return Ok(signature);
        }
        Err(Failure::usage(format!(
            "{}: its {} bytes are not a signature of the CA's key for this certificate",
            shown(signature_in),
            signature.len()
        ))
        .hinted(format!("sign the file of --tbs-out: {}", openssl_command(public_key, "FILE"))))
    }

    /// Checks that the options of this command give the bytes that were sent away.
    fn check_same(&self, tbs: &[u8], files: &NamedPair) -> Result<(), Failure> {
        if hexadecimal(tbs) == self.tbs {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "these options describe another certificate than the one in {}",
            shown(&files.pending)
        ))
        .hinted("repeat the options of the command with --tbs-out, and only replace that option with --signature-in"))
    }
}

#[derive(Serialize)]
struct TbsOutput {
    /// The file with the bytes to sign: the DER of a TBSCertificate.
    tbs: String,
    /// The file that `--signature-in` reads.
    pending: String,
    key_algorithm: String,
}

/// The time and a fresh serial number. The time has whole seconds, as in a certificate, so that the second command drafts
/// the same.
pub(super) fn context() -> Result<IssuanceContext, Failure> {
    let context = host::issuance_context()?;
    let now = context.now.replace_nanosecond(0).unwrap_or(context.now);
    Ok(IssuanceContext { now, ..context })
}

/// Writes the bytes to sign, and what the second command needs.
pub(super) fn send(
    draft: &Draft,
    context: &IssuanceContext,
    wanted: &Wanted,
    ca: &Ca,
    tbs_out: &Path,
    common: &Common,
) -> Result<ExitCode, Failure> {
    let head = Head {
        moment: context.now.unix_timestamp(),
        serial: context.serial.to_string(),
        tbs: hexadecimal(draft.tbs()),
        has_key: wanted.key.is_some(),
    };
    let head = serde_json::to_string(&head)
        .map_err(|error| Failure::bug(format!("writing a draft: {error}")))?;
    let key = wanted.key.as_ref().map(|key| key.to_pem(KeyFormat::Pkcs8)).transpose()?;
    let key = key.as_ref().map_or("", |key| key.as_str());
    let mut pending = Zeroizing::new(String::with_capacity(head.len() + 1 + key.len()));
    for part in [&head, "\n", key] {
        pending.push_str(part);
    }
    ca::check_foreign(&common.folder(), tbs_out)?;
    let files = &wanted.files;
    files.make_folder()?;
    let mut batch = Batch::new(files.existing());
    batch.stage(files.pending.clone(), pending.as_bytes(), Access::Secret)?;
    batch.stage(tbs_out.to_owned(), draft.tbs(), Access::Public)?;
    batch.commit()?;

    let (tbs, pending) = (shown(tbs_out), shown(&files.pending));
    let public_key = &ca.certificate().public_key;
    if common.format == Format::Json {
        let key_algorithm = public_key.algorithm_name();
        json::print(&TbsOutput { tbs, pending, key_algorithm })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = format!(
        "wrote {pending}, {tbs}\nnext:\n  sign {tbs} where the key of the CA is, for example with\n"
    );
    let _ = writeln!(page, "    {}", openssl_command(public_key, &tbs));
    let _ = writeln!(
        page,
        "  then run this command again with --signature-in {tbs}.sig instead of --tbs-out {tbs}"
    );
    host::print(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// How OpenSSL signs a file with a key of this kind.
fn openssl_command(key: &PublicKey, file: &str) -> String {
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
