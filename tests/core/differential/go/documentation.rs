//! The tables in docs/verification.md that are generated.
#![expect(clippy::disallowed_methods, reason = "the tables stand in a file")]

use super::judge;

/// Compares the table between two comments with this title, or writes it if `UPDATE_DOCS` is set.
pub(super) fn assert_has(title: &str, table: &str) {
    let (begin, end) = (format!("<!-- {title}: begin -->\n"), format!("<!-- {title}: end -->\n"));
    let path = judge::root().join("docs/verification.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let expected = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(
        page == expected,
        "the table `{title}` in docs/verification.md is out of date: \
         UPDATE_DOCS=1 cargo test -p pki-core --test core docs_verification_md"
    );
}
