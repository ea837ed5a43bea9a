//! `etcdpki cfssl install DIR`: links under the names that scripts call.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::names::Program;
use crate::failure::{Failure, shown};
use crate::host;
use crate::store::{self, Access};

/// Makes a link to this program for each name of cfssl. A file of another program is not replaced.
pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let [folder] = arguments else {
        return Err(Failure::usage("install needs one folder")
            .hinted("write etcdpki cfssl install DIR, with a folder that comes first in PATH"));
    };
    let folder = Path::new(folder);
    let program = host::program()?;
    store::make_folder(folder, Access::Public)?;
    let links: Vec<_> = Program::NAMES.iter().map(|(name, _)| folder.join(name)).collect();
    for link in &links {
        check_place(link, &program)?;
    }
    for link in &links {
        match symlink(&program, link) {
            Ok(()) => {}
            // The check above showed that the link is ours.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::file("making the link", link, &error)),
        }
        host::print(&format!("{} -> {}\n", shown(link), shown(&program)))?;
    }
    Ok(())
}

/// Refuses a name that another file has.
fn check_place(link: &Path, program: &Path) -> Result<(), Failure> {
    if !store::is_there(link)? || fs::canonicalize(link).is_ok_and(|target| target == program) {
        return Ok(());
    }
    Err(Failure::environment(format!("{} exists and is another program", shown(link)))
        .hinted("choose another folder and put it first in PATH"))
}
