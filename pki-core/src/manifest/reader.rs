//! Reads a manifest and reads on after a mistake, so that all are told at once.

use std::net::IpAddr;

use time::Duration;

use super::values::{absolute, boolean, domain, host_address, key, label, positive, version};
use super::{APISERVER_CLIENT, CaSpec, Client, EtcdVersion, Host, Manifest, Paths};
use crate::document::{Fields, Place, Value};
use crate::error::Error;
use crate::key::KeyAlgorithm;
use crate::name::San;
use crate::subject::Subject;

const TOP: &[&str] = &[
    "cluster",
    "domain",
    "ca",
    "defaults",
    "etcd_version",
    "paths",
    "renew_before",
    "constrain",
    "combined",
    "etcd",
    "control_plane",
    "workers",
    "clients",
];

/// The bases of a member's own files; `combined` may change later, so all three stay free.
const MEMBER_FILES: [&str; 3] = ["server", "peer", "member"];

/// What applies where a host says nothing.
struct Defaults {
    key: KeyAlgorithm,
    expiry: Duration,
    combined: bool,
}

/// Reads on after a mistake.
#[derive(Default)]
pub(super) struct Reader {
    mistakes: Vec<(Option<Place>, Error)>,
    /// Names and addresses that were seen, with where.
    names: Vec<(String, String)>,
    addresses: Vec<(IpAddr, String)>,
    /// How long the CA lives.
    ca_expiry: Option<Duration>,
}

impl Reader {
    /// The manifest, or every mistake in it, in the order of the lines.
    pub(super) fn read(mut self, root: &Value<'_>) -> Result<Manifest, Vec<Error>> {
        match self.manifest(root) {
            Some(manifest) if self.mistakes.is_empty() => Ok(manifest),
            _ => {
                self.mistakes.sort_by_key(|(place, _)| *place);
                Err(self.mistakes.into_iter().map(|(_, error)| error).collect())
            }
        }
    }

    fn mistake(&mut self, at: &Value<'_>, error: Error) {
        self.mistakes.push((at.place(), error));
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

    /// A field that must be there, parsed.
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

    /// The fields of an object, each unknown one a mistake.
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
        let ca = fields.find("ca").cloned();
        let ca = self.ca(ca.as_ref());
        self.ca_expiry = ca.as_ref().map(|ca| ca.expiry);
        let defaults = self.defaults(root, &fields);
        let etcd_version = self.field(&fields, "etcd_version", version);
        let paths = self.paths(&fields);
        let renew_before = self.field(&fields, "renew_before", positive);
        let constrain = self.field(&fields, "constrain", boolean);

        let etcd = self.hosts(&fields, "etcd", &defaults);
        let control_plane = self.hosts(&fields, "control_plane", &defaults);
        let workers = self.hosts(&fields, "workers", &defaults);
        let clients = self.clients(&fields, &defaults, &etcd, &workers);
        if etcd.is_empty() && fields.find("etcd").is_none_or(Value::is_zero) {
            let error = root.invalid("no members: \"etcd\" is missing or empty");
            self.mistake(
                root,
                error.hinted("add etcd: [{ name: …, ip: … }, …], three members or five"),
            );
        }
        let mut warnings = Vec::new();
        if !etcd.is_empty() && etcd.len().is_multiple_of(2) {
            warnings.push(format!(
                "{} etcd members: an even number tolerates no more failures than one fewer",
                etcd.len()
            ));
        }
        Some(Manifest {
            cluster: cluster?,
            domain,
            ca: ca?,
            etcd_version: etcd_version.unwrap_or(EtcdVersion(3, 6, 0)),
            paths,
            renew_before: renew_before.unwrap_or(Duration::days(30)),
            constrain: constrain.unwrap_or(false),
            etcd,
            control_plane,
            workers,
            clients,
            warnings,
        })
    }

    fn ca(&mut self, value: Option<&Value<'_>>) -> Option<CaSpec> {
        let mut attributes = vec![(crate::subject::Attribute::CommonName, "etcd CA".to_owned())];
        let mut spec = CaSpec {
            subject: Subject::default(),
            key: KeyAlgorithm::default(),
            expiry: Duration::days(3650),
        };
        if let Some(value) = value {
            let fields = self.fields(value, &["cn", "org", "key", "expiry"])?;
            for (name, attribute) in [
                ("cn", crate::subject::Attribute::CommonName),
                ("org", crate::subject::Attribute::Organization),
            ] {
                let text = self.field(&fields, name, |value| {
                    let text = value.string()?.to_owned();
                    Subject::new([(attribute.clone(), text.clone())])
                        .map_err(|error| error.in_field(value.field()))?;
                    Ok(text)
                });
                if let Some(text) = text {
                    attributes.retain(|(known, _)| *known != attribute);
                    attributes.push((attribute, text));
                }
            }
            spec.key = self.field(&fields, "key", key).unwrap_or(spec.key);
            spec.expiry = self.field(&fields, "expiry", positive).unwrap_or(spec.expiry);
        }
        spec.subject = Subject::new(attributes).ok()?;
        Some(spec)
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
                "certificates live {} unless the manifest says otherwise, as long as this CA or longer",
                defaults.expiry
            ));
            self.mistake(at, error.hinted("add defaults: { expiry: … }, shorter than the CA's"));
        }
        defaults
    }

    /// How long a leaf lives, which must be less than its CA: a leaf that outlives it is refused.
    fn expiry(&mut self, fields: &Fields<'_>, default: Duration) -> Duration {
        let limit = self.ca_expiry;
        let shorter = |value: &Value<'_>| {
            let expiry = positive(value)?;
            if limit.is_some_and(|limit| expiry >= limit) {
                return Err(value
                    .invalid("as long as the CA lives, or longer")
                    .hinted("write a shorter one, or give the CA a longer expiry"));
            }
            Ok(expiry)
        };
        self.field(fields, "expiry", shorter).unwrap_or(default)
    }

    fn hosts(&mut self, top: &Fields<'_>, group: &str, defaults: &Defaults) -> Vec<Host> {
        let items = self.items(top, group);
        items.iter().filter_map(|value| self.host(value, group, defaults)).collect()
    }

    fn host(&mut self, value: &Value<'_>, group: &str, defaults: &Defaults) -> Option<Host> {
        let known: &'static [&'static str] = match group {
            "etcd" => &["name", "ip", "sans", "key", "expiry", "combined"],
            "control_plane" => &["name", "ip", "key", "expiry"],
            _ => &["name", "ip"],
        };
        let fields = self.fields(value, known)?;
        let name = self.required(value, &fields, "name", |value| {
            value.parsed(|text| label(text).map(str::to_owned))
        });
        if let (Some(name), Some(at)) = (&name, fields.find("name")) {
            self.once_name(at, name);
        }
        let addresses = self.addresses(value, &fields);
        let sans = match fields.find("sans").cloned() {
            Some(list) => self.sans(&list),
            None => Vec::new(),
        };
        let key = self.field(&fields, "key", key).unwrap_or(defaults.key);
        let expiry = self.expiry(&fields, defaults.expiry);
        let combined = self.field(&fields, "combined", boolean).unwrap_or(defaults.combined);
        Some(Host { name: name?, addresses, sans, key, expiry, combined })
    }

    fn sans(&mut self, list: &Value<'_>) -> Vec<San> {
        let items = list.list();
        let items = self.take(list, items).unwrap_or_default();
        items
            .iter()
            .filter_map(|item| {
                let parsed = item.parsed(str::parse);
                self.take(item, parsed)
            })
            .collect()
    }

    fn addresses(&mut self, host: &Value<'_>, fields: &Fields<'_>) -> Vec<IpAddr> {
        let Some(value) = fields.find("ip").cloned() else {
            let error = host.invalid("\"ip\" is missing").hinted("add ip: 192.0.2.1, or a list");
            self.mistake(host, error);
            return Vec::new();
        };
        // One address, or a list of them.
        let items = value.list().unwrap_or_else(|_| vec![value.clone()]);
        let mut addresses = Vec::new();
        for item in &items {
            let parsed = item.parsed(host_address);
            if let Some(address) = self.take(item, parsed) {
                self.once_address(item, address);
                addresses.push(address);
            }
        }
        if items.is_empty() {
            let error = value.invalid("no address").hinted("add one");
            self.mistake(&value, error);
        }
        addresses
    }

    fn clients(
        &mut self,
        top: &Fields<'_>,
        defaults: &Defaults,
        members: &[Host],
        workers: &[Host],
    ) -> Vec<Client> {
        let items = self.items(top, "clients");
        let mut clients: Vec<Client> = Vec::new();
        for value in &items {
            let Some(fields) = self.fields(value, &["name", "host", "key", "expiry"]) else {
                continue;
            };
            let name = self.required(value, &fields, "name", |value| {
                value.parsed(|text| label(text).map(str::to_owned))
            });
            let host = self.field(&fields, "host", |value| {
                value.parsed(|text| label(text).map(str::to_owned))
            });
            let host = host.unwrap_or_else(|| "admin".to_owned());
            if let Some(at) = fields.find("host")
                && workers.iter().any(|worker| worker.name == host)
            {
                let error = at
                    .invalid("a worker, and a worker holds no credential of etcd")
                    .hinted("put the client on another host, or leave \"host\" out");
                self.mistake(at, error);
            }
            let key = self.field(&fields, "key", key).unwrap_or(defaults.key);
            let expiry = self.expiry(&fields, defaults.expiry);
            let Some(name) = name else { continue };
            let on_member = members.iter().any(|member| member.name == host);
            let problem =
                if name == APISERVER_CLIENT || clients.iter().any(|client| client.name == name) {
                    Some("another client has this name")
                } else if name == "ca" || name.ends_with("-key") {
                    Some("its files would have the names of the CA's or of a key")
                } else if on_member && MEMBER_FILES.contains(&name.as_str()) {
                    Some("its files would have the names of the member's own")
                } else {
                    None
                };
            if let (Some(at), Some(problem)) = (fields.find("name"), problem) {
                let error = at.invalid(problem).hinted("choose another name");
                self.mistake(at, error);
            }
            clients.push(Client { name, host, key, expiry });
        }
        clients
    }

    fn once_name(&mut self, at: &Value<'_>, name: &str) {
        let earlier = self.names.iter().find(|(known, _)| known == name);
        if let Some((_, place)) = earlier {
            let error = at
                .invalid(format!("another host has this name ({place})"))
                .hinted("rename one of the two");
            self.mistake(at, error);
        } else if name == "admin" {
            let error = at.invalid("the folder of clients without a host has this name");
            self.mistake(at, error.hinted("rename the host"));
        } else {
            self.names.push((name.to_owned(), at.field()));
        }
    }

    fn once_address(&mut self, at: &Value<'_>, address: IpAddr) {
        let earlier = self.addresses.iter().find(|(known, _)| *known == address);
        if let Some((_, place)) = earlier {
            let error = at
                .invalid(format!("the address is there already ({place})"))
                .hinted("give each host its own");
            self.mistake(at, error);
        } else {
            self.addresses.push((address, at.field()));
        }
    }
}
