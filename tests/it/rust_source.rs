//! A small reader of Rust source for the tests that police the house rules: tokens with their lines, paths, functions.
//!
//! It knows comments, strings, attributes and brackets, and nothing of types. That is enough, and the self-tests in
//! `layering` show it.

/// A word, a literal (`""` for any string or character) or a punctuation mark; `::` is one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A path as written (`crate :: lp :: Row`), groups expanded, with the inline modules around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathUse {
    pub segments: Vec<String>,
    pub inline_modules: Vec<String>,
    pub line: usize,
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    /// From the line of `fn` to the line of the closing brace, both counted.
    pub lines: usize,
}

/// Tokens of a source text, comments gone.
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let end = token_end(&chars, at);
        if let Some(text) = token_text(&chars[at..end]) {
            found.push(Token { text, line });
        }
        line += chars[at..end].iter().filter(|c| **c == '\n').count();
        at = end;
    }
    found
}

/// What a lexeme becomes: nothing for white space and comments, `""` for strings and characters.
fn token_text(lexeme: &[char]) -> Option<String> {
    let text: String = lexeme.iter().collect();
    let is_quoted = text.ends_with('"') || text.ends_with('#') && text.len() > 1 || text.len() > 2 && text.ends_with('\'');
    if lexeme[0].is_whitespace() || text.starts_with("//") || text.starts_with("/*") {
        None
    } else if is_quoted {
        Some("\"\"".to_owned())
    } else {
        Some(text.strip_prefix("r#").unwrap_or(&text).to_owned())
    }
}

fn token_end(chars: &[char], start: usize) -> usize {
    let peek = |ahead: usize| chars.get(start + ahead).copied().unwrap_or('\0');
    match chars[start] {
        '/' if peek(1) == '/' => run(chars, start, |c| c != '\n'),
        '/' if peek(1) == '*' => block_comment_end(chars, start),
        '"' => string_end(chars, start + 1),
        '\'' if peek(1) == '\\' => run(chars, start + 3, |c| c != '\'') + 1,
        '\'' if peek(2) == '\'' => start + 3,
        '\'' => run(chars, start + 1, is_word),
        ':' if peek(1) == ':' => start + 2,
        c if is_word(c) => word_end(chars, start),
        c if c.is_whitespace() => run(chars, start, char::is_whitespace),
        _ => start + 1,
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// First position from `start` on that does not fit.
fn run(chars: &[char], start: usize, fits: impl Fn(char) -> bool) -> usize {
    (start..chars.len()).find(|at| !fits(chars[*at])).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

/// After the closing quote of a string whose content starts at `at`.
fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// A word, or the literal that its prefix opens: `r"`, `r#"`, `b"`, `br#"`, `c"`; a raw identifier `r#type`.
fn word_end(chars: &[char], start: usize) -> usize {
    let end = run(chars, start, is_word);
    let prefix: String = chars[start..end].iter().collect();
    let next = chars.get(end).copied().unwrap_or('\0');
    let hashes = run(chars, end, |c| c == '#') - end;
    match prefix.as_str() {
        "r" | "br" | "cr" if chars.get(end + hashes) == Some(&'"') => raw_string_end(chars, end + hashes + 1, hashes),
        "b" | "c" if next == '"' => string_end(chars, end + 1),
        "b" if next == '\'' => run(chars, end + if chars.get(end + 1) == Some(&'\\') { 3 } else { 2 }, |c| c != '\'') + 1,
        "r" if next == '#' => run(chars, end + 1, is_word),
        _ => end,
    }
}

fn raw_string_end(chars: &[char], start: usize, hashes: usize) -> usize {
    (start..chars.len())
        .find(|at| chars[*at] == '"' && run(chars, at + 1, |c| c == '#') - at > hashes)
        .map_or(chars.len(), |at| at + 1 + hashes)
}

/// The tokens that are compiled outside tests, and the names of `#[cfg(test)] mod name;` files.
pub fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let (mut kept, mut test_files) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some((content, after)) = attribute(tokens, at) else {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        };
        let words: Vec<&str> = content.iter().map(|t| t.text.as_str()).collect();
        let is_test = words == ["test"] || words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not");
        if !is_test {
            kept.extend_from_slice(&tokens[at..after]);
            at = after;
        } else if tokens.get(at + 1).is_some_and(|t| t.text == "!") {
            return (Vec::new(), test_files);
        } else {
            let end = item_end(tokens, after);
            if let Some(name) = module_file(&tokens[after..end]) {
                test_files.push(name);
            }
            at = end;
        }
    }
    (kept, test_files)
}

/// The content of the attribute at `at`, and the position after it.
fn attribute(tokens: &[Token], at: usize) -> Option<(&[Token], usize)> {
    let text = |at: usize| tokens.get(at).map(|t| t.text.as_str());
    if text(at) != Some("#") {
        return None;
    }
    let open = if text(at + 1) == Some("!") { at + 2 } else { at + 1 };
    if text(open) != Some("[") {
        return None;
    }
    let close = closing(tokens, open);
    Some((&tokens[open + 1..close], close + 1))
}

/// Position of the bracket that closes the one at `open`; the last token when none does.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

/// After the item that starts at `start`: its `;`, or the `}` of its body.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    while let Some((_, after)) = attribute(tokens, at) {
        at = after;
    }
    let is_use = tokens[at..].iter().take(3).any(|t| t.text == "use");
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" if !is_use => return closing(tokens, at) + 1,
            "(" | "[" | "{" => at = closing(tokens, at),
            _ => {}
        }
        at += 1;
    }
    at
}

fn module_file(item: &[Token]) -> Option<String> {
    let at = item.iter().position(|t| t.text == "mod")?;
    (item.get(at + 2)?.text == ";").then(|| item[at + 1].text.clone())
}

/// Every path of at least two segments, `use` groups expanded.
pub fn paths(tokens: &[Token]) -> Vec<PathUse> {
    let mut found = Vec::new();
    let mut modules: Vec<(String, usize)> = Vec::new();
    for at in 0..tokens.len() {
        modules.retain(|(_, end)| at <= *end);
        let text = |at: usize| tokens.get(at).map_or("", |t| t.text.as_str());
        if text(at) == "mod" && text(at + 2) == "{" {
            modules.push((text(at + 1).to_owned(), closing(tokens, at + 2)));
        }
        let starts = text(at).starts_with(is_word) && text(at + 1) == "::" && (at == 0 || text(at - 1) != "::");
        if starts {
            let mut segments = Vec::new();
            path_tree(tokens, at, &[], &mut segments);
            let inline_modules: Vec<String> = modules.iter().map(|(name, _)| name.clone()).collect();
            let line = tokens[at].line;
            found.extend(segments.into_iter().map(|segments| PathUse { segments, inline_modules: inline_modules.clone(), line }));
        }
    }
    found
}

/// Reads one (sub)tree of a path and returns the position after it.
fn path_tree(tokens: &[Token], start: usize, prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text.as_str());
    let mut segments = prefix.to_vec();
    let mut at = start;
    loop {
        if text(at) == "{" {
            let close = closing(tokens, at);
            at += 1;
            while at < close {
                at = path_tree(tokens, at, &segments, found);
                at = (at..close).find(|at| text(*at) == ",").map_or(close, |comma| comma + 1);
            }
            return close + 1;
        }
        if !(text(at) == "*" || text(at).starts_with(is_word)) {
            break;
        }
        segments.push(text(at).to_owned());
        at += 1;
        if text(at) != "::" {
            break;
        }
        at += 1;
    }
    found.push(segments);
    at
}

/// Every function with a body.
pub fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_named = token.text == "fn" && tokens.get(at + 1).is_some_and(|t| t.text.starts_with(is_word));
        if !is_named {
            continue;
        }
        let mut open = at;
        while open < tokens.len() && !matches!(tokens[open].text.as_str(), "{" | ";") {
            open = if matches!(tokens[open].text.as_str(), "(" | "[") { closing(tokens, open) + 1 } else { open + 1 };
        }
        if tokens.get(open).is_some_and(|t| t.text == "{") {
            let lines = tokens[closing(tokens, open)].line - token.line + 1;
            found.push(Function { name: tokens[at + 1].text.clone(), line: token.line, lines });
        }
    }
    found
}
