//! What it costs, what is saved, against what, and how sure that is.

use crate::plan::{Comparator, Optimality, Plan, Stage, TargetOutcome, Verification};
use crate::report::facts::{self, words};
use crate::report::markdown::table::{Column, bullets, table};
use crate::report::text::{count, fine_percent, md, percent};
use crate::units::Usd;

/// The mark, before any number.
pub fn mark(plan: &Plan, verification: &Verification) -> String {
    let mut out = String::new();
    if plan.demo {
        out.push_str("> **DEMO.** This is the embedded example fleet. It is not your fleet and not your bill.\n>\n");
    }
    let meaning = if verification.replay.is_some() {
        ""
    } else if !verification.holds() {
        " The saving is calculated from profiles, prices and forecasts. The emitted files have not been run against a recorded week of \
         traffic, so neither the cost nor the service levels are proven."
    } else {
        ""
    };
    out.push_str(&format!("> **{}.**{meaning}\n", md(&verification.mark())));
    out
}

/// The answer in a paragraph.
pub fn answer(plan: &Plan, target: Option<&TargetOutcome>) -> String {
    let (before, after, saved) = (plan.baseline.usd_per_month, plan.cost.usd_per_month, facts::saved(plan));
    let change = if saved < Usd::ZERO {
        format!("**{} ({}) more** than today", -saved, percent(-plan.saving))
    } else {
        format!("**{saved} ({}) less** than today", percent(plan.saving))
    };
    let mut out = format!("Today's fleet costs **{before} a month** at the plan's prices. The plan costs **{after} a month**: {change}.");
    if let Some(target) = target {
        let requested = md(&target.requested);
        if target.met {
            let spare = target.usd_per_month - after;
            out.push_str(&format!(" The target of {requested} is **met**, with {spare} a month to spare."));
        } else {
            let missed = target.missed_by_usd_per_month;
            let points = facts::points(plan, missed);
            out.push_str(&format!(" The target of {requested} is **missed by {missed} a month** ({points})."));
        }
    }
    out.push_str(&beside(plan));
    out.push('\n');
    out
}

/// What belongs beside a headline: how far ahead of competent operations it is, and when the target would be missed.
fn beside(plan: &Plan) -> String {
    let competent = plan.competent_operations.usd_per_month;
    let ahead = competent - plan.cost.usd_per_month;
    let verdict = if ahead < Usd::ZERO { format!("**{} less** than this plan", -ahead) } else { format!("{ahead} more than this plan") };
    let mut out = format!("\n\nCompetent operations, which need no planner, would cost {competent} a month: {verdict}.");
    let met = plan.target.as_ref().is_some_and(|t| t.met);
    let off: Vec<String> =
        plan.sensitivity.iter().filter(|s| s.target_met == Some(false) || s.usd_per_month.is_none()).map(|s| md(&s.name)).collect();
    if met && !off.is_empty() {
        out.push_str(&format!(" The target would **not** be met with any one of these: {}.", off.join("; ")));
    }
    out
}

/// The three baselines, the least cost with its proof, and this plan.
pub fn baselines(plan: &Plan, competent: &Comparator, optimality: &Optimality) -> String {
    let before = plan.baseline.usd_per_month;
    let saving = |usd: Usd| if before > Usd::ZERO { percent(1.0 - usd.as_f64() / before.as_f64()) } else { "-".to_owned() };
    let row = |name: &str, usd: Usd, saving: String, meaning: String| vec![name.to_owned(), usd.to_string(), saving, meaning];
    let inventory = format!("Today's nodes, all week, at the plan's prices ({}). Savings are counted from here.", md(&plan.baseline.kind));
    let gap = format!(
        "Proven: no plan under these limits costs less than {} (gap {}, {}).",
        optimality.bound_usd_per_month,
        fine_percent(optimality.gap),
        md(facts::outcome_words(&optimality.outcome))
    );
    let safety = match facts::safety_stages(plan) {
        Some(stages) => format!("Least cost, and {} given back for safety ({}).", facts::given_back(plan), md(&stages)),
        None => "The least-cost plan; nothing given back for safety.".to_owned(),
    };
    let rows = vec![
        row("Inventory baseline", plan.baseline.usd_per_month, "-".to_owned(), inventory),
        vec![
            "Replayed baseline".to_owned(),
            "not yet".to_owned(),
            "not yet".to_owned(),
            "Today's setup, simulated on recorded traffic.".to_owned(),
        ],
        row("Competent operations", competent.usd_per_month, percent(competent.saving), md(&competent.rules)),
        row("Least-cost plan", optimality.usd_per_month, saving(optimality.usd_per_month), gap),
        row("**This plan**", plan.cost.usd_per_month, percent(plan.saving), safety),
    ];
    let columns = [Column::Text("fleet"), Column::Number("$ a month"), Column::Number("saving"), Column::Text("what it is")];
    let mut out = format!("## Against what\n\n{}", table(&columns, rows));
    if optimality.stages.len() > 1 {
        out.push_str(&format!("\nThe plan was made in stages, each within the target:\n\n{}", stages(&optimality.stages)));
    }
    out
}

fn stages(stages: &[Stage]) -> String {
    let rows = stages
        .iter()
        .map(|s| {
            let Stage { name, unit, value, bound, gap, usd_per_month } = s;
            let show = |x: f64| match unit.as_str() {
                "usd_per_month" => Usd::from_f64(x).to_string(),
                "changed_nodes" => count(x),
                _ => format!("{x:.2}"),
            };
            vec![md(&words(name)), md(&unit_words(unit)), show(*value), show(*bound), fine_percent(*gap), usd_per_month.to_string()]
        })
        .collect();
    let columns = [
        Column::Text("stage"),
        Column::Text("makes small"),
        Column::Number("reached"),
        Column::Number("proven bound"),
        Column::Number("gap"),
        Column::Number("$ a month after it"),
    ];
    table(&columns, rows)
}

fn unit_words(unit: &str) -> String {
    match unit {
        "usd_per_month" => "cost".to_owned(),
        "spot_gpu_hours_x_hazard_per_week" => "expected GPU reclaims a week".to_owned(),
        "changed_nodes" => "nodes changed from today".to_owned(),
        other => words(other),
    }
}

/// Why a target is missed, and the cheapest declared ways to reach it.
pub fn target(target: Option<&TargetOutcome>) -> String {
    let Some(target) = target.filter(|t| !t.met) else { return String::new() };
    let mut out = String::from("## Why the target is missed\n\n");
    if target.provably_impossible {
        out.push_str("**Provably impossible under these limits**: the proven bound lies above the target, so no plan can reach it.\n\n");
    } else {
        out.push_str("Not proven impossible: the target lies between the proven bound and the plan that was found.\n\n");
    }
    if !target.binding.is_empty() {
        out.push_str("These limits hold the cost up, dearest first:\n\n");
        let line = |b: &crate::plan::Binding| format!("**{}** ({}): {}", md(&words(&b.limit)), md(&b.subject), md(&b.detail));
        out.push_str(&bullets(target.binding.iter().map(line)));
        out.push('\n');
    }
    if target.relaxations.is_empty() {
        out.push_str("No single declared step of one limit reaches it.\n");
        return out;
    }
    out.push_str("What one step of one limit would give, best first (each a plan of its own, they do not add up):\n\n");
    let rows = target
        .relaxations
        .iter()
        .map(|r| {
            let edits: Vec<String> = r.set.iter().map(|e| md(&format!("{}: {}", e.path, e.value))).collect();
            let reaches = if r.usd_per_month <= target.usd_per_month { "yes" } else { "no" };
            vec![
                format!("{} ({})", md(&r.change), md(&r.subject)),
                edits.join("<br>"),
                r.usd_per_month.to_string(),
                r.saves_usd_per_month.to_string(),
                reaches.to_owned(),
            ]
        })
        .collect();
    let columns = [
        Column::Text("change"),
        Column::Text("edit of the scenario"),
        Column::Number("$ a month"),
        Column::Number("saves over least cost"),
        Column::Text("reaches the target"),
    ];
    out.push_str(&table(&columns, rows));
    out
}
