//! What `verify` found, in every form, printed outcome by outcome as it comes.
//!
//! A worker renders each [`Outcome`]; the printer only joins what was rendered. Nothing is held that grows
//! with the number of files. A new form is a file with a type that implements `form::Form`.

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
pub(crate) use self::outcome::{EndpointFacts, Found, Judged, Outcome, Place};
pub(crate) use self::printer::Verdict;
pub(crate) use self::totals::PassedOver;
