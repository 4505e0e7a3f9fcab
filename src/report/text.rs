//! Text for people: numbers in one format everywhere, and users' words made harmless for where they are shown.

/// Users' text on one line, fit for a terminal: line breaks become spaces, other control characters (escape sequences
/// among them), and the invisible characters that turn or hide text, become visible escapes.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() || is_invisible(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Zero-width characters, direction marks and line separators: they make a name look like another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Users' text inside a Markdown paragraph, list item or table cell: shown as it is, never as markup, HTML or a link.
#[must_use]
pub fn md(text: &str) -> String {
    let plain = printable(text.trim());
    let chars: Vec<char> = plain.chars().collect();
    let mut out = String::with_capacity(plain.len() + 8);
    let leading_digits = chars.iter().take_while(|c| c.is_ascii_digit()).count();
    let word_follows = |i: usize| chars.get(i + 1).is_some_and(|c| c.is_alphanumeric());
    let mut span_end = 0;
    for (i, &c) in chars.iter().enumerate() {
        if i < span_end {
            out.push(c);
            continue;
        }
        match c {
            '`' if let Some(length) = code_span(&chars[i..]) => {
                span_end = i + length;
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            // Between letters an underscore is an underscore; at the edge of a word it is emphasis.
            '_' if !inside_word(&chars, i) => out.push_str("\\_"),
            // A dollar before a digit is money; any other may open a formula.
            '$' if !chars.get(i + 1).is_some_and(char::is_ascii_digit) => out.push_str("\\$"),
            // Breaks the bare links that renderers make of `https://` and `www.`.
            ':' if chars.get(i + 1) == Some(&'/') && chars.get(i + 2) == Some(&'/') => out.push_str("\\:"),
            '.' if ends_with_www(&chars[..i]) => out.push_str("\\."),
            // Only at the start, and not before a word, do these make headings, lists and rules.
            '#' | '+' | '-' | '=' if i == 0 && !word_follows(i) => out.extend(['\\', c]),
            '.' | ')' if i == leading_digits && i > 0 && !word_follows(i) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Length of a code span that a text starts with, if it holds nothing but the letters of a plain name: our own notes put
/// names between backticks, and such a span can do no harm.
fn code_span(text: &[char]) -> Option<usize> {
    let inner = text[1..].iter().position(|c| *c == '`')?;
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    (inner > 0 && text[1..=inner].iter().all(plain)).then_some(inner + 2)
}

fn inside_word(chars: &[char], i: usize) -> bool {
    let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
    i > 0 && word(chars.get(i - 1)) && word(chars.get(i + 1))
}

fn ends_with_www(before: &[char]) -> bool {
    before.len() >= 3 && before[before.len() - 3..].iter().all(|c| c.eq_ignore_ascii_case(&'w'))
}

/// Text as a Markdown code span that nothing in it can end, nor the table cell around it.
#[must_use]
pub fn code(text: &str) -> String {
    format!("`{}`", printable(text).replace('`', "'").replace('|', "\\|"))
}

/// Users' text as one word of a POSIX shell command.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = printable(text);
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if !plain.is_empty() && !plain.starts_with('-') && plain.chars().all(safe) {
        return plain;
    }
    format!("'{}'", plain.replace('\'', r"'\''"))
}

/// A share as a percentage with one decimal: 0.41 is `41.0%`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{}%", without_minus_zero(format!("{:.1}", share * 100.0)))
}

/// A share as a percentage with two decimals, for gaps of a fraction of a percent.
#[must_use]
pub fn fine_percent(share: f64) -> String {
    format!("{}%", without_minus_zero(format!("{:.2}", share * 100.0)))
}

fn without_minus_zero(number: String) -> String {
    let zero = number.chars().all(|c| matches!(c, '-' | '0' | '.'));
    if zero { number.replacen('-', "", 1) } else { number }
}

/// A count with thousands separators: whole numbers bare, others with one decimal.
#[must_use]
pub fn count(value: f64) -> String {
    if !value.is_finite() {
        return "unlimited".to_owned();
    }
    // 0.05 is half of the last digit shown: below it a decimal would only say `.0`. Thousands need none.
    let whole = (value - value.round()).abs() < 0.05 || value.abs() >= 1000.0;
    let text = if whole { format!("{:.0}", value.abs()) } else { format!("{:.1}", value.abs()) };
    let (integer, decimals) = text.split_once('.').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
    let mut out = String::new();
    if value < 0.0 && text != "0" {
        out.push('-');
    }
    for (i, c) in integer.chars().enumerate() {
        if i > 0 && (integer.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if let Some(decimals) = decimals {
        out.push('.');
        out.push_str(decimals);
    }
    out
}

/// `1 node`, `2 nodes`.
#[must_use]
pub fn plural(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", count(n as f64)) }
}

/// `3`, or `2-5` when the ends differ.
#[must_use]
pub fn range(low: u32, high: u32) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

/// Seconds in the largest unit that reads well: `45 s`, `12 min`, `3.5 h`.
#[must_use]
pub fn span(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{} s", count(seconds))
    } else if seconds < 7200.0 {
        format!("{} min", count(seconds / 60.0))
    } else {
        format!("{} h", count(seconds / 3600.0))
    }
}

/// Names in a sentence: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// Breaks a line at spaces so that it fits `width` columns; further lines start with `indent` spaces. A word longer
/// than a line stays whole.
#[must_use]
pub fn wrap(line: &str, width: usize, indent: usize) -> String {
    let words = line.trim_start_matches(' ');
    let mut column = line.len() - words.len();
    let mut out = " ".repeat(column);
    let mut first = true;
    for word in words.split(' ') {
        let length = word.chars().count();
        if !first && column + 1 + length > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if !first {
            out.push(' ');
            column += 1;
        }
        first = false;
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb c\\u{202e}d");
    }

    #[test]
    fn markdown_shows_users_text_as_it_is() {
        assert_eq!(md("<b>|x|</b>"), "&lt;b&gt;\\|x\\|&lt;/b&gt;");
        assert_eq!(md("a_b _c_"), "a_b \\_c\\_");
        assert_eq!(md("# x"), "\\# x");
        assert_eq!(md("1. x"), "1\\. x");
        assert_eq!(md("-40%"), "-40%");
        assert_eq!(md("- 40%"), "\\- 40%");
        assert_eq!(md("0.1.0"), "0.1.0");
        assert_eq!(md("`chat-70b` is `<b>` `"), "`chat-70b` is \\`&lt;b&gt;\\` \\`");
        assert_eq!(md("see https://x.example, www.x.example"), "see https\\://x.example, www\\.x.example");
        assert_eq!(md("budget $30,000 and $x$"), "budget $30,000 and \\$x\\$");
    }

    #[test]
    fn shell_words_cannot_break_out() {
        assert_eq!(shell_word("gpu-pool.1"), "gpu-pool.1");
        assert_eq!(shell_word("x; rm -rf ~"), "'x; rm -rf ~'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word("--all"), "'--all'");
    }

    #[test]
    fn numbers() {
        assert_eq!(percent(0.4104), "41.0%");
        assert_eq!(percent(-0.0001), "0.0%");
        assert_eq!(fine_percent(0.0007), "0.07%");
        assert_eq!(count(1_234_567.0), "1,234,567");
        assert_eq!(count(12.34), "12.3");
        assert_eq!(count(1234.5), "1,234");
        assert_eq!(count(-1234.0), "-1,234");
        assert_eq!(count(999.99), "1,000");
        assert_eq!(span(45.0), "45 s");
        assert_eq!(span(360.0), "6 min");
        assert_eq!(span(9000.0), "2.5 h");
    }

    #[test]
    fn wrapping_keeps_words() {
        assert_eq!(wrap("one two three", 7, 2), "one two\n  three");
        assert_eq!(wrap("- x", 7, 2), "- x");
        assert_eq!(wrap("  ~ one two", 8, 4), "  ~ one\n    two");
        assert_eq!(wrap("averyverylongword x", 5, 2), "averyverylongword\n  x");
    }
}
