//! Objects as they are found, and what holds between them: names, targets, gates, pools.

use super::component::Patched;
use super::cron_job::{self, Read};
use super::fault::Faults;
use super::manifest::{Kind, Manifest};
use super::pod::{Draft, Whole};
use super::server::ConfigMaps;
use super::terraform::{Pool, Values};
use super::types::{CronJob, Deployment, Files, Gate, ObjectId, ObjectKind, Origin, PodSpec, ScaledJob, ScaledObject};
use super::{deployment, node_pool, placement, scaled_job, scaled_object};
use std::collections::BTreeMap;

/// An object and where it stands.
#[derive(Debug)]
struct Item<T> {
    value: T,
    origin: Origin,
    /// For messages.
    owner: String,
}

/// An object with pods.
type Pinned<T> = (Item<T>, Draft);

/// Everything that was found, in the order of the lists.
#[derive(Debug, Default)]
pub(super) struct Found {
    scaled_objects: Vec<Item<ScaledObject>>,
    scaled_jobs: Vec<Pinned<ScaledJob>>,
    deployments: Vec<Pinned<Deployment>>,
    cron_jobs: Vec<Pinned<CronJob>>,
    gates: Vec<Item<Gate>>,
    pools: Vec<Pool>,
    /// Every name that stands in the files, whether its object was sound or not.
    names: BTreeMap<ObjectId, Origin>,
}

impl Found {
    /// Reads an object into its list.
    pub(super) fn read(&mut self, manifest: &Manifest, (values, maps): (&Values, &ConfigMaps), faults: &mut Faults) {
        let kind = match manifest.kind {
            Kind::ScaledObject => ObjectKind::ScaledObject,
            Kind::ScaledJob => ObjectKind::ScaledJob,
            Kind::Deployment => ObjectKind::Deployment,
            Kind::CronJob => ObjectKind::CronJob,
            Kind::NodePool => ObjectKind::NodePool,
        };
        let namespace = if kind == ObjectKind::NodePool { String::new() } else { manifest.namespace.clone() };
        self.name((kind, namespace, manifest.name.clone()), (&manifest.origin(), &manifest.owner), faults);
        match manifest.kind {
            Kind::ScaledObject => self.scaled_objects.extend(scaled_object::read(manifest, faults).map(|value| item(value, manifest))),
            Kind::ScaledJob => self.scaled_jobs.extend(pinned(scaled_job::read(manifest, faults), manifest)),
            Kind::Deployment => self.deployments.extend(pinned(deployment::read(manifest, (Whole::Yes, maps), faults), manifest)),
            Kind::CronJob => match cron_job::read(manifest, faults) {
                Some(Read::Work(job, draft)) => self.cron_jobs.push((item(job, manifest), draft)),
                Some(Read::Gate(gate)) => self.gates.push(item(gate, manifest)),
                None => {}
            },
            Kind::NodePool => {
                let before = faults.len();
                let pool = node_pool::read(manifest, values, faults);
                if pool.is_none() && faults.len() > before {
                    faults.lose_pool();
                }
                if let Some(other) = pool.as_ref().and_then(|pool| self.pools.iter().find(|other| other.spec.name == pool.spec.name)) {
                    let what = format!("{} has the pool label `{}`, as another NodePool has", manifest.owner, other.spec.name);
                    faults.push(manifest.origin(), what, "give each pool a label of its own");
                }
                self.pools.extend(pool);
            }
        }
    }

    /// A name that may stand once.
    fn name(&mut self, (kind, namespace, name): (ObjectKind, String, String), (origin, owner): (&Origin, &str), faults: &mut Faults) {
        let id = ObjectId { kind, namespace, name };
        if let Some(first) = self.names.get(&id) {
            let what = format!("{owner} stands twice, first in `{}`", first.path);
            faults.push(origin.clone(), what, "take one out, or give it another name");
            return;
        }
        self.names.insert(id, origin.clone());
    }

    /// Deployments that patches describe.
    pub(super) fn patched(&mut self, all: Vec<Patched>, faults: &mut Faults) {
        for Patched { deployment, draft, owner, origin } in all {
            let name = (ObjectKind::Deployment, deployment.namespace.clone(), deployment.name.clone());
            self.name(name, (&origin, &owner), faults);
            self.deployments.push((Item { value: deployment, origin, owner }, draft));
        }
    }

    /// Pools of the Terraform values that no NodePool stands for. Where Karpenter runs, its NodePools are all that AWS has.
    pub(super) fn declare(&mut self, values: &Values) {
        for (cloud, pool) in values.pools.values() {
            let by_karpenter = values.node_autoscaler == "karpenter" && cloud == "aws";
            if !by_karpenter && !self.pools.iter().any(|other| other.spec.name == pool.spec.name) {
                self.pools.push(pool.clone());
            }
        }
    }

    /// Holds the objects against each other and sorts them.
    pub(super) fn linked(mut self, faults: &mut Faults) -> Files {
        self.targets(faults);
        self.counts(faults);
        self.released(faults);
        let Self { scaled_objects, scaled_jobs, deployments, cron_jobs, gates, mut pools, names: _ } = self;
        pools.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        let mut files = Files::default();
        let origins = &mut files.origins;
        let mut place = |kind, (namespace, name): (&str, &str), origin: Origin| {
            origins.insert(ObjectId { kind, namespace: namespace.to_owned(), name: name.to_owned() }, origin);
        };
        for Item { value, origin, owner: _ } in scaled_objects {
            place(ObjectKind::ScaledObject, (&value.namespace, &value.name), origin);
            files.scaled_objects.push(value);
        }
        for Item { value, origin, owner: _ } in gates {
            place(ObjectKind::Gate, (&value.namespace, &value.name), origin);
            files.gates.push(value);
        }
        for (item, draft) in deployments {
            let pod = resolved(&item, &draft, (&pools, faults));
            place(ObjectKind::Deployment, (&item.value.namespace, &item.value.name), item.origin);
            files.deployments.push(Deployment { pod, ..item.value });
        }
        for (item, draft) in cron_jobs {
            let pod = resolved(&item, &draft, (&pools, faults));
            place(ObjectKind::CronJob, (&item.value.namespace, &item.value.name), item.origin);
            files.cron_jobs.push(CronJob { pod, ..item.value });
        }
        for (item, draft) in scaled_jobs {
            let pod = resolved(&item, &draft, (&pools, faults));
            place(ObjectKind::ScaledJob, (&item.value.namespace, &item.value.name), item.origin);
            files.scaled_jobs.push(ScaledJob { pod, ..item.value });
        }
        for pool in pools {
            place(ObjectKind::NodePool, ("", &pool.spec.name), pool.origin);
            files.node_pools.push(pool.spec);
        }
        sort(&mut files);
        files
    }

    /// A ScaledObject has a target, which no other has.
    fn targets(&mut self, faults: &mut Faults) {
        let mut first: BTreeMap<(String, String), String> = BTreeMap::new();
        for Item { value, origin, owner } in &mut self.scaled_objects {
            let key = (value.namespace.clone(), value.target.clone());
            if let Some(other) = first.get(&key).filter(|other| **other != value.name) {
                let what = format!("{owner} scales `{}`, as ScaledObject `{}/{other}` does", value.target, value.namespace);
                faults.push(origin.clone(), what, "take one out, or put the triggers of both into one: KEDA refuses the second otherwise");
            }
            first.entry(key).or_insert_with(|| value.name.clone());
            let target = self.deployments.iter().find(|(d, _)| d.value.namespace == value.namespace && d.value.name == value.target);
            if let Some((deployment, _)) = target {
                if value.workload.is_empty() {
                    value.workload.clone_from(&deployment.value.workload);
                }
                continue;
            }
            let id = ObjectId { kind: ObjectKind::Deployment, namespace: value.namespace.clone(), name: value.target.clone() };
            // One that stands there and is not sound has been told.
            if !self.names.contains_key(&id) && !faults.lost() {
                let what = format!("{owner} scales Deployment `{}/{}`, which is nowhere in these files", value.namespace, value.target);
                faults.push(origin.clone(), what, "mend the name, put the Deployment back, or take the ScaledObject out");
            }
        }
    }

    /// A count stands in the Deployment or is KEDA's.
    fn counts(&mut self, faults: &mut Faults) {
        for (Item { value, origin, owner }, _) in &mut self.deployments {
            let scaled = self.scaled_objects.iter().any(|s| s.value.namespace == value.namespace && s.value.target == value.name);
            match (scaled, value.replicas) {
                (true, Some(count)) => {
                    let text =
                        format!("{owner} has `replicas: {count}` beside a ScaledObject: every apply sets the count back to it for a while");
                    faults.note(origin.clone(), text);
                    value.replicas = None;
                }
                (false, None) => {
                    let text = format!("{owner} has no count and no ScaledObject: Kubernetes runs 1 replica");
                    faults.note(origin.clone(), text);
                    value.replicas = Some(1);
                }
                (true, None) | (false, Some(_)) => {}
            }
        }
    }

    /// A gate has a ScaledJob, and jobs have workloads.
    fn released(&self, faults: &mut Faults) {
        for Item { value, origin, owner } in &self.gates {
            let id = ObjectId { kind: ObjectKind::ScaledJob, namespace: value.namespace.clone(), name: value.scaled_job.clone() };
            if !self.names.contains_key(&id) {
                let text =
                    format!("{owner} is the gate of ScaledJob `{}/{}`, which is nowhere in these files", value.namespace, value.scaled_job);
                faults.note(origin.clone(), text);
            }
        }
        for (Item { value, origin, owner }, _) in &self.scaled_jobs {
            if value.workload.is_empty() {
                let what = format!("{owner} has no label `app.kubernetes.io/name`");
                faults.push(origin.clone(), what, "label it with the name of its workload");
            }
        }
    }
}

fn item<T>(value: T, manifest: &Manifest) -> Item<T> {
    Item { value, origin: manifest.origin(), owner: manifest.owner.clone() }
}

fn pinned<T>(read: Option<(T, Draft)>, manifest: &Manifest) -> Option<Pinned<T>> {
    read.map(|(value, draft)| (item(value, manifest), draft))
}

/// The pod with its pools.
fn resolved<T>(item: &Item<T>, draft: &Draft, (pools, faults): (&[Pool], &mut Faults)) -> PodSpec {
    let pools = placement::pools(draft, pools, (&item.origin, &item.owner), faults);
    PodSpec { pools, ..draft.spec.clone() }
}

/// Sorts every list but the pools by namespace and name.
pub(super) fn sort(files: &mut Files) {
    let Files { scaled_objects, scaled_jobs, deployments, cron_jobs, gates, node_pools: _, origins: _, notes: _ } = files;
    scaled_objects.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    scaled_jobs.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    deployments.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    cron_jobs.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    gates.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
}
