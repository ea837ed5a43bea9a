//! The field `Policies`: certificate policies and their qualifiers (RFC 5280 section 4.2.1.4).

use crate::dialect::Faults;
use crate::document::{Fields, Value};
use crate::error::Error;
use crate::oid::Oid;
use crate::suggest;
use crate::template::{PolicyInformation, PolicyQualifier};

pub(super) fn policies(fields: &Fields<'_>, faults: &mut Faults) -> Vec<PolicyInformation> {
    let values = fields.read("Policies", faults, Value::list).unwrap_or_default();
    let mut policies: Vec<PolicyInformation> = Vec::new();
    for value in &values {
        let Some(policy) = policy(value, faults) else { continue };
        // RFC 5280 section 4.2.1.4
        if policies.iter().any(|earlier| earlier.id == policy.id) {
            let error = value.invalid(format!("a second policy {}", policy.id));
            faults.error(error.hinted("merge the two, with the qualifiers of both"));
        }
        policies.push(policy);
    }
    policies
}

fn policy(value: &Value<'_>, faults: &mut Faults) -> Option<PolicyInformation> {
    let fields = value.read_fields(&["ID", "Qualifiers"], faults);
    if fields.find("ID").is_none() {
        let error = value.invalid("a policy without ID");
        faults.error(error.hinted("add \"ID\": \"1.3.6.1.4.1.…\""));
    }
    let id = fields.read("ID", faults, |value| value.parsed(str::parse::<Oid>))?;
    let qualifiers = fields.read("Qualifiers", faults, Value::list).unwrap_or_default();
    let qualifiers = qualifiers.iter().filter_map(|value| {
        let read = qualifier(value);
        faults.take(read)
    });
    Some(PolicyInformation { id, qualifiers: qualifiers.collect() })
}

fn qualifier(value: &Value<'_>) -> Result<PolicyQualifier, Error> {
    const KINDS: [&str; 2] = ["id-qt-cps", "id-qt-unotice"];
    let fields = value.fields(&["Type", "Value"])?;
    let text = fields.find("Value").ok_or_else(|| {
        value.invalid("a qualifier without Value").hinted("add \"Value\": \"https://…\"")
    })?;
    match fields.string("Type")?.unwrap_or_default() {
        "id-qt-cps" => Ok(PolicyQualifier::Cps(text.parsed(str::parse)?)),
        // RFC 5280 section 4.2.1.4: explicitText is 1 to 200 characters.
        "id-qt-unotice" => match text.string()? {
            notice if (1..=200).contains(&notice.chars().count()) => {
                Ok(PolicyQualifier::UserNotice(notice.to_owned()))
            }
            _ => Err(text
                .invalid("a user notice must have 1 to 200 characters")
                .hinted("shorten it")),
        },
        other => Err(fields
            .find("Type")
            .unwrap_or(value)
            .invalid("unknown kind of qualifier")
            .hinted(suggest::one_of(other, KINDS))),
    }
}
