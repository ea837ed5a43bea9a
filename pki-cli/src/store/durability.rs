//! When files must be on disk.

use std::fs::File;

/// When the files of a batch are on disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Durability {
    /// Before they are in their places.
    AtOnce,
    /// When the kernel writes them, where that is safe. Only for files that can be made again: a power failure can empty them.
    Later,
}

/// The types of the file systems that report a full disk while a file is written, and whose own structures a power failure does
/// not damage: ext2 to ext4, XFS, Btrfs, tmpfs, overlayfs (linux/magic.h). A network file system may report it only at a sync.
const SAFE: [u64; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630];

impl Durability {
    /// Whether to wait until a file is on disk.
    pub(super) fn needs_sync(self, file: &File) -> bool {
        let is_safe = || {
            let kind = rustix::fs::fstatfs(file).map(|system| u64::try_from(system.f_type));
            matches!(kind, Ok(Ok(kind)) if SAFE.contains(&kind))
        };
        self == Self::AtOnce || !is_safe()
    }
}
