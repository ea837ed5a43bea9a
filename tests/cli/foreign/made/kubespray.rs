//! kubespray's `/etc/ssl/etcd/ssl` (roles/etcd).

use std::fs;

use super::{BOTH, Leaf, MEMBERS, USAGES, all_names, authority, folder, leaf};
use crate::lab::Lab;

/// `/etc/ssl/etcd/ssl` of the first member, which has the files of all members.
pub(in super::super) fn kubespray(lab: &Lab, root: &str) {
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

/// kubespray's files as each member has them, with the environment file of its etcd: it has another name for
/// the member than for its host.
pub(in super::super) fn kubespray_hosts(lab: &Lab, root: &str) {
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
