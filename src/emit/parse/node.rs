//! YAML as a tree whose every value knows its place, so that a check that comes later can point at it.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Location, Spanned};
use std::fmt;

/// Line and column, each from 1.
pub(super) type Place = Option<(u32, u32)>;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Where it starts; a mapping starts at its first key.
    pub place: Place,
    /// The file, where it is another than that of the value around it.
    pub file: Option<String>,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// A truth value, in the words of YAML 1.1, as `kubectl` reads it.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Another number.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file, keys unique.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// Key.
    pub key: String,
    /// Value.
    pub node: Node,
}

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unreadable {
    /// Where.
    pub place: Place,
    /// What the reader says.
    pub what: String,
}

impl Node {
    /// A node without a place.
    pub(super) const fn new(value: Value) -> Self {
        Self { place: None, file: None, value }
    }

    /// The value of a key of a mapping, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Value::Map(entries) = &mut self.value else { return None };
        entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    /// Value of a key; `None` where it is absent, `null`, or this is no mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node).filter(|node| node.value != Value::Null)
    }

    /// The text that it is.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The list that it is.
    pub(super) fn as_list(&self) -> Option<&[Self]> {
        if let Value::List(items) = &self.value { Some(items) } else { None }
    }

    /// What kind of value it is, in words.
    pub(super) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// Every place moved: for a text that stands inside another, whose first character is at `base`.
    pub(super) fn shifted(mut self, base: Place) -> Self {
        self.place = shift(self.place, base);
        self.value = match self.value {
            Value::List(items) => Value::List(items.into_iter().map(|item| item.shifted(base)).collect()),
            Value::Map(entries) => {
                Value::Map(entries.into_iter().map(|entry| Entry { key: entry.key, node: entry.node.shifted(base) }).collect())
            }
            plain @ (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_)) => plain,
        };
        self
    }
}

/// A place inside a text that itself starts at `base`.
pub(super) fn shift(place: Place, base: Place) -> Place {
    let ((line, column), (base_line, base_column)) = (place?, base?);
    Some((line + base_line - 1, column + base_column - 1))
}

/// The documents of a text, empty ones left out.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, Unreadable> {
    serde_saphyr::from_multiple(text).map_err(|error| unreadable(&error))
}

fn unreadable(error: &Error) -> Unreadable {
    let place = error.location().and_then(|location| place(&location));
    let what = match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("key `{key}` stands twice in one mapping"),
        other => {
            let text = other.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let plain = first.split_once(": ").filter(|(head, _)| head.starts_with("line ")).map_or(first, |(_, rest)| rest);
            format!("this is no YAML: {}", plain.split(" at line ").next().unwrap_or(plain))
        }
    };
    Unreadable { place, what }
}

fn place(location: &Location) -> Place {
    let (line, column) = (u32::try_from(location.line()).ok()?, u32::try_from(location.column()).ok()?);
    (line > 0).then_some((line, column.max(1)))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let place = place(&spanned.referenced).or_else(|| place(&spanned.defined));
        Ok(Self { place, file: None, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(key) = access.next_key::<String>()? {
            // A key from a merge (`<<`) does not replace one that stands here.
            if entries.iter().any(|entry| entry.key == key) {
                return Err(A::Error::custom(format!("key `{key}` stands twice in one mapping")));
            }
            entries.push(Entry { key, node: access.next_value()? });
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_places() {
        let nodes = documents("# c\na: 1\nb:\n  c: [x, \"2\", true]\n---\n---\nd: 0.5\n").unwrap();
        assert_eq!(nodes.len(), 2, "an empty document is none");
        assert_eq!(nodes[0].get("a").unwrap().place, Some((2, 4)));
        let Value::List(items) = &nodes[0].get("b").unwrap().get("c").unwrap().value else { panic!("a list") };
        assert_eq!((&items[1].value, items[1].place), (&Value::Text("2".into()), Some((4, 10))));
        assert_eq!(nodes[1].get("d").unwrap().value, Value::Float(0.5));
    }

    #[test]
    fn what_is_no_yaml_has_a_place() {
        let error = documents("a: 1\na: 2\n").unwrap_err();
        assert_eq!((error.place, error.what.as_str()), (Some((2, 1)), "key `a` stands twice in one mapping"));
        let error = documents("a: [1\nb: 2\n").unwrap_err();
        assert_eq!(error.place.unwrap().0, 2);
        assert!(error.what.starts_with("this is no YAML: "), "{}", error.what);
        assert!(!error.what.contains("line"), "{}", error.what);
    }

    #[test]
    fn anchors_and_merges_are_read() {
        let nodes = documents("x: &q {a: 1}\ny: *q\nz: {<<: *q, b: 2}\n").unwrap();
        assert_eq!(nodes[0].get("y").unwrap().get("a").unwrap().value, Value::Int(1));
        assert_eq!(nodes[0].get("z").unwrap().get("a").unwrap().value, Value::Int(1));
        let own = documents("x: &q {a: 1}\nz: {<<: *q, a: 2}\n").unwrap();
        assert_eq!(own[0].get("z").unwrap().get("a").unwrap().value, Value::Int(2), "its own value wins");
    }

    #[test]
    fn inner_texts_are_placed_in_the_outer_one() {
        assert_eq!(shift(Some((1, 1)), Some((9, 5))), Some((9, 5)));
        assert_eq!(shift(Some((2, 3)), Some((9, 5))), Some((10, 7)));
    }
}
