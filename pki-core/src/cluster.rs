//! Computes the certificates that each host should have from a manifest, and a plan from the files that it has.

mod ca_limit;
mod compare;
mod generation;
mod specs;

pub use self::ca_limit::{CaLimit, CaStage};
pub use self::compare::{Action, Drift, Held};
pub use self::specs::CertificateSpec;
