//! Imports go down the list of modules in `src/lib.rs`, and no two files import each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The path of a module or of an item: `["cluster", "api"]`. The path of the crate's root is empty.
type Module = Vec<String>;

#[derive(Default)]
struct Imports {
    paths: Vec<Module>,
    /// The items that the file re-exports, with their paths.
    reexports: BTreeMap<String, Module>,
}

#[test]
fn imports_go_only_downwards() {
    let order = order();
    let place = |module: &Module| order.iter().position(|name| *name == module[0]);
    let mut upwards = Vec::new();
    for (module, imported) in edges() {
        for target in imported {
            assert!(place(&target).is_some(), "{} is not in the list of lib.rs", target[0]);
            if place(&module) > place(&target) {
                upwards.push(format!("{} imports {}", module.join("::"), target.join("::")));
            }
        }
    }
    assert!(upwards.is_empty(), "against the order in src/lib.rs:\n{}", upwards.join("\n"));
}

#[test]
fn no_two_files_import_each_other() {
    let edges = edges();
    let reachable: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|module| (module, reachable(&edges, module))).collect();
    let mut groups = BTreeSet::new();
    for (module, targets) in &reachable {
        let group: Vec<_> =
            targets.iter().filter(|target| reachable[*target].contains(module)).collect();
        if !group.is_empty() {
            groups.insert(group.iter().map(|module| module.join("::")).collect::<Vec<_>>());
        }
    }
    let groups: Vec<_> = groups.iter().map(|group| group.join(", ")).collect();
    assert!(groups.is_empty(), "these files import each other:\n{}", groups.join("\n"));
}

/// The modules in the documentation of `src/lib.rs`, from top to bottom.
fn order() -> Vec<String> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("//! - ")?.split('`').nth(1));
    names.map(str::to_owned).collect()
}

/// The imported files of each file.
fn edges() -> BTreeMap<Module, BTreeSet<Module>> {
    let mut texts = BTreeMap::new();
    read(source(), &Vec::new(), &mut texts);
    let modules: BTreeSet<Module> = texts.keys().cloned().collect();
    let imports: BTreeMap<Module, Imports> = texts
        .iter()
        .map(|(module, text)| (module.clone(), imports(text, module, &modules)))
        .collect();
    let targets = |module: &Module, found: &Imports| {
        let targets = found.paths.iter().filter_map(|path| home(path, &imports));
        targets.filter(|target| target != module && !target.is_empty()).collect()
    };
    let edges = imports.iter().filter(|(module, _)| !module.is_empty());
    edges.map(|(module, found)| (module.clone(), targets(module, found))).collect()
}

fn source() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
}

/// Reads the files in a directory, without tests and comments.
fn read(directory: &Path, module: &Module, texts: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let below = || [module.as_slice(), &[name.to_owned()]].concat();
        if ["tests", "examples", "main"].contains(&name) {
            continue;
        } else if path.is_dir() {
            read(&path, &below(), texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = text.lines().map(|line| line.split("//").next().unwrap());
            let module = if ["mod", "lib"].contains(&name) { module.clone() } else { below() };
            texts.insert(module, lines.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// The paths in the `use` declarations of a file, and the paths that are written out elsewhere.
fn imports(text: &str, module: &Module, modules: &BTreeSet<Module>) -> Imports {
    let mut imports = Imports::default();
    let mut add = |path: &[&str], is_reexport: bool| {
        let Some(path) = absolute(path, module, modules) else { return };
        if let Some(name) = path.last().filter(|_| is_reexport) {
            imports.reexports.insert(name.clone(), path.clone());
        }
        imports.paths.push(path);
    };
    let mut rest = String::new();
    for statement in text.split_inclusive(';') {
        let (code, declaration) = split_use(statement);
        rest.push_str(code);
        if let Some((visibility, tree)) = declaration {
            let mut paths = Vec::new();
            expand(tree, &[], &mut paths);
            paths.iter().for_each(|path| add(path, !visibility.is_empty()));
        }
    }
    for word in rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        let path: Vec<&str> = word.split("::").collect();
        if path.len() > 1 {
            add(&path, false);
        }
    }
    imports
}

/// Separates a declaration `pub use TREE;` from the code before it. Returns `pub` and the tree.
fn split_use(statement: &str) -> (&str, Option<(&str, &str)>) {
    for (start, keyword) in statement.match_indices("use ") {
        let line = statement[..start].rfind('\n').map_or(0, |end| end + 1);
        let visibility = statement[line..start].trim();
        if visibility.is_empty() || visibility.starts_with("pub") {
            let tree = statement[start + keyword.len()..].trim_end_matches(';');
            return (&statement[..line], Some((visibility, tree)));
        }
    }
    (statement, None)
}

/// The paths in a tree such as `a::{b, c::{self, D as E}}`.
fn expand<'a>(tree: &'a str, prefix: &[&'a str], paths: &mut Vec<Vec<&'a str>>) {
    let mut depth = 0;
    let branches = tree.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    for branch in branches {
        let (head, inner) = match branch.split_once('{') {
            Some((head, inner)) => (head, inner.trim_end().strip_suffix('}')),
            None => (branch.split(" as ").next().unwrap(), None),
        };
        let names = head.split("::").map(str::trim).filter(|name| !name.is_empty());
        let path: Vec<&str> = prefix.iter().copied().chain(names).collect();
        match inner {
            Some(inner) => expand(inner, &path, paths),
            None if path.len() > prefix.len() => paths.push(path),
            None => {}
        }
    }
}

/// A path from the crate's root. `None` for paths of other crates.
fn absolute(path: &[&str], module: &Module, modules: &BTreeSet<Module>) -> Option<Module> {
    let (mut base, mut path) = match path {
        ["crate", path @ ..] => (Vec::new(), path),
        ["self" | "super", ..] => (module.clone(), path),
        [name, ..] if modules.contains(&[module.as_slice(), &[(*name).to_owned()]].concat()) => {
            (module.clone(), path)
        }
        _ => return None,
    };
    while let [name @ ("self" | "super"), rest @ ..] = path {
        if *name == "super" {
            base.pop();
        }
        path = rest;
    }
    let path = path.iter().filter(|name| **name != "self");
    Some(base.into_iter().chain(path.map(|name| (*name).to_owned())).collect())
}

/// The module that defines an item. Re-exports are followed.
fn home(path: &Module, imports: &BTreeMap<Module, Imports>) -> Option<Module> {
    let end = (0..=path.len()).rev().find(|end| imports.contains_key(&path[..*end]))?;
    let module = &path[..end];
    let source = path.get(end).and_then(|name| imports[module].reexports.get(name));
    match source.filter(|source| source[..] != path[..=end]) {
        Some(source) => home(source, imports),
        None => Some(module.to_vec()),
    }
}

/// All modules that a module imports, directly or indirectly.
fn reachable<'a>(
    edges: &'a BTreeMap<Module, BTreeSet<Module>>,
    start: &Module,
) -> BTreeSet<&'a Module> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&Module> = edges[start].iter().collect();
    while let Some(module) = next.pop() {
        if found.insert(module) {
            next.extend(&edges[module]);
        }
    }
    found
}
