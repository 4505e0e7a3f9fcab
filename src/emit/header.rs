//! The lines that every emitted file starts with: who wrote it, from which scenario, and what has not been proven.

use crate::plan::Plan;

/// Hexadecimal digits of the scenario's digest that are shown.
const DIGEST_PREFIX: usize = 12;

/// Free text on one line: a line break or another character that YAML, HCL or an editor may take for one becomes a space, so that
/// a comment cannot be left.
#[must_use]
pub fn one_line(text: &str) -> String {
    let plain = |c: char| {
        let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') || c.is_control();
        if breaks { ' ' } else { c }
    };
    text.chars().map(plain).collect()
}

/// Free text inside Markdown: one line, with nothing that could become HTML, a link, code or a table cell.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// First digits of the scenario's digest.
#[must_use]
pub fn scenario_prefix(plan: &Plan) -> String {
    plan.provenance.scenario_sha256.chars().filter(char::is_ascii_alphanumeric).take(DIGEST_PREFIX).collect()
}

/// The lines, without comment signs.
#[must_use]
pub fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = vec![
        one_line(&format!("Written by gpuplan {} from plan '{}'.", plan.provenance.gpuplan_version, plan.name)),
        one_line(&format!("{}. Scenario {}.", plan.verification.mark(), scenario_prefix(plan))),
    ];
    if plan.demo {
        lines.push("DEMO: this is the embedded demo and not your fleet. Do not apply it to a cluster you pay for.".to_owned());
    }
    lines
}

/// The body under a header of `#` comments.
#[must_use]
pub fn commented(plan: &Plan, body: &str) -> String {
    let mut text = String::new();
    for line in lines(plan) {
        text.push_str("# ");
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(body);
    text
}

/// A Markdown page: the title, the header as a quotation, then the body.
#[must_use]
pub fn page(plan: &Plan, (title, body): (&str, &str)) -> String {
    let mut text = format!("# {title}\n\n");
    for line in lines(plan) {
        text.push_str("> ");
        text.push_str(&markdown(&line));
        text.push_str("  \n");
    }
    text.push('\n');
    text.push_str(body);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_cannot_be_left() {
        assert_eq!(one_line("a\nb\r\u{2028}c\u{85}d\u{feff}"), "a b  c d ");
    }

    #[test]
    fn markdown_has_no_html_and_no_code() {
        assert_eq!(markdown("<b>`x`|"), "&lt;b&gt;\\`x\\`\\|");
    }
}
