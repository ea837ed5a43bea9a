//! Which file imports from which, read from the `use` declarations and the paths in the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sources;

/// The place of a module in its crate: `["rules", "go"]` for `rules/go.rs`, empty for `lib.rs`.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Module(Vec<String>);

impl Module {
    fn child(&self, name: &str) -> Self {
        Self([self.0.as_slice(), &[name.to_owned()]].concat())
    }

    fn parent(&self) -> Self {
        Self(self.0.split_last().map(|(_, above)| above.to_vec()).unwrap_or_default())
    }

    fn name(&self) -> String {
        if self.0.is_empty() { "lib.rs".to_owned() } else { format!("{}.rs", self.0.join("/")) }
    }
}

/// What one file says.
struct Source {
    /// The text without comments, strings and tests.
    code: String,
    /// Every path that it names: `["super", "Row"]`.
    paths: Vec<Vec<String>>,
    /// The names that it takes from elsewhere, which other files may take from it.
    names: BTreeMap<String, Vec<String>>,
}

/// The files of a crate, and from which files each takes something. A re-export counts for the file that defines the name.
pub(super) struct Imports {
    sources: BTreeMap<Module, Source>,
    arrows: BTreeMap<Module, BTreeMap<Module, String>>,
}

impl Imports {
    pub(super) fn of(package: &str) -> Self {
        let folder = format!("{package}/src");
        let mut sources = BTreeMap::new();
        for (path, text) in sources_of(&folder) {
            sources.insert(module_of(&path, &folder), Source::read(&text));
        }
        let mut imports = Self { sources, arrows: BTreeMap::new() };
        for (module, source) in &imports.sources {
            let mut arrows = BTreeMap::new();
            for path in &source.paths {
                if let Some(target) = imports.resolved(module, path, 0).filter(|to| to != module) {
                    arrows.entry(target).or_insert_with(|| path.join("::"));
                }
            }
            imports.arrows.insert(module.clone(), arrows);
        }
        assert!(imports.arrows.values().map(BTreeMap::len).sum::<usize>() > 300, "few imports");
        imports
    }

    /// The file that defines what a path in `module` names, if it is in this crate.
    fn resolved(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Module::default(),
            "self" => module.clone(),
            "super" => module.parent(),
            child if self.sources.contains_key(&module.child(child)) => module.child(child),
            _ => return None,
        };
        while let Some((next, after)) = rest.split_first() {
            if next == "super" {
                at = at.parent();
            } else if self.sources.contains_key(&at.child(next)) {
                at = at.child(next);
            } else {
                let elsewhere = self.sources.get(&at).and_then(|source| source.names.get(next));
                // A name may be taken from a file that takes it from another one.
                let origin = elsewhere.filter(|_| depth < 10);
                return match origin.and_then(|path| self.resolved(&at, path, depth + 1)) {
                    Some(origin) => Some(origin),
                    None => Some(at),
                };
            }
            rest = after;
        }
        Some(at)
    }

    /// Every import from a module that `lib.rs` lists below the importing one.
    pub(super) fn against_the_order(&self) -> Vec<String> {
        let root = &self.sources[&Module::default()].code;
        let declared = root.lines().filter_map(|line| {
            line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')
        });
        let order: Vec<&str> = declared.collect();
        assert!(order.len() > 10, "{order:?}");
        let place = |module: &Module| {
            let top = module.0.first()?;
            order.iter().position(|name| name == top)
        };
        let mut found = Vec::new();
        for (from, to, path) in self.all() {
            if place(from).zip(place(to)).is_some_and(|(from, to)| to > from) {
                found.push(format!("{} imports {path}, which is listed below it", from.name()));
            }
        }
        found
    }

    /// Every import that is part of a circle.
    pub(super) fn circles(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (from, to, path) in self.all() {
            if self.below(to).contains(from) {
                found.push(format!("{} imports {path} from {}", from.name(), to.name()));
            }
        }
        found
    }

    /// The modules from which a module imports, also indirectly.
    fn below<'s>(&'s self, module: &'s Module) -> BTreeSet<&'s Module> {
        let (mut below, mut open) = (BTreeSet::new(), vec![module]);
        while let Some(next) = open.pop() {
            open.extend(self.arrows[next].keys().filter(|to| below.insert(*to)));
        }
        below
    }

    fn all(&self) -> impl Iterator<Item = (&Module, &Module, &str)> {
        let arrows = self.arrows.iter();
        arrows.flat_map(|(from, to)| to.iter().map(move |(to, path)| (from, to, path.as_str())))
    }
}

fn sources_of(folder: &str) -> impl Iterator<Item = (std::path::PathBuf, String)> {
    // The binary is a crate of its own.
    sources(&[folder]).into_iter().filter(|(path, _)| !path.ends_with("src/main.rs"))
}

fn module_of(path: &Path, folder: &str) -> Module {
    let path = path.with_extension("").display().to_string();
    let place = path.rsplit_once(&format!("{folder}/")).unwrap().1;
    Module(place.split('/').filter(|name| *name != "lib").map(str::to_owned).collect())
}

impl Source {
    fn read(text: &str) -> Self {
        let code = code(text);
        let (mut paths, mut names) = (Vec::new(), BTreeMap::new());
        let mut rest = String::new();
        for statement in code.split_inclusive(';') {
            let begin = statement.rfind("\nuse ").or_else(|| statement.find(" use "));
            let Some((before, tree)) = begin.map(|at| statement.split_at(at)) else {
                rest.push_str(statement);
                continue;
            };
            rest.push_str(before);
            let tree = tree.trim().trim_start_matches("use ").trim_end_matches(';');
            for path in flat(&tree.split_whitespace().collect::<Vec<_>>().join(" ")) {
                let (path, alias) = path.split_once(" as ").unwrap_or((&path, ""));
                let path: Vec<String> =
                    path.split("::").map(|name| name.trim().to_owned()).collect();
                let name =
                    if alias.is_empty() { path[path.len() - 1].clone() } else { alias.to_owned() };
                names.insert(name, path.clone());
                paths.push(path);
            }
        }
        let is_part = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
        for word in rest.split(is_part).filter(|word| word.contains("::")) {
            paths.push(word.split("::").map(str::to_owned).collect());
        }
        Self { code, paths, names }
    }
}

/// The paths in a tree of imports: `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`.
fn flat(tree: &str) -> Vec<String> {
    let Some((prefix, group)) = tree.split_once('{') else {
        return vec![tree.trim().trim_end_matches("::self").to_owned()];
    };
    let group = group.trim_end().strip_suffix('}').unwrap();
    let (mut depth, mut parts) = (0_usize, vec![String::new()]);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| flat(&format!("{}{}", prefix.trim(), part.trim()))).collect()
}

/// A source without comments, string literals, restrictions of visibility, and the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut code = String::from("\n");
    let mut is_string = false;
    for line in lines {
        let line =
            ["\\\\", "\\\"", "'\"'"].iter().fold(line.to_owned(), |line, it| line.replace(it, ""));
        for (index, part) in line.split('"').enumerate() {
            is_string ^= index > 0;
            if !is_string {
                code.push_str(part);
            }
        }
        code.push('\n');
    }
    assert!(!is_string, "a string without an end in\n{code}");
    code.replace("pub(in crate::", "pub(")
}
