//! Differences between plans.
#![expect(clippy::unwrap_used, reason = "test")]

use crate::golden;
use crate::report_fixture::{missed, plan, usd};
use clap::Parser;
use gpuplan::cli::{Cli, Terminal, run};
use gpuplan::plan::{Plan, diff};
use gpuplan::report::{self, Style};
use serde_json::Value;
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

/// A plan that differs in what people ask about: a workload, a pool, a window, a price, costs.
fn changed() -> Plan {
    let mut p = plan();
    p.cost.usd_per_month = usd(29_950.0);
    p.cost.on_demand_usd_per_month = usd(9_950.0);
    p.saving = 0.401;
    p.pools[0].usd_per_month = usd(9_950.0);
    p.pools[0].max_nodes = 17;
    p.workloads[4].usd_per_month = usd(3_150.0);
    p.workloads[4].variant.precision = "bf16".to_owned();
    let service = p.workloads[4].service.as_mut().unwrap();
    service.floor.max_replicas = 3;
    service.floor_by_hour[10] = 3;
    p.windows[0].floor = 5;
    p.windows[0].end_hour = 21;
    p.provenance.prices[1].usd_per_hour = gpuplan::units::UsdPerHour::from_f64(0.95);
    p.workloads.remove(1);
    p.notes.remove(0);
    p
}

#[test]
fn a_plan_is_the_same_as_itself() {
    let d = diff(&plan(), &plan());
    assert!(d.is_empty());
    assert!(report::diff(&d, Style::default()).ends_with("The plans are the same.\n"));
}

#[test]
fn goldens() {
    golden::check("report/diff.txt", &report::diff(&diff(&plan(), &changed()), Style::default()));
    golden::check("report/diff_target.txt", &report::diff(&diff(&plan(), &missed()), Style::default()));
}

#[test]
fn sides_swap() {
    let (there, back) = (diff(&plan(), &changed()), diff(&changed(), &plan()));
    assert_eq!(there.workloads.added, back.workloads.removed);
    assert_eq!(there.workloads.removed, back.workloads.added);
    assert_eq!(there.before, back.after);
    let swapped: Vec<(Value, Value)> = back.totals.iter().map(|c| (c.after.clone(), c.before.clone())).collect();
    let straight: Vec<(Value, Value)> = there.totals.iter().map(|c| (c.before.clone(), c.after.clone())).collect();
    assert_eq!(straight, swapped);
}

/// Every leaf of a plan file, changed one at a time: none goes unseen.
#[test]
fn every_field_of_a_plan_is_told_apart() {
    for fixture in [plan(), missed()] {
        let json = serde_json::to_value(&fixture).unwrap();
        let mut leaves = Vec::new();
        paths(&json, String::new(), &mut leaves);
        assert!(leaves.len() > 500, "only {} leaves", leaves.len());
        for pointer in leaves {
            let mut other = json.clone();
            mutate(other.pointer_mut(&pointer).unwrap());
            let other: Plan = serde_json::from_value(other).unwrap_or_else(|e| panic!("{pointer}: {e}"));
            let d = diff(&fixture, &other);
            assert!(!d.is_empty(), "a change of `{pointer}` goes unseen");
            assert!(!report::diff(&d, Style::default()).contains("are the same"), "{pointer}");
        }
    }
}

/// JSON pointers of all leaves; of long arrays of numbers the first and the last are enough.
fn paths(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| paths(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), out)),
        Value::Array(list) => {
            let long = list.len() >= 24;
            for (i, v) in list.iter().enumerate().filter(|(i, _)| !long || *i == 0 || *i + 1 == list.len()) {
                paths(v, format!("{at}/{i}"), out);
            }
        }
        Value::Null => {}
        _ => out.push(at),
    }
}

fn mutate(value: &mut Value) {
    *value = match value {
        Value::Bool(b) => Value::from(!*b),
        Value::String(s) => Value::from(format!("{s}x")),
        Value::Number(n) if n.is_u64() => Value::from(n.as_u64().unwrap() + 1),
        Value::Number(n) => Value::from(n.as_f64().unwrap() + 1.0),
        other => panic!("not a leaf: {other}"),
    };
}

#[test]
fn rounding_hides_no_difference() {
    let mut other = plan();
    other.cost.usd_per_month = usd(29_500.000_000_001);
    let text = report::diff(&diff(&plan(), &other), Style::default());
    assert!(text.contains("cost.usd_per_month: 29500.0 -> 29500.000000001"), "{text}");
}

#[test]
fn hostile_names_do_not_reach_the_screen() {
    let mut other = plan();
    other.name = "a\u{1b}[2J\nb".to_owned();
    other.workloads[0].name = "\u{1b}]0;owned\u{7}".to_owned();
    other.notes.push("\u{202e}x\r\n".to_owned());
    let text = report::diff(&diff(&plan(), &other), Style::default());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
}

#[derive(Clone, Default)]
struct Buffer(Rc<RefCell<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Exit code, standard output, standard error.
fn gpuplan(args: &[&str]) -> (u8, String, String) {
    let (out, err) = (Buffer::default(), Buffer::default());
    let mut terminal = Terminal { out: Box::new(out.clone()), err: Box::new(err.clone()), color_out: false, color_err: false, width: None };
    let exit = run(Cli::try_parse_from(std::iter::once(&"gpuplan").chain(args)).unwrap(), &mut terminal);
    let text = |b: &Buffer| String::from_utf8(b.0.borrow().clone()).unwrap();
    (exit.code(), text(&out), text(&err))
}

#[test]
fn the_command_answers_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let json = |p: &Plan| serde_json::to_string_pretty(p).unwrap();
    let (a, b) = (file("a.json", &json(&plan())), file("b.json", &json(&changed())));

    let (code, out, err) = gpuplan(&["diff", &a, &a]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("the same"));

    let (code, out, _) = gpuplan(&["diff", &a, &b]);
    assert_eq!(code, 1);
    assert!(out.contains("$29,500 -> $29,950 a month (+$450)"), "{out}");

    let (code, out, _) = gpuplan(&["diff", "--format", "json", &a, &b]);
    let parsed: gpuplan::plan::PlanDiff = serde_json::from_str(&out).unwrap();
    assert_eq!((code, parsed), (1, diff(&plan(), &changed())));

    let cases = [
        ("{}", "no `format`"),
        ("not json", "not JSON"),
        (r#"{"format": "gpuplan/plan/v9"}"#, "gpuplan/plan/v9"),
        (r#"{"format": "gpuplan/plan/v1", "surprise": 1}"#, "surprise"),
    ];
    for (text, expected) in cases {
        let bad = file("bad.json", text);
        let (code, out, err) = gpuplan(&["diff", &a, &bad]);
        assert_eq!((code, out.as_str()), (2, ""), "{text}");
        assert!(err.contains(expected) && err.contains("bad.json"), "{err}");
    }
    let (code, _, err) = gpuplan(&["diff", "missing-a.json", "missing-b.json"]);
    assert_eq!(code, 2);
    assert!(err.contains("missing-a.json") && err.contains("missing-b.json"), "both faults at once: {err}");
}
