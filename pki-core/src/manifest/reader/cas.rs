//! Reads `ca` and `cas`: the CAs of the cluster.

use time::Duration;

use super::Reader;
use crate::document::{Fields, Value};
use crate::key::KeyAlgorithm;
use crate::layout::Traffic;
use crate::manifest::model::{CaSpec, SeparateCas};
use crate::manifest::values::{key, positive};
use crate::subject::{Attribute, Subject};

impl Reader {
    /// The separate CAs, which must have different names: a certificate names its CA only by that.
    pub(super) fn separate_cas(&mut self, top: &Fields<'_>) -> Option<SeparateCas> {
        let value = top.find("cas")?.clone();
        if let Some(ca) = top.find("ca") {
            let error = ca.invalid("\"cas\" lists the CAs already");
            self.mistake(ca, error.hinted("remove \"ca\" or \"cas\""));
        }
        let fields = self.fields(&value, &["server", "peer", "client"])?;
        let [server, peer, client] = Traffic::ALL.map(|traffic| {
            let name = traffic.as_str();
            let spec = fields.find(name).cloned();
            self.ca(spec.as_ref(), &format!("etcd {name} CA"))
        });
        let cas = SeparateCas { server: server?, peer: peer?, client: client? };
        let subjects = Traffic::ALL.map(|traffic| &cas.of(traffic).subject);
        if subjects[0] == subjects[1] || subjects[0] == subjects[2] || subjects[1] == subjects[2] {
            let error = value.invalid("two CAs have the same name");
            self.mistake(&value, error.hinted("give each a \"cn\" of its own"));
        }
        let expiries = Traffic::ALL.map(|traffic| cas.of(traffic).expiry);
        self.ca_expiry = expiries.into_iter().min();
        Some(cas)
    }

    /// One CA, which has this name unless the manifest gives it another.
    pub(super) fn ca(&mut self, value: Option<&Value<'_>>, name: &str) -> Option<CaSpec> {
        let mut attributes = vec![(Attribute::CommonName, name.to_owned())];
        let mut spec = CaSpec {
            subject: Subject::default(),
            key: KeyAlgorithm::default(),
            expiry: Duration::days(3650),
        };
        if let Some(value) = value {
            let fields = self.fields(value, &["cn", "org", "key", "expiry"])?;
            for (name, attribute) in
                [("cn", Attribute::CommonName), ("org", Attribute::Organization)]
            {
                let text = self.field(&fields, name, |value| {
                    let text = value.string()?.to_owned();
                    Subject::new([(attribute.clone(), text.clone())])
                        .map_err(|error| value.located(error))?;
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
}
