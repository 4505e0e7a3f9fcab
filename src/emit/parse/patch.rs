//! Patches of Kustomize on a tree: strategic merge and JSON patch. What they patch is the user's and not here, so that a path which is not
//! there yet is made.

use super::node::{Entry, Node, Value};

/// Longest list that a path may make.
const MAX_ITEMS: usize = 16;

/// Merges a patch into a tree: mappings key by key, containers by name, other lists whole. `$patch: delete` and `null` take away,
/// `$patch: replace` replaces.
pub(super) fn merge(base: &mut Node, patch: Node) {
    let Value::Map(entries) = patch.value else {
        *base = patch;
        return;
    };
    if !matches!(base.value, Value::Map(_)) {
        *base = Node { place: patch.place, file: patch.file.clone(), value: Value::Map(Vec::new()) };
    }
    for Entry { key, mut node } in entries {
        if node.file.is_none() {
            node.file.clone_from(&patch.file);
        }
        match directive(&mut node).as_deref() {
            Some("delete") => remove(base, &key),
            Some("replace") => set(base, &key, node),
            _ if node.value == Value::Null => remove(base, &key),
            _ => match base.get_mut(&key) {
                Some(old) if key == "containers" || key == "initContainers" => merge_by_name(old, node),
                Some(old) => merge(old, node),
                None => {
                    let mut fresh = Node::new(Value::Null);
                    merge(&mut fresh, node);
                    set(base, &key, fresh);
                }
            },
        }
    }
}

/// `$patch` of a mapping, taken out of it.
fn directive(node: &mut Node) -> Option<String> {
    let Value::Map(entries) = &mut node.value else { return None };
    let at = entries.iter().position(|entry| entry.key == "$patch")?;
    match entries.remove(at).node.value {
        Value::Text(word) => Some(word),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => None,
    }
}

fn merge_by_name(old: &mut Node, patch: Node) {
    let file = patch.file.clone();
    let (Value::List(items), Value::List(more)) = (&mut old.value, patch.value) else { return };
    for mut item in more {
        if item.file.is_none() {
            item.file.clone_from(&file);
        }
        let name = item.get("name").map(|name| name.value.clone());
        match items.iter_mut().find(|other| other.get("name").map(|name| name.value.clone()) == name) {
            Some(same) => merge(same, item),
            None => items.push(item),
        }
    }
}

fn set(base: &mut Node, key: &str, node: Node) {
    match base.get_mut(key) {
        Some(old) => *old = node,
        None => {
            if let Value::Map(entries) = &mut base.value {
                entries.push(Entry { key: key.to_owned(), node });
            }
        }
    }
}

fn remove(base: &mut Node, key: &str) {
    if let Value::Map(entries) = &mut base.value {
        entries.retain(|entry| entry.key != key);
    }
}

/// An operation of a JSON patch.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// `add` and `replace`: where the value was is not here to be told apart.
    Set(Node),
    /// `remove`.
    Remove,
}

/// Applies an operation at a JSON pointer; false where the pointer does not fit the tree.
pub(super) fn apply(root: &mut Node, pointer: &str, operation: Operation) -> bool {
    let Some(path) = pointer.strip_prefix('/') else { return false };
    let keys: Vec<String> = path.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let Some((last, heads)) = keys.split_last() else { return false };
    let mut node = root;
    for key in heads {
        let Some(next) = step(node, key) else { return false };
        node = next;
    }
    match operation {
        Operation::Set(value) => step(node, last).map(|slot| *slot = value).is_some(),
        Operation::Remove => {
            if let Value::List(items) = &mut node.value {
                let at = last.parse::<usize>().ok().filter(|at| *at < items.len());
                return at.map(|at| items.remove(at)).is_some();
            }
            remove(node, last);
            true
        }
    }
}

/// The value under a key or at an index, made where it is not there.
fn step<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    let index = if key == "-" { None } else { key.parse::<usize>().ok() };
    if node.value == Value::Null {
        let list = index.is_some() || key == "-";
        node.value = if list { Value::List(Vec::new()) } else { Value::Map(Vec::new()) };
    }
    match &mut node.value {
        Value::List(items) => {
            let at = if key == "-" { items.len() } else { index? };
            if at >= MAX_ITEMS {
                return None;
            }
            while items.len() <= at {
                items.push(Node::new(Value::Null));
            }
            items.get_mut(at)
        }
        Value::Map(entries) => {
            let at = entries.iter().position(|entry| entry.key == key).unwrap_or(entries.len());
            if at == entries.len() {
                entries.push(Entry { key: key.to_owned(), node: Node::new(Value::Null) });
            }
            entries.get_mut(at).map(|entry| &mut entry.node)
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::super::node::documents;
    use super::*;

    fn tree(text: &str) -> Node {
        documents(text).unwrap().remove(0)
    }

    #[test]
    fn merging_is_by_key_and_containers_by_name() {
        let mut base = tree("{a: {x: 1, y: 2}, containers: [{name: s, image: i}], l: [1]}");
        merge(&mut base, tree("{a: {y: 3, x: null}, containers: [{name: s, image: j}, {name: t}], l: [2], n: {$patch: delete, z: 1}}"));
        assert_eq!(base.get("a").unwrap().get("x"), None);
        assert_eq!(base.get("a").unwrap().get("y").unwrap().value, Value::Int(3));
        let Value::List(containers) = &base.get("containers").unwrap().value else { panic!("a list") };
        assert_eq!((containers.len(), &containers[0].get("image").unwrap().value), (2, &Value::Text("j".into())));
        assert!(matches!(&base.get("l").unwrap().value, Value::List(items) if items.len() == 1 && items[0].value == Value::Int(2)));
        assert_eq!(base.get("n"), None);
    }

    #[test]
    fn pointers_make_what_is_not_there() {
        let mut base = tree("{spec: {replicas: 1}}");
        assert!(apply(&mut base, "/spec/replicas", Operation::Set(Node::new(Value::Int(4)))));
        assert!(apply(&mut base, "/spec/t/containers/0/resources", Operation::Set(Node::new(Value::Int(5)))));
        assert!(apply(&mut base, "/metadata/labels/a~1b", Operation::Set(Node::new(Value::Int(6)))));
        assert_eq!(base.get("spec").unwrap().get("replicas").unwrap().value, Value::Int(4));
        assert_eq!(base.get("metadata").unwrap().get("labels").unwrap().get("a/b").unwrap().value, Value::Int(6));
        assert!(apply(&mut base, "/spec/replicas", Operation::Remove));
        assert_eq!(base.get("spec").unwrap().get("replicas"), None);
        assert!(!apply(&mut base, "/spec/t/containers/99", Operation::Set(Node::new(Value::Null))));
        assert!(!apply(&mut base, "spec", Operation::Remove));
    }
}
