//! The lock on the CA's folder.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::failure::{Failure, shown};
use crate::host;

/// An exclusive lock on a folder, held until it is dropped; the kernel frees it when a process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _folder: File,
}

impl Lock {
    /// Waits for another process that works in the folder, with a message if it takes long.
    pub(crate) fn take(folder: &Path) -> Result<Self, Failure> {
        const PATIENCE: Duration = Duration::from_secs(30);
        const QUIET: Duration = Duration::from_secs(1);
        const STEP: Duration = Duration::from_millis(5);
        let file = File::open(folder).map_err(|error| Failure::file("opening", folder, &error))?;
        let start = Instant::now();
        let mut said = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _folder: file }),
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    if !said && start.elapsed() >= QUIET {
                        said = true;
                        let folder = shown(folder);
                        host::say(&format!("waiting: another etcdpki works in {folder}\n"));
                    }
                    std::thread::sleep(STEP);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::environment(format!(
                        "{} has been locked by another etcdpki for {} seconds",
                        shown(folder),
                        PATIENCE.as_secs()
                    ))
                    .hinted(format!("wait for it to end; find it: fuser -v {}", shown(folder))));
                }
                // NFS locks only files that are open for writing, and some file systems lock nothing.
                Err(TryLockError::Error(error)) => {
                    return Err(Failure::file("locking", folder, &error).hinted(
                        "keep the CA's folder on a file system that can lock folders, such as ext4, xfs or tmpfs",
                    ));
                }
            }
        }
    }
}
