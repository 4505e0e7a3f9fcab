//! The plan on a screen: the answer in three lines, then tables.

use crate::plan::{Bundle, NodePool, Plan, Purchase, Sensitivity, TargetOutcome, Window, WorkloadPlan};
use crate::report::facts::{self, MoneyRow, words};
use crate::report::stands;
use crate::report::text::{count, fine_percent, percent, printable, wrap};
use crate::report::week::{day_list, hour_span};
use crate::units::Usd;
use anstyle::AnsiColor;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::peaker::Priority;
use tabled::settings::{Alignment, Style as TableStyle, Width};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colour.
    pub color: bool,
    /// Columns of the screen.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// Narrower screens get lines of this width: tables cannot shrink further without cutting words.
const NARROWEST: usize = 60;

/// The report for the screen. `next` says where the files are and what to do with them; it closes the third line.
#[must_use]
pub fn terminal(plan: &Plan, next: &str, style: Style) -> String {
    let page = Page { color: style.color, width: style.width.max(NARROWEST) };
    let mut out = answer(plan, next, page);
    for (title, body) in sections(plan, page) {
        if !body.is_empty() {
            out.push_str(&format!("\n{}\n{body}", page.paint(title, anstyle::Style::new().bold())));
        }
    }
    out
}

/// Titles and bodies; an empty body leaves its title out. Destructured so that a new field of the plan must find its place.
fn sections(plan: &Plan, page: Page) -> Vec<(&'static str, String)> {
    let Plan {
        format: _,
        name: _,
        demo: _,
        verification: _,
        baseline: _,
        competent_operations: _,
        cost: _,
        saving: _,
        target,
        optimality: _,
        levers: _,
        sensitivity,
        robustness,
        alternatives,
        pools,
        workloads,
        bundles,
        purchases,
        windows,
        notes,
        provenance: _,
    } = plan;
    vec![
        ("Why the target is missed", target.as_ref().map(|t| missed(t, page)).unwrap_or_default()),
        ("By workload, $ a month; on demand unless it says spot", workload_table(plan, workloads, page)),
        ("By pool", pool_table(plan, pools, page)),
        ("Servers with several models", bundle_table(plan, bundles, page)),
        ("Commitments to buy, $ a month", purchase_table(purchases, page)),
        ("By lever, $ a month saved by the least-cost plan", lever_table(plan, page)),
        ("The week, local time", window_table(workloads, windows, page)),
        ("If an assumption is off: the least-cost plan, solved anew", sensitivity_table(sensitivity, page)),
        ("What it stands", bullets(robustness.iter().flat_map(stands::lines).collect::<Vec<_>>().iter().map(String::as_str), page)),
        ("Within 2% of least cost, in alternatives/", bullets(stands::alternatives(alternatives).iter().map(String::as_str), page)),
        ("Notes", bullets(notes.iter().map(String::as_str), page)),
    ]
}

/// Colour and width, passed on.
#[derive(Clone, Copy)]
struct Page {
    color: bool,
    width: usize,
}

impl Page {
    fn paint(self, text: &str, style: anstyle::Style) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Wraps a line; then paints the first place in it that says `phrase`, if no line break cuts it.
    fn line(self, line: &str, painted: &[(&str, AnsiColor)]) -> String {
        let mut out = wrap(&printable(line), self.width, 2).replace(TIE, " ");
        for (phrase, color) in painted.iter().filter(|(p, _)| !p.is_empty()) {
            let style = anstyle::Style::new().bold().fg_color(Some((*color).into()));
            out = out.replacen(phrase, &self.paint(phrase, style), 1);
        }
        out.push('\n');
        out
    }
}

/// Keeps the words of a phrase on one line.
const TIE: char = '\u{a0}';

/// The three lines, and the banner of a demo.
fn answer(plan: &Plan, next: &str, page: Page) -> String {
    let mark = printable(&plan.verification.mark());
    let (target, verdict) = plan.target.as_ref().map(|t| target_words(plan, t)).unwrap_or_default();
    let demo = if plan.demo { "demo: " } else { "" };
    let first = format!("{demo}{}{target}. {}", cost_words(plan), mark.replace(' ', &TIE.to_string()));
    let color = if verdict == "MISSED" { AnsiColor::Red } else { AnsiColor::Green };
    let mut out = page.line(&first, &[(&mark, AnsiColor::Yellow), (verdict, color)]);
    out.push_str(&page.line(&proof(plan), &[("provably impossible", AnsiColor::Red)]));
    out.push_str(&page.line(format!("{} {}", competent(plan), next.trim()).trim_end(), &[]));
    if plan.demo {
        let banner = "DEMO: the embedded example fleet, not yours. Start your own with `gpuplan init`.";
        out.push_str(&page.line(banner, &[("DEMO", AnsiColor::Yellow)]));
    }
    out
}

/// `$50,123 -> $29,570/month, saving 41.0% ($20,553)`.
fn cost_words(plan: &Plan) -> String {
    let saved = facts::saved(plan);
    let change = if saved < Usd::ZERO {
        format!("{} ({}) MORE than today", -saved, percent(-plan.saving))
    } else {
        format!("saving {} ({saved})", percent(plan.saving))
    };
    format!("{} -> {}/month, {change}", plan.baseline.usd_per_month, plan.cost.usd_per_month)
}

/// The target's part of the first line, and its verdict.
fn target_words(plan: &Plan, target: &TargetOutcome) -> (String, &'static str) {
    if target.met {
        let spare = target.usd_per_month - plan.cost.usd_per_month;
        (format!("; target {} met by {spare}", target.requested), "met")
    } else {
        let missed = target.missed_by_usd_per_month;
        (format!("; target {} MISSED by {missed} ({})", target.requested, facts::points(plan, missed)), "MISSED")
    }
}

/// The proof of the least cost and what safety took of it.
fn proof(plan: &Plan) -> String {
    let o = &plan.optimality;
    let outcome = facts::outcome_words(&o.outcome);
    let cost = format!("Proof: least cost {}, bound {}, gap {} ({outcome})", o.usd_per_month, o.bound_usd_per_month, fine_percent(o.gap));
    if plan.target.as_ref().is_some_and(|t| t.provably_impossible) {
        return format!("{cost}: target provably impossible.");
    }
    match facts::safety_stages(plan) {
        Some(_) => format!("{cost}; {} given back for safety.", facts::given_back(plan)),
        None => format!("{cost}; nothing given back for safety."),
    }
}

/// Against competent operations, which need no planner.
fn competent(plan: &Plan) -> String {
    let other = &plan.competent_operations;
    let ahead = other.usd_per_month - plan.cost.usd_per_month;
    let verdict = if ahead < Usd::ZERO { format!("{} LESS than this plan", -ahead) } else { format!("{ahead} above this plan") };
    format!("Competent operations {} (saving {}), {verdict}.", other.usd_per_month, percent(other.saving))
}

/// Limits and relaxations of a target that is missed.
fn missed(target: &TargetOutcome, page: Page) -> String {
    if target.met {
        return String::new();
    }
    let limits: Vec<String> = target.binding.iter().map(|b| format!("{} ({}): {}", words(&b.limit), b.subject, b.detail)).collect();
    let mut out = bullets(limits.iter().map(String::as_str), page);
    if target.relaxations.is_empty() {
        return out;
    }
    out.push_str(&page.paint("What one step of one limit would give, each a plan of its own", anstyle::Style::new().bold()));
    out.push('\n');
    let rows = target
        .relaxations
        .iter()
        .map(|r| {
            let edits: Vec<String> = r.set.iter().map(|e| format!("{}: {}", e.path, e.value)).collect();
            let reaches = if r.usd_per_month <= target.usd_per_month { "yes" } else { "no" };
            let money = [r.usd_per_month.to_string(), r.saves_usd_per_month.to_string(), reaches.to_owned()];
            [r.change.clone(), edits.join("; ")].into_iter().chain(money).collect()
        })
        .collect();
    out.push_str(&table(Rows { head: &["change", "in the scenario", "$ a month", "saves", "reaches it"], rows, right: &[2, 3] }, page));
    out
}

/// Screens narrower than this have no room for where a workload runs today.
const ROOM_FOR_TODAY: usize = 100;

fn workload_table(plan: &Plan, workloads: &[WorkloadPlan], page: Page) -> String {
    let with_today = page.width >= ROOM_FOR_TODAY;
    let row = |name: String, words: [String; 4], money: &MoneyRow| -> Vec<String> {
        let words = words.into_iter().skip(usize::from(!with_today));
        std::iter::once(name).chain(words).chain(money_cells(money)).collect()
    };
    let mut rows = Vec::new();
    for (w, money) in workloads.iter().zip(facts::by_workload(plan)) {
        let spot = facts::spot_share(plan, w).map_or_else(|| "-".to_owned(), |s| format!("{:.0}%", s * 100.0));
        rows.push(row(w.name.clone(), [facts::today(plan, w), facts::planned(plan, w), w.mode.clone(), spot], &money));
    }
    let empty = || [String::new(), String::new(), String::new(), String::new()];
    rows.extend(facts::closing(plan).iter().map(|money| row(money.label.clone(), empty(), money)));
    let head = ["workload", "today", "plan", "mode", "spot", "before", "after", "saved"];
    if with_today {
        table(Rows { head: &head, rows, right: &[4, 5, 6, 7] }, page)
    } else {
        let head: Vec<&str> = head.into_iter().filter(|h| *h != "today").collect();
        table(Rows { head: &head, rows, right: &[3, 4, 5, 6] }, page)
    }
}

fn money_cells(row: &MoneyRow) -> [String; 3] {
    [row.before.to_string(), row.after.to_string(), row.saved_percent()]
}

fn pool_table(plan: &Plan, pools: &[NodePool], page: Page) -> String {
    let row = |p: &NodePool| {
        let peak = p.nodes_by_hour.iter().copied().fold(0.0, f64::max);
        let low = p.nodes_by_hour.iter().copied().fold(f64::INFINITY, f64::min).min(peak);
        let nodes = if low < peak { format!("{}-{}", count(low), count(peak)) } else { count(peak) };
        vec![
            p.name.clone(),
            format!("{} {}", p.cloud, p.region),
            format!("{} {}", p.instance_type, p.capacity_type),
            nodes,
            p.max_nodes.to_string(),
            p.planned_usd_per_hour.to_string(),
            p.usd_per_month.to_string(),
        ]
    };
    let mut rows: Vec<Vec<String>> = pools.iter().map(row).collect();
    let closing = |label: &str, usd: Usd| {
        let mut cells = vec![String::new(); 7];
        label.clone_into(&mut cells[0]);
        cells[6] = usd.to_string();
        cells
    };
    rows.extend(plan.cost.commitments.iter().map(|c| closing(&format!("commitment {}", c.name), c.usd_per_month)));
    if !plan.purchases.is_empty() {
        rows.push(closing("commitments to buy", plan.cost.purchases_usd_per_month));
    }
    let remote = [("traffic", plan.cost.egress_usd_per_month), ("bytes of starts", plan.cost.start_up_bytes_usd_per_month)];
    rows.extend(remote.into_iter().filter_map(|(label, usd)| Some(closing(label, usd?))));
    rows.push(closing("total", plan.cost.usd_per_month));
    let head = ["pool", "where", "machine", "nodes", "limit", "planned price", "$ a month"];
    table(Rows { head: &head, rows, right: &[3, 4, 5, 6] }, page)
}

/// One line a server: where, and what it serves.
fn bundle_table(plan: &Plan, bundles: &[Bundle], page: Page) -> String {
    let row = |b: &Bundle| {
        let models: Vec<String> = b.members.iter().map(|m| m.workload.clone()).collect();
        vec![b.host.name.clone(), facts::planned(plan, &b.host), b.host.mode.clone(), models.join(", "), b.host.usd_per_month.to_string()]
    };
    let rows: Vec<Vec<String>> = bundles.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    table(Rows { head: &["server", "runs on", "mode", "models", "$ a month"], rows, right: &[4] }, page)
}

/// A line for each commitment that is bought.
fn purchase_table(purchases: &[Purchase], page: Page) -> String {
    let row = |p: &Purchase| {
        let terms = format!("{} months, {}", p.term_months, p.payment);
        let (paid, saves) = (p.usd_per_month.to_string(), p.saves_usd_per_month.to_string());
        vec![p.product.clone(), facts::amount(p), terms, paid, saves, percent(p.utilization)]
    };
    let rows: Vec<Vec<String>> = purchases.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["product", "amount", "terms", "paid", "saves", "used"];
    table(Rows { head: &head, rows, right: &[1, 3, 4, 5] }, page)
}

fn lever_table(plan: &Plan, page: Page) -> String {
    let mut rows: Vec<Vec<String>> = plan
        .levers
        .iter()
        .map(|l| {
            let name = if l.counted { words(&l.name) } else { format!("{} (apart)", words(&l.name)) };
            vec![name, l.usd_per_month.to_string(), l.first_in_usd_per_month.to_string(), l.last_in_usd_per_month.to_string()]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let empty = String::new;
    let sum: Usd = plan.levers.iter().filter(|l| l.counted).map(|l| l.usd_per_month).sum();
    rows.push(vec!["together".to_owned(), sum.to_string(), empty(), empty()]);
    rows.push(vec!["given back for safety".to_owned(), (-facts::given_back(plan)).to_string(), empty(), empty()]);
    rows.push(vec!["this plan".to_owned(), facts::saved(plan).to_string(), empty(), empty()]);
    table(Rows { head: &["lever", "its share", "alone", "lost without it"], rows, right: &[1, 2, 3] }, page)
}

/// One line a workload: its base, then its windows.
fn window_table(workloads: &[WorkloadPlan], windows: &[Window], page: Page) -> String {
    let mut rows = Vec::new();
    for w in workloads {
        let spans: Vec<String> = windows
            .iter()
            .filter(|x| x.workload == w.name)
            .map(|x| format!("{} {} {}", day_list(&x.days), hour_span(x.start_hour, x.end_hour), floor_and_flex(x.floor, x.flex)))
            .collect();
        let Some(service) = &w.service else { continue };
        let base = floor_and_flex(service.floor.base_replicas, service.flex.as_ref().map_or(0, |f| f.base_replicas));
        let spans = if spans.is_empty() { "none".to_owned() } else { spans.join("; ") };
        rows.push(vec![w.name.clone(), base, spans, w.kubernetes.time_zone.clone()]);
    }
    if rows.is_empty() {
        return String::new();
    }
    table(Rows { head: &["service", "base", "windows (floor + flex replicas)", "zone"], rows, right: &[] }, page)
}

fn floor_and_flex(floor: u32, flex: u32) -> String {
    format!("{floor}+{flex}")
}

fn sensitivity_table(sensitivity: &[Sensitivity], page: Page) -> String {
    if sensitivity.is_empty() {
        return String::new();
    }
    let rows = sensitivity
        .iter()
        .map(|s| {
            let usd = s.usd_per_month.map_or_else(|| "no plan".to_owned(), |u| u.to_string());
            vec![s.name.clone(), usd, s.saving.map_or_else(|| "-".to_owned(), percent), target_cell(s.target_met).to_owned()]
        })
        .collect();
    table(Rows { head: &["assumption", "$ a month", "saving", "target"], rows, right: &[1, 2] }, page)
}

/// A target's verdict in a table.
#[must_use]
pub fn target_cell(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "missed",
        None => "-",
    }
}

fn bullets<'a>(lines: impl Iterator<Item = &'a str>, page: Page) -> String {
    lines.map(|l| format!("{}\n", wrap(&format!("- {}", printable(l)), page.width, 2))).collect()
}

/// A table: cells are users' text, not yet escaped.
struct Rows<'a> {
    head: &'a [&'a str],
    rows: Vec<Vec<String>>,
    /// Columns of numbers.
    right: &'a [usize],
}

fn table(rows: Rows, page: Page) -> String {
    let Rows { head, rows, right } = rows;
    if rows.is_empty() {
        return String::new();
    }
    let mut builder = Builder::default();
    builder.push_record(head.iter().copied());
    for row in rows {
        builder.push_record(row.iter().map(|cell| printable(cell)));
    }
    let mut table = builder.build();
    table.with(TableStyle::psql());
    for column in right {
        table.modify(Columns::one(*column), Alignment::right());
    }
    // The widest column gives way first: numbers and names stay whole as long as any prose can shrink.
    table.with(Width::wrap(page.width).keep_words(true).priority(Priority::max(true)));
    let lines = table.to_string();
    lines.lines().map(|l| format!("{}\n", l.trim_end())).collect()
}
