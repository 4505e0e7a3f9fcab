//! Words, numbers, strings and signs of a query.

use super::PromqlError;

/// A piece of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A metric, label, function or keyword.
    Word(String),
    /// A number.
    Number(f64),
    /// A quoted string, escapes resolved.
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Longer signs first.
const SIGNS: &[&str] =
    &["==", "!=", "=~", "!~", ">=", "<=", ">", "<", "=", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", "[", "]", ",", "@"];

pub(super) fn fault(at: usize, what: impl Into<String>) -> PromqlError {
    PromqlError::Syntax { at, what: what.into() }
}

/// Tokens with the byte where each begins.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, PromqlError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..];
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if first == '#' {
            rest.find('\n').unwrap_or(rest.len())
        } else if first.is_ascii_alphabetic() || first == '_' || first == ':' {
            let word = run(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
            tokens.push((at, word_or_number(word)));
            word.len()
        } else if first.is_ascii_digit() || first == '.' {
            let (number, length) = number(rest).ok_or_else(|| fault(at, "not a number"))?;
            tokens.push((at, Token::Number(number)));
            length
        } else if matches!(first, '"' | '\'' | '`') {
            let (string, length) = string(rest, first).ok_or_else(|| fault(at, "the string does not end"))?;
            tokens.push((at, Token::Text(string)));
            length
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or_else(|| fault(at, format!("unexpected `{first}`")))?;
            tokens.push((at, Token::Sign(sign)));
            sign.len()
        };
        at += length;
    }
    Ok(tokens)
}

fn run(text: &str, holds: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !holds(c)).unwrap_or(text.len())]
}

fn word_or_number(word: &str) -> Token {
    match word.to_ascii_lowercase().as_str() {
        "inf" => Token::Number(f64::INFINITY),
        "nan" => Token::Number(f64::NAN),
        _ => Token::Word(word.to_owned()),
    }
}

/// A number and its length. A duration such as `5m` is cut after its digits; its unit is then a word in the wrong place.
fn number(text: &str) -> Option<(f64, usize)> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let digits = run(hex, |c| c.is_ascii_hexdigit());
        return Some((u64::from_str_radix(digits, 16).ok()? as f64, digits.len() + 2));
    }
    let mut length = run(text, |c| c.is_ascii_digit() || c == '.').len();
    let exponent = &text[length..];
    if exponent.starts_with(['e', 'E']) {
        let signed = usize::from(exponent[1..].starts_with(['+', '-']));
        let digits = run(&exponent[1 + signed..], |c| c.is_ascii_digit()).len();
        if digits > 0 {
            length += 1 + signed + digits;
        }
    }
    Some((text[..length].parse().ok()?, length))
}

/// A string and its length with quotes. Back quotes know no escapes.
fn string(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Some((value, at + 1));
        }
        if character == '\\' && quote != '`' {
            let (_, escaped) = characters.next()?;
            value.push(match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
        } else {
            value.push(character);
        }
    }
    None
}
