//! The results of `verify` in every output format, printed one outcome at a time.
//!
//! A worker renders each [`Outcome`], and the printer only joins the rendered outcomes, so memory does not grow with the
//! number of files. A new output format is a file with a type that implements `form::Form`, and a line in `render`.

mod form;
mod github;
mod json;
mod junit;
mod outcome;
mod printer;
mod render;
mod sarif;
mod text;
mod totals;

pub(crate) use self::form::View;
pub(crate) use self::outcome::{EndpointFacts, Location, Outcome, ReportedFinding, Verified};
pub(crate) use self::printer::Verdict;
pub(crate) use self::render::Rendered;
pub(crate) use self::totals::Skipped;
