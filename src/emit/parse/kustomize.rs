//! What Kustomize applies: the resources of `kubernetes/kustomization.yaml`, folder by folder. A file that is not listed is not applied.

use super::fault::Faults;
use super::field::Field;
use super::folder::{Folder, joined, whole};
use super::manifest;
use super::node::Value;
use super::server::{self, ConfigMaps};
use std::collections::BTreeSet;

/// The folder that is applied.
const ROOT: &str = "kubernetes";
/// Components for the user's own Deployments.
const PATCHES: &str = "kubernetes/patches/";

/// Fields of a kustomization that change objects on their way to the cluster.
pub(super) const CHANGING: [&str; 19] = [
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replicas",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "replacements",
    "vars",
    "components",
    "transformers",
    "generators",
    "validators",
    "helmCharts",
    "helmChartInflationGenerator",
    "bases",
    "commonLabels",
    "labels",
    "configurations",
];

/// What is applied.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Paths of manifests, in the order of the lists.
    pub files: Vec<String>,
    /// Kustomizations of components: the workload's label and the path.
    pub components: Vec<(String, String)>,
    /// Configurations of the models of shared servers.
    pub config_maps: ConfigMaps,
}

impl Applied {
    /// Nothing is applied at all.
    pub(super) const fn is_nothing(&self) -> bool {
        self.files.is_empty() && self.components.is_empty()
    }
}

/// Follows the lists of the folder.
pub(super) fn applied(folder: &Folder, faults: &mut Faults) -> Applied {
    let mut applied = Applied::default();
    if folder.kustomization(ROOT).is_none() {
        let what = match folder.below("").next() {
            None => "the folder is empty",
            Some(_) => "there is no `kubernetes/kustomization.yaml`: nothing is applied",
        };
        faults.lose(whole("kubernetes/kustomization.yaml"), what, "name a folder that `gpuplan optimize` wrote");
        return applied;
    }
    let mut seen = BTreeSet::new();
    follow(folder, ROOT, (&mut seen, &mut applied, faults));
    applied.components = components(folder, faults);
    let unlisted = |path: &&str| (path.ends_with(".yaml") || path.ends_with(".yml")) && !path.starts_with(PATCHES) && !seen.contains(*path);
    for path in folder.below("kubernetes/").filter(unlisted) {
        faults.note(whole(path), "is in no list of a kustomization and so is not applied");
    }
    applied
}

/// The resources of one folder's kustomization.
fn follow(folder: &Folder, here: &str, (seen, applied, faults): (&mut BTreeSet<String>, &mut Applied, &mut Faults)) {
    let Some(path) = folder.kustomization(here) else { return };
    if !seen.insert(path.clone()) {
        return;
    }
    for root in manifest::documents(folder, &path, faults) {
        let field = Field { node: &root, file: &path, owner: "the kustomization" };
        for key in CHANGING {
            let Some(value) = field.get(key).filter(|value| !is_empty(*value)) else { continue };
            let what = format!("`{key}` of the kustomization changes objects in a way that a replay does not follow");
            value.fault(faults, what, "change the listed files themselves");
        }
        applied.config_maps.extend(server::config_maps(folder, (here, field), faults));
        for item in field.items("resources", faults) {
            let Value::Text(entry) = &item.node.value else {
                item.fault(faults, "a resource is a path", "put it in quotes");
                continue;
            };
            let target = joined(here, entry);
            let inner = target.as_deref().filter(|path| folder.kustomization(path).is_some());
            match (inner, target.as_deref().filter(|path| folder.get(path).is_some())) {
                (Some(inner), _) => follow(folder, inner, (seen, applied, faults)),
                (None, Some(file)) => {
                    if seen.insert(file.to_owned()) {
                        applied.files.push(file.to_owned());
                    } else {
                        item.fault(faults, format!("`{entry}` is listed twice"), "list it once: Kustomize refuses the folder otherwise");
                    }
                }
                (None, None) => faults.lose(
                    item.origin(),
                    format!("`{entry}` is listed and not there"),
                    "take it off the list, or let `gpuplan optimize` write it anew",
                ),
            }
        }
    }
}

fn is_empty(field: Field) -> bool {
    match &field.node.value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Text(text) => text.is_empty(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => false,
    }
}

/// Folders under `kubernetes/patches/`.
fn components(folder: &Folder, faults: &mut Faults) -> Vec<(String, String)> {
    let name = |path: &str| path.strip_prefix(PATCHES).and_then(|rest| rest.split_once('/')).map(|(name, _)| name.to_owned());
    let names: BTreeSet<String> = folder.below(PATCHES).filter_map(name).collect();
    let mut components = Vec::new();
    for name in names {
        match folder.kustomization(&format!("{PATCHES}{name}")) {
            Some(path) => components.push((name, path)),
            None => faults.lose(
                whole(&format!("{PATCHES}{name}/kustomization.yaml")),
                format!("the component of `{name}` has no kustomization"),
                "take the folder away, or let `gpuplan optimize` write it anew",
            ),
        }
    }
    components
}
