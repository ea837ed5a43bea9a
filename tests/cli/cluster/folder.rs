//! The location of the CA's folder: `apply` in another folder must not create a second CA.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;

use super::*;

/// All folders of a lab that contain a CA, at any depth.
fn cas(lab: &Lab) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.file_name().is_some_and(|name| name == "ca-key.pem") {
                found.push(folder.to_owned());
            }
            if entry.file_type().unwrap().is_dir() {
                walk(&path, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(lab.folder(), &mut found);
    let names = found.iter().map(|path| path.strip_prefix(lab.folder()).unwrap().to_owned());
    let mut names: Vec<PathBuf> = names.collect();
    names.sort();
    names
}

/// A manifest in `site`, and a folder `elsewhere` to run commands in.
fn site(manifest: &str) -> Lab {
    let lab = Lab::new();
    fs::create_dir(lab.path("site")).unwrap();
    fs::create_dir(lab.path("elsewhere")).unwrap();
    lab.write("site/cluster.yaml", manifest);
    lab
}

#[track_caller]
fn run_in(lab: &Lab, folder: &str, args: &[&str]) -> Run {
    lab.command(args).current_dir(lab.path(folder)).output().unwrap().into()
}

#[track_caller]
fn ok_in(lab: &Lab, folder: &str, args: &[&str]) -> String {
    let run = run_in(lab, folder, args);
    assert_eq!(run.code, 0, "{folder}: etcdpki {args:?}: {run:?}");
    run.stdout
}

#[test]
fn apply_from_another_folder_makes_no_second_ca() {
    let lab = site(LAB);
    ok_in(&lab, "site", APPLY);
    let before = lab.read("site/pki/ca.pem");
    let relative = ["apply", "-f", "../site/cluster.yaml"];
    let absolute = lab.path("site/cluster.yaml");
    for folder in ["elsewhere", "."] {
        let file = if folder == "." { "site/cluster.yaml" } else { relative[2] };
        for file in [file, absolute.to_str().unwrap()] {
            assert_eq!(ok_in(&lab, folder, &["apply", "-f", file]), "nothing to do\n");
            assert_eq!(ok_in(&lab, folder, &["plan", "-f", file]).matches("  keep ").count(), 7);
            ok_in(&lab, folder, &["status", "-f", file]);
            ok_in(&lab, folder, &["verify", "-f", file]);
            ok_in(&lab, folder, &["export", "etcdone", "-f", file, "--force"]);
        }
    }
    assert_eq!(cas(&lab), [Path::new("site/pki")]);
    assert_eq!(lab.read("site/pki/ca.pem"), before);
}

#[test]
fn the_folder_is_beside_the_file_that_a_linked_manifest_leads_to() {
    let lab = site(LAB);
    symlink("../site/cluster.yaml", lab.path("elsewhere/cluster.yaml")).unwrap();
    symlink("site", lab.path("linked")).unwrap();
    ok_in(&lab, "elsewhere", APPLY);
    assert_eq!(ok_in(&lab, ".", &["apply", "-f", "linked/cluster.yaml"]), "nothing to do\n");
    assert_eq!(cas(&lab), [Path::new("site/pki")]);
}

#[test]
fn the_option_wins_over_the_environment_over_the_manifest_over_its_folder() {
    let lab = site(&format!("dir: ../in-manifest\n{LAB}"));
    let with = |variable: Option<&str>, args: &[&str]| {
        let mut command = lab.command(args);
        command.current_dir(lab.path("elsewhere"));
        if let Some(variable) = variable {
            command.env("ETCDPKI_DIR", variable);
        }
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
    };
    let apply = ["apply", "-f", "../site/cluster.yaml"];
    let mut expected: Vec<PathBuf> = Vec::new();
    for (variable, option, made) in [
        (None, None, "in-manifest"),
        (Some("in-environment"), None, "elsewhere/in-environment"),
        (Some("in-environment"), Some("in-option"), "elsewhere/in-option"),
    ] {
        let option: Vec<&str> = option.map(|dir| ["--dir", dir]).into_iter().flatten().collect();
        with(variable, &[&apply[..], &option].concat());
        expected.push(made.into());
        expected.sort();
        assert_eq!(cas(&lab), expected);
    }
}

#[test]
fn a_dir_in_the_manifest_may_be_absolute_and_a_tilde_is_not_expanded() {
    let lab = Lab::new();
    let absolute = lab.path("srv/pki");
    lab.write("cluster.yaml", format!("dir: {}\n{LAB}", absolute.display()));
    lab.ok(APPLY);
    assert_eq!(cas(&lab), [Path::new("srv/pki")]);
    for wrong in ["~/pki", "$HOME/pki", "''", "\"a\\nb\"", "[pki]"] {
        lab.write("cluster.yaml", format!("dir: {wrong}\n{LAB}"));
        let run = lab.run(PLAN);
        assert_eq!(run.code, 2, "{wrong}: {run:?}");
        assert!(run.stderr.contains("dir"), "{run:?}");
    }
}

/// A manifest from a pipe is not in any folder.
#[test]
fn a_manifest_from_a_pipe_has_its_folder_in_the_current_one() {
    for file in ["-", "/dev/stdin"] {
        let lab = Lab::new();
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut command = lab.command(&["apply", "-f", file]);
        let child = command.stdin(reader).stdout(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut writer, LAB.as_bytes()).unwrap();
        drop((writer, command));
        assert!(child.wait_with_output().unwrap().status.success());
        assert_eq!(cas(&lab), [Path::new("pki")], "{file}");
    }
}

#[test]
fn creating_a_ca_prints_the_full_path_of_its_folder() {
    let lab = with_manifest(LAB);
    let made = lab.ok(&["--dir", "new", "init-ca"]);
    let line = format!("created the CA CN=etcd CA in {}\n", lab.path("new").display());
    assert!(made.starts_with(&line), "{made}");
    let line = format!("  create   the CA CN=etcd CA: {}\n", lab.path("pki/ca.pem").display());
    assert!(lab.ok(APPLY).starts_with(&line));
}

#[test]
fn status_and_verify_name_the_folder_that_they_looked_in() {
    let lab = applied(LAB);
    let folder = lab.path("pki").display().to_string();
    assert!(lab.ok(&["status", "-f", "cluster.yaml"]).starts_with(&format!("{folder}\n")));
    let status = lab.run(&["status", "-f", "cluster.yaml", "--format", "json"]);
    assert_eq!(json(&status)["folder"], folder.as_str());
    let verified = lab.ok(&["verify", "-f", "cluster.yaml"]);
    assert!(verified.contains(&format!("against the manifest, in {folder}, at ")), "{verified}");
}
