//! `verify`: what it reads, what counts, and its output formats.

mod cas_and_keys;
mod client;
mod counting;
mod forms;
mod inputs;
mod pem;
mod proved;
mod trust;
mod warnings;

use crate::bad_input;
use crate::lab::{Lab, Run};

/// A folder `certs` with a valid server certificate, a client certificate, an expired one, and a file that is not a
/// certificate, together with their CA, their keys and a request.
fn mixed() -> Lab {
    let lab = Lab::with_ca(&[]);
    std::fs::create_dir_all(lab.path("certs/more")).unwrap();
    lab.ok(&["issue", "--profile", "server", "good", "--out", "certs", "--san", "10.0.0.1"]);
    lab.ok(&["issue", "--profile", "client", "client", "--out", "certs/more"]);
    lab.write("certs/ca.pem", lab.read("pki/ca.pem"));
    lab.write("certs/bad.crt", "404 page not found\n");
    lab.write("certs/notes.txt", "not a certificate, and not asked for\n");
    lab.write("certs/.hidden.pem", "an editor's\n");
    lab
}

/// The output of a run without the parts that change from run to run.
fn redacted(lab: &Lab, run: &Run) -> String {
    let text = format!("exit {}\n{}--- standard error\n{}", run.code, run.stdout, run.stderr);
    bad_input::redacted(&text, lab.folder())
}
