//! A value of a manifest on its way into a type: a wrong one is a fault and reads as absent, so that the rest is read too.

use super::fault::Faults;
use super::node::{Node, Value};
use super::types::Origin;

/// A value, the file that it stands in and the object that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    /// The value.
    pub node: &'a Node,
    /// Path of the file.
    pub file: &'a str,
    /// The object, for messages: ``ScaledObject `serving/chat-flex` ``.
    pub owner: &'a str,
}

impl<'a> Field<'a> {
    /// The value of a key; `None` where it is absent or `null`.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.node.get(key).map(|node| self.inner(node))
    }

    /// A value inside this one.
    fn inner(self, node: &'a Node) -> Self {
        Self { node, file: node.file.as_deref().unwrap_or(self.file), owner: self.owner }
    }

    /// The value behind a path of keys.
    pub(super) fn at(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |field, key| field.get(key))
    }

    /// Where it stands.
    pub(super) fn origin(self) -> Origin {
        Origin { path: self.file.to_owned(), place: self.node.place }
    }

    /// A fault at this value.
    pub(super) fn fault(self, faults: &mut Faults, what: impl Into<String>, help: impl Into<String>) {
        faults.push(self.origin(), what, help);
    }

    /// A fault: a key that must be there.
    pub(super) fn missing(self, key: &str, faults: &mut Faults) {
        self.fault(faults, format!("{} has no `{key}`", self.owner), format!("add `{key}`"));
    }

    /// A fault: what a replay cannot follow.
    pub(super) fn unsupported(self, key: &str, faults: &mut Faults) {
        let what = format!("`{key}` of {} changes scaling in a way that a replay does not know", self.owner);
        self.fault(faults, what, "take it out, or leave this object out of the replay");
    }

    fn wrong(self, key: &str, (is, help): (&str, &str), faults: &mut Faults) {
        self.fault(faults, format!("`{key}` of {} is {}, not {is}", self.owner, self.node.kind()), help);
    }

    /// A whole number of 0 or more under a key.
    pub(super) fn count(self, key: &str, faults: &mut Faults) -> Option<u32> {
        let field = self.get(key)?;
        match &field.node.value {
            Value::Int(number) => {
                let fits = u32::try_from(*number).ok().filter(|n| i32::try_from(*n).is_ok());
                if fits.is_none() {
                    let help = "write a whole number from 0 to 2147483647";
                    field.fault(faults, format!("`{key}` of {} is {number}", self.owner), help);
                }
                fits
            }
            Value::Text(_) => {
                field.wrong(key, ("a whole number", "write it without quotes"), faults);
                None
            }
            Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
                field.wrong(key, ("a whole number", "write a whole number"), faults);
                None
            }
        }
    }

    /// A count of at least 1 under a key.
    pub(super) fn positive(self, key: &str, faults: &mut Faults) -> Option<u32> {
        let count = self.count(key, faults)?;
        if count == 0 {
            self.get(key).unwrap_or(self).fault(faults, format!("`{key}` of {} is 0", self.owner), "write at least 1");
            return None;
        }
        Some(count)
    }

    /// Text under a key.
    pub(super) fn text(self, key: &str, faults: &mut Faults) -> Option<&'a str> {
        let field = self.get(key)?;
        let Value::Text(text) = &field.node.value else {
            let help = match field.node.value {
                Value::Bool(_) | Value::Int(_) | Value::Float(_) => "put it in quotes: Kubernetes refuses the object otherwise",
                Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_) => "write one value",
            };
            field.wrong(key, ("text", help), faults);
            return None;
        };
        Some(text)
    }

    /// Text that must be there and not be empty.
    pub(super) fn required(self, key: &str, faults: &mut Faults) -> Option<&'a str> {
        if self.get(key).is_none() {
            self.missing(key, faults);
            return None;
        }
        let text = self.text(key, faults)?;
        if text.is_empty() {
            self.get(key).unwrap_or(self).fault(faults, format!("`{key}` of {} is empty", self.owner), "write a value");
            return None;
        }
        Some(text)
    }

    /// A truth value under a key.
    pub(super) fn flag(self, key: &str, faults: &mut Faults) -> Option<bool> {
        let field = self.get(key)?;
        let Value::Bool(flag) = field.node.value else {
            field.wrong(key, ("a truth value", "write `true` or `false`, without quotes"), faults);
            return None;
        };
        Some(flag)
    }

    /// The items of a list under a key; none where it is absent.
    pub(super) fn items(self, key: &str, faults: &mut Faults) -> Vec<Self> {
        let Some(field) = self.get(key) else { return Vec::new() };
        let Value::List(items) = &field.node.value else {
            field.wrong(key, ("a list", "write a list: each item after `- `"), faults);
            return Vec::new();
        };
        items.iter().map(|node| field.inner(node)).collect()
    }

    /// The texts of a list under a key.
    pub(super) fn texts(self, key: &str, faults: &mut Faults) -> Vec<&'a str> {
        let mut texts = Vec::new();
        for item in self.items(key, faults) {
            if let Value::Text(text) = &item.node.value {
                texts.push(text.as_str());
            } else {
                item.wrong(key, ("a list of texts", "put each item in quotes"), faults);
            }
        }
        texts
    }

    /// A mapping under a key.
    pub(super) fn map(self, key: &str, faults: &mut Faults) -> Option<Self> {
        let field = self.get(key)?;
        if !matches!(field.node.value, Value::Map(_)) {
            field.wrong(key, ("a mapping", "write a mapping: `key: value`"), faults);
            return None;
        }
        Some(field)
    }

    /// A mapping that must be there.
    pub(super) fn required_map(self, key: &str, faults: &mut Faults) -> Option<Self> {
        if self.get(key).is_none() {
            self.missing(key, faults);
        }
        self.map(key, faults)
    }

    /// Keys and values of this mapping, `null` left out.
    pub(super) fn entries(self) -> Vec<(&'a str, Self)> {
        let Value::Map(entries) = &self.node.value else { return Vec::new() };
        let there = entries.iter().filter(|entry| entry.node.value != Value::Null);
        there.map(|entry| (entry.key.as_str(), self.inner(&entry.node))).collect()
    }
}
