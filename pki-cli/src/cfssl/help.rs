//! The help of the cfssl front end.

/// The commands that work, each with its arguments and its purpose.
pub(super) const COMMANDS: &[(&str, &str, &str)] = &[
    (
        "gencert",
        "-initca [-ca-key KEY] CSRJSON | -renewca -ca CERT -ca-key KEY | \
         -ca CERT -ca-key KEY [-config CONFIG] [-profile PROFILE] [-hostname HOSTS] [-cn NAME] CSRJSON",
        "generate a key and a certificate",
    ),
    ("genkey", "[-initca] CSRJSON", "generate a key and a request"),
    (
        "gencsr",
        "-key KEY (CSRJSON | -cert CERT) [-hostname HOSTS]",
        "make a request with a key that exists",
    ),
    (
        "sign",
        "-ca CERT -ca-key KEY [-config CONFIG] [-profile PROFILE] [-hostname HOSTS] (CSR | -csr CSR) [SUBJECT]",
        "sign a request",
    ),
    ("selfsign", "HOSTNAME CSRJSON", "generate a key and a certificate that it signs itself"),
    ("certinfo", "-cert CERT | -csr CSR", "print a certificate or a request as JSON"),
    ("gencrl", "SERIALS CERT KEY [SECONDS]", "make a CRL, in base64"),
    (
        "info",
        "-ca CERT [-config CONFIG] [-profile PROFILE]",
        "print a CA's certificate and a profile",
    ),
    ("print-defaults", "config | csr", "print a document to start from"),
    ("version", "", "print the version"),
];

/// Commands of cfssl that are not here, and what to use instead.
pub(super) const REPLACED: &[(&str, &str)] = &[
    ("bundle", "etcdpki issue --chain writes the chain behind the leaf"),
    ("crl", "use etcdpki crl, or cfssl gencrl"),
    ("ocspdump", "etcd and the API server do not use OCSP; use a CRL"),
    ("ocsprefresh", "etcd and the API server do not use OCSP; use a CRL"),
    ("ocspserve", "etcd and the API server do not use OCSP; use a CRL"),
    ("ocspsign", "etcd and the API server do not use OCSP; use a CRL"),
    ("revoke", "use etcdpki revoke"),
    ("scan", "use etcdpki verify --connect HOST:PORT"),
    (
        "serve",
        "etcdpki has no server; etcdpki apply -f cluster.yaml makes the certificates of all hosts",
    ),
];

/// The output of `cfssl version`. Scripts search it for a version number.
pub(super) fn version() -> String {
    format!("Version: {}\nRuntime: etcdpki\n", env!("CARGO_PKG_VERSION"))
}

/// The help of a command, or of all of them.
pub(super) fn text(command: &str) -> String {
    if let Some((name, arguments, purpose)) = COMMANDS.iter().find(|(name, ..)| *name == command) {
        return format!("\tcfssl {name} -- {purpose}\n\nUsage:\n\tcfssl {name} {arguments}\n");
    }
    match command {
        "cfssljson" => {
            "Usage of cfssljson:\n\tcfssljson [-bare] [-f FILE] [-stdout] [BASE]\n".to_owned()
        }
        "cfssl-certinfo" => {
            "Usage of cfssl-certinfo:\n\tcfssl-certinfo -cert CERT | -csr CSR\n".to_owned()
        }
        _ => {
            let names: Vec<String> =
                COMMANDS.iter().map(|(name, ..)| format!("\t{name}\n")).collect();
            format!(
                "Usage:\nAvailable commands:\n{}\tinstall DIR -- make links named cfssl, cfssljson, cfssl-json and \
                 cfssl-certinfo in a folder\n",
                names.concat()
            )
        }
    }
}
