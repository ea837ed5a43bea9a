//! Work on all cores, with results in the order of the inputs and bounded memory.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::failure::Failure;

/// How the work is divided between threads.
pub(super) struct Pace {
    workers: usize,
    /// The number of inputs in a batch.
    batch: usize,
}

impl Pace {
    /// For work that is limited by the processor: one worker for each core.
    pub(super) fn files() -> Self {
        Self { workers: thread::available_parallelism().map_or(1, usize::from), batch: 32 }
    }

    /// For work that mostly waits for the network.
    pub(super) const fn endpoints() -> Self {
        Self { workers: 32, batch: 1 }
    }
}

/// How many batches may wait for a worker, and how many for the printer: enough that a worker that is delayed for a
/// moment does not stop the others.
const WAITING: usize = 8;

/// Calls `work` on every input, and `sink` with the results in the order of the inputs.
///
/// Batches go to the workers in turn, and the results are taken from them in turn; so
/// results that are ready early wait in a bounded queue. If `sink` fails, all work ends.
pub(super) fn in_order<I: Send, R: Send>(
    inputs: impl Iterator<Item = I> + Send,
    pace: &Pace,
    work: impl Fn(I) -> R + Sync,
    mut sink: impl FnMut(Vec<R>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut batches = Batches { inputs, size: pace.batch }.peekable();
    let Some(first) = batches.next() else { return Ok(()) };
    if batches.peek().is_none() {
        // A single batch does not need threads.
        return sink(first.into_iter().map(work).collect());
    }
    let work = &work;
    // The thread that distributes the inputs takes them, or this one if that thread cannot be started.
    let source = Mutex::new(Some(std::iter::once(first).chain(batches)));
    let take = || source.lock().unwrap_or_else(PoisonError::into_inner).take();
    thread::scope(|scope| {
        let mut queues = Vec::new();
        let mut results = Vec::new();
        let mut workers = Vec::new();
        for _ in 0..pace.workers {
            let (queue, waiting) = sync_channel::<Vec<I>>(WAITING);
            let (done, result) = sync_channel::<Vec<R>>(WAITING);
            let worker = move || {
                for batch in waiting {
                    if done.send(batch.into_iter().map(work).collect()).is_err() {
                        break;
                    }
                }
            };
            let Ok(worker) = thread::Builder::new().spawn_scoped(scope, worker) else { break };
            workers.push(worker);
            queues.push(queue);
            results.push(result);
        }
        let give_out = move || {
            for (batch, queue) in take().into_iter().flatten().zip((0..queues.len()).cycle()) {
                if queues[queue].send(batch).is_err() {
                    break;
                }
            }
        };
        if results.is_empty() || thread::Builder::new().spawn_scoped(scope, give_out).is_err() {
            let mut all = take().into_iter().flatten();
            return all.try_for_each(|batch| sink(batch.into_iter().map(work).collect()));
        }
        let outcome = in_turn(&results, &mut sink);
        // Without a receiver, the workers end.
        drop(results);
        for worker in workers {
            if let Err(panic) = worker.join() {
                resume_unwind(panic);
            }
        }
        outcome
    })
}

/// Takes results from the workers in turn.
fn in_turn<R>(
    results: &[Receiver<R>],
    mut sink: impl FnMut(R) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for result in results.iter().cycle() {
        // The queue of a worker ends after its last batch, or when it panics.
        let Ok(done) = result.recv() else { break };
        sink(done)?;
    }
    Ok(())
}

/// An iterator in batches.
struct Batches<T> {
    inputs: T,
    size: usize,
}

impl<T: Iterator> Iterator for Batches<T> {
    type Item = Vec<T::Item>;

    fn next(&mut self) -> Option<Vec<T::Item>> {
        let batch: Vec<_> = self.inputs.by_ref().take(self.size).collect();
        (!batch.is_empty()).then_some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_inputs() {
        for (workers, batch) in [(1, 1), (3, 1), (4, 7), (8, 32)] {
            let mut seen = Vec::new();
            let work = |number: u32| {
                // Later inputs finish earlier if threads allow it.
                thread::sleep(std::time::Duration::from_micros(u64::from(500 - number)));
                number
            };
            let sink = |done: Vec<u32>| {
                seen.extend(done);
                Ok(())
            };
            in_order(0..500, &Pace { workers, batch }, work, sink).unwrap();
            assert_eq!(seen, (0..500).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_panic_of_a_worker_goes_on() {
        let work = |number: u32| if number == 77 { panic!("number {number}") } else { number };
        let run = || in_order(0..500, &Pace { workers: 3, batch: 4 }, work, |_| Ok(()));
        let panic = std::panic::catch_unwind(run).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("number 77"));
    }

    #[test]
    fn a_sink_that_fails_ends_it() {
        let mut calls = 0;
        let sink = |_| {
            calls += 1;
            Err(Failure::environment("the disk is full"))
        };
        let pace = Pace { workers: 3, batch: 2 };
        assert!(in_order(0.., &pace, |number: u64| number, sink).is_err());
        assert_eq!(calls, 1);
    }
}
