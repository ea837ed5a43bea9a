//! Certificates with one fault that etcdpki would not issue, created by OpenSSL with the lab's own CA.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::machines::Machines;
use crate::machines::network::MEMBERS;
use crate::peers;
use crate::process::finish;

/// A certificate to create. It starts out as etcdpki would issue it, and a fault changes one thing.
#[derive(Clone)]
pub(super) struct Forged {
    folder: PathBuf,
    common_name: String,
    /// Extensions in OpenSSL's syntax (reference: x509v3_config in its manual).
    extensions: Vec<(&'static str, String)>,
    /// The CA's files without their extensions, or `None` for a self-signed certificate.
    issuer: Option<PathBuf>,
    /// The options of `openssl req` that choose the key.
    key: Vec<String>,
    digest: &'static str,
    string_mask: &'static str,
    begin: OffsetDateTime,
    end: OffsetDateTime,
}

impl Forged {
    fn new(machines: &Machines, common_name: &str, extensions: &[(&'static str, &str)]) -> Self {
        let now = OffsetDateTime::now_utc();
        let extensions = extensions.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            folder: machines.lab.folder().to_owned(),
            common_name: common_name.to_owned(),
            extensions: extensions.collect(),
            issuer: Some(machines.lab.path("pki/ca")),
            key: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"].map(str::to_owned).into(),
            digest: "sha256",
            string_mask: "pkix",
            begin: now - Duration::minutes(5),
            end: now + Duration::days(300),
        }
    }

    fn leaf(machines: &Machines, common_name: &str, usages: &str, names: &str) -> Self {
        let extensions = [
            ("basicConstraints", "critical,CA:FALSE"),
            ("keyUsage", "critical,digitalSignature"),
            ("extendedKeyUsage", usages),
            ("subjectAltName", names),
            ("subjectKeyIdentifier", "hash"),
            ("authorityKeyIdentifier", "keyid"),
        ];
        Self::new(machines, common_name, &extensions)
    }

    /// A member's server certificate.
    pub(super) fn server(machines: &Machines, name: &str) -> Self {
        let address = machines.network.address(name);
        let names =
            format!("DNS:{name},DNS:localhost,IP:127.0.0.1,DNS:{name}.example.com,IP:{address}");
        Self::leaf(machines, name, "serverAuth,clientAuth", &names)
    }

    /// A member's peer certificate.
    pub(super) fn peer(machines: &Machines, name: &str) -> Self {
        let names = peer_names(machines, &machines.network.address(name));
        Self::leaf(machines, name, "serverAuth,clientAuth", &names)
    }

    /// The API server's certificate.
    pub(super) fn client(machines: &Machines) -> Self {
        let name = "DNS:apiserver-etcd-client.invalid";
        Self::leaf(machines, "kube-apiserver-etcd-client", "clientAuth", name)
    }

    /// The lab's CA again, with its name and its key.
    pub(super) fn ca(machines: &Machines) -> Self {
        let mut ca = Self::another_ca(machines);
        ca.key = vec!["-key".to_owned(), "pki/ca-key.pem".to_owned()];
        ca
    }

    /// A CA with the same name and another key.
    pub(super) fn another_ca(machines: &Machines) -> Self {
        let extensions = [
            ("basicConstraints", "critical,CA:TRUE"),
            ("keyUsage", "critical,keyCertSign,cRLSign"),
            ("subjectKeyIdentifier", "hash"),
        ];
        let mut ca = Self::new(machines, "etcd CA", &extensions);
        ca.issuer = None;
        ca.end += Duration::days(3000);
        ca
    }

    /// A CA below the lab's CA.
    pub(super) fn intermediate(machines: &Machines) -> Self {
        let mut ca = Self::another_ca(machines).with("authorityKeyIdentifier", "keyid");
        ca.issuer = Some(machines.lab.path("pki/ca"));
        ca.named("etcd intermediate CA")
    }

    /// Adds this extension, or replaces the one with this name.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self = self.without(name);
        self.extensions.push((name, value.to_owned()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.extensions.retain(|(other, _)| *other != name);
        self
    }

    pub(super) fn named(mut self, common_name: &str) -> Self {
        common_name.clone_into(&mut self.common_name);
        self
    }

    /// Signs with this CA, given by the path of its files without their extensions.
    pub(super) fn issued_by(mut self, base: impl Into<PathBuf>) -> Self {
        self.issuer = Some(self.folder.join(base.into()));
        self
    }

    /// Valid from now plus one duration until now plus the other.
    pub(super) fn good(mut self, from: Duration, until: Duration) -> Self {
        let now = OffsetDateTime::now_utc();
        (self.begin, self.end) = (now + from, now + until);
        self
    }

    pub(super) fn on_curve(mut self, curve: &str) -> Self {
        self.key[3] = format!("ec_paramgen_curve:{curve}");
        self
    }

    pub(super) fn digested_by(mut self, digest: &'static str) -> Self {
        self.digest = digest;
        self
    }

    /// Encodes its name as UTF8Strings instead of PrintableStrings.
    pub(super) fn in_utf8(mut self) -> Self {
        self.string_mask = "utf8only";
        self
    }

    /// Writes BASE.pem and, if it has its own key, BASE-key.pem.
    pub(super) fn write(&self, base: impl AsRef<Path>) {
        let work = tempfile::tempdir().unwrap();
        let file = |name: &str| work.path().join(name);
        fs::write(file("index.txt"), "").unwrap();
        let mut config = format!(
            "[ca]\ndefault_ca = any\n[any]\ndatabase = {0}/index.txt\nnew_certs_dir = {0}\n\
             unique_subject = no\nrand_serial = yes\npolicy = policy\n[policy]\n\
             commonName = supplied\n[req]\ndistinguished_name = names\nstring_mask = {1}\n\
             [names]\n[says]\n",
            work.path().display(),
            self.string_mask
        );
        for (name, value) in &self.extensions {
            config.extend([*name, " = ", value, "\n"]);
        }
        fs::write(file("openssl.cnf"), config).unwrap();

        let base = self.folder.join(base).display().to_string();
        let mut request = self.openssl("req", &file("openssl.cnf"));
        request.args(["-new", "-noenc", "-subj", &format!("/CN={}", self.common_name)]);
        request.args(&self.key).arg("-out").arg(file("request.pem"));
        if self.key[0] == "-newkey" {
            request.args(["-keyout", &format!("{base}-key.pem")]);
        }
        run(&mut request);

        let mut ca = self.openssl("ca", &file("openssl.cnf"));
        ca.args(["-batch", "-notext", "-preserveDN", "-extensions", "says", "-md", self.digest]);
        ca.args(["-startdate", &asn1_time(self.begin), "-enddate", &asn1_time(self.end)]);
        ca.arg("-in").arg(file("request.pem")).args(["-out", &format!("{base}.pem")]);
        match &self.issuer {
            Some(issuer) => {
                let issuer = issuer.display();
                ca.args(["-cert", &format!("{issuer}.pem")]);
                ca.args(["-keyfile", &format!("{issuer}-key.pem")]);
            }
            None if self.key[0] == "-key" => {
                ca.args(["-selfsign", "-keyfile", &self.key[1]]);
            }
            None => {
                ca.args(["-selfsign", "-keyfile", &format!("{base}-key.pem")]);
            }
        }
        run(&mut ca);
    }

    fn openssl(&self, command: &str, config: &Path) -> Command {
        let mut openssl = peers::program("openssl");
        openssl.arg(command).arg("-config").arg(config).current_dir(&self.folder);
        openssl
    }
}

/// The names in the peer certificate of a member with this address.
pub(super) fn peer_names(machines: &Machines, address: &str) -> String {
    let name = MEMBERS.iter().find(|name| machines.network.address(name) == address);
    let mut names = format!("DNS:etcd-peer.lab,IP:{address}");
    names.extend(name.map(|name| format!(",DNS:{name}")));
    if machines.network.is_loopback() {
        // The kernel connects to every loopback address from 127.0.0.1.
        names.push_str(",IP:127.0.0.1");
    }
    names
}

fn asn1_time(moment: OffsetDateTime) -> String {
    moment.format(format_description!("[year][month][day][hour][minute][second]Z")).unwrap()
}

/// Runs OpenSSL, and prints its output if it fails.
pub(super) fn run(command: &mut Command) {
    let run = finish(command);
    assert_eq!(run.code, 0, "{command:?}: {run:?}");
}
