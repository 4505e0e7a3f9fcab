//! Components for the user's own Deployments: `kubernetes/patches/<workload>/`. The Deployment itself is not here; what the patches say of
//! it is read as one, with the first container as the only one.

use super::deployment;
use super::fault::Faults;
use super::field::Field;
use super::folder::{Folder, joined, whole};
use super::kustomize::CHANGING;
use super::manifest::{self, Kind, Manifest};
use super::node::{self, Entry, Node, Value};
use super::patch::{self, Operation};
use super::pod::{Draft, Whole};
use super::server::ConfigMaps;
use super::types::{Deployment, Origin};

/// A Deployment under patches.
struct Target {
    name: String,
    /// File of its first patch.
    file: String,
    tree: Node,
}

/// A Deployment that patches describe.
pub(super) struct Patched {
    /// What the patches say.
    pub deployment: Deployment,
    /// Where its pods want to run.
    pub draft: Draft,
    /// For messages.
    pub owner: String,
    /// File of its first patch.
    pub origin: Origin,
}

/// The Deployments of a component: the workload's label, the path of its kustomization, and the namespace of patches that name none.
pub(super) fn read(folder: &Folder, (workload, path): (&str, &str), namespace: &str, faults: &mut Faults) -> Vec<Patched> {
    let mut targets: Vec<Target> = Vec::new();
    for root in manifest::documents(folder, path, faults) {
        let field = Field { node: &root, file: path, owner: "the component" };
        for key in CHANGING.iter().chain(&["resources"]).filter(|key| **key != "patches") {
            if let Some(value) = field.get(key) {
                value.fault(faults, format!("`{key}` of a component is nothing that a replay follows"), "use `patches`");
            }
        }
        for item in field.items("patches", faults) {
            one(folder, (path, item), (&mut targets, faults));
        }
    }
    targets.into_iter().filter_map(|target| finished(target, (workload, namespace), faults)).collect()
}

fn finished(target: Target, (workload, namespace): (&str, &str), faults: &mut Faults) -> Option<Patched> {
    let Target { name, file, tree } = target;
    let named = tree.get("metadata").and_then(|meta| meta.get("namespace")).and_then(Node::as_text);
    let named = named.unwrap_or(namespace).to_owned();
    let owner = format!("Deployment `{named}/{name}`");
    let workload = Some(workload.to_owned());
    let manifest = Manifest { file, root: tree, kind: Kind::Deployment, namespace: named, name, workload, owner };
    let (deployment, draft) = deployment::read(&manifest, (Whole::Patch, &ConfigMaps::new()), faults)?;
    let origin = manifest.origin();
    Some(Patched { deployment, draft, owner: manifest.owner, origin })
}

/// One entry of `patches`.
fn one(folder: &Folder, (path, item): (&str, Field), (targets, faults): (&mut Vec<Target>, &mut Faults)) {
    let selected = selected(item, faults);
    let (file, base, text) = match (item.get("path"), item.get("patch")) {
        (Some(_), Some(_)) | (None, None) => {
            item.fault(faults, "a patch has `path` or `patch`, one of them", "write one of them");
            return;
        }
        (Some(at), None) => {
            let Some(entry) = item.text("path", faults) else { return };
            let here = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let Some(file) = joined(here, entry).filter(|file| folder.get(file).is_some()) else {
                let help = "take it off the list, or let `gpuplan optimize` write it anew";
                faults.lose(at.origin(), format!("`{entry}` is listed and not there"), help);
                return;
            };
            let text = folder.get(&file).unwrap_or_default();
            (file, None, text)
        }
        (None, Some(at)) => {
            let Some(text) = item.text("patch", faults) else { return };
            (path.to_owned(), at.node.place, text)
        }
    };
    let documents = match node::documents(text) {
        Ok(documents) => documents,
        Err(error) => {
            let place = if base.is_some() { node::shift(error.place, base) } else { error.place };
            faults.lose(Origin { path: file, place }, error.what, "mend the text, or let `gpuplan optimize` write it anew");
            return;
        }
    };
    for document in documents {
        let document = if base.is_some() { document.shifted(base) } else { document };
        if let Value::List(operations) = document.value {
            json_patch((&file, operations), (&selected, item), (targets, faults));
        } else {
            strategic((&file, document), &selected, (targets, faults));
        }
    }
}

/// The name that `target` selects; `None` without one.
fn selected(item: Field, faults: &mut Faults) -> Option<String> {
    let target = item.map("target", faults)?;
    for key in ["labelSelector", "annotationSelector"] {
        if let Some(field) = target.get(key) {
            field.fault(faults, format!("a patch chooses its target by `{key}`, which a replay does not follow"), "name the target");
        }
    }
    let name = target.text("name", faults)?;
    let plain = name.trim_start_matches('^').trim_end_matches('$');
    if plain.contains(['*', '+', '?', '(', '[', '{', '|', '\\']) {
        let at = target.get("name").unwrap_or(target);
        at.fault(faults, format!("a patch chooses its target by the pattern `{name}`"), "name one Deployment: `^name$`");
        return None;
    }
    Some(plain.to_owned())
}

/// The tree of a target.
fn tree_of<'t>(targets: &'t mut Vec<Target>, name: &str, file: &str) -> Option<&'t mut Target> {
    if !targets.iter().any(|target| target.name == name) {
        let inner = |key: &str, node: Node| Node::new(Value::Map(vec![Entry { key: key.to_owned(), node }]));
        let tree = inner("spec", inner("template", inner("spec", Node::new(Value::Map(Vec::new())))));
        targets.push(Target { name: name.to_owned(), file: file.to_owned(), tree });
    }
    targets.iter_mut().find(|target| target.name == name)
}

fn strategic((file, document): (&str, Node), selected: &Option<String>, (targets, faults): (&mut Vec<Target>, &mut Faults)) {
    let Some(manifest) = manifest::identified(document, file, faults) else {
        faults.note(whole(file), "is no patch of a Deployment: it is left out");
        return;
    };
    if manifest.kind != Kind::Deployment {
        manifest.field().fault(
            faults,
            format!("a component patches {}", manifest.owner),
            "patch Deployments only: change other files themselves",
        );
        return;
    }
    if let Some(other) = selected.as_deref().filter(|name| *name != manifest.name) {
        let what = format!("the patch of {} is aimed at `{other}`", manifest.owner);
        faults.lose(manifest.origin(), what, "give the patch and its `target` one name");
        return;
    }
    let Some(target) = tree_of(targets, &manifest.name, file) else { return };
    let mut root = manifest.root;
    if target.file != file {
        root.file = Some(file.to_owned());
    }
    if target.tree.place.is_none() {
        target.tree.place = root.place;
    }
    patch::merge(&mut target.tree, root);
}

fn json_patch(
    (file, operations): (&str, Vec<Node>),
    (selected, item): (&Option<String>, Field),
    (targets, faults): (&mut Vec<Target>, &mut Faults),
) {
    let Some(name) = selected else {
        item.fault(faults, "a JSON patch has no target with a name", "add `target: {kind: Deployment, name: ^name$}`");
        return;
    };
    let Some(target) = tree_of(targets, name, file) else { return };
    for operation in operations {
        let field = Field { node: &operation, file, owner: "a JSON patch" };
        let (Some(op), Some(pointer)) = (field.required("op", faults), field.required("path", faults)) else { continue };
        let change = match op {
            "add" | "replace" => match operation.get("value") {
                Some(value) => Operation::Set(Node { file: (target.file != file).then(|| file.to_owned()), ..value.clone() }),
                None => {
                    field.missing("value", faults);
                    continue;
                }
            },
            "remove" => Operation::Remove,
            other => {
                field.fault(
                    faults,
                    format!("a JSON patch does `{other}`, which a replay does not follow"),
                    "use `add`, `replace` or `remove`",
                );
                continue;
            }
        };
        if !patch::apply(&mut target.tree, pointer, change) {
            field.fault(faults, format!("`{pointer}` leads nowhere in a Deployment"), "mend the path");
        }
    }
}
