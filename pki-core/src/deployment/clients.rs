//! What the clients of etcd are told: kubeadm's external etcd, etcdctl's surroundings.

use crate::document::{Document, Value};

/// Where a client dials, what it trusts there and what it shows.
#[derive(Debug, Default)]
pub(super) struct ClientConfig {
    pub(super) endpoints: Vec<String>,
    pub(super) ca: Option<String>,
    pub(super) certificate: Option<String>,
    pub(super) key: Option<String>,
}

impl ClientConfig {
    /// `etcd.external` of a ClusterConfiguration; kubeadm's file may hold several documents.
    pub(super) fn from_kubeadm(text: &str) -> Option<Self> {
        text.split("\n---").find_map(|document| {
            let document = Document::from_yaml(document.trim_start_matches('-').as_bytes()).ok()?;
            let external = member(&member(&document.root(), "etcd")?, "external")?;
            let string = |name| member(&external, name).map(|value| value.scalar());
            let endpoints = member(&external, "endpoints").and_then(|value| value.list().ok());
            Some(Self {
                endpoints: endpoints.unwrap_or_default().iter().map(Value::scalar).collect(),
                ca: string("caFile"),
                certificate: string("certFile"),
                key: string("keyFile"),
            })
        })
    }

    /// `ETCDCTL_…=…`, a line each.
    pub(super) fn from_env(text: &str) -> Self {
        let mut told = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
            let value = value.trim_matches(['"', '\'']).to_owned();
            match name.trim_start_matches("export ") {
                "ETCDCTL_CACERT" => told.ca = Some(value),
                "ETCDCTL_CERT" => told.certificate = Some(value),
                "ETCDCTL_KEY" => told.key = Some(value),
                "ETCDCTL_ENDPOINTS" => {
                    told.endpoints = value.split(',').map(str::to_owned).collect();
                }
                _ => {}
            }
        }
        told
    }
}

fn member<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let members = value.members().ok()?.into_iter();
    members.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}
