//! Every system call that writes fails once, or is interrupted by a signal: `tests/inject`, with a sample of the errors.

use crate::peers;

#[test]
fn what_fails_or_is_interrupted_at_any_call_leaves_the_old_state_or_the_new_one() {
    peers::program("strace");
    let script = peers::root().join("tests/inject");
    let mut python = peers::program("python3");
    let output =
        python.arg(script).args([env!("CARGO_BIN_EXE_etcdpki"), "--sample"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(" runs, 0 problems"), "{said}");
}
