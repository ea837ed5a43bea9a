//! Expands the variables in the command of a unit (systemd.service(5), "Command lines").

use std::collections::BTreeMap;

use super::flags::Argument;
use super::words::{Escapes, Word, first_word};

/// Replaces `$NAME` and `${NAME}` like systemd: `$NAME` only as a separate word, whose value is split at spaces, and
/// `${NAME}` anywhere (systemd.service(5), "Command lines").
pub(super) fn expand(word: &Word, environment: &BTreeMap<String, Word>) -> Vec<Argument> {
    let alone = word.text.strip_prefix('$').filter(|name| !name.starts_with(['{', '$']));
    if let Some(name) = alone.filter(|name| !name.is_empty()) {
        let value = environment.get(name).and_then(Word::resolved);
        let Some(mut rest) = value else { return vec![Argument::Unknown(word.text.clone())] };
        let mut arguments = Vec::new();
        while let Ok(Some((part, behind))) = first_word(rest, Escapes::Quoting) {
            arguments.push(Argument::Word(Word::known(part)));
            rest = behind;
        }
        return arguments;
    }
    let mut expanded = Word { text: String::new(), unresolved: word.unresolved.clone() };
    let mut rest = word.text.as_str();
    while let Some((before, after)) = rest.split_once('$') {
        expanded.text.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            expanded.text.push('$');
            rest = after;
        } else if let Some((name, after)) =
            after.strip_prefix('{').and_then(|after| after.split_once('}'))
        {
            if let Some(value) = environment.get(name) {
                expanded.text.push_str(&value.text);
                expanded.unresolved.extend(value.unresolved.iter().cloned());
            } else {
                let reference = format!("${{{name}}}");
                expanded.text.push_str(&reference);
                expanded.unresolved.push(reference);
            }
            rest = after;
        } else {
            expanded.text.push('$');
            rest = after;
        }
    }
    expanded.text.push_str(rest);
    vec![Argument::Word(expanded)]
}
