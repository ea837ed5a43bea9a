//! Reading files, with a limit on their size, and without waiting for a pipe that the user did not name.

use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::{Zeroize, Zeroizing};

use crate::failure::{Failure, shown};

/// The most that is read of one file, in bytes. A manifest of ten thousand hosts has one megabyte.
pub(crate) const LIMIT: u64 = 16 << 20;

/// The result of reading.
pub(crate) enum Read {
    Whole(Zeroizing<Vec<u8>>),
    /// The file is larger than the limit.
    TooLarge,
}

/// Reads what the user named: a file, a pipe, or for `-` standard input.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path == Path::new("-") {
        let path = Path::new("standard input");
        return whole(crate::host::stdin().and_then(|file| read_open(file, 0)), path);
    }
    let open = || {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        read_open(file, size)
    };
    whole(open(), path)
}

/// Larger than a file with a few certificates.
const SMALL: usize = 16 << 10;

/// Reads what the user named, like [`read`], and calls `work` with the contents. For one of many small files, this takes
/// less time: the buffer is used again, and the size of the file is not asked for.
pub(crate) fn read_with<T>(path: &Path, work: impl FnOnce(&[u8]) -> T) -> Result<T, Failure> {
    thread_local! {
        static BUFFER: RefCell<Zeroizing<Vec<u8>>> = RefCell::default();
    }
    if path == Path::new("-") {
        return read(path).map(|bytes| work(&bytes));
    }
    let failed = |error| Failure::file("reading", path, &error);
    let mut file = File::open(path).map_err(failed)?;
    // Taken away, so that `work` can read other files in this way.
    let mut buffer = BUFFER.take();
    buffer.resize(SMALL, 0);
    let mut filled = 0;
    while let room @ [_, ..] = &mut buffer[filled..] {
        match read_some(&mut file, room).map_err(failed)? {
            0 => {
                let result = work(&buffer[..filled]);
                // The rest was never written.
                buffer[..filled].zeroize();
                BUFFER.replace(buffer);
                return Ok(result);
            }
            read => filled += read,
        }
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * SMALL));
    bytes.extend_from_slice(&buffer);
    whole(read_on(file, bytes, 0), path).map(|bytes| work(&bytes))
}

/// Reads a file that the user did not name, under its usual name. Refuses pipes and devices, because reading one could
/// wait for ever while the CA is locked.
pub(crate) fn read_regular(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let (file, metadata) = open_regular(path)?;
    whole(read_open(file, metadata.len()), path)
}

/// Reads a secret. Fails if anybody except its owner can read the file.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let (file, metadata) = open_regular(path)?;
    if let Some(mode) = open_to_others(&metadata) {
        return Err(Failure::environment(format!(
            "{} has mode {mode:04o}: users other than its owner can read or change it",
            shown(path)
        ))
        .hinted(format!("chmod 600 {}", shown(path))));
    }
    whole(read_open(file, metadata.len()), path)
}

/// The mode of a file that users other than its owner can read or change.
pub(crate) fn mode_for_others(path: &Path) -> Result<Option<u32>, Failure> {
    let (_, metadata) = open_regular(path)?;
    Ok(open_to_others(&metadata))
}

fn open_to_others(metadata: &Metadata) -> Option<u32> {
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

fn open_regular(path: &Path) -> Result<(File, Metadata), Failure> {
    let mut options = File::options();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let opened = options.open(path).and_then(|file| file.metadata().map(|data| (file, data)));
    match opened {
        Err(error) => Err(Failure::file("reading", path, &error)),
        Ok((_, metadata)) if !metadata.is_file() && !metadata.is_dir() => {
            Err(Failure::environment(format!("{} is not a regular file", shown(path)))
                .hinted("a pipe, socket or device is in its place; move it away"))
        }
        Ok(opened) => Ok(opened),
    }
}

/// Reads an open file of about this size to its end. No copy stays in memory, because the contents may be secret.
pub(crate) fn read_open(file: File, size: u64) -> io::Result<Read> {
    if size > LIMIT {
        return Ok(Read::TooLarge);
    }
    let mut bytes = Zeroizing::new(Vec::new());
    // One byte more than the expected size, so that the end is noticed without a larger buffer.
    let size = usize::try_from(size).unwrap_or(0);
    bytes.try_reserve_exact(size + 1)?;
    read_on(file, bytes, size)
}

/// Reads the rest of a file, of which `bytes` were read. `size` is that of the file, or 0 if it is not known.
fn read_on(mut file: File, mut bytes: Zeroizing<Vec<u8>>, size: usize) -> io::Result<Read> {
    const STEP: usize = 64 << 10;
    loop {
        let filled = bytes.len();
        let room = bytes.capacity();
        bytes.resize(room, 0);
        let read = read_some(&mut file, &mut bytes[filled..]);
        bytes.truncate(filled + read.as_ref().copied().unwrap_or(0));
        if bytes.len() as u64 > LIMIT {
            return Ok(Read::TooLarge);
        }
        // A file that has a size gives less than was asked for only at its end.
        if read? == 0 || (size > 0 && bytes.len() == size) {
            return Ok(Read::Whole(bytes));
        }
        if bytes.len() < room {
            continue;
        }
        // A buffer that grows by itself leaves copies of a key in memory.
        let mut larger = Zeroizing::new(Vec::new());
        larger.try_reserve_exact((2 * bytes.len()).max(STEP))?;
        larger.extend_from_slice(&bytes);
        bytes = larger;
    }
}

/// Reads once, whatever signals come.
fn read_some(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn whole(read: io::Result<Read>, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match read {
        Ok(Read::Whole(bytes)) => Ok(bytes),
        Ok(Read::TooLarge) => Err(too_large(path)),
        Err(error) if error.kind() == ErrorKind::OutOfMemory => {
            Err(Failure::environment(format!("reading {}: not enough memory", shown(path)))
                .hinted("raise the memory limit of the process, then run this again"))
        }
        Err(error) => Err(Failure::file("reading", path, &error)),
    }
}

fn too_large(path: &Path) -> Failure {
    Failure::usage(format!("{} is larger than {} MiB", shown(path), LIMIT >> 20)).hinted(
        "manifests, certificates, keys and lists are smaller than that; is it the right file?",
    )
}
