//! Rules about client certificates: which user etcd sees.

use super::{CertificateInPath, Row};
use crate::finding::{Rule, Severity, Source};
use crate::subject::Attribute;
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "cli-cn-root",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "When RBAC is enabled, etcd uses the common name as the user name, and the user root may do everything.",
            remedy: "Reissue the certificate with a different common name: `etcdpki issue --profile client FILE --cn NAME --force`, or change the `name` of the client in the manifest and run `etcdpki apply -f MANIFEST`. Give that user a role: `etcdctl user grant-role NAME ROLE`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        cli_cn_root,
    ),
    Row::certificate(
        &Rule {
            id: "cli-cn-empty",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "When RBAC is enabled, etcd cannot map the certificate to a user: `etcdserver: permission denied`, `cannot find a user for permission check`.",
            remedy: "Reissue the certificate with a common name: `etcdpki issue --profile client apiserver-etcd-client --force`. In a manifest, remove `no_cn: true` and run `etcdpki apply -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        cli_cn_empty,
    ),
    Row::certificate(
        &Rule {
            id: "cli-o-masters",
            severity: Severity::Info,
            source: Source::Etcd,
            impact: "etcd ignores the organization. Under a CA that Kubernetes also trusts, it would make the holder a cluster administrator.",
            remedy: "Reissue the certificate without O=system:masters, which kubeadm has not used since 1.29: `etcdpki issue --profile client NAME --force`. In a manifest, remove `org: system:masters` and run `etcdpki apply -f MANIFEST`.",
            citation: "kubernetes/kubernetes#120521; measured on etcd 3.4, 3.5, 3.6",
        },
        cli_o_masters,
    ),
];

fn cli_cn_root(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let is_root = in_path.certificate.subject.common_names().any(|name| name == "root");
    Vec::from_iter(
        (in_path.is_asked_as(Purpose::Client) && is_root)
            .then(|| "the common name is root".to_owned()),
    )
}

fn cli_cn_empty(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let named = in_path.certificate.subject.common_names().any(|name| !name.is_empty());
    Vec::from_iter(
        (in_path.is_asked_as(Purpose::Client) && !named)
            .then(|| "the common name is missing".to_owned()),
    )
}

fn cli_o_masters(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let mut attributes = in_path.certificate.subject.attributes.iter();
    let masters =
        attributes.any(|a| a.attribute == Attribute::Organization && a.value == "system:masters");
    Vec::from_iter(
        (in_path.is_asked_as(Purpose::Client) && masters).then(|| "O=system:masters".to_owned()),
    )
}
