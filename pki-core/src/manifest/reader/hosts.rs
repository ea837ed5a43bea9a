//! Reads the hosts and clients of a manifest, and checks that they do not conflict.

use std::net::IpAddr;

use super::{Defaults, Reader};
use crate::document::{Fields, Value};
use crate::error::Error;
use crate::layout::{APISERVER_CLIENT, FileKind, Role};
use crate::manifest::model::{Client, Host};
use crate::manifest::values::{boolean, host_address, key, label};
use crate::name::San;
use crate::suggest;

/// The folder for clients without a host.
const ADMIN: &str = "admin";

impl Reader {
    pub(super) fn hosts(
        &mut self,
        top: &Fields<'_>,
        group: &str,
        defaults: &Defaults,
    ) -> Vec<Host> {
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
            let error = value.invalid("the list is empty").hinted("add an address");
            self.mistake(&value, error);
        }
        addresses
    }

    pub(super) fn clients(
        &mut self,
        top: &Fields<'_>,
        defaults: &Defaults,
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
            let host = host.unwrap_or_else(|| ADMIN.to_owned());
            if let Some(at) = fields.find("host")
                && let Some(error) = self.misplaced(at, &host, workers)
            {
                self.mistake(at, error);
            }
            let key = self.field(&fields, "key", key).unwrap_or(defaults.key);
            let expiry = self.expiry(&fields, defaults.expiry);
            let Some(name) = name else { continue };
            // `combined` can change later, so all names of a member's files are reserved.
            let role = Role::Client(name.clone());
            let own_file = FileKind::Certificate(role);
            let problem = if name == APISERVER_CLIENT
                || clients.iter().any(|client| client.name == name)
            {
                Some("another client has this name")
            } else if FileKind::from_name(&own_file.name()) != Some(own_file) {
                Some(
                    "reserved: its files would have the same names as those of a CA, a member or a key",
                )
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

    /// Why a client's files cannot go to this host. A host that is not in the manifest gets its own folder,
    /// for example for a backup job or an administrator. A name that is similar to that of a host is a
    /// mistake, which would put the files into the wrong folder.
    fn misplaced(&self, at: &Value<'_>, host: &str, workers: &[Host]) -> Option<Error> {
        if workers.iter().any(|worker| worker.name == host) {
            let error = at.invalid("a worker, but workers must not have etcd credentials");
            return Some(error.hinted("use another host, or remove \"host\""));
        }
        if host == ADMIN || self.names.contains_key(host) {
            return None;
        }
        // Short names are always similar, and node4 is probably another machine than node3.
        let letters = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
        if host.len() < 5 {
            return None;
        }
        let known = self.names.keys().map(String::as_str).chain([ADMIN]);
        let mut others: Vec<&str> = known.filter(|name| letters(name) != letters(host)).collect();
        others.sort_unstable();
        let near = suggest::nearest(host, others)?;
        let error = at.invalid("not a host of this manifest, but similar to one");
        Some(error.hinted(format!(
            "did you mean {near:?}? For another machine, choose a less similar name"
        )))
    }

    fn once_name(&mut self, at: &Value<'_>, name: &str) {
        if let Some(place) = self.names.get(name) {
            let error = at
                .invalid(format!("another host has this name ({place})"))
                .hinted("rename one of the two");
            self.mistake(at, error);
        } else if name == ADMIN {
            let error =
                at.invalid("this name is reserved for the folder of clients without a host");
            self.mistake(at, error.hinted("rename the host"));
        } else {
            self.names.insert(name.to_owned(), at.field());
        }
    }

    fn once_address(&mut self, at: &Value<'_>, address: IpAddr) {
        if let Some(place) = self.addresses.get(&address) {
            let error = at
                .invalid(format!("this address is already in use ({place})"))
                .hinted("use each address only once");
            self.mistake(at, error);
        } else {
            self.addresses.insert(address, at.field());
        }
    }
}
