//! Examples of the rules about the settings of etcd.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("cfg-auth-off", |hosts| {
        hosts.edit(CONF, ",https://127.0.0.1:2379", ",http://127.0.0.1:2379");
    }),
    Example::hosts("cfg-ca-missing", |hosts| {
        let options = "  trusted-ca-file: \"/etc/etcd/ca.pem\"\n  client-cert-auth: true\npeer";
        hosts.edit(CONF, options, "  client-cert-auth: true\npeer");
    }),
    Example::hosts("cfg-cert-missing", |hosts| {
        hosts.edit(CONF, "  key-file: \"/etc/etcd/peer-key.pem\"\n", "");
    }),
    Example::hosts("cfg-auto-tls", |hosts| hosts.append(CONF, "  auto-tls: true\n")),
    Example::hosts("cfg-allowed-hostname-gateway", |hosts| {
        let option = "client-transport-security:\n  allowed-hostname: [\"client.lab\"]\n";
        hosts.edit(CONF, "client-transport-security:\n", option);
    }),
    Example::hosts("cfg-cipher-vs-key", |hosts| {
        hosts.append(CONF, "cipher-suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n");
    }),
    Example::hosts("cfg-skip-san", |hosts| {
        hosts.append(CONF, "  skip-client-san-verification: true\n");
    }),
];

const CONF: &str = "etcdone/etcd.conf.yaml";
