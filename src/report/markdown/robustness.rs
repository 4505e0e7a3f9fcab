//! What the plan stands, and the plans that are nearly as cheap.

use crate::plan::{Alternative, Candidate, CaseOutcome, GivesUp, Hold, Robustness, StressReplay};
use crate::report::markdown::table::{Column, bullets, table};
use crate::report::text::{count, listed, md, percent, span};
use crate::units::Usd;

/// The chapter on surprises; empty where none is asked about.
pub fn stands(robustness: Option<&Robustness>) -> String {
    let Some(robustness) = robustness else { return String::new() };
    let Robustness {
        level,
        required_demand_factor,
        required_work_factor,
        held: _,
        usd_per_month,
        attainment,
        insurance_usd_per_month,
        tail_weight,
        candidates,
        cases,
        holds,
        gives_up_first,
        replayed,
    } = robustness;
    let mut out = format!(
        "## What the plan stands\n\nPlanned for risk `{}`: every service holds its objective, by planning capacity, at {} times its demand, \
         every job at {} times its work. {}\n\n",
        md(level),
        count(*required_demand_factor),
        count(*required_work_factor),
        verdict(robustness)
    );
    out.push_str(&format!(
        "Against the plan for `low` that costs **{}** a month more. {}\n\n",
        insurance_usd_per_month,
        gives_up_first.as_ref().map_or_else(String::new, first)
    ));
    out.push_str(&table(
        &[
            Column::Text("case"),
            Column::Number("probability"),
            Column::Text("what differs"),
            Column::Number("$ a month"),
            Column::Number("saving"),
            Column::Number("within the limits"),
            Column::Text("objective missed by"),
        ],
        cases.iter().map(case).collect(),
    ));
    out.push_str(&format!(
        "\nExpected {} a month, worst case {}, mean of the worst twentieth {}. Within their limits: {} expected, {} at worst, {} in the \
         worst twentieth. The plan is unchanged in every case; shares are careful estimates from the capacity tables, each hour taken at \
         its peak, a burst at once in every hour.\n\n",
        usd(usd_per_month.expected),
        usd(usd_per_month.worst),
        usd(usd_per_month.cvar_95),
        percent(attainment.expected),
        percent(attainment.worst),
        percent(attainment.cvar_95)
    ));
    out.push_str(&table(
        &[Column::Text("workload"), Column::Number("holds up to"), Column::Text("what ends it"), Column::Text("added by autoscaling")],
        holds.iter().map(hold).collect(),
    ));
    out.push('\n');
    if candidates.len() > 1 {
        out.push_str(&weighed(candidates, *tail_weight));
    }
    out.push_str(&replayed.as_ref().map_or_else(String::new, stress));
    out
}

fn usd(amount: f64) -> Usd {
    Usd::from_f64(amount)
}

/// Held, or who does not hold what was asked.
fn verdict(robustness: &Robustness) -> String {
    if robustness.held {
        return "**It holds that.**".to_owned();
    }
    let short: Vec<String> =
        robustness.holds.iter().filter(|h| !h.held).map(|h| format!("{} (x{:.2})", md(&h.workload), h.demand_factor)).collect();
    format!("**It does not hold that**: {} give up before.", listed(&short))
}

fn first(first: &GivesUp) -> String {
    let GivesUp { workload, demand_factor } = first;
    format!("As demand grows {} gives up first, above x{demand_factor:.2}.", md(workload))
}

fn case(case: &CaseOutcome) -> Vec<String> {
    let CaseOutcome {
        name,
        probability,
        demand_factor,
        burst_factor,
        spot_price_factor,
        hazard_factor,
        availability_factor,
        usd_per_month,
        saving,
        attainment,
        workloads,
    } = case;
    let factors = [
        ("demand", demand_factor),
        ("peaks", burst_factor),
        ("spot price", spot_price_factor),
        ("reclaims", hazard_factor),
        ("availability", availability_factor),
    ];
    let differs: Vec<String> =
        factors.iter().filter(|(_, f)| (**f - 1.0).abs() > 1e-9).map(|(what, f)| format!("{what} x{}", count(**f))).collect();
    let missed: Vec<String> = workloads.iter().filter(|w| !w.met).map(|w| format!("{} ({})", md(&w.name), percent(w.attainment))).collect();
    vec![
        md(name),
        percent(*probability),
        if differs.is_empty() { "nothing".to_owned() } else { listed(&differs) },
        usd_per_month.to_string(),
        percent(*saving),
        percent(*attainment),
        if missed.is_empty() { "nobody".to_owned() } else { listed(&missed) },
    ]
}

fn hold(hold: &Hold) -> Vec<String> {
    let Hold { workload, insured_factor: _, demand_factor, held, added_by_autoscaler, late_s, limited_by } = hold;
    let late = if *added_by_autoscaler > 0 { format!("{added_by_autoscaler}, each {} late", span(*late_s)) } else { "none".to_owned() };
    let mark = if *held { "" } else { " (short)" };
    vec![md(workload), format!("x{demand_factor:.2}{mark}"), md(limited_by), late]
}

/// The plans that were weighed.
fn weighed(candidates: &[Candidate], weight: f64) -> String {
    let rows = candidates.iter().map(|candidate| {
        let Candidate { name, usd_per_month, expected_usd_per_month, cvar_95_usd_per_month, held, chosen } = candidate;
        vec![
            format!("{}{}", md(name), if *chosen { " (this plan)" } else { "" }),
            usd_per_month.to_string(),
            usd(*expected_usd_per_month).to_string(),
            usd(*cvar_95_usd_per_month).to_string(),
            if *held { "yes" } else { "no" }.to_owned(),
        ]
    });
    let columns = [
        Column::Text("planned for"),
        Column::Number("$ a month as planned"),
        Column::Number("expected"),
        Column::Number("worst twentieth"),
        Column::Text("holds"),
    ];
    format!(
        "Weighed were these plans; of those that hold, the one with the least expected cost plus {} of the worst twentieth is this plan.\n\n{}\n",
        count(weight),
        table(&columns, rows.collect())
    )
}

/// The replay at a higher demand.
fn stress(replay: &StressReplay) -> String {
    let StressReplay { demand_factor, seeds, workloads, gives_up_first } = replay;
    let lines = workloads.iter().map(|w| {
        format!("{}: {} within its limits, objective {}", md(&w.name), percent(w.attainment), if w.met { "holds" } else { "**missed**" })
    });
    let first = gives_up_first.as_ref().map_or_else(|| "Nobody gives up.".to_owned(), |name| format!("{} gives up first.", md(name)));
    format!(
        "The emitted files were also replayed at {} times the requests (jobs with their usual work), {seeds} weeks. {first}\n\n{}\n",
        count(*demand_factor),
        bullets(lines)
    )
}

/// Plans within 2% of least cost.
pub fn alternatives(alternatives: &[Alternative]) -> String {
    let rows: Vec<Vec<String>> = alternatives
        .iter()
        .map(|alternative| {
            let Alternative { name, usd_per_month, saving, instance_types, spot_exposure, changed_nodes, differs, replay } = alternative;
            let differs: Vec<String> = differs.iter().map(|d| md(d)).collect();
            vec![
                md(name),
                usd_per_month.to_string(),
                percent(*saving),
                instance_types.len().to_string(),
                count(*spot_exposure),
                changed_nodes.to_string(),
                differs.join("; "),
                replay.as_ref().map_or_else(|| "not replayed".to_owned(), |r| md(r)),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let columns = [
        Column::Text("alternative"),
        Column::Number("$ a month"),
        Column::Number("saving"),
        Column::Number("instance types"),
        Column::Number("spot exposure"),
        Column::Number("changed nodes"),
        Column::Text("what differs"),
        Column::Text("replay"),
    ];
    format!(
        "## Plans that cost nearly as little\n\nWithin 2% of least cost, each the best that was found at what its name says. The full plans are \
         in `alternatives/`; spot exposure is spot GPU-hours a week times the hazard of their pools.\n\n{}",
        table(&columns, rows)
    )
}
