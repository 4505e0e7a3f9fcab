//! Protobuf text format as a tree whose every field knows its place. What fields there are is not known here.
//!
//! Source: protobuf.dev/reference/protobuf/textformat-spec; extensions (`[a.b]: 1`) are not read.

/// Line and column, each from 1.
pub(super) type Place = (u32, u32);

/// A field of a message; one of a list stands once for each item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Name.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// Value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A string.
    Text(String),
    /// A number or a word, as it is spelled.
    Word(String),
    /// A message.
    Message(Vec<Item>),
}

/// Why a text is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub what: String,
}

/// Deepest nesting that is read: more is no configuration.
const DEEPEST: u32 = 32;

/// The fields of a text.
pub(super) fn read(text: &str) -> Result<Vec<Item>, Unreadable> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, depth: 0 };
    let fields = reader.fields(None)?;
    Ok(fields)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn unreadable<T>(place: Place, what: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable { place, what: what.into() })
}

/// Characters with their places.
struct Cursor<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    place: Place,
}

impl Cursor<'_> {
    fn take(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.place = if c == '\n' { (self.place.0 + 1, 1) } else { (self.place.0, self.place.1 + 1) };
        Some(c)
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(&c) = self.rest.peek().filter(|c| keep(**c)) {
            taken.push(c);
            self.take();
        }
        taken
    }

    /// The rest of a string literal.
    fn literal(&mut self, quote: char, start: Place) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = Vec::new();
        loop {
            match self.take() {
                None | Some('\n') => return unreadable(start, "a string without its end"),
                Some(c) if c == quote => return Ok(bytes),
                Some('\\') => bytes.extend(self.escape(start)?),
                Some(c) => bytes.extend(c.to_string().bytes()),
            }
        }
    }

    fn escape(&mut self, start: Place) -> Result<Vec<u8>, Unreadable> {
        let short = [('n', b'\n'), ('r', b'\r'), ('t', b'\t'), ('a', 7), ('b', 8), ('f', 12), ('v', 11)];
        let Some(c) = self.take() else { return unreadable(start, "a string without its end") };
        if let Some((_, byte)) = short.iter().find(|(letter, _)| *letter == c) {
            return Ok(vec![*byte]);
        }
        let (radix, most, mut digits) = match c {
            '"' | '\'' | '\\' | '?' => return Ok(vec![c as u8]),
            'x' => (16, 2, String::new()),
            '0'..='7' => (8, 3, c.to_string()),
            _ => return unreadable(self.place, format!("an escape `\\{c}` that there is not")),
        };
        while digits.len() < most
            && let Some(&digit) = self.rest.peek().filter(|d| d.is_digit(radix))
        {
            digits.push(digit);
            self.take();
        }
        match u8::from_str_radix(&digits, radix) {
            Ok(byte) => Ok(vec![byte]),
            Err(_) => unreadable(self.place, format!("an escape of `{digits}`, which is no byte")),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(Token, Place)>, Unreadable> {
    let mut cursor = Cursor { rest: text.chars().peekable(), place: (1, 1) };
    let mut tokens = Vec::new();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-' || c == '+';
    while let Some(&c) = cursor.rest.peek() {
        let place = cursor.place;
        match c {
            '#' => drop(cursor.take_while(|c| c != '\n')),
            c if c.is_ascii_whitespace() => drop(cursor.take()),
            '{' | '}' | '<' | '>' | '[' | ']' | ':' | ',' | ';' => {
                cursor.take();
                tokens.push((Token::Sign(c), place));
            }
            '"' | '\'' => {
                cursor.take();
                match String::from_utf8(cursor.literal(c, place)?) {
                    Ok(text) => tokens.push((Token::Text(text), place)),
                    Err(_) => return unreadable(place, "a string that is no UTF-8"),
                }
            }
            c if word(c) => tokens.push((Token::Word(cursor.take_while(word)), place)),
            other => return unreadable(place, format!("`{other}` means nothing here")),
        }
    }
    // Where the text ends.
    tokens.push((Token::Sign('\0'), cursor.place));
    Ok(tokens)
}

struct Reader {
    tokens: Vec<(Token, Place)>,
    at: usize,
    depth: u32,
}

impl Reader {
    fn here(&self) -> (Option<&Token>, Place) {
        let found = self.tokens.get(self.at).or(self.tokens.last());
        (found.map(|(token, _)| token), found.map_or((1, 1), |(_, place)| *place))
    }

    fn is(&self, sign: char) -> bool {
        self.here().0 == Some(&Token::Sign(sign))
    }

    /// Passes a sign over, if it stands here.
    fn pass(&mut self, sign: char) -> bool {
        let there = self.is(sign);
        self.at += usize::from(there);
        there
    }

    /// Fields up to the closing sign, or to the end of the text.
    fn fields(&mut self, close: Option<char>) -> Result<Vec<Item>, Unreadable> {
        let mut fields = Vec::new();
        loop {
            if self.pass(',') || self.pass(';') {
                continue;
            }
            let (token, place) = self.here();
            match token {
                Some(Token::Sign(sign)) if Some(*sign) == close || (close.is_none() && *sign == '\0') => {
                    self.at += 1;
                    return Ok(fields);
                }
                Some(Token::Word(name)) => {
                    let name = name.clone();
                    self.at += 1;
                    self.values(&mut |value| fields.push(Item { name: name.clone(), place, value }))?;
                }
                Some(Token::Sign('\0')) | None => return unreadable(place, "the text ends inside of a message"),
                Some(Token::Sign(_) | Token::Text(_)) => return unreadable(place, "a field begins with its name"),
            }
        }
    }

    /// What follows a field's name: a value, or a list of values.
    fn values(&mut self, push: &mut impl FnMut(Value)) -> Result<(), Unreadable> {
        let colon = self.pass(':');
        if !self.pass('[') {
            push(self.value(colon)?);
            return Ok(());
        }
        while !self.pass(']') {
            push(self.value(true)?);
            if !self.pass(',') && !self.is(']') {
                return unreadable(self.here().1, "a list has `,` between its items and `]` at its end");
            }
        }
        Ok(())
    }

    fn value(&mut self, colon: bool) -> Result<Value, Unreadable> {
        let (token, place) = self.here();
        let close = match token {
            Some(Token::Sign('{')) => '}',
            Some(Token::Sign('<')) => '>',
            Some(Token::Text(text)) if colon => {
                let mut text = text.clone();
                self.at += 1;
                // Literals side by side are one string.
                while let (Some(Token::Text(more)), _) = self.here() {
                    text.push_str(more);
                    self.at += 1;
                }
                return Ok(Value::Text(text));
            }
            Some(Token::Word(word)) if colon => {
                let word = word.clone();
                self.at += 1;
                return Ok(Value::Word(word));
            }
            Some(Token::Text(_) | Token::Word(_)) => return unreadable(place, "`:` is missing before this value"),
            Some(Token::Sign(_)) | None => return unreadable(place, "a value is missing here"),
        };
        if self.depth >= DEEPEST {
            return unreadable(place, "messages are nested too deeply");
        }
        self.at += 1;
        self.depth += 1;
        let fields = self.fields(Some(close))?;
        self.depth -= 1;
        Ok(Value::Message(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Value {
        Value::Word(text.to_owned())
    }

    #[test]
    fn every_way_to_write_a_field_is_read() {
        let text = "# a\nname: \"a\" 'b'\nmax_batch_size:8, kind : KIND_GPU;\ngroup { count: 2 }\ngroup: < gpus: [0, 1] >\nlist [ {a: 1}, {} ]\nempty: []";
        let fields = read(text).unwrap_or_default();
        let shown: Vec<(&str, Place)> = fields.iter().map(|item| (item.name.as_str(), item.place)).collect();
        let places = [
            ("name", (2, 1)),
            ("max_batch_size", (3, 1)),
            ("kind", (3, 19)),
            ("group", (4, 1)),
            ("group", (5, 1)),
            ("list", (6, 1)),
            ("list", (6, 1)),
        ];
        assert_eq!(shown, places);
        assert_eq!(fields[0].value, Value::Text("ab".to_owned()));
        assert_eq!((&fields[1].value, &fields[2].value), (&word("8"), &word("KIND_GPU")));
        let Value::Message(gpus) = &fields[4].value else { panic!("{fields:?}") };
        assert_eq!(gpus.iter().map(|item| item.value.clone()).collect::<Vec<_>>(), [word("0"), word("1")]);
    }

    #[test]
    fn strings_come_back_from_their_escapes() {
        let fields = read(r#"a: "\"\'\\\n\303\251\x41\101""#).unwrap_or_default();
        assert_eq!(fields[0].value, Value::Text("\"'\\\né\u{41}A".to_owned()));
    }

    #[test]
    fn slips_are_told_with_their_place() {
        let slips = [
            ("a {", (1, 4), "ends inside"),
            ("a: \"b\n\"", (1, 4), "without its end"),
            ("a 8", (1, 3), "`:` is missing"),
            ("a: }", (1, 4), "a value is missing"),
            ("\n}", (2, 1), "begins with its name"),
            ("a: [1 2]", (1, 7), "between its items"),
            ("a: \"\\q\"", (1, 7), "that there is not"),
            ("a: \"\\777\"", (1, 9), "no byte"),
            ("a: 1 $", (1, 6), "means nothing"),
            ("a: \"\\377\"", (1, 4), "no UTF-8"),
        ];
        for (text, place, what) in slips {
            let fault = read(text).err();
            assert!(fault.as_ref().is_some_and(|f| f.place == place && f.what.contains(what)), "{text:?}: {fault:?}");
        }
        assert!(read(&"a {".repeat(100)).is_err());
    }
}
