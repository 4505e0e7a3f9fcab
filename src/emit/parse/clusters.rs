//! Folders of several clusters: each is read by itself, so that its pods find its own pools and no others.

use super::fault::{Faults, ParseFault};
use super::folder::SourceText;
use super::types::{Files, ObjectId, ObjectKind, Origin};
use crate::emit::clusters::FOLDER;
use std::collections::{BTreeMap, BTreeSet};

/// Texts by cluster, the paths as inside its folder; empty where there are no clusters.
pub(super) fn split(texts: &[SourceText]) -> BTreeMap<String, Vec<SourceText>> {
    let mut clusters: BTreeMap<String, Vec<SourceText>> = BTreeMap::new();
    for file in texts {
        let plain = file.path.strip_prefix("./").unwrap_or(&file.path);
        if let Some((name, path)) = plain.strip_prefix(FOLDER).and_then(|rest| rest.split_once('/')) {
            clusters.entry(name.to_owned()).or_default().push(SourceText { path: path.to_owned(), text: file.text.clone() });
        }
    }
    clusters
}

/// All clusters together. What stands outside of them is not applied, and said.
pub(super) fn joined(texts: &[SourceText], clusters: BTreeMap<String, Vec<SourceText>>) -> Result<Files, Vec<ParseFault>> {
    let mut all = Files::default();
    let mut list: Vec<ParseFault> = Vec::new();
    let mut faults = Faults::default();
    let mut pools: BTreeMap<String, String> = BTreeMap::new();
    for (name, texts) in clusters {
        match super::one(&texts) {
            Ok(files) => add(&mut all, (&name, files), (&mut pools, &mut faults)),
            Err(found) => list.extend(found.into_iter().map(|fault| ParseFault { at: inside(&name, fault.at), ..fault })),
        }
    }
    for file in texts.iter().filter(|file| file.path.starts_with("kubernetes/") && file.path.ends_with(".yaml")) {
        let at = Origin { path: file.path.clone(), place: None };
        faults.note(at, "stands beside the folders of clusters and so is not applied");
    }
    match faults.finish() {
        Ok(notes) if list.is_empty() => {
            all.notes.extend(notes);
            all.notes.sort();
            super::found::sort(&mut all);
            all.node_pools.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(all)
        }
        Ok(_) => Err(list),
        Err(mut found) => {
            list.append(&mut found);
            list.sort();
            Err(list)
        }
    }
}

fn inside(cluster: &str, at: Origin) -> Origin {
    Origin { path: format!("{FOLDER}{cluster}/{}", at.path), ..at }
}

/// Adds what one cluster has. A name that another cluster has as well is a fault: a workload runs in one cluster.
fn add(all: &mut Files, (cluster, files): (&str, Files), (pools, faults): (&mut BTreeMap<String, String>, &mut Faults)) {
    let Files { scaled_objects, scaled_jobs, deployments, cron_jobs, gates, node_pools, origins, notes } = files;
    let known: BTreeSet<&ObjectId> = all.origins.keys().collect();
    let twice: Vec<ObjectId> = origins.keys().filter(|id| known.contains(id)).cloned().collect();
    for id in twice {
        let at = origins.get(&id).cloned().unwrap_or(Origin { path: String::new(), place: None });
        let what = match id.kind {
            ObjectKind::NodePool => {
                format!("node pool `{}` is also in cluster `{}`", id.name, pools.get(&id.name).map_or("", String::as_str))
            }
            _ => format!("`{}/{}` is also in another cluster", id.namespace, id.name),
        };
        faults.push(inside(cluster, at), what, "give each its own name: a workload runs in one cluster");
    }
    pools.extend(node_pools.iter().map(|pool| (pool.name.clone(), cluster.to_owned())));
    all.scaled_objects.extend(scaled_objects);
    all.scaled_jobs.extend(scaled_jobs);
    all.deployments.extend(deployments);
    all.cron_jobs.extend(cron_jobs);
    all.gates.extend(gates);
    all.node_pools.extend(node_pools);
    all.origins.extend(origins.into_iter().map(|(id, at)| (id, inside(cluster, at))));
    all.notes.extend(notes.into_iter().map(|note| super::types::Note { at: inside(cluster, note.at), ..note }));
}
