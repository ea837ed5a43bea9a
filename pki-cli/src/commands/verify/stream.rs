//! Work on all cores, with results in the order of the inputs and bounded memory.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::failure::Failure;

/// How the work is divided between threads.
pub(super) struct Pace {
    workers: Workers,
    /// The number of inputs in a batch.
    batch: usize,
}

/// The number of workers.
#[derive(Clone, Copy)]
enum Workers {
    /// One for each core that this process may use.
    PerCore,
    Fixed(usize),
}

impl Workers {
    fn number(self) -> usize {
        match self {
            Self::PerCore => thread::available_parallelism().map_or(1, usize::from),
            Self::Fixed(number) => number,
        }
    }
}

impl Pace {
    /// For work that is limited by the processor: one worker for each core.
    pub(super) const fn files() -> Self {
        Self { workers: Workers::PerCore, batch: 32 }
    }

    /// For work that mostly waits for the network.
    pub(super) const fn endpoints() -> Self {
        Self { workers: Workers::Fixed(32), batch: 1 }
    }
}

/// How many batches each worker may be ahead of the next result: enough that a batch that takes longer does not stop the
/// other workers.
const AHEAD: usize = 8;

/// Calls `work` on every input, and `sink` with the results in the order of the inputs. If `sink` fails, all work ends.
///
/// Each worker takes the next batch by itself, and gives the results to `sink` by itself when it is their turn. No other
/// thread is needed, which would compete with the workers for the cores.
pub(super) fn in_order<I: Send, R: Send>(
    inputs: impl Iterator<Item = I> + Send,
    pace: &Pace,
    work: impl Fn(I) -> R + Sync,
    mut sink: impl FnMut(Vec<R>) -> Result<(), Failure> + Send,
) -> Result<(), Failure> {
    let mut batches = Batches { inputs, size: pace.batch }.peekable();
    let Some(first) = batches.next() else { return Ok(()) };
    if batches.peek().is_none() {
        // A single batch does not need threads.
        return sink(first.into_iter().map(work).collect());
    }
    let source = Mutex::new(std::iter::once(first).chain(batches).enumerate());
    let workers = pace.workers.number();
    let results = Results::new(sink, AHEAD * workers);
    let worker = || {
        let _guard = StopOnPanic(&results);
        while !results.are_stopped() {
            let Some((at, batch)) = lock(&source).next() else { break };
            results.give(at, batch.into_iter().map(&work).collect());
        }
    };
    thread::scope(|scope| {
        // This thread is a worker too, so all work is done even if no other thread can be started.
        let others =
            (1..workers).map_while(|_| thread::Builder::new().spawn_scoped(scope, worker).ok());
        let others: Vec<_> = others.collect();
        worker();
        for other in others {
            if let Err(panic) = other.join() {
                resume_unwind(panic);
            }
        }
    });
    results.into_outcome()
}

/// Passes the results of batches on in the order of the batches.
struct Results<R, S> {
    /// How many batches may be ahead of the next one.
    ahead: usize,
    state: Mutex<State<R, S>>,
    moved: Condvar,
}

struct State<R, S> {
    sink: S,
    /// The batch that `sink` gets next.
    next: usize,
    /// The results of later batches.
    waiting: BTreeMap<usize, Vec<R>>,
    /// Set when the work ends early.
    stopped: bool,
    outcome: Result<(), Failure>,
}

impl<R, S: FnMut(Vec<R>) -> Result<(), Failure>> Results<R, S> {
    const fn new(sink: S, ahead: usize) -> Self {
        let state =
            State { sink, next: 0, waiting: BTreeMap::new(), stopped: false, outcome: Ok(()) };
        Self { ahead, state: Mutex::new(state), moved: Condvar::new() }
    }

    fn are_stopped(&self) -> bool {
        lock(&self.state).stopped
    }

    /// Adds the results of a batch. Waits while it is too far ahead; the next batch never is.
    fn give(&self, at: usize, results: Vec<R>) {
        let too_early = |state: &mut State<R, S>| !state.stopped && at >= state.next + self.ahead;
        let mut state = self
            .moved
            .wait_while(lock(&self.state), too_early)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting.insert(at, results);
        let state = &mut *state;
        while !state.stopped
            && let Some(results) = state.waiting.remove(&state.next)
        {
            state.next += 1;
            if let Err(failure) = (state.sink)(results) {
                state.outcome = Err(failure);
                state.stopped = true;
            }
            self.moved.notify_all();
        }
    }

    fn stop(&self) {
        lock(&self.state).stopped = true;
        self.moved.notify_all();
    }

    fn into_outcome(self) -> Result<(), Failure> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
    }
}

/// Ends the work of the other workers if this one panics, because they would wait for its results.
struct StopOnPanic<'r, R, S: FnMut(Vec<R>) -> Result<(), Failure>>(&'r Results<R, S>);

impl<R, S: FnMut(Vec<R>) -> Result<(), Failure>> Drop for StopOnPanic<'_, R, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// The panic of another worker goes on when that worker is joined.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            in_order(0..500, &Pace { workers: Workers::Fixed(workers), batch }, work, sink)
                .unwrap();
            assert_eq!(seen, (0..500).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_panic_of_a_worker_goes_on() {
        let work = |number: u32| if number == 77 { panic!("number {number}") } else { number };
        let run =
            || in_order(0..500, &Pace { workers: Workers::Fixed(3), batch: 4 }, work, |_| Ok(()));
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
        let pace = Pace { workers: Workers::Fixed(3), batch: 2 };
        assert!(in_order(0.., &pace, |number: u64| number, sink).is_err());
        assert_eq!(calls, 1);
    }
}
