//! Links the release build for short runs, in which most of the time and memory goes into loading the program.
//!
//! Everything here is optional: what another compiler or linker does not support is left out.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The only target that is linked with the LLD of Rust by default.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    println!("cargo::rerun-if-changed=link/order.ld");
    let is_for_this_host = ["TARGET", "HOST"].iter().all(|name| variable(name) == TARGET);
    let has_own_linker = env::var_os("RUSTC_LINKER").is_some()
        || variable("CARGO_ENCODED_RUSTFLAGS").contains("link");
    if variable("PROFILE") != "release" || !is_for_this_host || has_own_linker {
        return;
    }
    if let Some(folder) = folder_of_lld() {
        order_functions(&folder);
    }
    // The shared libgcc is one more file to load, and asks the processor for all of its features.
    if let Some(folder) = folder_of_library("libgcc_eh.a") {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Places the functions of common runs next to each other. The kernel maps a program in pieces of 64 KB or more, each when
/// the first of its functions is called.
fn order_functions(lld: &Path) {
    let order = Path::new(&variable("CARGO_MANIFEST_DIR")).join("link/order.ld");
    for argument in [
        format!("-B{}", lld.display()),
        "-fuse-ld=lld".to_owned(),
        format!("-Wl,--script={}", order.display()),
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}

/// The folder of the LLD that comes with Rust. Not every linker reads the script, so only this one gets it.
fn folder_of_lld() -> Option<PathBuf> {
    let sysroot = output(&variable("RUSTC"), &["--print", "sysroot"])?;
    let folder = Path::new(&sysroot).join(format!("lib/rustlib/{TARGET}/bin/gcc-ld"));
    folder.join("ld.lld").exists().then_some(folder)
}

/// The folder of a library of the C compiler, which answers with the bare name if it does not have the library.
fn folder_of_library(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(output("cc", &[&format!("-print-file-name={name}")])?);
    path.parent().filter(|_| path.is_absolute()).map(Path::to_owned)
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
