//! What a replay of the emitted files saw, and what it changed.

use crate::plan::{Plan, ReplayEvidence, ReplayRound};
use crate::report::markdown::table::{Column, bullets, table};
use crate::report::text::{count, md, percent};

/// The chapter; nothing before a replay.
pub fn evidence(plan: &Plan) -> String {
    let Some(evidence) = &plan.verification.replay else { return String::new() };
    let ReplayEvidence {
        seeds,
        sampling,
        requests_simulated,
        workloads,
        usd_per_month,
        baseline_usd_per_month,
        competent_usd_per_month,
        saving,
        withheld,
        saving_p5_p95,
        p_target_and_slos,
        rounds,
    } = evidence;
    let off = usd_per_month.as_f64() / plan.cost.usd_per_month.as_f64().max(f64::MIN_POSITIVE) - 1.0;
    let mut out = format!(
        "## Replay of the emitted files\n\n{} simulated requests in {seeds} weeks, each with arrivals, start-ups and spot reclaims of its own \
         ({} sampling of hours). The autoscalers are those of the files. The bill comes to **{usd_per_month} a month**, {} the plan's.\n",
        count(*requests_simulated as f64),
        md(sampling),
        if off.abs() < 0.0005 { "on".to_owned() } else { format!("{} {}", percent(off.abs()), if off > 0.0 { "above" } else { "below" }) }
    );
    let mut facts = Vec::new();
    if let (Some(baseline), Some(saving)) = (baseline_usd_per_month, saving) {
        let between = saving_p5_p95.map(|(low, high)| format!(", {} to {} by month", percent(low), percent(high))).unwrap_or_default();
        facts.push(format!("Today's configuration on the same traffic costs {baseline} a month: **{} saved**{between}.", percent(*saving)));
    }
    facts.extend(withheld.as_ref().map(|why| format!("Saving withheld: {}.", md(why))));
    if let Some(odds) = p_target_and_slos {
        facts.push(format!("Of months drawn from its days, {} meet the target and every objective.", percent(*odds)));
    }
    if let Some(competent) = competent_usd_per_month {
        facts.push(format!("Competent operations on the same traffic cost {competent} a month."));
    }
    out.push('\n');
    out.push_str(&bullets(facts));
    let share = |of: f64| format!("{:.2}%", 100.0 * of);
    let rows = workloads.iter().map(|w| {
        let holds = if w.met { "holds" } else { "**missed**" };
        vec![md(&w.name), share(w.slo_target), share(w.attainment), share(w.attainment_ci_low), holds.to_owned()]
    });
    let columns = [
        Column::Text("workload"),
        Column::Number("objective"),
        Column::Number("attained"),
        Column::Number("at least (95%)"),
        Column::Text(""),
    ];
    out.push('\n');
    out.push_str(&table(&columns, rows.collect()));
    out.push_str(&learned(rounds));
    out
}

/// The rounds, where there was more than one.
fn learned(rounds: &[ReplayRound]) -> String {
    if rounds.len() < 2 {
        return String::new();
    }
    let factors = |of: &std::collections::BTreeMap<String, f64>| {
        let each: Vec<String> = of.iter().map(|(name, factor)| format!("{} x{factor}", md(name))).collect();
        if each.is_empty() { "-".to_owned() } else { each.join(", ") }
    };
    let rows = rounds.iter().enumerate().map(|(index, round)| {
        let ReplayRound { load_factors, miss_factors, slack_hours, usd_per_month, missed } = round;
        let slack: Vec<String> = slack_hours.iter().map(|(name, hours)| format!("{} {hours} h", md(name))).collect();
        let missed = if missed.is_empty() { "nothing".to_owned() } else { missed.iter().map(|m| md(m)).collect::<Vec<_>>().join("; ") };
        vec![
            (index + 1).to_string(),
            factors(load_factors),
            factors(miss_factors),
            if slack.is_empty() { "-".to_owned() } else { slack.join(", ") },
            usd_per_month.to_string(),
            missed,
        ]
    });
    let columns = [
        Column::Number("round"),
        Column::Text("planned for more load"),
        Column::Text("planned for more misses"),
        Column::Text("planned to end earlier"),
        Column::Number("$ a month"),
        Column::Text("what the replay missed"),
    ];
    format!("\nWhat the replay taught the plan:\n\n{}", table(&columns, rows.collect()))
}
