//! From a manifest to the certificates that each host should hold, and from what it holds to a plan.

mod compare;
mod specs;

pub use self::compare::{Action, Drift, Held};
pub use self::specs::CertificateSpec;
