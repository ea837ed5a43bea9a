//! The results of `verify` in every output format, printed one outcome at a time.
//!
//! A worker renders each [`Outcome`], and the printer only joins the rendered outcomes, so memory does not grow with the
//! number of files. A new output format is a file with a type that implements `form::Form`.

mod form;
mod github;
mod json;
mod junit;
mod outcome;
mod printer;
mod sarif;
mod text;
mod totals;

pub(crate) use self::form::{Rendered, View};
pub(crate) use self::outcome::{EndpointFacts, Found, Outcome, Place, Verified};
pub(crate) use self::printer::Verdict;
pub(crate) use self::totals::Skipped;
