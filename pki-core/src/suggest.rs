//! Suggestions for mistyped names: "did you mean …?"

/// The candidate that a mistyped `found` is most similar to, if one is similar enough.
pub(crate) fn nearest<'a>(
    found: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Case, spaces, hyphens and underscores are the most frequent mistakes: `serverAuth`.
    let fold = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let found = fold(found);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&found, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= 2.max(found.len() / 4))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint for a name that is not one of `candidates`.
pub(crate) fn one_of<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(found, candidates.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if candidates.is_empty() => "no names are defined".to_owned(),
        None => format!("one of: {}", candidates.join(", ")),
    }
}
