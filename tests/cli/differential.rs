//! The edits of certificates with which the tests of the library compare verifiers.

#[path = "../core/differential/random.rs"]
pub(crate) mod random;
#[path = "../core/differential/go/tree.rs"]
pub(crate) mod tree;
