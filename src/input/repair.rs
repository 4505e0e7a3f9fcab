//! Blanking one entry of a YAML text without moving any other byte, so that places stay true.

use super::at::Span;

/// Blanks the entry (key and value) that the span is in; returns its key. `None`: no entry was found.
pub fn blank(text: &mut String, at: Span) -> Option<String> {
    let range = entry(text, at)?;
    let key = key_of(&text[range.clone()])?;
    erase(text, range);
    Some(key)
}

/// Puts a sound value in the place of the one that the span marks, if it is not longer; returns whether it did.
pub fn substitute(text: &mut String, at: Span, value: &str) -> bool {
    let range = at.range();
    let fits = text.get(range.clone()).is_some_and(|old| old.len() >= value.len() && !old.contains('\n'));
    if fits {
        let padded = format!("{value:<width$}", width = range.len());
        text.replace_range(range, &padded);
    }
    fits
}

/// Blanks the whole item of a list that the span is in; returns where it began. `None`: the span is in no item.
pub fn blank_item(text: &mut String, at: Span) -> Option<Span> {
    let range = item(text, at)?;
    let first = text[range.clone()].lines().next().unwrap_or_default().trim_end().len();
    let marked = Span { start: range.start as u32, end: (range.start + first) as u32 };
    erase(text, range);
    Some(marked)
}

/// Bytes of the innermost block item (`- ..`) that the span is in.
fn item(text: &str, at: Span) -> Option<std::ops::Range<usize>> {
    let position = at.range().start;
    let mut line_start = text.get(..position)?.rfind('\n').map_or(0, |i| i + 1);
    let mut deepest = usize::MAX;
    loop {
        let line = text[line_start..].lines().next().unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().starts_with("- ") && indent < deepest {
            let mut end = line_start + line.len();
            for next in text[end..].split_inclusive('\n').skip(1) {
                let body = next.trim_end();
                if !body.is_empty() && body.len() - body.trim_start().len() <= indent {
                    break;
                }
                end += next.len();
            }
            let start = line_start + indent;
            return Some(start..start + text[start..end.min(text.len())].trim_end().len());
        }
        if !line.trim().is_empty() {
            deepest = deepest.min(indent);
        }
        if line_start == 0 || deepest == 0 {
            return None;
        }
        line_start = text[..line_start - 1].rfind('\n').map_or(0, |i| i + 1);
    }
}

/// Spaces in the place of all but line breaks.
fn erase(text: &mut String, range: std::ops::Range<usize>) {
    let blanks: String =
        text[range.clone()].chars().map(|c| if c == '\n' || c == '\r' { c.to_string() } else { " ".repeat(c.len_utf8()) }).collect();
    text.replace_range(range, &blanks);
}

/// The key of the entry that the span is in.
#[must_use]
pub fn key_at(text: &str, at: Span) -> Option<String> {
    key_of(&text[entry(text, at)?])
}

/// `key` of `key: value`, without quotes.
fn key_of(entry: &str) -> Option<String> {
    let (key, _) = entry.split_once(':')?;
    let key = key.trim().trim_matches(|c| c == '"' || c == '\'');
    let plain = !key.is_empty() && key.len() <= 80 && !key.contains(['\n', '{', '[', ',']);
    plain.then(|| key.to_owned())
}

/// Bytes of the entry that the span is in.
fn entry(text: &str, at: Span) -> Option<std::ops::Range<usize>> {
    let position = at.range().start;
    if position >= text.len() || !text.is_char_boundary(position) {
        return None;
    }
    let line_start = text[..position].rfind('\n').map_or(0, |i| i + 1);
    if depth(&text[line_start..position]) > 0 { flow_entry(text, position) } else { block_entry(text, line_start) }
}

/// Brackets left open by a piece of one line.
fn depth(piece: &str) -> i32 {
    piece.chars().fold(0, |depth, c| match c {
        '{' | '[' => depth + 1,
        '}' | ']' => depth - 1,
        _ => depth,
    })
}

/// An entry of `{a: 1, b: 2}`, with the comma after it.
fn flow_entry(text: &str, position: usize) -> Option<std::ops::Range<usize>> {
    let mut start = position;
    let mut open = 0;
    for (i, c) in text[..position].char_indices().rev() {
        match c {
            '}' | ']' => open += 1,
            '{' | '[' if open > 0 => open -= 1,
            // An element of a list: the entry is the list's.
            '[' => return flow_entry(text, i),
            ',' if open == 0 && in_list(&text[..i]) => {}
            '{' | ',' if open == 0 => {
                start = i + 1;
                break;
            }
            '\n' if position - i > 2000 => return None,
            _ => {}
        }
        if i == 0 {
            return None;
        }
    }
    let mut open = 0;
    for (i, c) in text[start..].char_indices() {
        match c {
            '{' | '[' => open += 1,
            '}' if open == 0 => return Some(start..start + i),
            '}' | ']' => open -= 1,
            ',' if open == 0 => return Some(start..start + i + 1),
            _ => {}
        }
    }
    None
}

/// Whether the innermost bracket left open is a list's.
fn in_list(before: &str) -> bool {
    let mut open = 0;
    for c in before.chars().rev() {
        match c {
            '}' | ']' => open += 1,
            '{' | '[' if open > 0 => open -= 1,
            '[' => return true,
            '{' => return false,
            _ => {}
        }
    }
    false
}

/// A `key: value` in block style: its line after the dashes, and the deeper lines below.
fn block_entry(text: &str, line_start: usize) -> Option<std::ops::Range<usize>> {
    let line = text[line_start..].lines().next()?;
    let indent = line.len() - line.trim_start_matches([' ', '-']).len();
    if !line[indent..].contains(':') {
        return None;
    }
    let start = line_start + indent;
    let mut end = line_start + line.len();
    let opens = line.trim_end().ends_with(':');
    for next in text[end..].split_inclusive('\n').skip(1) {
        let body = next.trim_end();
        let deep = body.len() - body.trim_start().len();
        let item_below = opens && deep == indent && body.trim_start().starts_with("- ");
        if !body.is_empty() && deep <= indent && !item_below {
            break;
        }
        end += next.len();
    }
    let kept = text[start..end.min(text.len())].trim_end().len();
    Some(start..start + kept)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn blanked(text: &str, marked: &str) -> (Option<String>, String) {
        let start = u32::try_from(text.find(marked).unwrap()).unwrap();
        let mut work = text.to_owned();
        let key = blank(&mut work, Span { start, end: start + 1 });
        assert_eq!(work.len(), text.len());
        (key, work)
    }

    #[test]
    fn a_block_entry_goes_with_what_is_under_it() {
        let (key, rest) = blanked("a:\n  b: 1\n  c:\n    - x\n  d: 2\n", "c:");
        assert_eq!(key.as_deref(), Some("c"));
        assert_eq!(rest.split_whitespace().collect::<String>(), "a:b:1d:2");
    }

    #[test]
    fn a_first_key_of_an_item_leaves_the_dash() {
        let (key, rest) = blanked("- bad: 1\n  name: x\n", "bad");
        assert_eq!(key.as_deref(), Some("bad"));
        assert_eq!(rest.split_whitespace().collect::<Vec<_>>(), ["-", "name:", "x"]);
    }

    #[test]
    fn an_item_goes_whole_and_a_value_is_replaced() {
        let mut text = "a:\n  - x: 1\n    y: 2\n  - x: 3\n".to_owned();
        let at = |text: &str, marked: &str| {
            let start = u32::try_from(text.find(marked).unwrap()).unwrap();
            Span { start, end: start + u32::try_from(marked.len()).unwrap() }
        };
        let place = at(&text, "3");
        assert!(substitute(&mut text, place, "9") && !substitute(&mut text, place, "99"));
        let place = at(&text, "2");
        assert_eq!(blank_item(&mut text, place).map(|span| span.start), Some(5));
        assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["a:", "-", "x:", "9"]);
    }

    #[test]
    fn a_flow_entry_goes_with_its_comma() {
        let (key, rest) = blanked("a: {b: 1, bad: zz, c: 2}\n", "zz");
        assert_eq!(key.as_deref(), Some("bad"));
        assert_eq!(rest.replace(' ', ""), "a:{b:1,c:2}\n");
        let (_, rest) = blanked("a: {b: [1, 2, zz], c: 2}\n", "zz");
        assert_eq!(rest.replace(' ', ""), "a:{c:2}\n");
    }
}
