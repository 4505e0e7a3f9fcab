//! JSON of which only few parts are wanted, read piece by piece.
//!
//! In: a document that may be too large to hold. Out: its wanted parts, one at a time; the rest is passed over and not kept. A value
//! of an unexpected kind is passed over as well, and told: one strange entry must not end the reading of a document.

use crate::pricing::http::ReadFault;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufReader, Read};

/// Bytes asked of a connection at once.
const BUFFER: usize = 1 << 16;

/// What a value turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Members were taken.
    Object,
    /// Elements were taken.
    Array,
    /// A text, or a number as text, was taken.
    Scalar,
    /// `null` or a truth value: nothing was taken.
    Nothing,
}

/// A wanted part of a document: takes what it knows, passes over the rest.
pub trait Part {
    /// Takes or passes over the value of a member; it must do one of both, once.
    ///
    /// # Errors
    /// The text broke off, or is no JSON.
    fn member<'de, A: MapAccess<'de>>(&mut self, _name: &str, members: &mut A) -> Result<(), A::Error> {
        pass_over(members)
    }

    /// Takes or passes over the next element; `false` after the last.
    ///
    /// # Errors
    /// The text broke off, or is no JSON.
    fn element<'de, A: SeqAccess<'de>>(&mut self, elements: &mut A) -> Result<bool, A::Error> {
        Ok(elements.next_element::<IgnoredAny>()?.is_some())
    }

    /// Takes a text, or a number as text.
    fn scalar(&mut self, _text: &str) {}
}

/// A text; numbers are taken as texts too.
impl Part for Option<String> {
    fn scalar(&mut self, text: &str) {
        *self = Some(text.to_owned());
    }
}

/// Members with a text, of which some are wanted by name.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    wanted: &'static [&'static str],
    found: Vec<(&'static str, String)>,
}

impl Texts {
    /// Wants these.
    pub const fn new(wanted: &'static [&'static str]) -> Self {
        Self { wanted, found: Vec::new() }
    }

    /// The text of a member, when there is one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.found.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }
}

impl Part for Texts {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        let Some(known) = self.wanted.iter().find(|wanted| **wanted == name) else { return pass_over(members) };
        self.found.extend(text(members)?.map(|text| (*known, text)));
        Ok(())
    }
}

/// Passes over the value of a member.
///
/// # Errors
/// The text broke off, or is no JSON.
pub fn pass_over<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>().map(|_| ())
}

/// Reads the value of a member into a part.
///
/// # Errors
/// The text broke off, or is no JSON.
pub fn value<'de, A: MapAccess<'de>>(members: &mut A, part: &mut impl Part) -> Result<Kind, A::Error> {
    members.next_value_seed(Reading(part))
}

/// Reads the value of a member as a text, or as a number's text; `None` where it is neither.
///
/// # Errors
/// The text broke off, or is no JSON.
pub fn text<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Option<String>, A::Error> {
    let mut text = None;
    value(members, &mut text)?;
    Ok(text)
}

/// Reads the next element into a part; `None` after the last.
///
/// # Errors
/// The text broke off, or is no JSON.
pub fn next<'de, A: SeqAccess<'de>>(elements: &mut A, part: &mut impl Part) -> Result<Option<Kind>, A::Error> {
    elements.next_element_seed(Reading(part))
}

/// Reads a whole document, to its end.
///
/// # Errors
/// It broke off, is no JSON, or is no object.
pub fn document(reader: impl Read, part: &mut impl Part) -> Result<(), ReadFault> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, reader));
    let kind = Reading(part).deserialize(&mut json)?;
    json.end()?;
    if kind == Kind::Object { Ok(()) } else { Err(ReadFault::Malformed("it is no object".to_owned())) }
}

/// Reads a value of whatever kind into a part.
struct Reading<'a, P>(&'a mut P);

impl<'de, P: Part> DeserializeSeed<'de> for Reading<'_, P> {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, P: Part> Visitor<'de> for Reading<'_, P> {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Kind, A::Error> {
        let mut name = String::new();
        while members.next_key_seed(Name(&mut name))?.is_some() {
            self.0.member(&name, &mut members)?;
        }
        Ok(Kind::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Kind, A::Error> {
        while self.0.element(&mut elements)? {}
        Ok(Kind::Array)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Kind, E> {
        self.0.scalar(text);
        Ok(Kind::Scalar)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Kind, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Kind, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Kind, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Kind, E> {
        Ok(Kind::Nothing)
    }

    fn visit_unit<E: Error>(self) -> Result<Kind, E> {
        Ok(Kind::Nothing)
    }
}

/// Reads a member's name into a text that is used again and again.
struct Name<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.clear();
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    /// What a member `x` is, and the texts of its members `a` and `b`.
    type Found = (Kind, Option<String>, Option<String>);

    #[derive(Default)]
    struct Wanted(Vec<Found>);

    impl Part for Wanted {
        fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
            if name != "x" {
                return pass_over(members);
            }
            let mut texts = Texts::new(&["a", "b"]);
            let kind = value(members, &mut texts)?;
            self.0.push((kind, texts.get("a").map(str::to_owned), texts.get("b").map(str::to_owned)));
            Ok(())
        }
    }

    fn read(text: &str) -> Result<Vec<Found>, ReadFault> {
        let mut wanted = Wanted::default();
        document(text.as_bytes(), &mut wanted).map(|()| wanted.0)
    }

    #[test]
    fn takes_what_is_wanted_and_passes_over_the_rest() {
        let found = read(r#"{"y":{"a":[1,{"a":"no"}]},"x":{"a":"one","c":{"a":"no"},"b":2.5},"z":null}"#).unwrap();
        assert_eq!(found, [(Kind::Object, Some("one".to_owned()), Some("2.5".to_owned()))]);
    }

    #[test]
    fn values_of_an_unexpected_kind_are_passed_over() {
        let found = read(r#"{"x":[{"a":"no"}],"x":"text","x":null,"x":true,"x":{"a":{"b":1},"b":["c"]},"x":{"a":-7}}"#).unwrap();
        let kinds: Vec<Kind> = found.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(kinds, [Kind::Array, Kind::Scalar, Kind::Nothing, Kind::Nothing, Kind::Object, Kind::Object]);
        assert_eq!(found.iter().map(|(_, a, b)| (a.as_deref(), b.as_deref())).collect::<Vec<_>>()[4..], [(None, None), (Some("-7"), None)]);
    }

    #[test]
    fn a_document_that_breaks_off_is_broken_and_another_is_malformed() {
        assert!(matches!(read(r#"{"x":{"a":"one""#), Err(ReadFault::Broken(_))));
        assert!(matches!(read(""), Err(ReadFault::Broken(_))));
        assert!(matches!(read("<html>"), Err(ReadFault::Malformed(_))));
        assert!(matches!(read(r#"{"x":{}}{"#), Err(ReadFault::Malformed(_))));
        assert!(matches!(read(r#"{"x" 1}"#), Err(ReadFault::Malformed(_))));
        assert!(matches!(read("[]"), Err(ReadFault::Malformed(_))));
    }
}
