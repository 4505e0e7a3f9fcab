//! The model as CPLEX LP text, for eyes and for other solvers.

use super::{Model, Row};
use std::fmt::Write;

/// Renders the model.
#[must_use]
pub fn render(model: &Model) -> String {
    let mut text = String::from("minimize\n obj:");
    let costs: Vec<(usize, f64)> = model.columns.iter().enumerate().map(|(i, c)| (i, c.cost)).filter(|(_, c)| c.abs() > 0.0).collect();
    terms(&mut text, model, &costs);
    text.push_str("\nsubject to\n");
    for row in &model.rows {
        constraint(&mut text, model, row);
    }
    text.push_str("bounds\n");
    for column in model.columns.iter().filter(|c| c.upper.is_finite() || c.lower.abs() > 0.0) {
        let upper = if column.upper.is_finite() { format!(" <= {}", column.upper) } else { String::new() };
        let _ = writeln!(text, " {} <= {}{upper}", column.lower, column.name);
    }
    text.push_str("general\n");
    for column in model.columns.iter().filter(|c| c.integer) {
        let _ = writeln!(text, " {}", column.name);
    }
    text.push_str("end\n");
    text
}

fn constraint(text: &mut String, model: &Model, row: &Row) {
    if row.lower.is_finite() && row.lower.total_cmp(&row.upper).is_eq() {
        side(text, model, (row, "", "=", row.lower));
        return;
    }
    if row.lower.is_finite() {
        side(text, model, (row, "", ">=", row.lower));
    }
    if row.upper.is_finite() {
        let suffix = if row.lower.is_finite() { "_u" } else { "" };
        side(text, model, (row, suffix, "<=", row.upper));
    }
}

fn side(text: &mut String, model: &Model, (row, suffix, sense, bound): (&Row, &str, &str, f64)) {
    let _ = write!(text, " {}{suffix}:", row.name);
    terms(text, model, &row.terms);
    let _ = writeln!(text, " {sense} {bound}");
}

fn terms(text: &mut String, model: &Model, terms: &[(usize, f64)]) {
    for (column, coefficient) in terms {
        let sign = if *coefficient < 0.0 { '-' } else { '+' };
        let _ = write!(text, " {sign} {} {}", coefficient.abs(), model.columns[*column].name);
    }
}
