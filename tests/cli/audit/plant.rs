//! Replaces certificates with ones that etcdpki would not issue, created by OpenSSL with the lab's own CA.

use std::fs;

use time::{Duration, OffsetDateTime};

use crate::lab::Lab;
use crate::peers;

/// A certificate for the existing key.
pub(super) struct Planted<'a> {
    cn: &'a str,
    names: &'a str,
    usages: &'a str,
    more: &'a str,
    begins: Duration,
    ends: Duration,
    serial: &'a str,
    hash: &'a str,
    /// The folder, and the base name of the CA's files in it.
    ca: &'a str,
}

const SERVER: &str =
    "DNS:etcdone, DNS:localhost, IP:127.0.0.1, DNS:etcdone.example.com, IP:192.168.29.61";
const PEER: &str = "DNS:etcdone, DNS:etcdone.example.com, IP:192.168.29.61, DNS:etcd-peer.lab";
pub(super) const BOTH: &str = "serverAuth, clientAuth";

impl<'a> Planted<'a> {
    pub(super) fn new(cn: &'a str, names: &'a str, usages: &'a str) -> Self {
        Self {
            cn,
            names,
            usages,
            more: "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature",
            begins: Duration::minutes(-5),
            ends: Duration::days(365),
            serial: "4a4b4c4d4e4f",
            hash: "sha256",
            ca: "pki/ca",
        }
    }

    pub(super) fn server() -> Self {
        Self::new("etcdone", SERVER, BOTH)
    }

    pub(super) fn peer() -> Self {
        Self::new("etcdone", PEER, BOTH)
    }

    pub(super) fn client() -> Self {
        let name = "DNS:apiserver-etcd-client.invalid";
        Self::new("apiserver-etcd-client", name, "clientAuth")
    }

    pub(super) fn names(self, names: &'a str) -> Self {
        Self { names, ..self }
    }

    pub(super) fn usages(self, usages: &'a str) -> Self {
        Self { usages, ..self }
    }

    pub(super) fn more(self, more: &'a str) -> Self {
        Self { more, ..self }
    }

    pub(super) fn life(self, begins: Duration, ends: Duration) -> Self {
        Self { begins, ends, ..self }
    }

    pub(super) fn serial(self, serial: &'a str) -> Self {
        Self { serial, ..self }
    }

    pub(super) fn hash(self, hash: &'a str) -> Self {
        Self { hash, ..self }
    }

    pub(super) fn signed_by(self, ca: &'a str) -> Self {
        Self { ca, ..self }
    }

    /// Writes the certificate for the key in `BASE-key.pem` to `BASE.pem`.
    pub(super) fn write(&self, lab: &Lab, base: &str) {
        let names = match self.names {
            "" => String::new(),
            names => format!("subjectAltName = {names}\n"),
        };
        let usages = match self.usages {
            "" => String::new(),
            usages => format!("extendedKeyUsage = {usages}\n"),
        };
        lab.write(
            "planted.cnf",
            format!(
                "[req]\ndistinguished_name = dn\n[dn]\n[ca]\ndefault_ca = any\n\
                 [any]\ndatabase = index.txt\nnew_certs_dir = .\nserial = serial.txt\n\
                 unique_subject = no\npolicy = policy\n[policy]\ncommonName = supplied\n\
                 [leaf]\n{}\n{names}{usages}subjectKeyIdentifier = hash\n\
                 authorityKeyIdentifier = keyid\n",
                self.more
            ),
        );
        lab.write("index.txt", "");
        lab.write("serial.txt", self.serial);
        let key = format!("{base}-key.pem");
        openssl(
            lab,
            &format!(
                "req -new -config planted.cnf -subj /CN={} -key {key} -out planted.csr",
                self.cn
            ),
        );
        let now = OffsetDateTime::now_utc();
        openssl(
            lab,
            &format!(
                "ca -batch -notext -config planted.cnf -in planted.csr -out planted.pem -extensions leaf \
             -cert {}.pem -keyfile {}-key.pem -md {} -startdate {} -enddate {}",
                self.ca,
                self.ca,
                self.hash,
                moment(now + self.begins),
                moment(now + self.ends),
            ),
        );
        fs::copy(lab.path("planted.pem"), lab.path(format!("{base}.pem"))).unwrap();
    }
}

fn moment(moment: OffsetDateTime) -> String {
    let (date, time) = (moment.date(), moment.time());
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Runs openssl with arguments separated by spaces.
pub(super) fn openssl(lab: &Lab, arguments: &str) {
    let mut command = peers::program("openssl");
    command.args(arguments.split_whitespace()).current_dir(lab.folder());
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {errors}");
}
