//! A replay on a screen: the verdict in three lines, then tables.

use super::terminal::Style;
use super::text::{percent, printable, wrap};
use crate::simulate::outcome::{BaselineOutcome, SavingOutcome, Simulation, WorkloadOutcome};
use std::collections::BTreeSet;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::peaker::Priority;
use tabled::settings::{Alignment, Style as TableStyle, Width};

/// Narrower screens get lines of this width.
const NARROWEST: usize = 60;
/// Differences of files that are listed.
const LISTED: usize = 12;

/// The replay for the screen.
#[must_use]
pub fn simulation(simulation: &Simulation, style: Style) -> String {
    let width = style.width.max(NARROWEST);
    let line = |text: &str| wrap(&printable(text), width, 2) + "\n";
    let mut out = String::new();
    let verified = simulation.verdict != "missed";
    let color = if verified { anstyle::AnsiColor::Green } else { anstyle::AnsiColor::Red };
    let paint = |text: &str| {
        let style_ = anstyle::Style::new().bold().fg_color(Some(color.into()));
        if style.color { format!("{style_}{text}{style_:#}") } else { text.to_owned() }
    };
    let demo = if simulation.demo { "demo: " } else { "" };
    let verdict = simulation.verdict.to_uppercase();
    out.push_str(&line(&format!("{demo}{verdict}: {}", headline(simulation))).replacen(&verdict, &paint(&verdict), 1));
    out.push_str(&line(&money(simulation)));
    out.push_str(&line(&method(simulation)));
    for reason in &simulation.reasons {
        out.push_str(&line(&format!("- {reason}")));
    }
    if !simulation.differences.is_empty() {
        out.push_str("\nThe files differ from the plan\n");
        for difference in simulation.differences.iter().take(LISTED) {
            out.push_str(&line(&format!("- {difference}")));
        }
        if simulation.differences.len() > LISTED {
            out.push_str(&format!("- and {} more\n", simulation.differences.len() - LISTED));
        }
    }
    out.push_str("\nBy workload, over all seeds\n");
    out.push_str(&workloads(&simulation.workloads, width));
    out.push_str("\nLatencies, ms (p50 / p95 / p99)\n");
    out.push_str(&latencies(&simulation.workloads, width));
    out.push_str("\nThe bill, $ a month\n");
    out.push_str(&pools(simulation, width));
    for other in [&simulation.baseline, &simulation.competent_operations].into_iter().flatten() {
        out.push_str(&notes(other, &line));
    }
    out
}

fn headline(s: &Simulation) -> String {
    let services = s.workloads.iter().filter(|w| w.kind == "service");
    let (held, all) = services.fold((0, 0), |n, w| (n.0 + usize::from(w.met), n.1 + 1));
    let jobs: Vec<&WorkloadOutcome> = s.workloads.iter().filter(|w| w.kind == "job").collect();
    let runs = if jobs.is_empty() {
        String::new()
    } else {
        let (met, due) = jobs.iter().fold((0.0, 0.0), |n, w| (n.0 + w.fates.met, n.1 + w.arrived));
        format!(", {met:.0} of {due:.0} runs in time")
    };
    format!(
        "{held} of {all} services keep their objective{runs}; the bill is {} a month, {} the plan's {}",
        s.bill.usd_per_month,
        off(s.plan.off_by),
        s.plan.usd_per_month
    )
}

fn off(by: f64) -> String {
    if by.abs() < 0.0005 { "on".to_owned() } else { format!("{:.1}% {}", 100.0 * by.abs(), if by > 0.0 { "above" } else { "below" }) }
}

fn money(s: &Simulation) -> String {
    let Some(baseline) = &s.baseline else { return "Today's configuration was not replayed: no saving is quoted.".to_owned() };
    let today = format!("Today's configuration replayed: {} ({} the inventory)", baseline.usd_per_month, off(baseline.off_by));
    let saving = match &s.saving {
        Some(SavingOutcome { share: Some(share), p5: Some(p5), p95: Some(p95), p_target_and_slos, .. }) => {
            let odds = p_target_and_slos.map(|p| format!(", target and objectives hold in {} of months", percent(p))).unwrap_or_default();
            format!("; saving {} ({} to {} by month{odds})", percent(*share), percent(*p5), percent(*p95))
        }
        Some(SavingOutcome { withheld: Some(why), .. }) => format!("; saving withheld: {why}"),
        Some(_) | None => String::new(),
    };
    let missed: Vec<&str> = baseline.workloads.iter().filter(|w| w.attainment < w.slo_target).map(|w| w.name.as_str()).collect();
    let misses = if missed.is_empty() { String::new() } else { format!("; it misses the objective of {}", missed.join(", ")) };
    format!("{today}{saving}{misses}.")
}

fn method(s: &Simulation) -> String {
    let m = &s.method;
    let mut text = format!(
        "{} seeds of {} h from {}, {} sampling, {} requests",
        m.seeds,
        m.hours,
        m.week_of,
        m.sampling,
        grouped(s.requests_simulated),
    );
    // Only a replay by itself is timed: a plan's own has to be the same bytes each time.
    if s.wall_seconds > 0.0 {
        text.push_str(&format!(" in {:.1} s", s.wall_seconds));
    }
    for (what, factor) in [("demand", m.demand_factor), ("hazard", m.hazard_factor)] {
        if (factor - 1.0).abs() > 1e-12 {
            text.push_str(&format!(", {what} x{factor}"));
        }
    }
    if let Some(fault) = &m.fault {
        text.push_str(&format!("; broken on purpose: {fault}"));
    }
    text + "."
}

/// `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

fn workloads(all: &[WorkloadOutcome], width: usize) -> String {
    let share = |n: f64, of: f64| if of > 0.0 && n > 0.0 { format!("{:.3}%", 100.0 * n / of) } else { "0".to_owned() };
    let rows = all.iter().map(|w| {
        let f = &w.fates;
        vec![
            printable(&w.name),
            format!("{:.2}%", 100.0 * w.slo_target),
            format!("{:.3}%", 100.0 * w.attainment),
            format!("{:.3}%", 100.0 * w.attainment_ci_low),
            if w.met { "holds" } else { "MISSED" }.to_owned(),
            share(f.late + f.timed_out, w.arrived),
            share(f.cold, w.arrived),
            share(f.lost + f.dropped, w.arrived),
            format!("{:.0}", w.replica_hours_per_week),
        ]
    });
    let mut text = table(
        &["workload", "objective", "attained", "at least", "", "late", "cold", "lost", "replica-h"],
        rows.collect(),
        (&[1, 2, 3, 5, 6, 7, 8], width),
    );
    let servers: BTreeSet<&String> = all.iter().filter_map(|w| w.server.as_ref()).collect();
    for server in servers {
        let members: Vec<String> = all.iter().filter(|w| w.server.as_ref() == Some(server)).map(|w| printable(&w.name)).collect();
        text.push_str(&format!("{} share {}: its replica-hours stand in each row\n", members.join(", "), printable(server)));
    }
    text
}

fn latencies(all: &[WorkloadOutcome], width: usize) -> String {
    let three = |p: &Option<crate::simulate::outcome::Percentiles>| {
        p.map_or_else(|| "-".to_owned(), |p| format!("{:.0} / {:.0} / {:.0}", p.p50, p.p95, p.p99))
    };
    let services = all.iter().filter(|w| w.kind == "service");
    let rows = services.map(|w| vec![printable(&w.name), three(&w.ttft_ms), three(&w.tpot_ms), three(&w.latency_ms)]);
    table(&["service", "first token", "per token", "whole request"], rows.collect(), (&[1, 2, 3], width))
}

fn pools(s: &Simulation, width: usize) -> String {
    let mut rows: Vec<Vec<String>> = s
        .bill
        .pools
        .iter()
        .map(|p| vec![printable(&p.name), p.capacity_type.clone(), format!("{:.0}", p.node_hours_per_week), p.usd_per_month.to_string()])
        .collect();
    rows.push(vec!["commitments".to_owned(), String::new(), String::new(), s.bill.commitments_usd_per_month.to_string()]);
    let remote = [("traffic", s.bill.egress_usd_per_month), ("bytes of starts", s.bill.start_up_bytes_usd_per_month)];
    let priced = remote.into_iter().filter_map(|(label, usd)| Some(vec![label.to_owned(), String::new(), String::new(), usd?.to_string()]));
    rows.extend(priced);
    let between = format!("{} to {}", s.bill.usd_per_month_ci_low, s.bill.usd_per_month_ci_high);
    rows.push(vec!["total".to_owned(), between, String::new(), s.bill.usd_per_month.to_string()]);
    table(&["pool", "", "node-h a week", "$ a month"], rows, (&[2, 3], width))
}

fn notes(other: &BaselineOutcome, line: &dyn Fn(&str) -> String) -> String {
    other.notes.iter().map(|note| line(&format!("- {note}"))).collect()
}

fn table(head: &[&str], rows: Vec<Vec<String>>, (right, width): (&[usize], usize)) -> String {
    let mut builder = Builder::default();
    builder.push_record(head.iter().map(|h| (*h).to_owned()));
    rows.into_iter().for_each(|row| builder.push_record(row));
    let mut table = builder.build();
    table.with(TableStyle::psql());
    for &column in right {
        table.modify(Columns::one(column), Alignment::right());
    }
    table.with(Width::wrap(width).priority(Priority::max(true)));
    format!("{table}\n")
}
