//! `etcdpki export`

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use pki_core::{
    APISERVER_CLIENT, Certificate, ClusterCas, FileKind, KeyStoreContents, Owner, Role, quote,
};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::cluster::FolderArgs;
use super::{Common, complete};
use crate::archive::{self, Member};
use crate::ca;
use crate::failure::{Failure, shown};
use crate::host;
use crate::hosts::{self, HeldFile};
use crate::output::{Format, json};
use crate::pairs::{self, Bundle, Pair};
use crate::store::{self, Access, Batch, Existing};

/// Pack a host's folder into one file: a tar.gz, kubeadm's layout, or PKCS #12
///
/// Reads the host's folder in the CA's folder and needs no CA key. Refuses an incomplete folder. Archives of the same
/// files are identical byte for byte. Files in an archive have their owner on the host by name: `etcd` owns etcd's keys,
/// and `root` owns everything else.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki export etcdone -f cluster.yaml\n  \
    etcdpki export etcdone -f cluster.yaml -o - | \\\n      \
    ssh root@etcdone 'cd \"$(mktemp -d)\" && tar -xzf - && sh install.sh && rm -r \"$PWD\"'\n  \
    etcdpki export masterone -f cluster.yaml --as kubeadm -o - | \\\n      \
    ssh root@masterone tar -xzf - -C /etc/kubernetes\n  \
    etcdpki export admin -f cluster.yaml --as pkcs12 --password-file password.txt -o keystores")]
pub(crate) struct ExportArgs {
    /// The host
    #[arg(value_name = "HOST", add = complete::hosts())]
    host: String,

    #[command(flatten)]
    folder: FolderArgs,

    /// The format to pack it in
    #[arg(long = "as", value_enum, default_value_t, value_name = "FORM")]
    form: Form,

    /// The file to write; `-` is standard output. With --as pkcs12, the folder to write to
    ///
    /// Default: HOST.tar.gz, or HOST-NAME.p12 for each certificate, in the current folder.
    #[arg(short, long, value_name = "PATH")]
    out: Option<PathBuf>,

    /// Replace existing files
    #[arg(long)]
    force: bool,

    /// The file whose first line is the password of PKCS #12; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,

    /// The variable of the environment that holds the password of PKCS #12
    #[arg(long, value_name = "VARIABLE")]
    password_env: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Form {
    /// The folder as it is, in a tar.gz
    #[default]
    Bundle,
    /// Certificates and keys where kubeadm keeps them, in a tar.gz to unpack in /etc/kubernetes
    Kubeadm,
    /// Each certificate with its key and the CA in a PKCS #12 file
    Pkcs12,
}

#[derive(Serialize)]
struct ExportOutput {
    host: String,
    files: Vec<Exported>,
}

/// A file that was written, and its contents.
#[derive(Serialize)]
struct Exported {
    file: String,
    contents: Vec<String>,
}

pub(crate) fn run(args: &ExportArgs, common: &Common) -> Result<ExitCode, Failure> {
    let password = password(args)?;
    let to_stdout = args.out.as_deref() == Some(Path::new("-"));
    if to_stdout && common.format == Format::Json {
        return Err(Failure::usage("--out - and --format json both write to standard output")
            .hinted("name a file with --out"));
    }
    let folder = args.folder.of_cluster(common)?;
    let files = find(&args.host, &folder)?;
    let cas = ca::read_cluster(&ca::folders_in(&folder)?)?;
    let bundle = pairs::read(&args.host, &files, &cas)?;
    let made = match (args.form, &password) {
        (Form::Pkcs12, Some(password)) => key_stores(args, &bundle, &cas, password)?,
        (Form::Kubeadm, _) => vec![archive(args, kubeadm(&bundle, &files), &bundle)?],
        _ => vec![archive(args, as_it_is(&bundle, &files), &bundle)?],
    };
    if to_stdout {
        let [made] = made.as_slice() else {
            return Err(Failure::usage(format!(
                "{} has {} certificates, and standard output takes one file",
                args.host,
                made.len()
            ))
            .hinted("name a folder with --out"));
        };
        host::print_bytes(&made.bytes)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let (Form::Pkcs12, Some(folder)) = (args.form, &args.out) {
        store::make_folder(folder, Access::Public)?;
    }
    let mut batch = Batch::new(if args.force { Existing::Replace } else { Existing::Keep });
    for made in &made {
        batch.stage(made.path.clone(), &made.bytes, Access::Secret)?;
    }
    batch.commit()?;
    let files: Vec<Exported> = made
        .into_iter()
        .map(|made| Exported { file: made.path.display().to_string(), contents: made.contents })
        .collect();
    if common.format == Format::Json {
        json::print(&ExportOutput { host: args.host.clone(), files })?;
    } else {
        let line = |made: &Exported| {
            let contents: Vec<String> =
                made.contents.iter().map(|name| quote::name(name)).collect();
            format!("{}: {}\n", quote::name(&made.file), contents.join(", "))
        };
        host::print(&files.iter().map(line).collect::<String>())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A file to write.
struct Made {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    /// The files that are packed in it.
    contents: Vec<String>,
}

/// The files of a host, which must be one that has a folder.
fn find(host: &str, folder: &Path) -> Result<BTreeMap<OsString, HeldFile>, Failure> {
    let all = folder.join(hosts::FOLDER);
    let known = hosts::list(&all)?;
    if known.iter().any(|known| known == host) {
        return hosts::read(&all.join(host));
    }
    let hint = if known.is_empty() {
        "make the hosts' folders with etcdpki apply; or name the manifest with -f, or the CA's folder with --dir"
            .to_owned()
    } else {
        format!("one of: {}", known.join(", "))
    };
    let (host, all) = (quote::value(host), shown(&all));
    Err(Failure::usage(format!("{host}: no such host in {all}")).hinted(hint))
}

/// The password of PKCS #12, from the source that the command line names. It is never on the command line itself, which
/// every user of the machine can read.
fn password(args: &ExportArgs) -> Result<Option<Zeroizing<String>>, Failure> {
    let (from, bytes) = match (&args.password_file, &args.password_env) {
        (Some(path), _) if path == Path::new("-") => ("standard input".into(), store::read(path)?),
        (Some(path), _) => (shown(path), store::read_secret(path)?),
        (None, Some(name)) => {
            let value = host::variable(name).ok_or_else(|| {
                Failure::usage(format!("--password-env {name}: there is no such variable"))
                    .hinted("export it, or use --password-file")
            })?;
            (format!("${name}"), value)
        }
        (None, None) if args.form == Form::Pkcs12 => {
            return Err(Failure::usage("--as pkcs12 needs a password").hinted(
                "name its file with --password-file, or its variable with --password-env",
            ));
        }
        (None, None) => return Ok(None),
    };
    if args.form != Form::Pkcs12 {
        return Err(Failure::usage(
            "a password works only with --as pkcs12; a tar.gz is not encrypted",
        )
        .hinted("leave it out, or add --as pkcs12"));
    }
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| {
        Failure::usage(format!("the password in {from} is not UTF-8"))
            .hinted("programs do not agree on such passwords; choose another")
    })?;
    if text.is_empty() {
        return Err(Failure::usage(format!("the password in {from} is empty"))
            .hinted("write it on the first line"));
    }
    Ok(Some(Zeroizing::new(text.to_owned())))
}

fn archive(args: &ExportArgs, files: Vec<Member<'_>>, bundle: &Bundle) -> Result<Made, Failure> {
    let path = args.out.clone().unwrap_or_else(|| format!("{}.tar.gz", args.host).into());
    let mut contents: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    contents.sort();
    // A constant time, so that the same files give the same bytes; tar warns about time 0.
    let begins = bundle.pairs.iter().map(|pair| pair.chain[0].not_before);
    let modified = begins.max().unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let bytes = archive::tar_gz(files, modified)
        .map_err(|error| Failure::environment(format!("packing {}: {error}", shown(&path))))?;
    Ok(Made { path, bytes, contents })
}

/// The mode of a file in an archive: never looser than on the disk, and readable by everybody only
/// if the file is known to contain no secret.
fn mode(bundle: &Bundle, name: &OsString, file: &HeldFile) -> u32 {
    let access = if bundle.public.contains(name) { Access::Public } else { Access::Secret };
    access.mode() & file.mode
}

fn as_it_is<'a>(bundle: &Bundle, files: &'a BTreeMap<OsString, HeldFile>) -> Vec<Member<'a>> {
    let owner = |name: &OsString| {
        name.to_str().and_then(FileKind::from_name).map_or(Owner::Root, |kind| kind.owner())
    };
    let member = |(name, file): (&OsString, &'a HeldFile)| Member {
        path: name.to_string_lossy().into_owned(),
        contents: &file.contents,
        mode: mode(bundle, name, file),
        owner: owner(name),
    };
    files.iter().map(member).collect()
}

/// Certificates and keys under the names that kubeadm gives them, below /etc/kubernetes: the API server's
/// client certificate in `pki`, everything else in `pki/etcd`. A certificate for both ports gets both names.
fn kubeadm<'a>(bundle: &Bundle, files: &'a BTreeMap<OsString, HeldFile>) -> Vec<Member<'a>> {
    let mut members = Vec::new();
    let mut add = |path: String, name: &str| {
        if let Some((name, file)) = files.get_key_value(&OsString::from(name)) {
            let mode = mode(bundle, name, file);
            // kubeadm runs etcd as root.
            members.push(Member { path, contents: &file.contents, mode, owner: Owner::Root });
        }
    };
    add("pki/etcd/ca.crt".to_owned(), &FileKind::TrustedCas.name());
    add("pki/etcd/client-ca.crt".to_owned(), &FileKind::ClientCas.name());
    add("pki/etcd/peer-ca.crt".to_owned(), &FileKind::PeerCas.name());
    for Pair { role, .. } in &bundle.pairs {
        let in_etcd = |role: &Role| format!("etcd/{}", role.base());
        let places = match role {
            Role::Member => vec![in_etcd(&Role::Server), in_etcd(&Role::Peer)],
            Role::Client(name) if name == APISERVER_CLIENT => vec![name.clone()],
            other => vec![in_etcd(other)],
        };
        for place in places {
            add(format!("pki/{place}.crt"), &role.certificate_file());
            add(format!("pki/{place}.key"), &role.key_file());
        }
    }
    members
}

/// A PKCS #12 file for each pair, with its chain and the CAs that the host trusts.
fn key_stores(
    args: &ExportArgs,
    bundle: &Bundle,
    cas: &ClusterCas,
    password: &str,
) -> Result<Vec<Made>, Failure> {
    let trusted: Vec<Certificate> = cas.trusted().into_iter().cloned().collect();
    let folder = args.out.clone().unwrap_or_default();
    let made = bundle.pairs.iter().map(|Pair { role, chain, key }| {
        let name = format!("{}-{}", args.host, role.base());
        let contents = KeyStoreContents { name: &name, key, chain, trusted: &trusted };
        let bytes = contents.to_pkcs12(password)?;
        let trusted = FileKind::TrustedCas.name().into_owned();
        let contents = vec![role.certificate_file(), role.key_file(), trusted];
        Ok(Made { path: folder.join(format!("{name}.p12")), bytes, contents })
    });
    made.collect()
}
