//! Pods: what their containers ask for and where they want to run. The pools themselves are found in `placement`.

use super::fault::Faults;
use super::field::Field;
use super::node::Value;
use super::quantity;
use super::types::PodSpec;
use crate::emit::POOL_LABEL;
use std::collections::BTreeSet;

/// Topology key of zones.
const ZONE: &str = crate::emit::names::ZONE_LABEL;
/// Resource of GPUs.
const GPU: &str = "nvidia.com/gpu";
/// Resource of equal parts of a GPU, by MPS or by time.
const SHARED: &str = "nvidia.com/gpu.shared";
/// Resources of MIG slices begin like this.
const MIG: &str = "nvidia.com/mig-";
/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;
/// Labels that every Linux node of a GPU pool has.
const ANY_NODE: [&str; 2] = ["kubernetes.io/os", "kubernetes.io/arch"];

/// Whether the file says everything of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// A whole object.
    Yes,
    /// A patch: containers and what they ask for may be the user's.
    Patch,
}

/// A pod before its pools are known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    /// All but the pools.
    pub spec: PodSpec,
    /// Where it wants to run.
    pub choice: Choice,
    /// What it tolerates.
    pub tolerations: Vec<Toleration>,
}

/// Choice of pools by their label.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Choice {
    /// `nodeSelector`.
    pub selector: Option<String>,
    /// Required terms: all expressions of one of them hold; `None`: no requirement.
    pub required: Option<Vec<Vec<Expression>>>,
    /// Preferred terms with their weights.
    pub preferred: Vec<(u32, Vec<Expression>)>,
}

/// An expression over the pool label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// One of these.
    In(Vec<String>),
    /// None of these.
    NotIn(Vec<String>),
    /// Any pool.
    Exists,
    /// No pool.
    DoesNotExist,
}

impl Expression {
    /// It holds for the pool of this name.
    pub(super) fn holds(&self, pool: &str) -> bool {
        match self {
            Self::In(names) => names.iter().any(|name| name == pool),
            Self::NotIn(names) => names.iter().all(|name| name != pool),
            Self::Exists => true,
            Self::DoesNotExist => false,
        }
    }
}

/// A toleration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toleration {
    /// Key; empty: every taint.
    pub key: String,
    /// Value; `None`: any.
    pub value: Option<String>,
    /// Effect; empty: every effect.
    pub effect: String,
}

/// Reads a pod template.
pub(super) fn read(template: Field, whole: Whole, faults: &mut Faults) -> Option<Draft> {
    let pod = template.required_map("spec", faults)?;
    for key in ["nodeName", "schedulingGates"] {
        if let Some(field) = pod.get(key) {
            field.unsupported(key, faults);
        }
    }
    if let Some(name) = pod.text("schedulerName", faults).filter(|name| *name != "default-scheduler") {
        pod.get("schedulerName").unwrap_or(pod).unsupported(&format!("schedulerName: {name}"), faults);
    }
    let grace_s = pod.count("terminationGracePeriodSeconds", faults).unwrap_or(30);
    let zones_spread = spread(pod, faults);
    let asks = requests(pod, whole, faults);
    let Asks { gpus, slice, cpu_milli, memory_mib } = asks;
    let spec = PodSpec { pools: Vec::new(), gpus, slice, cpu_milli, memory_mib, grace_s, zones_spread };
    Some(Draft { spec, choice: choice(pod, faults), tolerations: tolerations(pod, faults) })
}

/// The hard spread over zones.
fn spread(pod: Field, faults: &mut Faults) -> Option<u32> {
    let mut zones = None;
    for item in pod.items("topologySpreadConstraints", faults) {
        match item.required("whenUnsatisfiable", faults) {
            Some("DoNotSchedule") => {}
            Some("ScheduleAnyway") | None => continue,
            Some(other) => {
                let at = item.get("whenUnsatisfiable").unwrap_or(item);
                let what = format!("`whenUnsatisfiable` of {} is `{other}`", item.owner);
                at.fault(faults, what, "write `DoNotSchedule` or `ScheduleAnyway`");
                continue;
            }
        }
        if item.text("topologyKey", faults) != Some(ZONE) {
            item.unsupported("topologySpreadConstraints", faults);
            continue;
        }
        if item.count("maxSkew", faults).unwrap_or(1) != 1 {
            item.get("maxSkew").unwrap_or(item).unsupported("maxSkew", faults);
        }
        zones = zones.max(Some(item.positive("minDomains", faults).unwrap_or(1)));
    }
    zones
}

#[derive(Clone, Debug, Default)]
struct Asks {
    gpus: Option<u32>,
    slice: Option<String>,
    cpu_milli: Option<u64>,
    memory_mib: Option<u64>,
}

/// What all containers ask for together; init containers run before them, so that the larger counts.
fn requests(pod: Field, whole: Whole, faults: &mut Faults) -> Asks {
    let containers = pod.items("containers", faults);
    if containers.is_empty() && whole == Whole::Yes {
        pod.missing("containers", faults);
        return Asks::default();
    }
    let inits = pod.items("initContainers", faults);
    let is_sidecar = |item: &Field| matches!(item.get("restartPolicy").map(|f| &f.node.value), Some(Value::Text(text)) if text == "Always");
    let mut total = |resource: &str| {
        let mut ask = |item: &Field| asked(*item, resource, faults);
        let running: Vec<f64> = containers.iter().chain(inits.iter().filter(|item| is_sidecar(item))).filter_map(&mut ask).collect();
        let before: Vec<f64> = inits.iter().filter(|item| !is_sidecar(item)).filter_map(&mut ask).collect();
        let sum = (!running.is_empty()).then(|| running.iter().sum::<f64>());
        before.into_iter().fold(sum, |most, one| Some(most.map_or(one, |most: f64| most.max(one))))
    };
    let gpus = total(GPU).map(|n| n as u32);
    let slices: Vec<(String, f64)> =
        sliced(&containers).into_iter().filter_map(|name| total(&name).map(|count| (name, count))).filter(|(_, n)| *n > 0.0).collect();
    let cpu_milli = total("cpu").map(|n| quantity::whole(n * 1000.0));
    let memory_mib = total("memory").map(|n| quantity::whole(n / MIB));
    let one = |count: f64| (count - 1.0).abs() < 1e-9;
    let slice = match slices.as_slice() {
        [] => None,
        [(name, count)] if one(*count) && gpus.unwrap_or(0) == 0 => Some(name.clone()),
        _ => {
            let help = "ask for one slice in one container, and for no whole GPU beside it";
            pod.fault(faults, format!("{} asks for several parts of GPUs, which a replay does not know", pod.owner), help);
            None
        }
    };
    // Who asks for a slice asks for no whole GPU.
    let gpus = gpus.or((whole == Whole::Yes || slice.is_some()).then_some(0));
    Asks { gpus, slice, cpu_milli, memory_mib }
}

/// Names of slices of GPUs among the limits of containers.
fn sliced(containers: &[Field]) -> BTreeSet<String> {
    let limits = containers.iter().filter_map(|item| item.get("resources").and_then(|resources| resources.get("limits")));
    let names = limits.flat_map(|limits| limits.entries()).map(|(key, _)| key.to_owned());
    names.filter(|name| name == SHARED || name.starts_with(MIG)).collect()
}

/// What a container asks for: its request, else its limit.
fn asked(container: Field, resource: &str, faults: &mut Faults) -> Option<f64> {
    let resources = container.map("resources", faults)?;
    let side = |key: &str, faults: &mut Faults| resources.map(key, faults).and_then(|side| quantity::read(side, resource, faults));
    let (request, limit) = (side("requests", faults), side("limits", faults));
    if resource == GPU || resource == SHARED || resource.starts_with(MIG) {
        let count = limit.or(request)?;
        let differ = request.zip(limit).is_some_and(|(request, limit)| (request - limit).abs() > 0.0);
        if count.fract() > 0.0 || differ || limit.is_none() || count > 1024.0 {
            let help = "write the same whole number under `limits` and `requests`";
            resources.fault(
                faults,
                format!("`{resource}` of a container of {} is no count of GPUs that Kubernetes takes", container.owner),
                help,
            );
            return None;
        }
        return Some(count);
    }
    request.or(limit)
}

fn choice(pod: Field, faults: &mut Faults) -> Choice {
    let mut choice = Choice::default();
    for (key, value) in pod.map("nodeSelector", faults).map_or(Vec::new(), Field::entries) {
        match (key, &value.node.value) {
            (POOL_LABEL, Value::Text(pool)) => choice.selector = Some(pool.clone()),
            ("$patch", _) => {}
            (key, _) if ANY_NODE.contains(&key) => {}
            (key, _) => foreign(value, key, faults),
        }
    }
    let Some(affinity) = pod.map("affinity", faults) else { return choice };
    for key in ["podAffinity", "podAntiAffinity"] {
        let required = affinity.get(key).and_then(|field| field.get("requiredDuringSchedulingIgnoredDuringExecution"));
        if let Some(field) = required {
            field.unsupported(key, faults);
        }
    }
    let Some(node) = affinity.map("nodeAffinity", faults) else { return choice };
    if let Some(required) = node.map("requiredDuringSchedulingIgnoredDuringExecution", faults) {
        let terms = required.items("nodeSelectorTerms", faults);
        choice.required = Some(terms.into_iter().map(|term| expressions(term, faults)).collect());
    }
    for item in node.items("preferredDuringSchedulingIgnoredDuringExecution", faults) {
        let weight = item.count("weight", faults).unwrap_or(1);
        if let Some(term) = item.required_map("preference", faults) {
            choice.preferred.push((weight, expressions(term, faults)));
        }
    }
    choice
}

fn foreign(at: Field, key: &str, faults: &mut Faults) {
    let what = format!("{} chooses nodes by `{key}`, which a replay does not know", at.owner);
    at.fault(faults, what, format!("choose them by `{POOL_LABEL}`"));
}

fn expressions(term: Field, faults: &mut Faults) -> Vec<Expression> {
    if let Some(fields) = term.get("matchFields") {
        fields.unsupported("matchFields", faults);
    }
    let mut all = Vec::new();
    for item in term.items("matchExpressions", faults) {
        let Some(key) = item.required("key", faults) else { continue };
        if ANY_NODE.contains(&key) {
            continue;
        }
        if key != POOL_LABEL {
            foreign(item, key, faults);
            continue;
        }
        let values: Vec<String> = item.texts("values", faults).into_iter().map(str::to_owned).collect();
        match item.required("operator", faults) {
            Some("In") => all.push(Expression::In(values)),
            Some("NotIn") => all.push(Expression::NotIn(values)),
            Some("Exists") => all.push(Expression::Exists),
            Some("DoesNotExist") => all.push(Expression::DoesNotExist),
            Some(other) => {
                let at = item.get("operator").unwrap_or(item);
                at.fault(faults, format!("an expression of {} has the operator `{other}`", item.owner), "write `In`");
            }
            None => {}
        }
    }
    all
}

fn tolerations(pod: Field, faults: &mut Faults) -> Vec<Toleration> {
    let mut all = Vec::new();
    for item in pod.items("tolerations", faults) {
        let operator = item.text("operator", faults).unwrap_or("Equal");
        if !["Exists", "Equal"].contains(&operator) {
            let at = item.get("operator").unwrap_or(item);
            at.fault(faults, format!("a toleration of {} has the operator `{operator}`", item.owner), "write `Exists` or `Equal`");
        }
        let exists = operator == "Exists";
        let value = item.text("value", faults).unwrap_or_default();
        all.push(Toleration {
            key: item.text("key", faults).unwrap_or_default().to_owned(),
            value: (!exists).then(|| value.to_owned()),
            effect: item.text("effect", faults).unwrap_or_default().to_owned(),
        });
    }
    all
}
