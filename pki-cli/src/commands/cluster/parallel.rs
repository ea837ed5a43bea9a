//! The same work on many hosts at once.

use std::panic::resume_unwind;

use crate::failure::Failure;

/// Does the work on every core. The results stand in the order of the items; the first failure in that
/// order is the one returned.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(1);
    let done: Vec<Result<Vec<R>, Failure>> = std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(&work).collect()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let mut all = Vec::with_capacity(items.len());
    for part in done {
        all.extend(part?);
    }
    Ok(all)
}
