//! The CA that `-ca` and `-ca-key` name, and the profiles of `-config`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pki_core::{Certificate, Dialect, Lenient, PrivateKey, Profile, Signer, SigningConfig, is_pem};

use super::flags::Flags;
use super::input;
use super::log::Log;
use crate::ca::{Ca, Chain};
use crate::failure::{Failure, shown};
use crate::inventory::Inventory;
use crate::passphrase::PassphraseSource;
use crate::signer::Custody;
use crate::store;

/// Opens the CA of the flags. It records what it issues only if the folder of `-ca` has an inventory.
pub(super) fn open(flags: &Flags, log: &Log) -> Result<Ca, Failure> {
    let missing = |what: &str, flag: &str| {
        Failure::usage(format!("need a CA {what} (provide one with {flag})"))
            .hinted(format!("add {flag} FILE"))
    };
    let certificate = flags.value("ca").ok_or_else(|| missing("certificate", "-ca"))?;
    let key = flags.value("ca-key").ok_or_else(|| missing("key", "-ca-key"))?;
    open_named(certificate, key, log)
}

/// Opens the CA of two inputs.
pub(super) fn open_named(certificate: &str, key: &str, log: &Log) -> Result<Ca, Failure> {
    let certificates = read_certificate_file(certificate, "the first is the CA", log)?;
    let signer = read_key(key, log)?;
    let chain = chain(certificates).map_err(|failure| failure.in_file(Path::new(certificate)))?;
    let ca = chain.ca();
    if *signer.public_key() != ca.public_key {
        return Err(Failure::usage(format!(
            "{key} is not the key of {certificate}: it is {}, but the certificate is for {}",
            signer.public_key().key_id(),
            ca.public_key.key_id()
        ))
        .hinted("name the two files that belong together"));
    }
    Ca::of_files(chain, Box::new(signer), inventory(certificate)?)
}

/// The chain of a CA. The signature of a single root is not checked, which would take longer than to sign with its key; that
/// it belongs to the key is checked.
fn chain(certificates: Vec<Certificate>) -> Result<Chain, Failure> {
    match <[Certificate; 1]>::try_from(certificates) {
        Ok([only]) => Ok(Chain::of(only)),
        Err(several) => Chain::in_order(several),
    }
}

/// The certificates of an input; there is at least one.
pub(super) fn read_certificates(name: &str) -> Result<Vec<Certificate>, Failure> {
    certificates(name, &input::read(name)?)
}

/// The same, with a warning if cfssl would refuse the input. `first` says what the first of several certificates is.
pub(super) fn read_certificate_file(
    name: &str,
    first: &str,
    log: &Log,
) -> Result<Vec<Certificate>, Failure> {
    let text = input::read(name)?;
    let certificates = certificates(name, &text)?;
    warn_of_form(name, &text, &certificates, first, log);
    Ok(certificates)
}

fn certificates(name: &str, text: &[u8]) -> Result<Vec<Certificate>, Failure> {
    Certificate::from_pem_or_der(text)
        .map_err(|error| Failure::from(error).in_file(Path::new(name)))
}

/// Logs why cfssl refuses a file that is read here: it expects one certificate in PEM and nothing after it.
fn warn_of_form(name: &str, text: &[u8], certificates: &[Certificate], first: &str, log: &Log) {
    let is_last = text.trim_ascii_end().ends_with(b"-----END CERTIFICATE-----");
    let (form, then) = match certificates.len() {
        1 if !is_pem(text) => ("is in DER".to_owned(), String::new()),
        1 if !is_last => ("has text after its certificate".to_owned(), String::new()),
        1 => return,
        count => (format!("has {count} certificates"), format!("; {first}")),
    };
    log.difference(&format!("{name} {form}, which cfssl refuses{then}"));
}

/// The variable with the passphrase of an encrypted key.
const PASSWORD: &str = "CFSSL_CA_PK_PASSWORD";

/// The first line of an encrypted key in PKCS #8 (RFC 7468 section 11).
const ENCRYPTED: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// Reads a private key, which may be encrypted. Other users may be able to read its file, unlike the key in a CA's
/// folder; then this logs a warning.
pub(super) fn read_key(name: &str, log: &Log) -> Result<PrivateKey, Failure> {
    let custody = Custody::file(Some(PassphraseSource::Variable(PASSWORD.to_owned())));
    let text = input::read(name)?;
    let key = custody.read_file(Path::new(name), &text)?;
    if text.windows(ENCRYPTED.len()).any(|line| line == ENCRYPTED) {
        log.difference(&format!("{name} is encrypted in PKCS #8, which cfssl cannot read"));
    }
    let metadata = input::path(name).and_then(|path| std::fs::metadata(path).ok());
    if let Some(mode) = metadata.map(|metadata| metadata.permissions().mode() & 0o777)
        && mode & 0o077 != 0
    {
        log.difference(&format!(
            "{name} has mode {mode:04o}, so other users can read the key; chmod 600 {name}"
        ));
    }
    Ok(key)
}

fn inventory(certificate: &str) -> Result<Option<Inventory>, Failure> {
    let Some(path) = input::path(certificate) else { return Ok(None) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let inventory = Inventory::of(folder.unwrap_or_else(|| Path::new(".")));
    Ok(store::is_there(inventory.path())?.then_some(inventory))
}

/// The profile of `-config` and `-profile`; without them cfssl's default.
pub(super) fn profile(flags: &Flags, log: &Log) -> Result<Profile, Failure> {
    let name = flags.value("profile");
    let Some(file) = flags.value("config") else {
        let found = SigningConfig::cfssl().profile(name.unwrap_or("default")).cloned();
        return found.map_err(|error| {
            Failure::from(error).hinted("add -config FILE, which defines the profiles")
        });
    };
    let path = Path::new(file);
    let read = read_config(path)?;
    let profile = match name {
        Some(name) => read.value.profile(name),
        None => read.value.default_profile(),
    };
    let profile = profile.map_err(|error| Failure::from(error).in_file(path))?.clone();
    log.differences(file, &read.warnings);
    warn_of_unusable(path, &read.value, name.or(Some("default")), log);
    log.differences(file, &profile.warnings);
    Ok(profile)
}

/// Reads the file of `-config` for a command that uses no profile: cfssl refuses a file that it cannot read there too.
pub(super) fn check_config(flags: &Flags, log: &Log) -> Result<(), Failure> {
    let Some(path) = flags.value("config").map(Path::new) else { return Ok(()) };
    let read = read_config(path)?;
    log.differences(&shown(path), &read.warnings);
    warn_of_unusable(path, &read.value, None, log);
    Ok(())
}

fn read_config(path: &Path) -> Result<Lenient<SigningConfig>, Failure> {
    SigningConfig::read(&store::read(path)?, Dialect::Cfssl)
        .map_err(|error| Failure::from(error).in_file(path))
}

/// Logs the profiles with mistakes that are not the one that is used. cfssl refuses the whole file.
fn warn_of_unusable(path: &Path, config: &SigningConfig, used: Option<&str>, log: &Log) {
    let is_used = |name: &str| used == Some(name);
    for unusable in config.unusable.iter().filter(|unusable| !is_used(&unusable.name)) {
        let first = unusable.mistakes.first().map(ToString::to_string).unwrap_or_default();
        log.difference(&format!(
            "{}: the profile {:?} has a mistake, but this command does not use it: {first}",
            shown(path),
            unusable.name
        ));
    }
}
