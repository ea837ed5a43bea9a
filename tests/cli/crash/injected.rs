//! Every system call that writes fails once, or is interrupted by a signal: `tests/inject`, with a sample of the errors.

use crate::lab::Lab;
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

/// The limit of processes is reached: the command does without threads what it otherwise does with them.
#[test]
fn an_rsa_key_is_generated_where_no_thread_or_only_one_can_be_started() {
    let lab = Lab::with_ca(&[]);
    for (name, when) in [("none", "1+"), ("first", "2+"), ("second", "1")] {
        let mut strace = peers::program("strace");
        strace.args(["-f", "-qq", "-o", "trace", "-e", "trace=clone,clone3"]);
        strace.args(["-e", &format!("inject=clone,clone3:error=EAGAIN:when={when}")]);
        strace.arg(env!("CARGO_BIN_EXE_etcdpki"));
        strace.args(["issue", "--profile", "client", "--key", "rsa-2048", name]);
        let output = strace.current_dir(lab.folder()).env_remove("ETCDPKI_DIR").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8(lab.read("trace")).unwrap().contains("INJECTED"));
        lab.ok(&["verify", &format!("{name}.pem"), "--key", &format!("{name}-key.pem")]);
    }
}
