//! Reads the clients of a manifest.

use super::{Defaults, Reader};
use crate::document::{Fields, Value};
use crate::error::Error;
use crate::layout::{ADMIN, APISERVER_CLIENT, FileKind, Role};
use crate::manifest::model::{Client, ClientFormat, Host};
use crate::manifest::values::{boolean, client_name, key, label, one_of};
use crate::subject::{Attribute, Subject};
use crate::suggest;

const FIELDS: &[&str] = &["name", "host", "org", "no_cn", "sans", "format", "key", "expiry"];

impl Reader {
    pub(super) fn clients(
        &mut self,
        top: &Fields<'_>,
        cluster: Option<&str>,
        defaults: &Defaults,
        workers: &[Host],
    ) -> Vec<Client> {
        let items = self.items(top, "clients");
        let mut clients: Vec<Client> = Vec::new();
        for value in &items {
            let client = self.client(value, cluster, defaults, workers);
            let Some((client, at)) = client else { continue };
            if let Some(problem) = problem_of(&client, &clients) {
                self.mistake(&at, at.invalid(problem.0).hinted(problem.1));
            }
            clients.push(client);
        }
        clients
    }

    /// A client, and the position of its name.
    fn client<'a>(
        &mut self,
        value: &Value<'a>,
        cluster: Option<&str>,
        defaults: &Defaults,
        workers: &[Host],
    ) -> Option<(Client, Value<'a>)> {
        let fields = self.fields(value, FIELDS)?;
        let name = self.required(value, &fields, "name", |value| {
            value.parsed(|text| client_name(text).map(str::to_owned))
        });
        let host = self
            .field(&fields, "host", |value| value.parsed(|text| label(text).map(str::to_owned)));
        let host = host.unwrap_or_else(|| ADMIN.to_owned());
        if let Some(at) = fields.find("host")
            && let Some(error) = self.misplaced(at, &host, workers)
        {
            self.mistake(at, error);
        }
        let subject = self.subject(&fields, name.as_deref(), cluster);
        let sans = match fields.find("sans").cloned() {
            Some(list) => self.sans(&list),
            None => Vec::new(),
        };
        let formats = self.formats(&fields);
        let key = self.field(&fields, "key", key).unwrap_or(defaults.key);
        let expiry = self.expiry(&fields, defaults.expiry);
        let client = Client { name: name?, host, subject: subject?, sans, formats, key, expiry };
        Some((client, fields.find("name")?.clone()))
    }

    /// The subject: the name and the organization. Without a common name, the organization or otherwise the cluster.
    fn subject(
        &mut self,
        fields: &Fields<'_>,
        name: Option<&str>,
        cluster: Option<&str>,
    ) -> Option<Subject> {
        let org = self.field(fields, "org", |value| {
            let org = (Attribute::Organization, value.string()?.to_owned());
            Subject::new([org.clone()]).map_err(|error| value.located(error))?;
            Ok(org)
        });
        let no_cn = self.field(fields, "no_cn", boolean).unwrap_or(false);
        let cn = name.filter(|_| !no_cn).map(|name| (Attribute::CommonName, name.to_owned()));
        let cluster = cluster.map(|cluster| (Attribute::Organization, cluster.to_owned()));
        let org = org.or(cluster.filter(|_| no_cn));
        Subject::new(cn.into_iter().chain(org)).ok()
    }

    fn formats(&mut self, fields: &Fields<'_>) -> Vec<ClientFormat> {
        let Some(value) = fields.find("format").cloned() else { return vec![ClientFormat::Pem] };
        let known = [
            ("pem", ClientFormat::Pem),
            ("pkcs12", ClientFormat::Pkcs12),
            ("combined", ClientFormat::Combined),
        ];
        // One format, or a list of them.
        let items = value.list().unwrap_or_else(|_| vec![value.clone()]);
        let mut formats = Vec::new();
        for item in &items {
            let format = one_of(item, &known);
            if let Some(format) = self.take(item, format)
                && !formats.contains(&format)
            {
                formats.push(format);
            }
        }
        if !formats.is_empty() && !formats.contains(&ClientFormat::Pem) {
            let error = value.invalid("without pem, from which the other formats are made");
            self.mistake(&value, error.hinted("add pem to the list"));
        }
        formats
    }

    /// Why a client's files cannot go to this host. A host that is not in the manifest gets its own folder,
    /// for example for a backup job or an administrator. A name that is similar to that of a host is a
    /// mistake, which would put the files into the wrong folder.
    fn misplaced(&self, at: &Value<'_>, host: &str, workers: &[Host]) -> Option<Error> {
        if workers.iter().any(|worker| worker.name == host) {
            let error = at.invalid("a worker, but workers must not have etcd credentials");
            return Some(error.hinted("use another host, or remove \"host\""));
        }
        if host == ADMIN || self.known.has(host) {
            return None;
        }
        // Short names are always similar, and node4 is probably another machine than node3.
        let letters = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
        if host.len() < 5 {
            return None;
        }
        let known = self.known.names().chain([ADMIN]);
        let mut others: Vec<&str> = known.filter(|name| letters(name) != letters(host)).collect();
        others.sort_unstable();
        let near = suggest::nearest(host, others)?;
        let error = at.invalid("not a host of this manifest, but similar to one");
        Some(error.hinted(format!(
            "did you mean {near:?}? For another machine, choose a less similar name"
        )))
    }
}

/// Why a client cannot have its name, and what to do about it.
fn problem_of(client: &Client, others: &[Client]) -> Option<(&'static str, &'static str)> {
    // `combined` can change later, so all names of a member's files are reserved.
    let own = FileKind::Certificate(Role::Client(client.name.clone()));
    let is_same = |other: &Client| other.host == client.host && other.name == client.name;
    if client.name == APISERVER_CLIENT {
        Some((
            "every host in \"control_plane\" gets this client certificate",
            "list its host in \"control_plane\" instead, or choose another name",
        ))
    } else if others.iter().any(is_same) {
        Some(("another client of the same host has this name", "choose another name"))
    } else if FileKind::from_name(&own.name()) != Some(own) {
        Some((
            "reserved: its files would have the same names as those of a CA, a member or a key",
            "choose another name",
        ))
    } else {
        None
    }
}
