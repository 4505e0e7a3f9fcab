//! Documents of Kubernetes: what kind of object each is, and what names it.

use super::fault::Faults;
use super::field::Field;
use super::folder::Folder;
use super::node::{self, Node, Value};
use super::types::Origin;

/// Label of the workload.
const WORKLOAD_LABEL: &str = "app.kubernetes.io/name";

/// Kinds that a replay reads, with the version that it reads them in.
const KNOWN: [(&str, &str, Kind); 5] = [
    ("ScaledObject", "keda.sh/v1alpha1", Kind::ScaledObject),
    ("ScaledJob", "keda.sh/v1alpha1", Kind::ScaledJob),
    ("Deployment", "apps/v1", Kind::Deployment),
    ("CronJob", "batch/v1", Kind::CronJob),
    ("NodePool", "karpenter.sh/v1", Kind::NodePool),
];

/// Kinds that scale or place pods and that a replay does not know.
const REFUSED: [&str; 4] = ["HorizontalPodAutoscaler", "HTTPScaledObject", "StatefulSet", "ReplicaSet"];

/// Kinds that a replay reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// KEDA's.
    ScaledObject,
    /// KEDA's.
    ScaledJob,
    /// `apps/v1`.
    Deployment,
    /// `batch/v1`.
    CronJob,
    /// Karpenter's.
    NodePool,
}

/// An object of a kind that a replay reads.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    /// Path of the file.
    pub file: String,
    /// The document.
    pub root: Node,
    /// Kind.
    pub kind: Kind,
    /// Namespace; `default` where it names none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Value of `app.kubernetes.io/name`.
    pub workload: Option<String>,
    /// For messages: ``ScaledObject `serving/chat-flex` ``.
    pub owner: String,
}

impl Manifest {
    /// The document as a field.
    pub(super) fn field(&self) -> Field<'_> {
        Field { node: &self.root, file: &self.file, owner: &self.owner }
    }

    /// `spec`; a fault where there is none.
    pub(super) fn spec(&self, faults: &mut Faults) -> Option<Field<'_>> {
        self.field().required_map("spec", faults)
    }

    /// Where it stands.
    pub(super) fn origin(&self) -> Origin {
        self.field().origin()
    }
}

/// Objects of a file, those of unknown kinds left out.
pub(super) fn of_file(folder: &Folder, path: &str, faults: &mut Faults) -> Vec<Manifest> {
    let mut manifests = Vec::new();
    for root in documents(folder, path, faults) {
        flatten(root, path, (&mut manifests, faults));
    }
    manifests
}

/// Documents of a file; none, and a fault, where it is no YAML.
pub(super) fn documents(folder: &Folder, path: &str, faults: &mut Faults) -> Vec<Node> {
    match node::documents(folder.get(path).unwrap_or_default()) {
        Ok(documents) => documents,
        Err(error) => {
            let at = Origin { path: path.to_owned(), place: error.place };
            faults.lose(at, error.what, "mend the text, or let `gpuplan optimize` write it anew");
            Vec::new()
        }
    }
}

/// An object, or the objects of a `List`.
fn flatten(root: Node, path: &str, (manifests, faults): (&mut Vec<Manifest>, &mut Faults)) {
    if root.get("kind").and_then(Node::as_text) == Some("List") {
        let items = root.get("items").and_then(Node::as_list).map(<[Node]>::to_vec).unwrap_or_default();
        for item in items {
            flatten(item, path, (manifests, faults));
        }
        return;
    }
    manifests.extend(identified(root, path, faults));
}

/// What kind of object a document is; `None` for kinds that do not matter.
pub(super) fn identified(root: Node, path: &str, faults: &mut Faults) -> Option<Manifest> {
    let bare = Field { node: &root, file: path, owner: "this object" };
    if !matches!(root.value, Value::Map(_)) {
        faults.lose(bare.origin(), format!("this document is {}, not an object of Kubernetes", root.kind()), "take it out");
        return None;
    }
    let before = faults.len();
    let (kind, version) = (bare.required("kind", faults), bare.required("apiVersion", faults));
    let name = bare.required_map("metadata", faults).and_then(|meta| meta.required("name", faults));
    let namespace = bare.at(&["metadata"]).and_then(|meta| meta.text("namespace", faults)).unwrap_or("default");
    let (Some(kind), Some(version), Some(name)) = (kind, version, name) else {
        if faults.len() > before {
            faults.lose(bare.origin(), "this object cannot be told from others", "give it `apiVersion`, `kind` and `metadata.name`");
        }
        return None;
    };
    if REFUSED.contains(&kind) {
        let what = format!("{kind} `{namespace}/{name}` scales or runs pods in a way that a replay does not know");
        bare.fault(faults, what, "take it out, or leave it out of the replay");
        return None;
    }
    let &(_, known, known_kind) = KNOWN.iter().find(|(known, _, _)| *known == kind)?;
    let owner = if known_kind == Kind::NodePool { format!("{kind} `{name}`") } else { format!("{kind} `{namespace}/{name}`") };
    if version != known {
        let at = root.get("apiVersion").map_or(root.place, |node| node.place);
        let at = Origin { path: path.to_owned(), place: at };
        faults.lose(at, format!("{owner} is of `{version}`, which a replay does not read"), format!("write it for `{known}`"));
        return None;
    }
    let label =
        bare.at(&["metadata", "labels", WORKLOAD_LABEL]).or_else(|| bare.at(&["spec", "template", "metadata", "labels", WORKLOAD_LABEL]));
    let workload = label.and_then(|label| label.node.as_text()).map(str::to_owned);
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    Some(Manifest { file: path.to_owned(), kind: known_kind, namespace, name, workload, owner, root })
}
