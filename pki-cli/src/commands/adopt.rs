//! `etcdpki adopt`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{
    AdoptedFile, AdoptedFolder, Adoption, CaSet, Certificate, ClusterCas, FileKind, Manifest,
    Purpose, Traffic,
};

use super::Common;
use super::small_folder::files_of;
use crate::ca::{certificate_path, folder_of};
use crate::failure::{Failure, shown};
use crate::output::{Format, json};
use crate::store::{self, Access, Batch, Existing};
use crate::{host, hosts};

/// Write a manifest for a cluster that another tool made, and copy its certificates to the hosts' folders
///
/// Reads one folder for each member, or one with the files of all members, and etcd's configuration in them:
/// kubeadm's /etc/kubernetes, kubespray's /etc/ssl/etcd/ssl, RKE's /etc/kubernetes/ssl, etcdadm's and easy-rsa's
/// pki, or any names that etcd.conf.yaml, etcd.service, a pod or an environment file mentions. The folders stay
/// as they are, and no existing file is replaced. `etcdpki plan` then shows what differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    etcdpki adopt node1/ node2/ node3/ && etcdpki plan -f cluster.yaml")]
pub(crate) struct AdoptArgs {
    /// The folders copied from the hosts. A folder belongs to the host in etcd's configuration, in its server
    /// certificate, or otherwise to the host of the same name
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// The manifest to write
    #[arg(short = 'f', long = "file", value_name = "NEW-MANIFEST", default_value = "cluster.yaml")]
    manifest: PathBuf,
}

pub(crate) fn run(args: &AdoptArgs, common: &Common) -> Result<ExitCode, Failure> {
    if args.manifest == Path::new("-") {
        return Err(Failure::usage(
            "--file -: the manifest must be a file, because the CA's folder is created beside it",
        )
        .hinted("name a file with --file"));
    }
    let mut folders = Vec::new();
    for folder in &args.folders {
        folders.push(read_folder(folder)?);
    }
    let adoption = Adoption::read(&folders)
        .map_err(|mistakes| Failure::mistakes(mistakes, "in the folders"))?;
    let manifest = Manifest::from_yaml(adoption.manifest.as_bytes())
        .map_err(|mistakes| Failure::mistakes(mistakes, "in the folders"))?;
    let ca_folder = common.folder_of(&args.manifest, &manifest);
    let mut batch = NewFiles(Batch::new(Existing::Keep));
    batch.0.check_place(&args.manifest)?;
    store::make_folder(&ca_folder, Access::Secret)?;
    for (traffic, ca) in &adoption.cas {
        let folder = folder_of(&ca_folder, *traffic);
        store::make_folder(&folder, Access::Secret)?;
        batch.stage(certificate_path(&folder), ca.to_pem()?.as_bytes(), Access::Public)?;
    }
    let all = ca_folder.join(hosts::FOLDER);
    store::make_folder(&all, Access::Secret)?;
    let mut names: Vec<&str> = adoption.pairs.iter().map(|pair| pair.host.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in &names {
        let folder = all.join(name);
        store::make_folder(&folder, Access::Secret)?;
        for (kind, contents) in trust_files(&adoption.cas, &manifest, name)? {
            batch.stage(folder.join(&*kind.name()), contents.as_bytes(), Access::Public)?;
        }
    }
    let mut remarks = adoption.remarks.clone();
    for pair in &adoption.pairs {
        let (from, to) = (&args.folders[pair.folder], all.join(&pair.host));
        let certificate = store::read(&from.join(&pair.certificate))?;
        let path = from.join(&pair.key);
        // Other tools give keys to groups, and a key that others could read is still the key.
        if let Some(mode) = store::mode_for_others(&path)? {
            remarks.push(format!(
                "{} has mode {mode:04o}: users other than its owner could read it; the copy has mode 0600",
                shown(&path)
            ));
        }
        let key = store::read_regular(&path)?;
        batch.stage(to.join(pair.role.key_file()), &key, Access::Secret)?;
        batch.stage(to.join(pair.role.certificate_file()), &certificate, Access::Public)?;
    }
    batch.stage(args.manifest.clone(), adoption.manifest.as_bytes(), Access::Public)?;
    batch.0.commit()?;
    for remark in &remarks {
        host::say(&format!("warning: {remark}\n"));
    }
    let done = Done {
        manifest: args.manifest.display().to_string(),
        folder: ca_folder.display().to_string(),
        hosts: names,
        pairs: adoption.pairs.len(),
        remarks: &remarks,
    };
    match common.format {
        Format::Json => json::print(&done)?,
        _ => host::print(&format!(
            "{}: {} certificates in {}, hosts: {}\n",
            done.manifest,
            done.pairs,
            done.folder,
            done.hosts.len()
        ))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The files to write. A file that has the right contents already, because an earlier run was killed, stays.
struct NewFiles(Batch);

impl NewFiles {
    fn stage(&mut self, path: PathBuf, contents: &[u8], access: Access) -> Result<(), Failure> {
        match store::read_regular(&path) {
            Ok(there) if *there == *contents => {
                store::sweep_shared(path.parent().unwrap_or(Path::new(".")));
                Ok(())
            }
            _ => self.0.stage(path, contents, access),
        }
    }
}

/// The files of a host with the CAs to trust. With separate CAs, members have one for each port.
fn trust_files(
    cas: &[(Option<Traffic>, Certificate)],
    manifest: &Manifest,
    host: &str,
) -> Result<Vec<(FileKind, String)>, Failure> {
    let [(_, server), others @ ..] = cas else {
        return Err(Failure::bug("a cluster without a CA"));
    };
    let is_member = manifest.etcd.iter().any(|member| member.name == host);
    let mut files = vec![(FileKind::TrustedCas, server.to_pem()?)];
    if let ([(_, peer), (_, client)], true) = (others, is_member) {
        let set = |ca: &Certificate| CaSet::new(vec![ca.clone()]);
        let cas = ClusterCas { server: set(server)?, peer: set(peer)?, client: set(client)? };
        files.push((FileKind::ClientCas, cas.trust_pem(Purpose::Client)?));
        files.push((FileKind::PeerCas, cas.trust_pem(Purpose::Peer)?));
    }
    Ok(files)
}

/// What was done, for programs.
#[derive(serde::Serialize)]
struct Done<'a> {
    manifest: String,
    folder: String,
    hosts: Vec<&'a str>,
    pairs: usize,
    remarks: &'a [String],
}

fn read_folder(folder: &Path) -> Result<AdoptedFolder, Failure> {
    if !folder.is_dir() {
        return Err(Failure::environment(format!("{} is not a folder", shown(folder)))
            .hinted("name the folder that was copied from a member"));
    }
    let paths = files_of(folder).ok_or_else(|| {
        Failure::usage(format!("{} has more than 1000 files", shown(folder)))
            .hinted("name the folder of one host or of one cluster")
    })?;
    let mut files = Vec::new();
    for path in paths {
        // The manifest does not need the contents of a key, which is only copied.
        let is_key = ["-key.pem", ".key"].iter().any(|ending| path.ends_with(ending));
        let contents = if is_key { Vec::new() } else { store::read(&folder.join(&path))?.to_vec() };
        files.push(AdoptedFile { path, contents });
    }
    let name = folder.canonicalize().ok();
    let name = name.as_deref().unwrap_or(folder).file_name().unwrap_or_default();
    Ok(AdoptedFolder { name: name.to_string_lossy().into_owned(), files })
}
