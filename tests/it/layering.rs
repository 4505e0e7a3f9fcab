//! Who may know whom, and what only the edge may touch. Polices `src/`; ARCHITECTURE.md says the same in words.

use crate::repository;
use crate::rust_source::{Token, functions, paths, tokens, without_tests};
use std::collections::BTreeSet;
use std::path::{Component, Path};

/// What a module, or a file of it, may name besides itself. The longest matching row holds; `*` is everything.
const KNOWS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("ids", &[]),
    ("diagnostic", &[]),
    ("lp", &[]),
    ("domain", &["units", "ids"]),
    ("catalog", &["domain", "diagnostic", "units", "ids", "input"]),
    ("input", &["domain", "diagnostic", "units", "ids", "catalog"]),
    ("pricing", &["domain", "diagnostic", "units", "ids", "catalog"]),
    ("demand", &["domain", "units", "ids"]),
    ("risk", &["domain", "units", "ids"]),
    ("sizing", &["domain", "units", "ids"]),
    ("feasibility", &["domain", "units", "ids", "demand", "risk", "sizing", "diagnostic"]),
    ("formulation", &["domain", "units", "ids", "demand", "risk", "sizing", "lp"]),
    ("solver", &["formulation", "lp", "units", "domain"]),
    ("plan", &["domain", "units", "ids"]),
    ("plan::from_solution", &["domain", "units", "ids", "formulation", "solver", "demand", "sizing", "risk"]),
    ("parallel", &[]),
    ("study", &["domain", "units", "ids", "formulation", "solver", "plan", "sizing", "demand", "risk", "parallel"]),
    ("check", &["domain", "units", "ids", "plan", "diagnostic"]),
    ("emit", &["plan", "units"]),
    ("report", &["plan", "units", "simulate"]),
    ("simulate", &["domain", "units", "emit", "plan", "parallel"]),
    ("verify", &["domain", "units", "emit", "plan", "planner", "simulate", "study"]),
    ("cli", &["*"]),
    ("planner", &["check", "diagnostic", "domain", "feasibility", "plan", "solver", "study"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];

/// Files, environment, network, processes and standard streams.
const OUTSIDE_WORLD: &[&str] = &["cli", "input::read", "main", "pricing::http", "pricing::account", "pricing::store"];
/// The clock.
const CLOCK: &[&str] = &["cli", "main"];

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;

/// Files above the wall, with their lines: may only shrink, and goes when it has.
const LONG_FILES: &[(&str, usize)] = &[];
/// Functions above the wall, as (file, function, lines): may only shrink, and goes when it has.
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[];

/// A fault, ready to print.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Offence {
    file: String,
    line: usize,
    what: String,
}

/// A source file outside tests: its module (`cli::check`), its tokens.
struct Source {
    file: String,
    module: Vec<String>,
    tokens: Vec<Token>,
}

#[test]
fn modules_know_only_whom_they_may() {
    refuse(&sources(), acquaintances, "a module names one that it may not know; see the table in tests/it/layering.rs");
}

#[test]
fn only_the_edge_touches_files_clock_environment_and_streams() {
    refuse(&sources(), outside_world, "take the value as an argument; the caller in `cli` or `input::read` gets it");
}

#[test]
fn the_core_keeps_no_state_and_no_unordered_maps() {
    refuse(&sources(), state_and_order, "plans are the same bytes for the same input: BTreeMap, BTreeSet and plain arguments");
}

#[test]
fn nothing_panics_by_unwrap_or_expect() {
    refuse(&sources(), panics, "a user never sees a panic: return an error, or make the case impossible by type");
}

#[test]
fn functions_are_short() {
    refuse(&sources(), |source| long_functions(source, LONG_FUNCTIONS), "cut along what it does, not along its lines");
}

#[test]
fn files_are_short() {
    let mut offences = Vec::new();
    let files = [repository::files_in("src", "rs"), repository::files_in("tests", "rs")].concat();
    for path in files {
        let file = slashed(&path);
        let lines = repository::text(&path).map_or(0, |text| text.lines().count());
        offences.extend(too_long(&file, lines, FILE_LINES, LONG_FILES.iter().find(|(f, _)| *f == file).map(|(_, lines)| *lines)));
    }
    report(&offences, "one concept a file");
}

#[test]
fn lists_of_exceptions_name_what_exists() {
    let sources = sources();
    for (file, _) in LONG_FILES {
        assert!(repository::root().join(file).is_file(), "LONG_FILES: there is no {file}");
    }
    for (file, name, _) in LONG_FUNCTIONS {
        let exists = sources.iter().any(|s| s.file == *file && functions(&s.tokens).iter().any(|f| f.name == *name));
        assert!(exists, "LONG_FUNCTIONS: there is no `{name}` in {file}");
    }
}

#[test]
fn the_table_has_exactly_the_modules_that_exist() {
    let modules: BTreeSet<String> = sources().iter().filter_map(|s| s.module.first().cloned()).collect();
    let table: BTreeSet<String> = KNOWS.iter().map(|(name, _)| *name).filter(|n| !n.contains("::")).map(str::to_owned).collect();
    assert_eq!(modules, table, "left: in src, right: in KNOWS");
}

/// Runs one rule over every file and fails with all of its offences.
fn refuse(sources: &[Source], rule: impl Fn(&Source) -> Vec<Offence>, way_out: &str) {
    let mut offences: Vec<Offence> = sources.iter().flat_map(rule).collect();
    offences.sort();
    offences.dedup();
    report(&offences, way_out);
}

fn report(offences: &[Offence], way_out: &str) {
    let list: Vec<String> = offences.iter().map(|o| format!("  {}:{}: {}", o.file, o.line, o.what)).collect();
    assert!(offences.is_empty(), "{} found ({way_out}):\n{}", offences.len(), list.join("\n"));
}

/// Every file of `src/`, test modules taken out.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut test_modules = Vec::new();
    for path in repository::files_in("src", "rs") {
        let text = repository::text(&path).unwrap_or_default();
        let (source, test_files) = source(&slashed(&path), &text);
        test_modules.extend(test_files.into_iter().map(|name| [source.module.clone(), vec![name]].concat()));
        sources.push(source);
    }
    assert!(sources.len() > 20, "the scanner sees only {} files", sources.len());
    sources.retain(|source| !test_modules.iter().any(|test| source.module.starts_with(test)));
    sources
}

/// A file and the names of the files that it declares for tests alone.
fn source(file: &str, text: &str) -> (Source, Vec<String>) {
    let (tokens, test_files) = without_tests(&tokens(text));
    (Source { file: file.to_owned(), module: module_of(Path::new(file)), tokens }, test_files)
}

/// `src/cli/check.rs` is `cli::check`, `src/cli/mod.rs` is `cli`.
fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<String> = path.with_extension("").components().skip(1).map(name_of).collect();
    if module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    module
}

fn slashed(path: &Path) -> String {
    path.components().map(name_of).collect::<Vec<_>>().join("/")
}

fn name_of(component: Component) -> String {
    component.as_os_str().to_string_lossy().into_owned()
}

/// `lib` and `main` are files at the crate's root, not modules of it.
fn in_crate(module: &[String]) -> &[String] {
    if matches!(module, [only] if only == "lib" || only == "main") { &[] } else { module }
}

/// The longest row of the table that covers a module.
fn known_to(module: &[String]) -> &'static [&'static str] {
    let name = module.join("::");
    let covers = |row: &str| name == row || name.starts_with(&format!("{row}::"));
    KNOWS.iter().filter(|(row, _)| covers(row)).max_by_key(|(row, _)| row.len()).map_or(&[], |(_, knows)| knows)
}

fn is_in(source: &Source, places: &[&str]) -> bool {
    let name = source.module.join("::");
    places.iter().any(|place| name == *place || name.starts_with(&format!("{place}::")))
}

/// The top-level module that a path names: `crate::lp::Row` and, from `src/plan/mod.rs`, `super::lp::Row` are `lp`.
fn top_module(segments: &[String], here: &[String]) -> Option<String> {
    let head = segments.first()?.as_str();
    if head == "crate" || head == "gpuplan" {
        return segments.get(1).cloned();
    }
    let supers = segments.iter().skip_while(|s| *s == "self").take_while(|s| *s == "super").count();
    let skipped = segments.iter().take_while(|s| *s == "self").count() + supers;
    if skipped == 0 {
        return None;
    }
    let base = &here[..here.len().saturating_sub(supers)];
    base.first().or_else(|| segments.get(skipped)).cloned()
}

fn acquaintances(source: &Source) -> Vec<Offence> {
    let knows = known_to(&source.module);
    let own = source.module.first().map_or("", String::as_str);
    let mut offences = Vec::new();
    for path in paths(&source.tokens) {
        let here = [in_crate(&source.module), &path.inline_modules].concat();
        let Some(other) = top_module(&path.segments, &here) else { continue };
        // A macro of the crate has no module: `crate::quantity!`.
        let is_macro = path.segments.len() == 2 && !KNOWS.iter().any(|(row, _)| *row == other) && other.chars().all(|c| !c.is_uppercase());
        if other != own && !knows.contains(&"*") && !knows.contains(&other.as_str()) && !is_macro {
            let what = format!("`{}` may not know `{other}` (`{}`)", source.module.join("::"), path.segments.join("::"));
            offences.push(Offence { file: source.file.clone(), line: path.line, what });
        }
    }
    offences
}

fn outside_world(source: &Source) -> Vec<Offence> {
    let mut offences = Vec::new();
    let mut refuse = |line, what: String| offences.push(Offence { file: source.file.clone(), line, what });
    if !is_in(source, OUTSIDE_WORLD) {
        for path in paths(&source.tokens) {
            let world = ["fs", "env", "net", "process"].iter().find(|m| path.segments.starts_with(&["std".to_owned(), (**m).to_owned()]));
            if let Some(world) = world {
                refuse(path.line, format!("`std::{world}`"));
            }
        }
        for pair in source.tokens.windows(2) {
            if pair[1].text == "!" && ["print", "println", "eprint", "eprintln", "dbg"].contains(&pair[0].text.as_str()) {
                refuse(pair[0].line, format!("`{}!`", pair[0].text));
            }
        }
    }
    if !is_in(source, CLOCK) {
        for (at, token) in source.tokens.iter().enumerate() {
            let now = ["Timestamp", "Zoned"].contains(&token.text.as_str())
                && texts(&source.tokens[at..]).starts_with(&[&token.text, "::", "now"]);
            if now || ["SystemTime", "Instant"].contains(&token.text.as_str()) {
                refuse(token.line, format!("the clock: `{}`", token.text));
            }
        }
    }
    offences
}

fn state_and_order(source: &Source) -> Vec<Offence> {
    const CELLS: &[&str] =
        &["mut", "Mutex", "RwLock", "Cell", "RefCell", "UnsafeCell", "OnceCell", "OnceLock", "LazyCell", "LazyLock", "thread_local"];
    let is_cell = |word: &str| CELLS.contains(&word) || word.starts_with("Atomic");
    let mut offences = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        let offence = |what: String| Offence { file: source.file.clone(), line: token.line, what };
        match token.text.as_str() {
            "HashMap" | "HashSet" => offences.push(offence(format!("`{}`", token.text))),
            "thread_local" => offences.push(offence("`thread_local!` state".to_owned())),
            "static" => {
                let declared = texts(&source.tokens[at + 1..]).into_iter().take_while(|word| *word != "=" && *word != ";");
                offences.extend(declared.filter(|word| is_cell(word)).map(|word| offence(format!("`static` state: `{word}`"))));
            }
            _ => {}
        }
    }
    offences
}

fn panics(source: &Source) -> Vec<Offence> {
    let calls = source.tokens.windows(3).filter(|t| t[0].text == "." && t[2].text == "(");
    let refused = calls.filter(|t| t[1].text == "unwrap" || t[1].text == "expect");
    refused.map(|t| Offence { file: source.file.clone(), line: t[1].line, what: format!("`.{}()`", t[1].text) }).collect()
}

fn long_functions(source: &Source, listed: &[(&str, &str, usize)]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for function in functions(&source.tokens) {
        let agreed = listed.iter().find(|(file, name, _)| *file == source.file && *name == function.name).map(|(_, _, lines)| *lines);
        let place = format!("`{}`", function.name);
        let found = too_long(&place, function.lines, FUNCTION_LINES, agreed);
        offences.extend(found.map(|o| Offence { file: source.file.clone(), line: function.line, what: o.what }));
    }
    offences
}

/// Too long is: above the wall and not listed, longer than listed, or listed and no longer above the wall.
fn too_long(name: &str, lines: usize, wall: usize, listed: Option<usize>) -> Option<Offence> {
    let what = match listed {
        None if lines > wall => format!("{name} has {lines} lines, {wall} are allowed"),
        Some(agreed) if lines > agreed => format!("{name} has grown from {agreed} to {lines} lines"),
        Some(_) if lines <= wall => format!("{name} has shrunk to {lines} lines: take it off the list"),
        None | Some(_) => return None,
    };
    Some(Offence { file: name.to_owned(), line: 1, what })
}

fn texts(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().map(|t| t.text.as_str()).collect()
}

/// The rules themselves, on snippets.
mod self_tests {
    use super::*;

    fn found(rule: impl Fn(&Source) -> Vec<Offence>, file: &str, text: &str) -> Vec<(usize, String)> {
        rule(&source(file, text).0).into_iter().map(|o| (o.line, o.what)).collect()
    }

    fn clean(rule: impl Fn(&Source) -> Vec<Offence>, file: &str, text: &str) {
        assert_eq!(found(rule, file, text), [], "{file}: {text}");
    }

    fn caught(rule: impl Fn(&Source) -> Vec<Offence>, file: &str, text: &str) {
        assert_eq!(found(rule, file, text).len(), 1, "{file}: {text}");
    }

    #[test]
    fn forbidden_acquaintances_are_seen_however_they_are_written() {
        caught(acquaintances, "src/units.rs", "use crate::ids::WorkloadId;");
        caught(acquaintances, "src/check/quota.rs", "fn f() {\n let x = crate::sizing::need(3);\n}");
        caught(acquaintances, "src/check/quota.rs", "use crate::{domain::{Slo, Scenario}, plan::Plan, sizing::{self as s}};");
        caught(acquaintances, "src/emit/mod.rs", "use super::domain::Scenario;");
        caught(acquaintances, "src/emit/keda.rs", "use super::super::{plan::Plan, domain};");
        caught(acquaintances, "src/emit/keda.rs", "mod inner { use super::super::super::domain::Scenario; }");
        caught(acquaintances, "src/plan/pool.rs", "impl From<crate::solver::Solution> for Pool {}");
        caught(acquaintances, "src/report/html.rs", "pub use crate::emit::*;");
        let line = found(acquaintances, "src/lp/mod.rs", "//! crate::domain\n\nuse crate::domain;\n");
        assert_eq!(line, [(3, "`lp` may not know `domain` (`crate::domain`)".to_owned())]);
    }

    #[test]
    fn allowed_acquaintances_pass() {
        clean(acquaintances, "src/check/quota.rs", "use crate::domain::Scenario; use super::hours; use crate::check::pool;");
        clean(acquaintances, "src/plan/from_solution.rs", "use crate::solver::Solution;");
        clean(acquaintances, "src/plan/from_solution/pools.rs", "use crate::formulation::Column;");
        clean(acquaintances, "src/cli/optimize.rs", "use crate::{solver, study::levers, emit};");
        clean(
            acquaintances,
            "src/units.rs",
            "// use crate::ids::X;\n/* crate::plan::P /* nested crate::lp::L */ */\nconst S: &str = \"crate::plan::P\";",
        );
        clean(acquaintances, "src/units.rs", "const S: &str = r#\"a \" crate::plan::P\"#; const C: char = '\"'; // crate::ids::A\n");
        clean(acquaintances, "src/units.rs", "#[cfg(test)]\nmod tests {\n use crate::plan::Plan;\n}\npub fn after() {}");
        clean(acquaintances, "src/units.rs", "mod inner { use super::super::units::Usd; }");
        clean(acquaintances, "src/ids.rs", "crate::id!(X);");
    }

    #[test]
    fn code_after_a_test_module_is_scanned() {
        caught(acquaintances, "src/units.rs", "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::plan::Plan;");
        caught(acquaintances, "src/units.rs", "#[cfg(test)] use crate::{lp::A};\nuse crate::plan::Plan;");
        caught(acquaintances, "src/units.rs", "#[cfg(not(test))]\nuse crate::plan::Plan;");
        let (_, test_files) = source("src/units.rs", "#[cfg(test)]\nmod tests;\nmod real;");
        assert_eq!(test_files, ["tests"]);
    }

    #[test]
    fn the_outside_world_is_for_the_edge() {
        caught(outside_world, "src/sizing/mod.rs", "use std::fs;");
        caught(outside_world, "src/sizing/mod.rs", "use std::{collections::BTreeMap, env::var};");
        caught(outside_world, "src/input/validate.rs", "fn f() { std::fs::read(p); }");
        caught(outside_world, "src/study/mod.rs", "fn f() { println!(\"x\"); }");
        caught(outside_world, "src/input/read.rs", "use std::time::Instant;");
        caught(outside_world, "src/solver/mod.rs", "fn f() { let t = jiff::Timestamp::now(); }");
        clean(outside_world, "src/input/read.rs", "use std::fs; use std::env;");
        clean(outside_world, "src/input/read/folder.rs", "use std::fs;");
        clean(outside_world, "src/cli/optimize.rs", "use std::time::Instant; use std::fs;");
        clean(outside_world, "src/units.rs", "use std::fmt; const V: &str = env!(\"CARGO_PKG_VERSION\"); fn environment() {}");
    }

    #[test]
    fn state_and_unordered_maps_are_seen() {
        caught(state_and_order, "src/cli/mod.rs", "use std::collections::HashMap;");
        caught(state_and_order, "src/lp/mod.rs", "static COUNT: AtomicUsize = AtomicUsize::new(0);");
        caught(state_and_order, "src/lp/mod.rs", "static mut COUNT: u32 = 0;");
        caught(state_and_order, "src/lp/mod.rs", "static TABLE: std::sync::OnceLock<u32> = std::sync::OnceLock::new();");
        clean(state_and_order, "src/lp/mod.rs", "static NAMES: &[&str] = &[\"a\"]; fn f<T: 'static>(x: &'static mut T) {}");
        clean(state_and_order, "src/lp/mod.rs", "const fn f() -> std::sync::Mutex<u32> { g() }");
    }

    #[test]
    fn panics_are_seen() {
        caught(panics, "src/lp/mod.rs", "fn f() { x.unwrap(); }");
        caught(panics, "src/lp/mod.rs", "fn f() { x\n  .expect(\"why\"); }");
        clean(panics, "src/lp/mod.rs", "#[expect(dead_code)] fn f() { x.unwrap_or(1); x.unwrap_or_default(); }");
        clean(panics, "src/lp/mod.rs", "#[cfg(test)] mod tests { #[test] fn f() { x.unwrap(); } }");
    }

    #[test]
    fn functions_are_measured_from_fn_to_brace() {
        let body = |lines: usize| {
            format!("/// doc\nfn long(x: [u8; 2]) -> u8\nwhere\n  u8: Copy {{\n{}}}\ntrait T {{ fn none(); }}", "x;\n".repeat(lines))
        };
        clean(|s| long_functions(s, &[]), "src/a.rs", &body(66));
        caught(|s| long_functions(s, &[]), "src/a.rs", &body(67));
        clean(|s| long_functions(s, &[("src/a.rs", "long", 71)]), "src/a.rs", &body(67));
        caught(|s| long_functions(s, &[("src/a.rs", "long", 70)]), "src/a.rs", &body(67));
        caught(|s| long_functions(s, &[("src/a.rs", "long", 90)]), "src/a.rs", &body(60));
    }

    #[test]
    fn tokens_survive_awkward_literals() {
        let text = "let a = 'x'; let b: &'a str = \"\\\"\"; let c = b'\\''; let d = '\\u{41}'; let e = br##\"\"#\"##; r#type";
        let words: Vec<String> =
            tokens(text).into_iter().map(|t| t.text).filter(|t| t.len() > 1 || t.starts_with(char::is_alphabetic)).collect();
        let expected =
            ["let", "a", "\"\"", "let", "b", "'a", "str", "\"\"", "let", "c", "\"\"", "let", "d", "\"\"", "let", "e", "\"\"", "type"];
        assert_eq!(words, expected);
    }
}
