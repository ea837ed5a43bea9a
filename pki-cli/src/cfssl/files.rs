//! `cfssljson`: the answer of cfssl, as files.

use std::fs::{File, Metadata};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use pki_core::{Certificate, Content, read_pem};
use rustix::fs::{Access as Permission, access};
use rustix::io::Errno;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::flags::Flags;
use super::log::Log;
use super::old_ca::OldCa;
use crate::failure::Failure;
use crate::host;
use crate::store::{self, Access, Batch, Durability, Existing, Owners};

/// What cfssl prints. The aliases are the names in older commands of its API.
#[derive(Default, Deserialize)]
struct Answer {
    #[serde(alias = "certificate")]
    cert: Option<String>,
    #[serde(default, alias = "private_key", deserialize_with = "secret")]
    key: Option<Zeroizing<String>>,
    #[serde(default, deserialize_with = "secret")]
    encrypted_key: Option<Zeroizing<String>>,
    #[serde(alias = "certificate_request")]
    csr: Option<String>,
    bundle: Option<Bundle>,
    #[serde(rename = "ocspResponse")]
    ocsp_response: Option<String>,
    /// These three fields show that the input is an answer of the API.
    success: Option<bool>,
    result: Option<Box<Answer>>,
    #[serde(default)]
    errors: Vec<Message>,
}

/// Reads a secret without the copy that `serde_json` makes of a string with escapes and does not wipe.
fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    let Some(raw) = Option::<&RawValue>::deserialize(from)? else { return Ok(None) };
    let text = raw.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let mut rest = text.ok_or_else(|| D::Error::custom("a key must be a string"))?;
    // Large enough, because no character is longer than its escape. A buffer that grows would leave copies behind.
    let mut secret = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some((before, escape)) = rest.find('\\').map(|at| rest.split_at(at)) {
        let length = if escape.starts_with("\\u") { 6 } else { 2 };
        let (escape, behind) = escape.split_at_checked(length).unwrap_or((escape, ""));
        secret.push_str(before);
        // PEM never contains a character that needs two escapes, so such a character is refused.
        secret.push(serde_json::from_str(&format!("\"{escape}\"")).map_err(D::Error::custom)?);
        rest = behind;
    }
    secret.push_str(rest);
    Ok(Some(secret))
}

/// What `cfssl bundle` prints.
#[derive(Deserialize)]
struct Bundle {
    bundle: String,
    root: String,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

/// A file that the answer holds.
struct Part {
    /// What follows BASE in its name.
    suffix: &'static str,
    contents: Zeroizing<String>,
    access: Access,
}

/// Runs `cfssljson`.
pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    let base = flags.arguments.first().map_or("cert", String::as_str);
    // Before the input, while the program on the left of the pipe still works.
    let old = (!flags.is_on("stdout")).then(|| OldCa::read(base));
    let input = store::read(Path::new(flags.value("f").unwrap_or("-")))?;
    if input.trim_ascii().is_empty() {
        return Err(Failure::usage("the input is empty: cfssl printed nothing")
            .hinted("see its message above"));
    }
    let answer: Answer = serde_json::from_slice(&input).map_err(|error| {
        Failure::usage(format!("the input is not what cfssl prints: {error}"))
            .hinted("see the message of the program on the left of the pipe")
    })?;
    let form = if flags.is_on("bare") { Form::Bare } else { Form::Api };
    let parts = parts(opened(answer, form)?)?;
    let Some(old) = old else {
        let mut parts = parts;
        // The order of cfssljson, which writes the certificate first.
        parts.sort_by_key(|part| (part.suffix == ".csr", part.suffix != ".pem"));
        for part in &parts {
            host::print_raw(part.contents.as_bytes())?;
            host::print_raw(b"\n")?;
        }
        return Ok(());
    };
    write(base, &parts, old, log)
}

/// The form of the input.
#[derive(Clone, Copy)]
enum Form {
    /// `-bare`: what cfssl prints.
    Bare,
    /// An answer of cfssl's API, which contains what cfssl prints as its result.
    Api,
}

/// What cfssl printed, without the rest of an answer of the API.
fn opened(answer: Answer, form: Form) -> Result<Answer, Failure> {
    if answer.success == Some(false) {
        let messages: Vec<&str> = answer.errors.iter().map(|error| &*error.message).collect();
        return Err(Failure::refused(format!("Request failed: {}", messages.join("; "))));
    }
    match (form, answer.success, answer.result) {
        (Form::Api, Some(_), Some(result)) => Ok(*result),
        (Form::Bare, Some(_), _) => {
            Err(Failure::usage("the input is an answer of cfssl's API, which -bare does not open")
                .hinted("leave -bare out"))
        }
        (Form::Bare, None, result) => Ok(Answer { result, ..answer }),
        (Form::Api, ..) => Err(Failure::usage("the input is not an answer of cfssl's API")
            .hinted("use -bare for what cfssl prints on the command line")),
    }
}

/// The files of an answer, keys first: a certificate without its key is useless.
fn parts(answer: Answer) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::new();
    let secret = |suffix, contents: Option<Zeroizing<String>>| {
        contents.map(|contents| Part { suffix, contents, access: Access::Secret })
    };
    let public = |suffix, contents: Option<String>| {
        let contents = contents.map(Zeroizing::new);
        contents.map(|contents| Part { suffix, contents, access: Access::Public })
    };
    parts.extend(secret("-key.pem", answer.key));
    parts.extend(secret("-key.enc", answer.encrypted_key));
    parts.extend(public(".pem", answer.cert).map(|part| Part { access: Access::Group, ..part }));
    parts.extend(public(".csr", answer.csr));
    if let Some(bundle) = answer.bundle {
        parts.extend(public("-bundle.pem", Some(bundle.bundle)));
        parts.extend(public("-root.pem", Some(bundle.root)));
    }
    for part in &parts {
        check(part)?;
    }
    if answer.ocsp_response.is_some() {
        return Err(Failure::usage("ocspResponse: etcdpki does not write OCSP responses")
            .hinted("etcd and the API server do not ask for them; use a CRL"));
    }
    if parts.is_empty() {
        return Err(Failure::usage("the input holds no certificate, key or request")
            .hinted("see the message of the program on the left of the pipe"));
    }
    Ok(parts)
}

/// cfssl writes whatever text it finds; a file that is not PEM stops etcd later.
fn check(part: &Part) -> Result<(), Failure> {
    let (found, expected): (fn(&Content) -> bool, _) = match part.suffix {
        "-key.pem" => (|content| matches!(content, Content::PrivateKey(_)), "a private key"),
        ".csr" => (|content| matches!(content, Content::CertificateRequest(_)), "a request"),
        ".pem" | "-bundle.pem" | "-root.pem" => {
            (|content| matches!(content, Content::Certificate(_)), "a certificate")
        }
        _ => return Ok(()),
    };
    let sections = read_pem(part.contents.as_bytes()).unwrap_or_default();
    if sections.iter().any(|section| found(&section.content)) {
        return Ok(());
    }
    Err(Failure::usage(format!("the input holds no PEM where {expected} belongs"))
        .hinted("run the program on the left of the pipe by itself and look at its output"))
}

/// Replaces the files as cfssljson does, but as a whole and with the key of a CA kept.
fn write(base: &str, parts: &[Part], old: OldCa, log: &Log) -> Result<(), Failure> {
    let place = |suffix: &str| PathBuf::from(format!("{base}{suffix}"));
    if let Some(key) = parts.iter().find(|part| part.suffix == "-key.pem") {
        old.keep_key(base, key.contents.as_bytes(), log)?;
    }
    let mut batch = Batch::new(Existing::Replace).durable(durability(parts));
    for part in parts {
        stage(&mut batch, place(part.suffix), part, log)?;
    }
    batch.commit()?;
    let written: Vec<String> =
        parts.iter().map(|part| place(part.suffix).display().to_string()).collect();
    log.info(&format!("wrote {}", written.join(", ")));
    Ok(())
}

/// Writes a file beside its place. It has the owner and the mode of the file that it replaces, because cfssljson writes into
/// that file; only the mode of a key is always 0600.
fn stage(batch: &mut Batch, place: PathBuf, part: &Part, log: &Log) -> Result<(), Failure> {
    let old = std::fs::symlink_metadata(&place).ok().filter(Metadata::is_file);
    // A file that cfssljson could not write into stays. To replace it, only the folder must be writable.
    if old.is_some() && access(&place, Permission::WRITE_OK) == Err(Errno::ACCESS) {
        let problem = "the file is there and read-only";
        return Err(Failure::environment(problem)
            .hinted(format!("remove it, or choose another BASE: rm {}", place.display()))
            .in_file(&place));
    }
    batch.stage_with(place, part.access, |file, path| {
        let mut written = file.write_all(part.contents.as_bytes());
        if let Some(old) = &old {
            keep_owner(old, file.as_file(), path, log);
            if !matches!(part.access, Access::Secret) {
                written = written.and_then(|()| file.as_file().set_permissions(old.permissions()));
            }
        }
        written.map_err(|error| Failure::file("writing", path, &error))
    })
}

/// Gives a new file to the owner of the one that it replaces. In a folder that other users can write to, one of them may have
/// put that file there to get the key.
fn keep_owner(old: &Metadata, new: &File, path: &Path, log: &Log) {
    let owner = |file: &Metadata| (file.uid(), file.gid());
    let has_owner = || new.metadata().is_ok_and(|new| owner(&new) == owner(old));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if has_owner() {
        return;
    }
    if Owners::Trusted.check_folder(folder.unwrap_or_else(|| Path::new("."))).is_ok() {
        // Only root can, unless only the group differs.
        let _ = fchown(new, Some(old.uid()), Some(old.gid()));
    }
    if !has_owner() {
        let (user, group) = owner(old);
        log.difference(&format!(
            "{} belonged to user {user} and group {group}, and belongs to you now; if a program needs it: \
             chown {user}:{group} {0}",
            path.display()
        ));
    }
}

/// A new leaf can be issued again, so its files reach the disk when the kernel writes them, as those of cfssljson do. A CA,
/// or a key whose request goes to another CA, cannot.
fn durability(parts: &[Part]) -> Durability {
    let certificates = parts.iter().filter(|part| part.suffix == ".pem");
    let mut certificates = certificates
        .flat_map(|part| Certificate::from_pem_or_der(part.contents.as_bytes()).unwrap_or_default())
        .peekable();
    if certificates.peek().is_some() && !certificates.any(|certificate| certificate.is_ca()) {
        Durability::Later
    } else {
        Durability::AtOnce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_serde_json_reads_a_string() {
        for text in [r#""""#, r#""a\nb\r\n""#, r#""a\/\u002b\\n\"""#, r#""é\t\u00e9""#] {
            let answer: Answer = serde_json::from_str(&format!(r#"{{"key": {text}}}"#)).unwrap();
            let expected: String = serde_json::from_str(text).unwrap();
            assert_eq!(*answer.key.unwrap(), expected);
        }
        let answer: Answer = serde_json::from_str(r#"{"private_key": null}"#).unwrap();
        assert!(answer.key.is_none());
        for wrong in ["1", "{}", r#"["a"]"#, r#""\ud83d""#, r#""\ud83d\ude00""#, r#""\x""#, r#""a"#]
        {
            let read = serde_json::from_str::<Answer>(&format!(r#"{{"key": {wrong}}}"#));
            assert!(read.is_err(), "{wrong}");
        }
    }
}
