//! A tar.gz whose bytes depend on its contents alone.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use tar::{Builder, Header};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::store::Access;

/// A file on its way into an archive.
pub(crate) struct Member<'a> {
    pub(crate) path: String,
    pub(crate) contents: &'a [u8],
    pub(crate) access: Access,
}

/// Packs the files in the order of their paths, owned by root, all changed at one moment. Folders have no
/// entries of their own, so that unpacking into a folder leaves its mode alone.
pub(crate) fn tar_gz(
    mut files: Vec<Member<'_>>,
    modified: OffsetDateTime,
) -> io::Result<Zeroizing<Vec<u8>>> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // With room for all of it: a buffer that grows leaves copies of a key behind.
    let room = files.iter().map(|file| file.contents.len() + 1024).sum::<usize>() + 1024;
    let mut plain = Zeroizing::new(Vec::with_capacity(room));
    let mut tar = Builder::new(&mut *plain);
    for file in &files {
        let mut header = Header::new_gnu();
        header.set_size(file.contents.len() as u64);
        header.set_mode(file.access.mode());
        header.set_mtime(u64::try_from(modified.unix_timestamp()).unwrap_or(0));
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, &file.path, file.contents)?;
    }
    tar.finish()?;
    drop(tar);
    let mut packed = Zeroizing::new(Vec::with_capacity(room));
    // Neither the time nor the system stands in the header.
    let mut gzip = GzBuilder::new().write(&mut *packed, Compression::default());
    gzip.write_all(&plain)?;
    gzip.finish()?;
    Ok(packed)
}
