//! The key of a single certificate.

use std::sync::mpsc;
use std::thread;

use pki_core::{Error, KeyAlgorithm, PrivateKey};

/// Generates a key, an RSA key with two searches, the second one on a core that is idle.
///
/// How long the search for the primes of an RSA key takes is a matter of luck, from 20 to 200 ms for 2048 bits, so the first result
/// of two searches comes much earlier than that of one. The search that is still running ends with the process; if it ends before, its
/// key is wiped.
pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<PrivateKey, Error> {
    let has_cores = || thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    if !matches!(algorithm, KeyAlgorithm::Rsa(_)) || !has_cores() {
        return PrivateKey::generate(algorithm);
    }
    let search = move || PrivateKey::generate(algorithm);
    let (sender, first) = mpsc::channel();
    let second = sender.clone();
    // Without a second thread, one search is enough; without any, this thread searches.
    let _ = thread::Builder::new().spawn(move || sender.send(search()).ok());
    let _ = thread::Builder::new().spawn(move || {
        // Only for this thread, which must not slow down other programs.
        let _ = rustix::process::setpriority_process(None, 19);
        second.send(search()).ok()
    });
    first.recv().unwrap_or_else(|_| search())
}
