//! The change between two plans, for the screen.

use crate::plan::PlanDiff;
use crate::plan::diff::{FieldChange, Item, ItemChange, ItemChanges, Side};
use crate::report::terminal::{Style, target_cell};
use crate::report::text::{count, percent, plural, printable, wrap};
use crate::units::Usd;
use anstyle::AnsiColor;
use serde_json::Value;

/// Longest text value shown; the JSON form has it whole.
const LONGEST: usize = 60;

/// What differs, cost first. One line says so when nothing does.
#[must_use]
pub fn diff(diff: &PlanDiff, style: Style) -> String {
    let PlanDiff {
        format: _,
        before,
        after,
        totals,
        target,
        optimality,
        stages,
        workloads,
        pools,
        bundles,
        purchases,
        windows,
        node_groups,
        commitments,
        levers,
        sensitivity,
        robustness,
        cases,
        alternatives,
        prices,
        inputs,
        notes,
        provenance,
    } = diff;
    let mut out = headline(before, after);
    if diff.is_empty() {
        out.push_str("The plans are the same.\n");
        return out;
    }
    let page = Page { style };
    let sections = [
        ("totals", page.fields(totals)),
        ("target", page.fields(target)),
        ("workloads", page.items(workloads)),
        ("pools", page.items(pools)),
        ("shared servers", page.items(bundles)),
        ("commitments to buy", page.items(purchases)),
        ("windows", page.items(windows)),
        ("prices", page.items(prices)),
        ("commitments", page.items(commitments)),
        ("today's node groups", page.items(node_groups)),
        ("optimality", page.fields(optimality) + &page.items(stages)),
        ("levers", page.items(levers)),
        ("sensitivity", page.items(sensitivity)),
        ("what it stands", page.fields(robustness) + &page.items(cases)),
        ("alternatives", page.items(alternatives)),
        ("notes", page.items(notes)),
        ("inputs", page.items(inputs)),
        ("provenance", page.fields(provenance)),
    ];
    for (title, body) in sections.iter().filter(|(_, body)| !body.is_empty()) {
        out.push_str(&format!("\n{}\n{body}", page.paint(title, None)));
    }
    out
}

/// Cost, saving and target of both, whether they differ or not.
fn headline(before: &Side, after: &Side) -> String {
    let Side { name: a, baseline_usd_per_month: base_a, usd_per_month: usd_a, saving: saving_a, target_met: met_a } = before;
    let Side { name: b, baseline_usd_per_month: base_b, usd_per_month: usd_b, saving: saving_b, target_met: met_b } = after;
    let names = if a == b { a.clone() } else { format!("{a} -> {b}") };
    let mut out = format!("{}: {usd_a} -> {usd_b} a month ({})", printable(&names), signed(*usd_b - *usd_a));
    out.push_str(&format!(", saving {} -> {}", percent(*saving_a), percent(*saving_b)));
    if base_a != base_b {
        out.push_str(&format!(", of a baseline of {base_a} -> {base_b}"));
    }
    if met_a.is_some() || met_b.is_some() {
        out.push_str(&format!(", target {} -> {}", target_cell(*met_a), target_cell(*met_b)));
    }
    out.push('\n');
    out
}

fn signed(usd: Usd) -> String {
    if usd < Usd::ZERO { usd.to_string() } else { format!("+{usd}") }
}

#[derive(Clone, Copy)]
struct Page {
    style: Style,
}

impl Page {
    fn paint(self, text: &str, color: Option<AnsiColor>) -> String {
        if !self.style.color {
            return text.to_owned();
        }
        let paint = match color {
            Some(color) => anstyle::Style::new().fg_color(Some(color.into())),
            None => anstyle::Style::new().bold(),
        };
        format!("{paint}{text}{paint:#}")
    }

    fn fields(self, fields: &[FieldChange]) -> String {
        fields.iter().map(|f| self.field(f, 2)).collect()
    }

    fn field(self, change: &FieldChange, indent: usize) -> String {
        let FieldChange { field, before, after } = change;
        let line = format!("{}{}: {}", " ".repeat(indent), printable(field), values(field, before, after));
        format!("{}\n", wrap(&line, self.style.width, indent + 4))
    }

    fn items(self, changes: &ItemChanges) -> String {
        let ItemChanges { added, removed, changed } = changes;
        let mut out = String::new();
        for (mark, color, items) in [("+", AnsiColor::Green, added), ("-", AnsiColor::Red, removed)] {
            for Item { name, usd_per_month } in items {
                let cost = usd_per_month.map_or_else(String::new, |usd| format!(", {} a month", Usd::from_f64(usd)));
                let line = format!("  {mark} {}{cost}", printable(name));
                out.push_str(&format!("{}\n", self.paint(&wrap(&line, self.style.width, 4), Some(color))));
            }
        }
        for ItemChange { name, fields } in changed {
            out.push_str(&format!("{}\n", self.paint(&format!("  ~ {}", printable(name)), Some(AnsiColor::Yellow))));
            out.extend(fields.iter().map(|f| self.field(f, 6)));
        }
        out
    }
}

/// Both values in words: money as money, series as what changed in them, text cut short.
fn values(field: &str, before: &Value, after: &Value) -> String {
    if let (Some(a), Some(b)) = (numbers(before), numbers(after)) {
        return series(&a, &b);
    }
    let money = field.rsplit('.').any(|part| part.ends_with("usd_per_month"));
    if money && let (Some(a), Some(b)) = (before.as_f64(), after.as_f64()) {
        let (a, b) = (Usd::from_f64(a), Usd::from_f64(b));
        // Amounts that look the same are shown to the last digit: a difference is never hidden by rounding.
        let same = a.to_string() == b.to_string();
        return if same { format!("{before} -> {after}") } else { format!("{a} -> {b} ({})", signed(b - a)) };
    }
    let (a, b) = (one(before), one(after));
    if a == b { "long text differs; see --format json".to_owned() } else { format!("{a} -> {b}") }
}

/// The numbers of a series of hours; none for anything shorter than a day.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    let list = value.as_array().filter(|l| l.len() >= 24)?;
    list.iter().map(Value::as_f64).collect()
}

fn series(before: &[f64], after: &[f64]) -> String {
    // Bit for bit: an hour that differs is counted however little it does.
    let differ = before.iter().zip(after).filter(|(a, b)| a.total_cmp(b).is_ne()).count() + before.len().abs_diff(after.len());
    let span = |s: &[f64]| {
        let low = s.iter().copied().fold(f64::INFINITY, f64::min);
        let high = s.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low < high { format!("{}-{}", count(low), count(high)) } else { count(low) }
    };
    let sum = |s: &[f64]| count(s.iter().sum());
    format!("{} -> {}, sum {} -> {}; differs in {}", span(before), span(after), sum(before), sum(after), plural(differ, "hour"))
}

fn one(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    };
    let text = printable(&text);
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST - 3).collect();
    format!("{cut}...")
}
