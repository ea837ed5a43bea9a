//! Reads a manifest. The reader continues after a mistake, so that all mistakes are reported at once.

mod cas;
mod clients;
mod etcd_config;
mod hosts;
mod known_hosts;

use time::Duration;

use self::known_hosts::{Group, KnownHosts};
use super::endpoint::Endpoint;
use super::model::{EtcdConfig, Manifest, Paths};
use super::values::{
    absolute, boolean, domain, folder, key, kubernetes_version, label, positive, version,
};
use crate::document::{Document, Fields, Value};
use crate::error::Error;
use crate::etcd::EtcdVersion;
use crate::key::KeyAlgorithm;

const TOP: &[&str] = &[
    "cluster",
    "domain",
    "dir",
    "ca",
    "cas",
    "defaults",
    "etcd_version",
    "etcd_config",
    "endpoints",
    "control_plane_endpoint",
    "kubernetes_version",
    "paths",
    "renew_before",
    "constrain",
    "combined",
    "crl",
    "configuration",
    "etcd",
    "control_plane",
    "workers",
    "clients",
];

/// Every write waits for a majority (etcd.io/docs, FAQ: "What is maximum cluster size?").
const MOST_MEMBERS: usize = 7;

/// The values for hosts and clients that do not set them.
struct Defaults {
    key: KeyAlgorithm,
    expiry: Duration,
    combined: bool,
}

impl Manifest {
    /// Reads a manifest in YAML. Returns every mistake in it, in the order of the lines.
    pub fn from_yaml(bytes: &[u8]) -> Result<Self, Vec<Error>> {
        let document = Document::from_yaml(bytes).map_err(|error| vec![error])?;
        Reader::default().read(&document.root())
    }
}

/// Collects mistakes and continues.
#[derive(Default)]
struct Reader {
    mistakes: Vec<Error>,
    known: KnownHosts,
    /// The lifetime of the CA.
    ca_expiry: Option<Duration>,
}

impl Reader {
    /// Returns the manifest, or every mistake in it, in the order of the lines.
    fn read(mut self, root: &Value<'_>) -> Result<Manifest, Vec<Error>> {
        match self.manifest(root) {
            Some(manifest) if self.mistakes.is_empty() => Ok(manifest),
            _ => {
                self.mistakes.sort_by_key(Error::position);
                Err(self.mistakes)
            }
        }
    }

    fn mistake(&mut self, at: &Value<'_>, error: Error) {
        self.mistakes.push(error.at(at.position()));
    }

    fn take<T>(&mut self, at: &Value<'_>, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(at, error);
                None
            }
        }
    }

    /// An optional field, parsed.
    fn field<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        parse: impl Fn(&Value<'_>) -> Result<T, Error>,
    ) -> Option<T> {
        let value = fields.find(name)?.clone();
        let parsed = parse(&value);
        self.take(&value, parsed)
    }

    /// A required field, parsed.
    fn required<T>(
        &mut self,
        at: &Value<'_>,
        fields: &Fields<'_>,
        name: &str,
        parse: impl Fn(&Value<'_>) -> Result<T, Error>,
    ) -> Option<T> {
        if fields.find(name).is_none() {
            let error = at.invalid(format!("{name:?} is missing")).hinted(format!("add {name}: …"));
            self.mistake(at, error);
            return None;
        }
        self.field(fields, name, parse)
    }

    /// The fields of an object. An unknown field is a mistake.
    fn fields<'a>(
        &mut self,
        value: &Value<'a>,
        known: &'static [&'static str],
    ) -> Option<Fields<'a>> {
        match value.known_fields(known) {
            Ok((fields, unknown)) => {
                for (at, error) in unknown {
                    self.mistake(&at, error);
                }
                Some(fields)
            }
            Err(error) => {
                self.mistake(value, error);
                None
            }
        }
    }

    fn items<'a>(&mut self, fields: &Fields<'a>, name: &str) -> Vec<Value<'a>> {
        let Some(value) = fields.find(name) else { return Vec::new() };
        let items = value.list();
        self.take(value, items).unwrap_or_default()
    }

    fn manifest(&mut self, root: &Value<'_>) -> Option<Manifest> {
        let fields = self.fields(root, TOP)?;
        let cluster = self.required(root, &fields, "cluster", |value| {
            value.parsed(|text| label(text).map(str::to_owned))
        });
        let domain = self.field(&fields, "domain", domain);
        let dir = self.field(&fields, "dir", folder);
        let ca = fields.find("ca").cloned();
        let ca = self.ca(ca.as_ref(), "etcd CA");
        self.ca_expiry = ca.as_ref().map(|ca| ca.expiry);
        let cas = self.separate_cas(&fields);
        let defaults = self.defaults(root, &fields);
        let etcd_version = self.field(&fields, "etcd_version", version);
        let etcd_version = etcd_version.unwrap_or(EtcdVersion(3, 6, 0));
        let etcd_config = self.etcd_config(&fields, etcd_version);
        let endpoints = self.endpoints(&fields);
        let control_plane_endpoint =
            self.field(&fields, "control_plane_endpoint", |value| value.parsed(str::parse));
        let kubernetes_version = self.field(&fields, "kubernetes_version", kubernetes_version);
        let paths = self.paths(&fields);
        let renew_before = self.field(&fields, "renew_before", positive);
        let constrain = self.field(&fields, "constrain", boolean);
        let configuration = self.field(&fields, "configuration", boolean);
        let crl = self.crl(&fields, &etcd_config);

        let etcd = self.hosts(&fields, Group::Etcd, &[], &defaults);
        let control_plane = self.hosts(&fields, Group::ControlPlane, &etcd, &defaults);
        let workers = self.hosts(&fields, Group::Workers, &[], &defaults);
        let clients = self.clients(&fields, cluster.as_deref(), &defaults, &workers);
        if etcd.is_empty() && fields.find("etcd").is_none_or(Value::is_zero) {
            let error = root.invalid("no members: \"etcd\" is missing or empty");
            self.mistake(
                root,
                error.hinted("add etcd: [{ name: …, ip: … }, …] with three or five members"),
            );
        }
        if let (Some(value), true) = (fields.find("cas"), etcd.iter().any(|host| host.combined)) {
            let error = value.invalid("\"combined\": one certificate cannot come from two CAs");
            self.mistake(
                value,
                error.hinted("remove \"combined\", or write \"ca\" instead of \"cas\""),
            );
        }
        let mut warnings = Vec::new();
        if !etcd.is_empty() && etcd.len().is_multiple_of(2) {
            warnings.push(format!(
                "{} etcd members tolerate no more failures than {}",
                etcd.len(),
                etcd.len() - 1
            ));
        }
        if etcd.len() > MOST_MEMBERS {
            warnings.push(format!(
                "{} etcd members, but etcd's documentation recommends at most {MOST_MEMBERS}",
                etcd.len()
            ));
        }
        Some(Manifest {
            cluster: cluster?,
            domain,
            dir,
            ca: ca?,
            cas,
            etcd_version,
            etcd_config,
            endpoints,
            control_plane_endpoint,
            kubernetes_version,
            paths,
            renew_before: renew_before.unwrap_or(Duration::days(30)),
            constrain: constrain.unwrap_or(false),
            crl,
            configuration: configuration.unwrap_or(true),
            etcd,
            control_plane,
            workers,
            clients,
            warnings,
        })
    }

    /// Whether the members check a CRL. Then `etcd_config` must not name one.
    fn crl(&mut self, top: &Fields<'_>, etcd_config: &EtcdConfig) -> bool {
        let crl = self.field(top, "crl", boolean).unwrap_or(false);
        for option in ["client-crl-file", "peer-crl-file"] {
            if let Some(value) = top.find("etcd_config").filter(|_| crl)
                && etcd_config.find(option).is_some()
            {
                let error = value.invalid(format!("{option} follows from \"crl\""));
                self.mistake(value, error.hinted("remove it, or write crl: false"));
            }
        }
        crl
    }

    fn endpoints(&mut self, top: &Fields<'_>) -> Vec<Endpoint> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for item in self.items(top, "endpoints") {
            let parsed = item.parsed(str::parse);
            let Some(endpoint) = self.take(&item, parsed) else { continue };
            if endpoints.contains(&endpoint) {
                let error = item.invalid("the endpoint is listed twice").hinted("keep one");
                self.mistake(&item, error);
            }
            endpoints.push(endpoint);
        }
        endpoints
    }

    fn paths(&mut self, top: &Fields<'_>) -> Paths {
        let mut paths = Paths {
            etcd: "/etc/etcd".to_owned(),
            data: "/var/lib/etcd".to_owned(),
            kubernetes: "/etc/kubernetes/pki/etcd".to_owned(),
        };
        if let Some(value) = top.find("paths").cloned()
            && let Some(fields) = self.fields(&value, &["etcd", "data", "kubernetes"])
        {
            for (name, path) in [
                ("etcd", &mut paths.etcd),
                ("data", &mut paths.data),
                ("kubernetes", &mut paths.kubernetes),
            ] {
                if let Some(given) = self.field(&fields, name, absolute) {
                    *path = given;
                }
            }
        }
        paths
    }

    fn defaults(&mut self, root: &Value<'_>, top: &Fields<'_>) -> Defaults {
        let combined = self.field(top, "combined", boolean).unwrap_or(false);
        let mut defaults =
            Defaults { key: KeyAlgorithm::default(), expiry: Duration::days(365), combined };
        if let Some(value) = top.find("defaults").cloned()
            && let Some(fields) = self.fields(&value, &["key", "expiry"])
        {
            defaults.key = self.field(&fields, "key", key).unwrap_or(defaults.key);
            defaults.expiry = self.expiry(&fields, defaults.expiry);
            if fields.find("expiry").is_some() {
                return defaults;
            }
        }
        if self.ca_expiry.is_some_and(|limit| defaults.expiry >= limit) {
            let at = top.find("ca").unwrap_or(root);
            let error = at.invalid(format!(
                "the default lifetime of certificates, {}, is not shorter than that of this CA",
                defaults.expiry
            ));
            self.mistake(
                at,
                error.hinted("add defaults: { expiry: … } with a shorter lifetime than the CA's"),
            );
        }
        defaults
    }

    /// The lifetime of a leaf certificate. It must be shorter than the CA's, because `issue` refuses a
    /// certificate that outlives its CA.
    fn expiry(&mut self, fields: &Fields<'_>, default: Duration) -> Duration {
        let limit = self.ca_expiry;
        let shorter = |value: &Value<'_>| {
            let expiry = positive(value)?;
            if limit.is_some_and(|limit| expiry >= limit) {
                return Err(value
                    .invalid("not shorter than the lifetime of the CA")
                    .hinted("write a shorter expiry, or give the CA a longer one"));
            }
            Ok(expiry)
        };
        self.field(fields, "expiry", shorter).unwrap_or(default)
    }
}
