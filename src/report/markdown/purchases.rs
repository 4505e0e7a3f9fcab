//! Commitments to buy: what, how much, what it costs and saves, what it rests on.

use crate::plan::{Plan, Purchase};
use crate::report::facts;
use crate::report::markdown::table::{Column, bullets, table};
use crate::report::text::{count, md, percent};

/// The chapter; empty where nothing is bought.
pub fn to_buy(plan: &Plan, purchases: &[Purchase]) -> String {
    if purchases.is_empty() {
        return String::new();
    }
    let columns = [
        Column::Text("product"),
        Column::Number("amount"),
        Column::Text("term and payment"),
        Column::Number("$ a month"),
        Column::Number("first month, cash"),
        Column::Number("later months, cash"),
        Column::Number("saves a month"),
        Column::Number("used"),
        Column::Number("covers"),
    ];
    let row = |p: &Purchase| {
        vec![
            md(&p.product),
            md(&facts::amount(p)),
            format!("{} months, {}", p.term_months, md(&p.payment)),
            p.usd_per_month.to_string(),
            p.first_month_usd.to_string(),
            p.later_months_usd.to_string(),
            p.saves_usd_per_month.to_string(),
            percent(p.utilization),
            percent(p.coverage),
        ]
    };
    let mut out = format!(
        "## Commitments to buy\n\nPart of the plan's cost, decided together with everything else: {} a month in full, for {} a month of \
         on-demand cost less. A commitment is paid whether it is used or not, and cannot be given back.\n\n{}",
        plan.cost.purchases_usd_per_month,
        purchases.iter().map(|p| p.credited_usd_per_month).sum::<crate::units::Usd>(),
        table(&columns, purchases.iter().map(row).collect())
    );
    out.push_str(
        "\n*Used* is the share of what is bought that is in use, *covers* the share of the on-demand use of its machines that it pays \
         for, over the hours of the week.\n\n",
    );
    out.push_str(&bullets(purchases.iter().map(why)));
    let warnings = purchases.iter().flat_map(|p| p.warnings.iter().map(|w| format!("**{}**: {}", md(&p.product), md(w))));
    let warnings = bullets(warnings);
    if !warnings.is_empty() {
        out.push_str(&format!("\nThink twice:\n\n{warnings}"));
    }
    out
}

/// When it pays, what less demand costs, what ends in between, and where its price comes from.
fn why(p: &Purchase) -> String {
    let mut parts =
        vec![format!("**{}** pays where a unit is used in more than {} of the hours", md(&p.product), percent(p.break_even_share))];
    if let Some(months) = p.break_even_months {
        parts.push(format!("the use must last {} of its {} months", count(months), p.term_months));
    }
    if let Some(months) = p.payback_months.filter(|m| *m > 0.0) {
        parts.push(format!("what is paid at once is back after {} months", count(months)));
    }
    for regret in &p.regret {
        parts.push(format!("{} demand would make it {} a month too dear", percent(regret.demand), regret.usd_per_month));
    }
    for e in &p.ending {
        parts.push(format!(
            "commitment {} ends on {} and frees {} node-hours a week of the same machines",
            md(&e.commitment),
            md(&e.expires),
            count(e.frees_node_hours_per_week)
        ));
    }
    format!("{}. Price: {}, {}.", parts.join("; "), md(&p.source), md(&p.as_of))
}
