//! A reproducible tar.gz: its bytes depend only on its contents.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use pki_core::Owner;
use tar::{Builder, Header};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A file to add to an archive.
pub(crate) struct Member<'a> {
    pub(crate) path: String,
    pub(crate) contents: &'a [u8],
    /// The permission bits.
    pub(crate) mode: u32,
    pub(crate) owner: Owner,
}

/// Packs the files in the order of their paths, with one modification time. Folders have no entries, so that unpacking
/// into an existing folder does not change its mode. Owners are names, because the user ID of etcd differs from host
/// to host; tar falls back to the ID 0, which is root.
pub(crate) fn tar_gz(
    mut files: Vec<Member<'_>>,
    modified: OffsetDateTime,
) -> io::Result<Zeroizing<Vec<u8>>> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // With enough capacity for everything, because a buffer that grows leaves copies of keys in memory.
    let room = files.iter().map(|file| file.contents.len() + 1024).sum::<usize>() + 1024;
    let mut plain = Zeroizing::new(Vec::with_capacity(room));
    let mut tar = Builder::new(&mut *plain);
    for file in &files {
        let mut header = Header::new_gnu();
        header.set_size(file.contents.len() as u64);
        header.set_mode(file.mode);
        header.set_mtime(u64::try_from(modified.unix_timestamp()).unwrap_or(0));
        header.set_uid(0);
        header.set_gid(0);
        header.set_username(file.owner.user())?;
        header.set_groupname(file.owner.user())?;
        tar.append_data(&mut header, &file.path, file.contents)?;
    }
    tar.finish()?;
    drop(tar);
    let mut packed = Zeroizing::new(Vec::with_capacity(room));
    // The gzip header contains neither the time nor the operating system.
    let mut gzip = GzBuilder::new().write(&mut *packed, Compression::default());
    gzip.write_all(&plain)?;
    gzip.finish()?;
    Ok(packed)
}
