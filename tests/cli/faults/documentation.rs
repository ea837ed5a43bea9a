//! docs/faults.md says what the tests see.
