//! The same work on many hosts at once.

use std::panic::resume_unwind;
use std::thread;

use crate::failure::Failure;

/// Does the work on every core. The results have the order of the items; of several failures, the first
/// in that order is returned.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(1);
    let done: Vec<Result<Vec<R>, Failure>> = thread::scope(|scope| {
        let threads = items.chunks(share).map(|chunk| {
            let work = || chunk.iter().map(&work).collect();
            // If no thread can be started, this thread does the work.
            thread::Builder::new().spawn_scoped(scope, work).map_err(|_| work())
        });
        let threads: Vec<_> = threads.collect();
        let join = |thread: Result<thread::ScopedJoinHandle<'_, _>, _>| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(done) => done,
        };
        threads.into_iter().map(join).collect()
    });
    let mut all = Vec::with_capacity(items.len());
    for part in done {
        all.extend(part?);
    }
    Ok(all)
}
