//! Protobuf text format: what Triton reads a model's configuration from.
//!
//! Source: protobuf.dev/reference/protobuf/textformat-spec. Strings are escaped to ASCII, as C++'s `CEscape` does.

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Number(u64),
    /// A word of an enum.
    Word(&'static str),
    /// A message.
    Message(Vec<Field>),
}

/// A field with its value; a repeated field stands once for each of its values.
pub type Field = (&'static str, Value);

/// A message, a field a line.
#[must_use]
pub fn message(fields: &[Field]) -> String {
    let mut text = String::new();
    write(fields, 0, &mut text);
    text
}

fn write(fields: &[Field], depth: usize, text: &mut String) {
    for (name, value) in fields {
        text.push_str(&"  ".repeat(depth));
        text.push_str(name);
        match value {
            Value::Text(string) => text.push_str(&format!(": {}\n", quoted(string))),
            Value::Number(number) => text.push_str(&format!(": {number}\n")),
            Value::Word(word) => text.push_str(&format!(": {word}\n")),
            Value::Message(inner) => {
                text.push_str(" {\n");
                write(inner, depth + 1, text);
                text.push_str(&"  ".repeat(depth));
                text.push_str("}\n");
            }
        }
    }
}

/// A string literal.
fn quoted(string: &str) -> String {
    let mut text = String::from("\"");
    for byte in string.bytes() {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'"' => text.push_str("\\\""),
            b'\'' => text.push_str("\\'"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_strings() {
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted("\"'\\\n\r\t"), r#""\"\'\\\n\r\t""#);
        assert_eq!(quoted("é\u{0}1\u{7f}"), r#""\303\251\0001\177""#);
    }

    #[test]
    fn messages_nest() {
        let group = Value::Message(vec![("count", Value::Number(2)), ("kind", Value::Word("KIND_GPU"))]);
        let fields = [("name", Value::Text("a".to_owned())), ("instance_group", group)];
        assert_eq!(message(&fields), "name: \"a\"\ninstance_group {\n  count: 2\n  kind: KIND_GPU\n}\n");
    }
}
