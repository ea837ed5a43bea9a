//! Where a command can be given a private key instead of something else.

/// Every option and argument that takes a file, each with the file `given`.
pub(super) const OPTIONS: &[(&str, &str, &[&str])] = &[
    ("apply", "--file", &["apply", "--file", "given"]),
    ("certdb", "FILE", &["certdb", "import", "given"]),
    ("crl", "--out", &["crl", "--out", "given"]),
    ("crl", "--out", &["crl", "--check", "--out", "given"]),
    ("export", "--file", &["export", "etcdone", "--file", "given", "--out", "out"]),
    (
        "export",
        "--password-file",
        &["export", "etcdone", "--as", "pkcs12", "--password-file", "given", "--out", "out"],
    ),
    ("import-ca", "--cert", &["import-ca", "--dir", "new", "--cert", "given"]),
    (
        "import-ca",
        "--key",
        &["import-ca", "--dir", "new", "--cert", "pki/ca.pem", "--key", "given"],
    ),
    (
        "import-ca",
        "PASSPHRASE",
        &["import-ca", "--dir", "new", "--cert", "given", "--ca-passphrase", "file:given"],
    ),
    ("init-ca", "--csr-json", &["init-ca", "--dir", "new", "--csr-json", "given"]),
    (
        "init-ca",
        "--public-key",
        &["init-ca", "--dir", "new", "--signer-cmd", "cat", "--public-key", "given"],
    ),
    ("inspect", "FILE", &["inspect", "given"]),
    ("issue", "--config", &["issue", "--profile", "www", "new", "--config", "given"]),
    ("issue", "--csr", &["issue", "--profile", "client", "new", "--csr", "given"]),
    ("issue", "--csr-json", &["issue", "--profile", "client", "new", "--csr-json", "given"]),
    (
        "passwd",
        "PASSPHRASE",
        &["passwd", "--dir", "locked", "--ca-passphrase", "file:given", "--remove"],
    ),
    (
        "issue",
        "--signature-in",
        &["issue", "--profile", "client", "waiting", "--signature-in", "given"],
    ),
    ("plan", "--file", &["plan", "--file", "given"]),
    ("renew", "FILE", &["renew", "given"]),
    ("renew", "--file", &["renew", "--all", "--file", "given"]),
    ("rotate-ca", "--file", &["rotate-ca", "status", "--file", "given"]),
    ("revoke", "FILE|SERIAL", &["revoke", "given"]),
    ("backup", "--file", &["backup", "--file", "given", "copy.db"]),
    ("check", "--file", &["check", "--file", "given"]),
    ("crl", "--file", &["crl", "--file", "given"]),
    ("import-ca", "--file", &["import-ca", "--cert", "ca.pem", "--file", "given"]),
    ("list", "--file", &["list", "--file", "given"]),
    ("passwd", "--file", &["passwd", "--file", "given", "--remove"]),
    ("revoke", "--file", &["revoke", "01", "--file", "given"]),
    ("show", "--file", &["show", "01", "--file", "given"]),
    ("status", "--file", &["status", "--file", "given"]),
    ("verify", "LEAF", &["verify", "given"]),
    ("verify", "--ca", &["verify", "api.pem", "--ca", "given"]),
    (
        "verify",
        "--cert",
        &["verify", "--connect", "127.0.0.1:1", "--cert", "given", "--cert-key", "api-key.pem"],
    ),
    (
        "verify",
        "--cert-key",
        &["verify", "--connect", "127.0.0.1:1", "--cert", "api.pem", "--cert-key", "given"],
    ),
    ("verify", "--crl", &["verify", "api.pem", "--crl", "given"]),
    ("verify", "--file", &["verify", "--file", "given"]),
    ("verify", "--intermediates", &["verify", "api.pem", "--intermediates", "given"]),
    ("verify", "--key", &["verify", "api.pem", "--key", "given"]),
];

const CA: [&str; 4] = ["-ca", "pki/ca.pem", "-ca-key", "pki/ca-key.pem"];

/// The files of the commands of cfssl. None of them prints a key that it was given.
pub(super) const CFSSL: &[&[&str]] = &[
    &["cfssl", "gencert", CA[0], CA[1], CA[2], CA[3], "given"],
    &["cfssl", "gencert", CA[0], "given", CA[2], CA[3], "csr.json"],
    &["cfssl", "gencert", CA[0], CA[1], CA[2], CA[3], "-config", "given", "csr.json"],
    &["cfssl", "gencert", "-initca", "given"],
    &["cfssl", "gencert", "-renewca", "-ca", "given", "-ca-key", "pki/ca-key.pem"],
    &["cfssl", "sign", CA[0], CA[1], CA[2], CA[3], "given"],
    &["cfssl", "sign", CA[0], CA[1], CA[2], CA[3], "-csr", "given"],
    &["cfssl", "gencsr", "-key", "api-key.pem", "given"],
    &["cfssl", "certinfo", "-cert", "given"],
    &["cfssl", "certinfo", "-csr", "given"],
    &["cfssl", "gencrl", "given", "pki/ca.pem", "pki/ca-key.pem"],
    &["cfssl", "gencrl", "serials", "given", "pki/ca-key.pem"],
    &["cfssl", "info", "-config", "given"],
    &["cfssljson", "-f", "given", "-bare", "out"],
    &["cfssljson", "-f", "given", "-stdout"],
];

/// The commands that read standard input.
pub(super) const STDIN: &[&[&str]] = &[
    &["verify", "-"],
    &["inspect", "-"],
    &["plan", "-f", "-"],
    &["apply", "-f", "-"],
    &["status", "-f", "-"],
    &["verify", "-f", "-"],
    &["verify", "api.pem", "--ca", "-"],
    &["issue", "--profile", "client", "new", "--csr", "-"],
    &["issue", "--profile", "client", "new", "--csr-json", "-"],
    &["init-ca", "--dir", "new", "--csr-json", "-"],
    &["import-ca", "--dir", "new", "--cert", "-"],
    &["renew", "-"],
    &["revoke", "-"],
    &["cfssl", "gencert", CA[0], CA[1], CA[2], CA[3], "-"],
    &["cfssl", "sign", CA[0], CA[1], CA[2], CA[3], "-"],
    &["cfssl", "certinfo", "-cert", "-"],
    &["cfssljson", "-bare", "out"],
];

/// The variables of the environment, and commands that use them.
pub(super) const VARIABLES: &[(&str, &[&str])] = &[
    ("ETCDPKI_DIR", &["list"]),
    ("ETCDPKI_DIR", &["verify", "api.pem"]),
    ("ETCDPKI_DIR", &["issue", "--profile", "client", "new"]),
    ("ETCDPKI_SIGNER_CMD", &["issue", "--profile", "client", "new"]),
    ("ETCDPKI_SIGNER_CMD", &["init-ca", "--dir", "new", "--public-key", "api.pem"]),
    ("ETCDPKI_PKCS11", &["issue", "--profile", "client", "new"]),
    ("PASSPHRASE", &["issue", "--profile", "client", "new", "--ca-passphrase", "env:PASSPHRASE"]),
    (
        "CFSSL_CA_PK_PASSWORD",
        &["cfssl", "gencert", "-ca", "locked/ca.pem", "-ca-key", "locked/ca-key.pem", "csr.json"],
    ),
    ("PASSPHRASE", &["passwd", "--dir", "locked", "--ca-passphrase", "env:PASSPHRASE", "--remove"]),
];

/// Files that commands read without being told, and the commands that read them.
pub(super) const PLACES: &[(&str, &[&str])] = &[
    ("pki/ca.pem", &["verify", "api.pem"]),
    ("pki/ca.pem", &["plan", "--file", "cluster.yaml"]),
    ("pki/ca.pem", &["issue", "--profile", "client", "new"]),
    ("pki/ca-key.pem", &["issue", "--profile", "client", "new"]),
    ("waiting.pending", &["issue", "--profile", "client", "waiting", "--signature-in", "tbs"]),
    ("pki/inventory.db", &["issue", "--profile", "client", "new"]),
    ("pki/inventory.db", &["list"]),
    ("pki/inventory.db", &["check"]),
    ("pki/hosts/etcdone/ca.pem", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/ca.pem", &["export", "etcdone", "--out", "new"]),
    ("pki/hosts/etcdone/etcd.conf.yaml", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/etcd.conf.yaml", &["status", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/etcd.service", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/server.pem", &["plan", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/server.pem", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/server.pem", &["export", "etcdone", "--out", "new"]),
    ("pki/hosts/etcdone/server-key.pem", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/server-key.pem", &["export", "etcdone", "--out", "new"]),
    ("copied/ca.pem", ADOPT),
    ("copied/etcd.conf.yaml", ADOPT),
    ("copied/server.pem", ADOPT),
    ("copied/server-key.pem", ADOPT),
];

const ADOPT: &[&str] = &["adopt", "--dir", "new", "-f", "new.pem", "copied"];
