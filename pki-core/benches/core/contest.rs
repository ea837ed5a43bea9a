//! What is compared, and the ratios: both sides run in turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pki_core::KeyAlgorithm;

/// One operation with one algorithm. Each job of the library is compared with each raw one.
pub(crate) struct Contest {
    pub(crate) operation: &'static str,
    pub(crate) algorithm: KeyAlgorithm,
    pub(crate) ours: Vec<Job>,
    pub(crate) raw: Vec<Job>,
    pub(crate) effort: Effort,
}

pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn Fn()>,
}

/// How often to repeat a job.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Effort {
    Many,
    /// For RSA keys: the search for primes takes long, and its time is random.
    Few,
}

pub(crate) fn job<T>(name: &'static str, run: impl Fn() -> T + 'static) -> Job {
    Job {
        name,
        run: Box::new(move || {
            black_box(run());
        }),
    }
}

/// Measures the jobs of a comparison in turns: some runs of each, then again. Returns the times of the runs of each
/// job, in seconds.
fn in_turns(contest: &Contest) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    // Long compared with the clock's resolution, and short compared with the time slices of other
    // processes, so that the median is from an undisturbed run.
    const LEAST: Duration = Duration::from_micros(50);
    const IN_A_TURN: usize = 10;
    let turns = match contest.effort {
        Effort::Many => 100,
        Effort::Few => 4,
    };
    let time = |job: &Job, runs: u32| {
        let start = Instant::now();
        for _ in 0..runs {
            (job.run)();
        }
        start.elapsed()
    };
    let enough = |job: &Job| {
        let mut runs = 1;
        while time(job, runs) < LEAST {
            runs *= 2;
        }
        runs
    };
    let jobs: Vec<&Job> = contest.ours.iter().chain(&contest.raw).collect();
    let runs: Vec<u32> = jobs.iter().map(|job| enough(job)).collect();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); jobs.len()];
    for _ in 0..turns {
        for ((job, runs), times) in jobs.iter().zip(&runs).zip(&mut times) {
            // Not counted, because the other jobs have evicted the caches.
            time(job, *runs);
            times.extend((0..IN_A_TURN).map(|_| time(job, *runs).as_secs_f64() / f64::from(*runs)));
        }
    }
    let raw = times.split_off(contest.ours.len());
    (times, raw)
}

/// The quantile: the value that this share of the values is below.
fn quantile(values: &[f64], share: usize, of: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) * share / of]
}

pub(crate) fn print_ratios(contests: &[Contest]) {
    println!("\nratio: ours / raw, measured in the same turn; the median of all turns of this run");
    println!("(in brackets: the middle half of the ratios is between these two)\n");
    println!(
        "{:<11} {:<11} {:<35} {:<27} {:>10} {:>10} {:>6}",
        "operation", "algorithm", "this library", "raw", "ours", "raw", "ratio"
    );
    for contest in contests {
        let (ours, raw) = in_turns(contest);
        for (job, ours) in contest.ours.iter().zip(&ours) {
            for (peer, raw) in contest.raw.iter().zip(&raw) {
                print_ratio(contest, (job.name, ours), (peer.name, raw));
            }
        }
    }
    println!("\nrsa-2048 keygen searches for primes, so its times and its ratio are random.");
}

fn print_ratio(contest: &Contest, ours: (&str, &[f64]), raw: (&str, &[f64])) {
    let each: Vec<f64> = ours.1.iter().zip(raw.1).map(|(ours, raw)| ours / raw).collect();
    println!(
        "{:<11} {:<11} {:<35} {:<27} {:>7.1} µs {:>7.1} µs {:>6.2} [{:.2} {:.2}]",
        contest.operation,
        contest.algorithm.to_string(),
        ours.0,
        raw.0,
        quantile(ours.1, 1, 2) * 1e6,
        quantile(raw.1, 1, 2) * 1e6,
        quantile(&each, 1, 2),
        quantile(&each, 1, 4),
        quantile(&each, 3, 4),
    );
}
