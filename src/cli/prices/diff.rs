//! `gpuplan prices diff`: what moved between two snapshots, and which lines of a plan that moves.

use super::{Exit, Format, Terminal, cache, told};
use crate::cli::check::read_plan;
use crate::plan::{NodePool, Plan};
use crate::pricing::diff::{self, Change};
use crate::pricing::key::OfferingKey;
use crate::units::MONTHS_PER_WEEK_FACTOR;
use serde_json::json;
use std::io;
use std::path::PathBuf;
use tabled::builder::Builder;
use tabled::settings::Style;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Before: `current`, `builtin`, the beginning of a digest, or a file
    #[arg(value_name = "A")]
    pub before: String,
    /// After
    #[arg(value_name = "B", default_value = "current")]
    pub after: String,
    /// Plan whose lines are looked at [default: gpuplan-out/plan.json, if it is there]
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// A pool of the plan whose price moves.
struct Line {
    pool: String,
    change: Change,
    /// None where the price is gone.
    usd_per_month: Option<f64>,
}

/// Runs the command: 0 nothing moved, 1 something did.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let found = cache::find(Some(&args.before), terminal).and_then(|a| Ok((a, cache::find(Some(&args.after), terminal)?)));
    let (before, after) = match found {
        Ok(both) => both,
        Err(fault) => return told(&fault, terminal),
    };
    let plan = match plan(args) {
        Ok(plan) => plan,
        Err(fault) => {
            let _ = writeln!(terminal.err, "error: {fault}");
            return Exit::BadInput;
        }
    };
    let changes = diff::diff(&before.snapshot, &after.snapshot);
    let lines = plan.as_ref().map(|plan| lines(plan, &changes)).unwrap_or_default();
    let written = match args.format {
        Format::Json => json_text(&changes, &lines).and_then(|text| writeln!(terminal.out, "{text}")),
        Format::Human => human((&before.name, &after.name), &changes, (plan.as_ref(), &lines), terminal),
    };
    match (written, changes.is_empty()) {
        (Err(_), _) => Exit::Failure,
        (Ok(()), true) => Exit::Done,
        (Ok(()), false) => Exit::No,
    }
}

fn plan(args: &Args) -> Result<Option<Plan>, String> {
    let default = PathBuf::from("gpuplan-out/plan.json");
    match &args.plan {
        Some(path) => read_plan(path).map(Some),
        None if default.is_file() => read_plan(&default).map(Some),
        None => Ok(None),
    }
}

/// Pools whose price moves, or that of the capacity that stands in for them, by what their paid hours would then cost.
///
/// The expected price of spot is `u p + (1 - u) p_fb + h x switch x (p + p_fb)`: each of the two moves it by its own share.
fn lines(plan: &Plan, changes: &[Change]) -> Vec<Line> {
    let mut lines = Vec::new();
    for pool in &plan.pools {
        let hours = (pool.paid_node_hours_per_week + pool.start_up_node_hours_per_week) * MONTHS_PER_WEEK_FACTOR;
        let (own, stands_in) = pool.spot.as_ref().map_or((1.0, 0.0), |spot| {
            let switches = spot.reclaims_per_hour * spot.switch_hours;
            (spot.availability + switches, 1.0 - spot.availability + switches)
        });
        let fallback = pool.spot.as_ref().and_then(|spot| plan.pools.iter().find(|p| Some(&p.name) == spot.fallback_pool.as_ref()));
        for (priced, share) in [(Some(pool), own), (fallback, stands_in)] {
            let Some(change) = priced.and_then(|priced| changes.iter().find(|change| is_of(change, priced))) else { continue };
            let usd_per_month = change.before.zip(change.after).map(|(before, after)| hours * share * (after - before));
            lines.push(Line { pool: pool.name.clone(), change: change.clone(), usd_per_month });
        }
    }
    lines
}

fn is_of(change: &Change, pool: &NodePool) -> bool {
    let OfferingKey { cloud, region, instance_type, capacity_type, .. } = &change.key;
    (cloud.as_str(), region.as_str(), instance_type.as_str(), capacity_type.as_str())
        == (pool.cloud.as_str(), pool.region.as_str(), pool.instance_type.as_str(), pool.capacity_type.as_str())
}

fn moved(change: &Change) -> String {
    match (change.before, change.after) {
        (Some(before), Some(after)) => format!("{:+.1}%", 100.0 * (after / before - 1.0)),
        (None, _) => "new".to_owned(),
        (_, None) => "gone".to_owned(),
    }
}

fn price(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"))
}

fn human(
    (before, after): (&str, &str),
    changes: &[Change],
    (plan, lines): (Option<&Plan>, &[Line]),
    terminal: &mut Terminal,
) -> io::Result<()> {
    writeln!(terminal.out, "before: {before}\nafter:  {after}\n")?;
    if changes.is_empty() {
        return writeln!(terminal.out, "no price differs");
    }
    let mut table = Builder::default();
    table.push_record(["offering", "$/h before", "$/h after", "moved"]);
    for change in changes {
        table.push_record([change.key.to_string(), price(change.before), price(change.after), moved(change)]);
    }
    writeln!(terminal.out, "{}\n", table.build().with(Style::blank()))?;
    let Some(plan) = plan else {
        return writeln!(terminal.out, "{} prices differ; with --plan the lines of a plan that they move", changes.len());
    };
    if lines.is_empty() {
        return writeln!(
            terminal.out,
            "{} prices differ, none of them is in the plan `{}`; it may still be beaten by one that fell",
            changes.len(),
            plan.name
        );
    }
    let mut table = Builder::default();
    table.push_record(["pool of the plan", "offering", "$/h before", "$/h after", "$/month, same hours"]);
    for line in lines {
        let month = line.usd_per_month.map_or_else(|| "no price any more".to_owned(), |usd| format!("{usd:+.2}"));
        table.push_record([line.pool.clone(), line.change.key.to_string(), price(line.change.before), price(line.change.after), month]);
    }
    let total: f64 = lines.iter().filter_map(|l| l.usd_per_month).fold(0.0, |sum, usd| sum + usd);
    writeln!(terminal.out, "{}\n", table.build().with(Style::blank()))?;
    writeln!(
        terminal.out,
        "{} prices differ; they move the plan `{}` by {total:+.2} dollars a month if it stays as it is (`gpuplan optimize` may do better)",
        changes.len(),
        plan.name
    )
}

fn json_text(changes: &[Change], lines: &[Line]) -> io::Result<String> {
    let one = |change: &Change| json!({"offering": change.key.to_string(), "before": change.before, "after": change.after});
    let line = |line: &Line| json!({"pool": line.pool, "offering": line.change.key.to_string(), "before": line.change.before, "after": line.change.after, "usd_per_month": line.usd_per_month});
    let document = json!({
        "format": "gpuplan/price-diff/v1",
        "changes": changes.iter().map(one).collect::<Vec<_>>(),
        "plan": lines.iter().map(line).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).map_err(io::Error::other)
}
