//! The members of objects: those of a fixed set of fields, and those with any keys.

use super::value::{Data, Node, Value};
use crate::dialect::{Dialect, Faults};
use crate::error::Error;
use crate::quote;
use crate::suggest;

impl<'a> Value<'a> {
    /// The members of an object with any keys.
    #[cfg(feature = "manifest")]
    pub(crate) fn members(&self) -> Result<Vec<(&'a str, Self)>, Error> {
        let (values, duplicates) = self.once_each()?;
        match duplicates.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(values),
        }
    }

    /// Every member of an object as written, those of equal keys in their order.
    fn written(&self) -> Result<Vec<(&'a str, Self)>, Error> {
        self.read(|value| match value.node.data {
            Data::Object(_) | Data::Zero => Ok(()),
            _ => Err(value.expected("an object", "it in braces: {\"…\": …}")),
        })?;
        let members = |node: &&'a Node| match &node.data {
            Data::Object(members) => members.as_slice(),
            _ => &[],
        };
        let members = self.earlier.iter().chain([&self.node]).flat_map(members);
        let member = |(key, node): &'a (String, Node)| {
            let shown = quote::name(key);
            let path = if self.path.is_empty() { shown } else { format!("{}.{shown}", self.path) };
            (key.as_str(), Self::new(node, path))
        };
        Ok(members.map(member).collect())
    }

    /// The members of an object with any keys. A duplicate key keeps its last value, as in a map of Go, and yields an error.
    #[expect(clippy::type_complexity, reason = "two lists that the callers destructure")]
    fn once_each(&self) -> Result<(Vec<(&'a str, Self)>, Vec<(Self, Error)>), Error> {
        let mut values: Vec<(&str, Self)> = Vec::new();
        let mut duplicates = Vec::new();
        for (key, value) in self.written()? {
            if let Some((_, kept)) = values.iter_mut().find(|(earlier, _)| *earlier == key) {
                let mut replaced = std::mem::take(&mut kept.replaced);
                replaced.extend(kept.written_node());
                *kept = Self { replaced, ..value.clone() };
                duplicates.push(value.duplicate());
            } else {
                values.push((key, value));
            }
        }
        Ok((values, duplicates))
    }

    fn duplicate(self) -> (Self, Error) {
        // Only JSON files have no positions, and they can be cfssl's.
        let hint = match self.node.position {
            Some(_) => "remove one of the two",
            None => "remove one of the two; cfssl silently uses the last one",
        };
        let error = self.invalid("duplicate key").hinted(hint);
        (self, error)
    }

    /// This value after its key occurs again. Go reads the later value into the earlier one: an object adds to its members,
    /// a list replaces its items one by one, and `null` leaves a text, a number and a boolean as they are.
    pub(super) fn redefined(mut self, later: &'a Node) -> Self {
        match (&self.node.data, &later.data) {
            (Data::Object(_), Data::Object(_)) | (Data::Array(_), Data::Array(_)) => {
                self.earlier.push(self.node);
            }
            (Data::String(_) | Data::Number(_) | Data::Bool(_), Data::Null | Data::Zero) => {
                return self;
            }
            _ => {
                self.replaced.append(&mut self.earlier);
                self.replaced.extend(self.written_node());
            }
        }
        Self { node: later, ..self }
    }

    /// The node, unless it is `null`, which every type takes.
    fn written_node(&self) -> Option<&'a Node> {
        Some(self.node).filter(|node| !matches!(node.data, Data::Null | Data::Zero))
    }

    /// The members of an object with these keys. `null` counts as absent.
    pub(crate) fn fields(&self, known: &'static [&'static str]) -> Result<Fields<'a>, Error> {
        let (fields, unknown) = self.known_fields(known)?;
        match unknown.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(fields),
        }
    }

    /// The members of an object with these keys, and an error for each unknown or duplicate key.
    pub(crate) fn known_fields(
        &self,
        known: &'static [&'static str],
    ) -> Result<(Fields<'a>, Vec<(Self, Error)>), Error> {
        let mut mistakes = Vec::new();
        let mut fields: Vec<(&'static str, Self)> = Vec::new();
        for (key, value) in self.written()? {
            // In Go, the keys of a struct are case-insensitive, and those of a map are case-sensitive.
            let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(key)) else {
                let error = value
                    .invalid("unknown field")
                    .hinted(suggest::one_of(key, known.iter().copied()));
                mistakes.push((value, error));
                continue;
            };
            if let Some((_, field)) = fields.iter_mut().find(|(earlier, _)| earlier == name) {
                let path = value.path.clone();
                *field = Self { path, ..field.clone().redefined(value.node) };
                mistakes.push(value.duplicate());
            } else {
                fields.push((*name, value));
            }
        }
        fields.retain(|(_, value)| !matches!(value.node.data, Data::Null | Data::Zero));
        Ok((Fields(fields), mistakes))
    }

    /// The same, with these errors among the faults. A value that is not an object has no fields.
    pub(crate) fn read_fields(
        &self,
        known: &'static [&'static str],
        faults: &mut Faults,
    ) -> Fields<'a> {
        match self.known_fields(known) {
            Ok((fields, unknown)) => {
                for (_, error) in unknown {
                    faults.harmless(error);
                }
                fields
            }
            Err(error) => {
                faults.error(error);
                Fields(Vec::new())
            }
        }
    }

    /// The members of an object with any keys. Duplicate keys are added to the faults.
    pub(crate) fn read_members(&self, faults: &mut Faults) -> Vec<(&'a str, Self)> {
        match self.once_each() {
            Ok((values, duplicates)) => {
                for (_, error) in duplicates {
                    faults.harmless(error);
                }
                values
            }
            Err(error) => {
                faults.error(error);
                Vec::new()
            }
        }
    }
}

/// The fields of an object.
pub(crate) struct Fields<'a>(Vec<(&'static str, Value<'a>)>);

impl<'a> Fields<'a> {
    pub(crate) fn find(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<&'a str>, Error> {
        self.find(name).map(Value::string).transpose()
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<bool, Error> {
        self.find(name).map_or(Ok(false), Value::boolean)
    }

    /// Reads a field. A field that cannot be read is treated as absent, and its error is added to the faults.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        read: impl FnOnce(&Value<'a>) -> Result<T, Error>,
    ) -> Option<T> {
        self.find(name).and_then(|value| faults.take(read(value)))
    }

    /// A list of strings, each of them parsed. An empty string is a mistake; in cfssl's dialect it is left out.
    pub(crate) fn read_list<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        parse: impl Fn(&str) -> Result<T, Error>,
    ) -> Vec<T> {
        let mut items = self.read(name, faults, Value::list).unwrap_or_default();
        if faults.dialect == Dialect::Cfssl {
            items.retain(|item| {
                let is_empty = item.string().is_ok_and(str::is_empty);
                if is_empty {
                    let error = item.invalid("an empty string; it is left out");
                    faults.harmless(error.hinted("remove it"));
                }
                !is_empty
            });
        }
        items.iter().filter_map(|item| faults.take(item.parsed(&parse))).collect()
    }

    /// A string field, parsed. An empty string counts as absent.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.find(name) {
            Some(value) if !value.string()?.is_empty() => value.parsed(parse).map(Some),
            _ => Ok(None),
        }
    }
}
