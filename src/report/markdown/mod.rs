//! `report.md`: the monthly cost report, for people who decide about money and never run the program.
//!
//! One file a chapter. Everything is derived from the plan; the same plan gives the same bytes. Chapters return finished
//! Markdown and escape every word that came from a user's file.

mod evidence;
mod headline;
mod limits;
mod money;
mod purchases;
mod regions;
mod replay;
mod risk;
mod robustness;
mod schedule;
mod sharing;
mod steps;
mod table;

use crate::plan::Plan;
use crate::report::text::md;

/// The whole report. Destructured so that a new field of the plan must find its chapter.
#[must_use]
pub fn markdown(plan: &Plan) -> String {
    let Plan {
        format,
        name,
        demo,
        verification,
        baseline,
        competent_operations,
        cost,
        saving: _,
        target,
        optimality,
        levers,
        sensitivity,
        robustness: stands,
        alternatives,
        pools,
        workloads,
        bundles,
        purchases,
        windows,
        notes,
        provenance,
    } = plan;
    let title = if *demo { "GPU fleet plan (demo)" } else { "GPU fleet plan" };
    let chapters = [
        format!("# {title}: {}\n", md(name)),
        headline::mark(plan, verification),
        headline::answer(plan, target.as_ref()),
        headline::baselines(plan, competent_operations, optimality),
        headline::target(target.as_ref()),
        replay::evidence(plan),
        money::by_workload(plan, workloads),
        money::by_team(plan),
        money::by_capacity_type(plan),
        money::by_pool(pools, cost),
        sharing::chapter(plan, pools, bundles),
        purchases::to_buy(plan, purchases),
        money::by_lever(plan, levers),
        money::today(baseline),
        regions::chapter(plan),
        schedule::week(plan, workloads, windows),
        schedule::jobs(plan, workloads),
        risk::lost_pools(plan, pools),
        risk::error_budgets(workloads),
        risk::sensitivity(sensitivity),
        robustness::stands(stands.as_ref()),
        robustness::alternatives(alternatives),
        evidence::by_class(plan, cost),
        steps::quotas(plan),
        steps::ordered(plan),
        limits::not_modelled(plan, verification),
        evidence::why(workloads, notes),
        evidence::provenance(format, provenance),
    ];
    let mut out = chapters.into_iter().filter(|c| !c.is_empty()).collect::<Vec<_>>().join("\n");
    // One newline ends the file, whatever the last chapter was.
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
