//! Triton servers that several models share: their command lines, and which configurations they are given.

use super::fault::Faults;
use super::field::Field;
use super::folder::{Folder, joined};
use super::model_config;
use super::types::{ModelServer, ServedModel};
use crate::emit::triton::EXECUTION;
use std::collections::BTreeMap;

/// Configurations by ConfigMap: (namespace, name), then model.
pub(super) type ConfigMaps = BTreeMap<(String, String), Vec<ServedModel>>;

/// Reads the ConfigMaps that a kustomization makes of configurations; others are passed over.
pub(super) fn config_maps(folder: &Folder, (here, kustomization): (&str, Field), faults: &mut Faults) -> ConfigMaps {
    let mut maps = ConfigMaps::new();
    for item in kustomization.items("configMapGenerator", faults) {
        let (Some(name), namespace) = (item.required("name", faults), item.text("namespace", faults)) else { continue };
        let mut models = Vec::new();
        for entry in item.texts("files", faults) {
            let (key, path) = entry.split_once('=').unwrap_or_else(|| (entry.rsplit('/').next().unwrap_or(entry), entry));
            let Some(model) = key.strip_suffix(".pbtxt") else { continue };
            let Some(file) = joined(here, path).filter(|file| folder.get(file).is_some()) else {
                let help = "take it off the list, or let `gpuplan optimize` write it anew";
                faults.lose(item.origin(), format!("`{path}` is listed and not there"), help);
                continue;
            };
            models.extend(model_config::read((&file, folder.get(&file).unwrap_or_default()), model, faults));
        }
        if !models.is_empty() {
            models.sort_by(|a, b| a.name.cmp(&b.name));
            maps.insert((namespace.unwrap_or("default").to_owned(), name.to_owned()), models);
        }
    }
    maps
}

/// The server that a pod runs, where one of its volumes is a ConfigMap of configurations.
pub(super) fn of_pod((pod, namespace): (Field, &str), maps: &ConfigMaps, faults: &mut Faults) -> Option<ModelServer> {
    let volumes = pod.items("volumes", &mut Faults::default());
    let names = volumes.iter().filter_map(|volume| volume.get("configMap")?.text("name", &mut Faults::default()));
    let configured = names.filter_map(|name| maps.get(&(namespace.to_owned(), name.to_owned()))).next()?;
    let container = pod.items("containers", faults).into_iter().next()?;
    let arguments = container.texts("args", faults);
    let of = |option: &str| -> Vec<&str> {
        let prefix = format!("--{option}=");
        arguments.iter().filter_map(|argument| argument.strip_prefix(prefix.as_str())).collect()
    };
    let mode = of("model-control-mode").last().copied().unwrap_or("none");
    if mode != "explicit" {
        let mut lines = container.items("args", faults).into_iter();
        let at = lines.find(|line| line.node.as_text().is_some_and(|text| text.starts_with("--model-control-mode="))).unwrap_or(container);
        let what = format!("`--model-control-mode={mode}` of {}", container.owner);
        at.fault(faults, what, "write `--model-control-mode=explicit` and a `--load-model` for each model");
    }
    let loaded = of("load-model");
    let limited = of("rate-limit").last().is_some_and(|mode| *mode == "execution_count");
    let executions = of("rate-limit-resource").iter().filter_map(|text| executions(text)).next_back();
    let models: Vec<ServedModel> = configured.iter().filter(|model| loaded.contains(&model.name.as_str())).cloned().collect();
    // A configuration that cannot be read has been told.
    let without = |name: &&&str| !faults.lost() && configured.iter().all(|model| model.name != **name);
    for name in loaded.iter().filter(without).collect::<Vec<_>>() {
        let what = format!("{} loads `{name}`, which has no configuration here", container.owner);
        container.fault(faults, what, "add its configuration to the ConfigMap, or take the argument out");
    }
    // Without the limiter nothing is held back and nothing goes first.
    let models = models.into_iter().map(|model| if limited { model } else { ServedModel { priority: 1, ..model } }).collect();
    // A resource that is not counted on the command line is there as often as the hungriest instance asks for it: once.
    Some(ModelServer { models, executions: limited.then(|| executions.unwrap_or(1)) })
}

/// `execution:6`, for all GPUs or for the first.
fn executions(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let (name, count, device) = (parts.next()?, parts.next()?, parts.next());
    (name == EXECUTION && device.is_none_or(|device| device == "0")).then(|| count.parse().ok()).flatten()
}
