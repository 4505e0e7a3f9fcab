//! A commitment that is bought, taken apart.

use super::fields::{Facts, facts, value};
use crate::plan::{Newsvendor, Purchase};

/// Its product and its fields; machines, regrets and endings under their own names.
pub fn item(purchase: &Purchase) -> (String, Facts) {
    let Purchase {
        product,
        kind,
        unit,
        amount,
        term_months,
        payment,
        usd_per_unit_hour,
        usd_per_hour,
        usd_per_month,
        first_month_usd,
        later_months_usd,
        covers,
        credited_usd_per_month,
        saves_usd_per_month,
        break_even_share,
        break_even_months,
        payback_months,
        coverage,
        utilization,
        coverage_by_hour,
        utilization_by_hour,
        newsvendor: Newsvendor { quantile, amount: newsvendor_amount },
        regret,
        ending,
        warnings,
        source,
        as_of,
    } = purchase;
    let mut out = facts![""; usd_per_month, amount, unit, kind, term_months, payment, usd_per_unit_hour, usd_per_hour];
    out.extend(facts![""; first_month_usd, later_months_usd, credited_usd_per_month, saves_usd_per_month]);
    out.extend(facts![""; break_even_share, break_even_months, payback_months, coverage, utilization]);
    out.extend(facts![""; coverage_by_hour, utilization_by_hour]);
    out.extend(facts!["newsvendor."; quantile]);
    out.push(("newsvendor.amount".to_owned(), value(newsvendor_amount)));
    out.extend(covers.iter().map(|c| (format!("covers.{}/{}", c.region, c.instance_type), value(c))));
    out.extend(regret.iter().map(|r| (format!("regret.{}", r.demand), value(r))));
    out.extend(ending.iter().map(|e| (format!("ending.{}", e.commitment), value(e))));
    out.extend(facts![""; warnings, source, as_of]);
    (product.clone(), out)
}
