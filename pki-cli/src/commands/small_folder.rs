//! The files of a folder that was copied from a host.

use std::fs;
use std::path::Path;

/// The limit on files: a larger folder is a store of certificates, not the folder of a host.
const MOST_FILES: usize = 1000;
/// `issued` and `private` of easy-rsa, `pki/etcd` in `/etc/kubernetes`.
const MOST_LEVELS: usize = 3;

/// Where easy-rsa keeps a second copy of each certificate in `issued` and `revoked`.
pub(crate) const COPIES: &str = "certs_by_serial";

/// The paths of the files in a folder and in two levels of folders below it, sorted; none if there are too many.
/// Hidden files are left out, and so are folders that cannot be read: the code that reads their files reports that.
pub(crate) fn files_of(folder: &Path) -> Option<Vec<String>> {
    let mut paths = Vec::new();
    list(folder, "", 0, &mut paths);
    if paths.len() > MOST_FILES {
        return None;
    }
    paths.sort_unstable();
    Some(paths)
}

/// True for the name of a file that may configure etcd.
pub(crate) fn may_be_configuration(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit('.').next().unwrap_or_default();
    // Debian's unit reads /etc/default/etcd.
    name == "etcd" || matches!(ending, "conf" | "env" | "service" | "yaml" | "yml")
}

fn list(folder: &Path, prefix: &str, level: usize, paths: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        if paths.len() > MOST_FILES {
            return;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name == COPIES {
            continue;
        }
        let path = entry.path();
        let relative = format!("{prefix}{name}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && level + 1 < MOST_LEVELS => {
                list(&path, &format!("{relative}/"), level + 1, paths);
            }
            Ok(kind) if kind.is_file() || (kind.is_symlink() && path.is_file()) => {
                paths.push(relative);
            }
            _ => {}
        }
    }
}
