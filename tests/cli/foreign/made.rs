//! PKIs for three members, created with OpenSSL as kubeadm, kubespray, RKE, easy-rsa and people create them: with the
//! same file names, subjects, usages and names in the certificates.
//!
//! The tests do not install kubeadm, RKE and easy-rsa. Their templates are in kubernetes/cmd/kubeadm/app/phases/certs,
//! rancher/rke/pki and easy-rsa's x509-types; kubespray's are in roles/etcd.

use std::fs;
use std::path::Path;

use crate::lab::Lab;
use crate::peers;

/// The members: names and addresses.
pub(super) const MEMBERS: [(&str, &str); 3] =
    [("node1", "10.0.0.1"), ("node2", "10.0.0.2"), ("node3", "10.0.0.3")];

/// The contents of a certificate from a tool.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'a> {
    pub(super) subject: &'a str,
    pub(super) names: &'a str,
    pub(super) usages: &'a str,
    pub(super) key_usages: &'a str,
    pub(super) days: &'a str,
}

/// Creates a CA certificate and its key as files in the lab.
pub(super) fn authority(lab: &Lab, subject: &str, certificate: &str, key: &str) {
    lab.write(
        "ca.cnf",
        "[req]\ndistinguished_name = dn\nx509_extensions = ca\n[dn]\n[ca]\n\
         basicConstraints = critical, CA:TRUE\nkeyUsage = critical, digitalSignature, keyCertSign, cRLSign\n\
         subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n",
    );
    openssl(
        lab,
        &[
            "req",
            "-x509",
            "-config",
            "ca.cnf",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "3650",
            "-subj",
            subject,
            "-keyout",
            key,
            "-out",
            certificate,
        ],
    );
}

/// Creates a certificate signed by a CA, and its key.
pub(super) fn leaf(lab: &Lab, ca: (&str, &str), leaf: Leaf<'_>, certificate: &str, key: &str) {
    let names = match leaf.names {
        "" => String::new(),
        names => format!("subjectAltName = {names}\n"),
    };
    lab.write(
        "leaf.cnf",
        format!(
            "[req]\ndistinguished_name = dn\n[dn]\n[leaf]\nbasicConstraints = critical, CA:FALSE\n\
             keyUsage = critical, {}\nextendedKeyUsage = {}\nsubjectKeyIdentifier = hash\n\
             authorityKeyIdentifier = keyid\n{names}",
            leaf.key_usages, leaf.usages
        ),
    );
    openssl(
        lab,
        &[
            "req",
            "-new",
            "-config",
            "leaf.cnf",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            leaf.subject,
            "-keyout",
            key,
            "-out",
            "leaf.csr",
        ],
    );
    openssl(
        lab,
        &[
            "x509",
            "-req",
            "-in",
            "leaf.csr",
            "-CA",
            ca.0,
            "-CAkey",
            ca.1,
            "-CAcreateserial",
            "-days",
            leaf.days,
            "-extfile",
            "leaf.cnf",
            "-extensions",
            "leaf",
            "-out",
            certificate,
        ],
    );
}

fn openssl(lab: &Lab, arguments: &[&str]) {
    let mut command = peers::program("openssl");
    let output = command.args(arguments).current_dir(lab.folder()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {errors}");
}

fn folder(lab: &Lab, path: &str) {
    fs::create_dir_all(lab.path(path)).unwrap();
}

const BOTH: &str = "serverAuth, clientAuth";
const USAGES: &str = "digitalSignature, keyEncipherment";

/// The names and addresses of all members, for tools that create one certificate for all.
fn all_names() -> String {
    let names = MEMBERS.map(|(name, address)| format!("DNS:{name}, IP:{address}"));
    format!("{}, DNS:localhost, IP:127.0.0.1", names.join(", "))
}

/// `/etc/kubernetes/pki` of a control plane: the API server's client certificate, and the folder of etcd.
pub(super) fn kubeadm(lab: &Lab, root: &str) {
    folder(lab, "made");
    authority(lab, "/CN=etcd-ca", "made/ca.crt", "made/ca.key");
    let ca = ("made/ca.crt", "made/ca.key");
    for (name, address) in MEMBERS {
        let pki = format!("{root}/{name}");
        folder(lab, &format!("{pki}/etcd"));
        fs::copy(lab.path("made/ca.crt"), lab.path(format!("{pki}/etcd/ca.crt"))).unwrap();
        let names = format!("DNS:{name}, DNS:localhost, IP:{address}, IP:127.0.0.1, IP:::1");
        let subject = format!("/CN={name}");
        let of_member = Leaf {
            subject: &subject,
            names: &names,
            usages: BOTH,
            key_usages: USAGES,
            days: "365",
        };
        for file in ["server", "peer"] {
            let base = format!("{pki}/etcd/{file}");
            leaf(lab, ca, of_member, &format!("{base}.crt"), &format!("{base}.key"));
        }
        for (file, cn) in [
            ("etcd/healthcheck-client", "kube-etcd-healthcheck-client"),
            ("apiserver-etcd-client", "kube-apiserver-etcd-client"),
        ] {
            let subject = format!("/CN={cn}");
            let client = Leaf { subject: &subject, names: "", usages: "clientAuth", ..of_member };
            let base = format!("{pki}/{file}");
            leaf(lab, ca, client, &format!("{base}.crt"), &format!("{base}.key"));
        }
    }
}

/// `/etc/ssl/etcd/ssl` of the first member, which has the files of all members.
pub(super) fn kubespray(lab: &Lab, root: &str) {
    folder(lab, root);
    let (certificate, key) = (format!("{root}/ca.pem"), "made-ca-key.pem");
    authority(lab, "/CN=etcd-ca", &certificate, key);
    let names = all_names();
    for (name, _) in MEMBERS {
        for kind in ["admin", "member", "node"] {
            let subject = format!("/CN=etcd-{kind}-{name}");
            let made = Leaf {
                subject: &subject,
                names: &names,
                usages: BOTH,
                key_usages: USAGES,
                days: "3600",
            };
            let base = format!("{root}/{kind}-{name}");
            leaf(
                lab,
                (&certificate, key),
                made,
                &format!("{base}.pem"),
                &format!("{base}-key.pem"),
            );
        }
    }
}

/// `/etc/kubernetes/ssl` of a member.
pub(super) fn rke(lab: &Lab, root: &str) {
    folder(lab, root);
    let (certificate, key) = (format!("{root}/kube-ca.pem"), "made-kube-ca-key.pem");
    authority(lab, "/CN=kube-ca", &certificate, key);
    let names = all_names();
    let etcd = Leaf {
        subject: "/CN=kube-etcd",
        names: &names,
        usages: BOTH,
        key_usages: USAGES,
        days: "3600",
    };
    for (_, address) in MEMBERS {
        let base = format!("{root}/kube-etcd-{}", address.replace('.', "-"));
        leaf(lab, (&certificate, key), etcd, &format!("{base}.pem"), &format!("{base}-key.pem"));
    }
    let node =
        Leaf { subject: "/O=system:nodes/CN=system:node", names: "", usages: "clientAuth", ..etcd };
    let base = format!("{root}/kube-node");
    leaf(lab, (&certificate, key), node, &format!("{base}.pem"), &format!("{base}-key.pem"));
}

/// easy-rsa's `pki`.
pub(super) fn easy_rsa(lab: &Lab, root: &str) {
    for part in ["issued", "private"] {
        folder(lab, &format!("{root}/{part}"));
    }
    let certificate = format!("{root}/ca.crt");
    authority(lab, "/CN=Easy-RSA CA", &certificate, "made-ca.key");
    for (name, address) in MEMBERS {
        let (subject, names) = (
            format!("/CN={name}"),
            format!("DNS:{name}, IP:{address}, DNS:localhost, IP:127.0.0.1"),
        );
        let made = Leaf {
            subject: &subject,
            names: &names,
            usages: BOTH,
            key_usages: USAGES,
            days: "825",
        };
        let (issued, private) =
            (format!("{root}/issued/{name}.crt"), format!("{root}/private/{name}.key"));
        leaf(lab, (&certificate, "made-ca.key"), made, &issued, &private);
    }
}

/// Hand-made: custom names, and separate CAs for servers, peers and clients.
pub(super) fn by_hand(lab: &Lab, root: &str) {
    for ca in ["servers", "peers", "clients"] {
        authority(
            lab,
            &format!("/CN={ca} CA"),
            &format!("made-{ca}.crt"),
            &format!("made-{ca}.key"),
        );
    }
    for (name, address) in MEMBERS {
        let host = format!("{root}/{name}");
        folder(lab, &host);
        let (subject, names) = (
            format!("/CN={name}"),
            format!("DNS:{name}, IP:{address}, DNS:localhost, IP:127.0.0.1"),
        );
        let made = Leaf {
            subject: &subject,
            names: &names,
            usages: BOTH,
            key_usages: USAGES,
            days: "365",
        };
        for (ca, file) in [("servers", "tls"), ("peers", "cluster")] {
            let ca = (format!("made-{ca}.crt"), format!("made-{ca}.key"));
            let base = format!("{host}/{file}");
            leaf(lab, (&ca.0, &ca.1), made, &format!("{base}.crt"), &format!("{base}.key"));
        }
        for ca in ["servers", "peers", "clients"] {
            let to = lab.path(format!("{host}/{ca}.crt"));
            fs::copy(lab.path(format!("made-{ca}.crt")), to).unwrap();
        }
        let cluster =
            MEMBERS.map(|(name, address)| format!("{name}=https://{address}:2380")).join(",");
        lab.write(
            format!("{host}/etcd.conf.yaml"),
            format!(
                "name: {name}\ndata-dir: /var/lib/etcd\n\
                 listen-client-urls: https://{address}:2379,https://127.0.0.1:2379\n\
                 advertise-client-urls: https://{address}:2379\nlisten-peer-urls: https://{address}:2380\n\
                 initial-advertise-peer-urls: https://{address}:2380\ninitial-cluster: {cluster}\n\
                 enable-grpc-gateway: false\n\
                 client-transport-security:\n  cert-file: /opt/etcd/tls.crt\n  key-file: /opt/etcd/tls.key\n  \
                 trusted-ca-file: /opt/etcd/clients.crt\n  client-cert-auth: true\n\
                 peer-transport-security:\n  cert-file: /opt/etcd/cluster.crt\n  \
                 key-file: /opt/etcd/cluster.key\n  trusted-ca-file: /opt/etcd/peers.crt\n  \
                 client-cert-auth: true\n"
            ),
        );
    }
}

/// kubespray's files as each member has them, with the environment file of its etcd: it has another name for
/// the member than for its host.
pub(super) fn kubespray_hosts(lab: &Lab, root: &str) {
    kubespray(lab, "made-ssl");
    let cluster: Vec<String> = (1..)
        .zip(MEMBERS)
        .map(|(number, (_, address))| format!("etcd{number}=https://{address}:2380"))
        .collect();
    for (number, (name, address)) in (1..).zip(MEMBERS) {
        let host = format!("{root}/{name}");
        folder(lab, &host);
        let mut files = vec!["ca.pem".to_owned()];
        for kind in ["admin", "member", "node"] {
            files.extend([format!("{kind}-{name}.pem"), format!("{kind}-{name}-key.pem")]);
        }
        for file in files {
            fs::copy(lab.path("made-ssl").join(&file), lab.path(&host).join(&file)).unwrap();
        }
        let ssl = "/etc/ssl/etcd/ssl";
        let member = format!("{ssl}/member-{name}");
        lab.write(
            format!("{host}/etcd.env"),
            format!(
                "ETCD_DATA_DIR=/var/lib/etcd\nETCD_ADVERTISE_CLIENT_URLS=https://{address}:2379\n\
                 ETCD_INITIAL_ADVERTISE_PEER_URLS=https://{address}:2380\nETCD_INITIAL_CLUSTER_STATE=existing\n\
                 ETCD_METRICS=basic\nETCD_LISTEN_CLIENT_URLS=https://{address}:2379,https://127.0.0.1:2379\n\
                 ETCD_ELECTION_TIMEOUT=5000\nETCD_HEARTBEAT_INTERVAL=250\n\
                 ETCD_INITIAL_CLUSTER_TOKEN=k8s_etcd\nETCD_LISTEN_PEER_URLS=https://{address}:2380\n\
                 ETCD_NAME=etcd{number}\nETCD_PROXY=off\nETCD_INITIAL_CLUSTER={}\n\
                 ETCD_AUTO_COMPACTION_RETENTION=8\nETCD_TRUSTED_CA_FILE={ssl}/ca.pem\n\
                 ETCD_CERT_FILE={member}.pem\nETCD_KEY_FILE={member}-key.pem\nETCD_CLIENT_CERT_AUTH=true\n\
                 ETCD_PEER_TRUSTED_CA_FILE={ssl}/ca.pem\nETCD_PEER_CERT_FILE={member}.pem\n\
                 ETCD_PEER_KEY_FILE={member}-key.pem\nETCD_PEER_CLIENT_CERT_AUTH=True\n\
                 ETCDCTL_ENDPOINTS=https://127.0.0.1:2379\nETCDCTL_CACERT={ssl}/ca.pem\n\
                 ETCDCTL_CERT={ssl}/admin-{name}.pem\nETCDCTL_KEY={ssl}/admin-{name}-key.pem\n",
                cluster.join(",")
            ),
        );
    }
}

/// Replaces one key with another.
pub(super) fn swap(lab: &Lab, one: impl AsRef<Path>, other: impl AsRef<Path>) {
    fs::copy(lab.path(other), lab.path(one)).unwrap();
}
