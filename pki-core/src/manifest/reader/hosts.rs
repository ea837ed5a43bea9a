//! Reads the hosts of a manifest, and checks that they do not conflict.

use std::net::IpAddr;

use super::known_hosts::{Group, Seen};
use super::{Defaults, Reader};
use crate::document::{Fields, Value};
use crate::layout::ADMIN;
use crate::manifest::model::{ClusterState, Host, ReachedBy};
use crate::manifest::values::{boolean, host_address, key, label, one_of};
use crate::name::San;

impl Reader {
    pub(super) fn hosts(
        &mut self,
        top: &Fields<'_>,
        group: Group,
        members: &[Host],
        defaults: &Defaults,
    ) -> Vec<Host> {
        let items = self.items(top, group.field());
        items.iter().filter_map(|value| self.host(value, group, members, defaults)).collect()
    }

    fn host(
        &mut self,
        value: &Value<'_>,
        group: Group,
        members: &[Host],
        defaults: &Defaults,
    ) -> Option<Host> {
        let fields = self.fields(value, group.fields())?;
        let name = self.required(value, &fields, "name", |value| {
            value.parsed(|text| label(text).map(str::to_owned))
        });
        if let (Some(name), Some(at)) = (&name, fields.find("name")) {
            self.once_name(at, name, group);
        }
        let reached_by = self.field(&fields, "reached_by", |value| {
            one_of(value, &[("ip", ReachedBy::Ip), ("name", ReachedBy::Name)])
        });
        let reached_by = reached_by.unwrap_or_default();
        let member = members.iter().find(|member| Some(&member.name) == name.as_ref());
        let addresses = match member.filter(|_| fields.find("ip").is_none()) {
            Some(member) => member.addresses.clone(),
            None => self.addresses(value, &fields, group, name.as_deref(), reached_by),
        };
        if let (Some(member), Some(at)) = (member, fields.find("ip"))
            && !addresses.iter().all(|address| member.addresses.contains(address))
        {
            let error = at.invalid(format!("not the addresses of the member {}", member.name));
            self.mistake(at, error.hinted("write the same addresses, or leave \"ip\" out"));
        }
        let sans = match fields.find("sans").cloned() {
            Some(list) => self.sans(&list),
            None => Vec::new(),
        };
        let initial_cluster_state = self.field(&fields, "initial_cluster_state", |value| {
            one_of(value, &[ClusterState::New, ClusterState::Existing].map(|s| (s.as_str(), s)))
        });
        let key = self.field(&fields, "key", key).unwrap_or(defaults.key);
        let expiry = self.expiry(&fields, defaults.expiry);
        let combined = self.field(&fields, "combined", boolean).unwrap_or(defaults.combined);
        Some(Host {
            name: name?,
            addresses,
            reached_by,
            initial_cluster_state,
            sans,
            key,
            expiry,
            combined,
        })
    }

    pub(super) fn sans(&mut self, list: &Value<'_>) -> Vec<San> {
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

    fn addresses(
        &mut self,
        host: &Value<'_>,
        fields: &Fields<'_>,
        group: Group,
        name: Option<&str>,
        reached_by: ReachedBy,
    ) -> Vec<IpAddr> {
        let Some(value) = fields.find("ip").cloned() else {
            if reached_by == ReachedBy::Ip {
                let hint = match group {
                    Group::Etcd => "add ip: 192.0.2.1, or a list; or reached_by: name",
                    Group::ControlPlane | Group::Workers => "add ip: 192.0.2.1, or a list",
                };
                self.mistake(host, host.invalid("\"ip\" is missing").hinted(hint));
            }
            return Vec::new();
        };
        // One address, or a list of them.
        let items = value.list().unwrap_or_else(|_| vec![value.clone()]);
        let mut addresses = Vec::new();
        for item in &items {
            let parsed = item.parsed(host_address);
            if let Some(address) = self.take(item, parsed) {
                self.once_address(item, address, group, name.unwrap_or_default());
                addresses.push(address);
            }
        }
        if items.is_empty() {
            let error = value.invalid("the list is empty").hinted("add an address");
            self.mistake(&value, error);
        }
        addresses
    }

    fn once_name(&mut self, at: &Value<'_>, name: &str, group: Group) {
        if name == ADMIN {
            let error =
                at.invalid("this name is reserved for the folder of clients without a host");
            self.mistake(at, error.hinted("rename the host"));
            return;
        }
        let seen = self.known.names.entry(name.to_owned()).or_default();
        let place = Seen { group, host: name.to_owned(), place: at.place() };
        if let Some(other) = place.clash_with(seen) {
            let error = at.invalid(format!("another host has this name ({other})"));
            self.mistake(at, error.hinted("rename one of the two"));
        }
    }

    fn once_address(&mut self, at: &Value<'_>, address: IpAddr, group: Group, host: &str) {
        let seen = self.known.addresses.entry(address).or_default();
        let place = Seen { group, host: host.to_owned(), place: at.place() };
        if let Some(other) = place.clash_with(seen) {
            let error = at.invalid(format!("this address is already in use ({other})"));
            self.mistake(at, error.hinted("use each address only once"));
        }
    }
}
