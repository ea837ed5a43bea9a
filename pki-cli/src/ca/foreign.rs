//! The CAs of other tools whose files are near the folder of a CA.

use std::path::{Path, PathBuf};

use crate::failure::shown;

/// The names that other tools give to a CA's certificate and key: kubeadm and OpenSSL, kubeadm's folder for etcd, easy-rsa,
/// and OpenSSL's demoCA.
const FOREIGN_NAMES: [(&str, &str); 5] = [
    ("ca.crt", "ca.key"),
    ("etcd/ca.crt", "etcd/ca.key"),
    ("ca.crt", "private/ca.key"),
    ("cacert.pem", "private/cakey.pem"),
    ("cacert.pem", "cakey.pem"),
];

/// The command that imports a CA of another tool, if the files of one are in this folder or in the one above it.
pub(super) fn import_command(folder: &Path) -> Option<String> {
    let above = match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
        _ => PathBuf::from("."),
    };
    let inside = FOREIGN_NAMES.iter().map(|names| (folder.to_owned(), *names));
    let beside = FOREIGN_NAMES.iter().chain(&[("ca.pem", "ca-key.pem")]);
    let mut pairs = inside.chain(beside.map(|names| (above.clone(), *names)));
    let (certificate, key) = pairs.find_map(|(folder, (certificate, key))| {
        let (certificate, key) = (folder.join(certificate), folder.join(key));
        (certificate.is_file() && key.is_file()).then_some((certificate, key))
    })?;
    Some(format!(
        "etcdpki --dir {} import-ca --cert {} --key {}",
        shown(folder),
        shown(&certificate),
        shown(&key)
    ))
}
