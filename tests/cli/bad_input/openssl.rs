//! Valid and invalid keys, requests and certificates from OpenSSL.

use std::fmt::Write as _;
use std::fs;

use crate::lab::Lab;
use crate::peers;

/// OpenSSL with its own configuration instead of the system's.
pub(super) struct OpenSsl<'a> {
    lab: &'a Lab,
}

impl<'a> OpenSsl<'a> {
    pub(super) fn in_lab(lab: &'a Lab) -> Self {
        lab.write(
            "openssl.cnf",
            "[req]\ndistinguished_name = dn\n[dn]\n[ca]\ndefault_ca = any\n\
             [any]\ndatabase = index.txt\nnew_certs_dir = .\nrand_serial = yes\n\
             default_md = sha256\npolicy = policy\ncopy_extensions = copy\n\
             [policy]\ncommonName = supplied\n",
        );
        lab.write("index.txt", "");
        lab.write("index.txt.attr", "unique_subject = no\n");
        Self { lab }
    }

    pub(super) fn run(&self, args: &[&str]) {
        let mut command = peers::program("openssl");
        command.args(args).current_dir(self.lab.folder()).env("OPENSSL_CONF", "openssl.cnf");
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "openssl {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// A key in PKCS#8; `algorithm` is the argument of `genpkey -algorithm`.
    pub(super) fn key(&self, file: &str, algorithm: &[&str]) {
        self.run(&[&["genpkey", "-out", file, "-algorithm"], algorithm].concat());
    }

    /// A request in PEM for CN=api; `options` are those of `openssl req`.
    pub(super) fn request(&self, key: &str, options: &[&str]) -> Vec<u8> {
        let make = ["req", "-new", "-subj", "/CN=api", "-key", key, "-out", "request.pem"];
        self.run(&[&make, options].concat());
        self.take("request.pem")
    }

    /// A self-signed certificate with these extensions, valid between the two dates (`YYYYMMDD`), in
    /// `FOLDER/ca.pem`, with its key in the same folder.
    pub(super) fn ca(
        &self,
        folder: &str,
        algorithm: &[&str],
        extensions: &[&str],
        life: [&str; 2],
    ) {
        fs::create_dir(self.lab.path(folder)).unwrap();
        let (certificate, key) = (format!("{folder}/ca.pem"), format!("{folder}/ca-key.pem"));
        self.key(&key, algorithm);
        let subject = "/CN=etcd CA";
        self.run(&["req", "-new", "-subj", subject, "-key", &key, "-out", "request.pem"]);
        self.lab.write("extensions.cnf", extensions.join("\n"));
        let [start, end] = life.map(|day| format!("{day}000000Z"));
        let sign = ["ca", "-batch", "-selfsign", "-notext", "-keyfile", &key, "-in", "request.pem"];
        let what = ["-startdate", &start, "-enddate", &end, "-extfile", "extensions.cnf"];
        self.run(&[&sign[..], &what, &["-out", &certificate]].concat());
        self.take("request.pem");
    }

    /// Reads a file and removes it.
    pub(super) fn take(&self, file: &str) -> Vec<u8> {
        let contents = self.lab.read(file);
        fs::remove_file(self.lab.path(file)).unwrap();
        contents
    }
}

/// A GeneralName (RFC 5280 section 4.2.1.6) with any octets.
pub(super) enum GeneralName<'a> {
    Email(&'a [u8]),
    Dns(&'a [u8]),
    Uri(&'a [u8]),
    Ip(&'a [u8]),
    RegisteredId(&'a [u8]),
}

impl GeneralName<'_> {
    /// The argument of `-addext` that adds it to a request. OpenSSL's syntax for names rejects some octets.
    pub(super) fn san(&self) -> String {
        let (tag, octets) = match self {
            Self::Email(octets) => (0x81, octets),
            Self::Dns(octets) => (0x82, octets),
            Self::Uri(octets) => (0x86, octets),
            Self::Ip(octets) => (0x87, octets),
            Self::RegisteredId(octets) => (0x88, octets),
        };
        let length = u8::try_from(octets.len()).unwrap();
        let der = [&[0x30, length + 2, tag, length], *octets].concat();
        let mut option = "subjectAltName=DER:".to_owned();
        for octet in der {
            let _ = write!(option, "{octet:02x}");
        }
        option
    }
}
