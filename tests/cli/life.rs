//! A cluster after its first day: time passes, certificates and CAs are renewed and replaced.

mod foreign_cas;
mod renewal;
mod rotation;
mod runbooks;
mod timer;
mod years;

use serde_json::Value;
use time::{Date, Duration, Month};

use crate::lab::{Lab, Run};

/// The day on which every cluster here begins.
const FIRST: Date = match Date::from_calendar_date(2026, Month::January, 1) {
    Ok(date) => date,
    Err(_) => unreachable!(),
};

const APPLY: &[&str] = &["apply", "-f", "cluster.yaml"];
const PLAN: &[&str] = &["plan", "-f", "cluster.yaml"];
const STATUS: &[&str] = &["status", "-f", "cluster.yaml"];

/// A day after the first one, as faketime reads it.
fn day(after: i64) -> String {
    (FIRST + Duration::days(after)).to_string()
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// Runs on this day, expects success, and returns what was printed on both streams.
fn ok_on(lab: &Lab, after: i64, args: &[&str]) -> String {
    let run = lab.run_at(&day(after), args);
    assert_eq!(run.code, 0, "day {after}: etcdpki {args:?}: {run:?}");
    run.stdout + &run.stderr
}

/// A lab with this manifest, applied on the first day.
fn applied(manifest: &str) -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest);
    ok_on(&lab, 0, APPLY);
    lab
}
