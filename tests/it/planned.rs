//! Scenarios of the repository, loaded and planned once for all tests.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::repository;
use gpuplan::cli::write::write_all;
use gpuplan::domain::{Scenario, Target};
use gpuplan::emit::{self, Artifact};
use gpuplan::input;
use gpuplan::plan::Plan;
use gpuplan::planner::{self, PlanError};
use gpuplan::report;
use gpuplan::study::Options;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A scenario with its plan, studies left out.
pub struct Planned {
    pub name: String,
    pub scenario: Scenario,
    pub plan: Plan,
}

/// Every folder below `scenarios/`, planned for its own target, or for 40% when it has none.
pub fn all() -> &'static [Planned] {
    static ALL: OnceLock<Vec<Planned>> = OnceLock::new();
    ALL.get_or_init(|| {
        names()
            .into_iter()
            .map(|name| {
                let scenario = load(&folder(&name));
                let plan = quick(&scenario, goal(&scenario));
                Planned { name, scenario, plan }
            })
            .collect()
    })
}

/// The fleet of the acceptance tests, planned for 40% with every study.
pub fn explained() -> &'static (Scenario, Plan) {
    static EXPLAINED: OnceLock<(Scenario, Plan)> = OnceLock::new();
    EXPLAINED.get_or_init(|| {
        let scenario = load(&folder("fleet-50k"));
        let plan = planned(&scenario, &Options { target: Some(Target::Saving(0.4)), explain: true, ..Options::default() });
        (scenario, plan)
    })
}

/// Names of the scenarios, sorted.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(repository::root().join("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("scenario.yaml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 3, "{names:?}");
    names
}

pub fn folder(name: &str) -> PathBuf {
    repository::root().join("scenarios").join(name)
}

/// What it asks for, or 40%.
pub fn goal(scenario: &Scenario) -> Option<Target> {
    Some(scenario.target.unwrap_or(Target::Saving(0.4)))
}

/// A scenario that must be sound.
pub fn load(folder: &Path) -> Scenario {
    match input::load(folder) {
        Ok(loaded) => loaded.scenario,
        Err(rejected) => panic!("{}: {:#?}", folder.display(), rejected.diagnostics),
    }
}

/// Its plan without studies.
pub fn quick(scenario: &Scenario, target: Option<Target>) -> Plan {
    planned(scenario, &Options { target, explain: false, ..Options::default() })
}

fn planned(scenario: &Scenario, options: &Options) -> Plan {
    match planner::plan(scenario, options, &|_| {}) {
        Ok(plan) => plan,
        Err(PlanError::Unsound(findings)) => {
            let lines: Vec<String> = findings.iter().take(20).map(ToString::to_string).collect();
            panic!("{}: the checker refuses the plan\n{}", scenario.name, lines.join("\n"))
        }
        Err(error) => panic!("{}: {error:?}", scenario.name),
    }
}

/// Every file that `optimize` writes for a plan.
pub fn files(plan: &Plan) -> Vec<Artifact> {
    let mut files = emit::artifacts(plan);
    files.push(Artifact { path: "plan.json".to_owned(), contents: emit::plan_json(plan).unwrap() });
    files.push(Artifact { path: "report.md".to_owned(), contents: report::markdown(plan) });
    files
}

/// The files of a plan in `out/` of a folder of their own.
pub fn written(plan: &Plan) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    write_all(&root.path().join("out"), &files(plan)).unwrap();
    root
}

/// A scenario as a document.
pub fn document(name: &str) -> Value {
    let text = fs::read_to_string(folder(name).join("scenario.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// A document as the scenario of a folder of its own, beside the data of the named one. JSON is YAML.
pub fn rewritten(name: &str, document: &Value) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    copy(&folder(name), root.path());
    fs::write(root.path().join("scenario.yaml"), format!("{document:#}\n")).unwrap();
    root
}

/// A folder, with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Two sets of files are the same to the byte; else the first line that differs.
pub fn assert_same(found: &[Artifact], wanted: &[Artifact], what: &str) {
    let paths = |files: &[Artifact]| files.iter().map(|f| f.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(found), paths(wanted), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        let line = found.contents.lines().zip(wanted.contents.lines()).find(|(a, b)| a != b);
        assert!(found == wanted, "{what}: {} differs: {line:?}", wanted.path);
    }
}
