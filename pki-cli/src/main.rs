//! The `etcdpki` program. All of its code is in the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    pki_cli::main()
}
