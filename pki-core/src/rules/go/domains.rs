//! Domains as Go reads them in constraints.

/// True for an empty text, and for labels of printable ASCII with dots between them, perhaps behind one dot.
pub(super) fn is_domain(text: &[u8]) -> bool {
    let labels = text.strip_prefix(b".").unwrap_or(text);
    text.is_empty()
        || labels
            .split(|octet| *octet == b'.')
            .all(|label| !label.is_empty() && label.iter().all(u8::is_ascii_graphic))
}

/// True if `name` is `domain` or is below it; with a leading dot only the latter. An empty domain stands for
/// all.
pub(super) fn is_within(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.as_bytes(), domain.as_bytes());
    let Some(cut) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let (before, end) = name.split_at(cut);
    end.eq_ignore_ascii_case(domain)
        && (domain.is_empty() || before.is_empty() || domain[0] == b'.' || before.ends_with(b"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_labels_between_their_dots() {
        for (text, wanted) in [
            ("", true),
            ("example.com", true),
            ("_x.*.[::1]:80", true),
            (".example.com", true),
            (".", false),
            ("..example.com", false),
            ("example.com.", false),
            ("example..com", false),
            ("exa mple.com", false),
            ("ex\u{e4}mple.com", false),
        ] {
            assert_eq!(is_domain(text.as_bytes()), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_domain_reaches_everything_below_it() {
        for (name, domain, wanted) in [
            ("example.com", "example.com", true),
            ("a.EXAMPLE.com", "example.com", true),
            ("badexample.com", "example.com", false),
            ("example.com", ".example.com", false),
            ("a.example.com", ".example.com", true),
            ("com", "example.com", false),
            ("anything", "", true),
        ] {
            assert_eq!(is_within(name, domain), wanted, "{name} {domain}");
        }
    }
}
