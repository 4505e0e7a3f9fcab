//! Triggers of KEDA. Their metadata are texts; KEDA reads numbers and truth values out of them.

use super::fault::Faults;
use super::field::Field;
use super::node::Value;
use super::types::{MetricType, Trigger, TriggerKind};
use super::{scalers, schedule};
use std::collections::BTreeMap;

/// Smallest target that a Kubernetes quantity of thousandths holds.
const LEAST_TARGET: f64 = 0.001;

/// The triggers of an object, in the order of the file.
pub(super) fn read(spec: Field, faults: &mut Faults) -> Vec<Trigger> {
    let mut triggers: Vec<Trigger> = Vec::new();
    for item in spec.items("triggers", faults) {
        let Some(trigger) = one(item, faults) else { continue };
        if !trigger.name.is_empty() && triggers.iter().any(|other| other.name == trigger.name) {
            let what = format!("two triggers of {} are called `{}`", item.owner, trigger.name);
            item.fault(faults, what, "give each a name of its own: KEDA refuses the object otherwise");
        }
        triggers.push(trigger);
    }
    triggers
}

fn one(item: Field, faults: &mut Faults) -> Option<Trigger> {
    let scaler = item.required("type", faults);
    let name = item.text("name", faults).unwrap_or_default().to_owned();
    let use_cached_metrics = item.flag("useCachedMetrics", faults).unwrap_or(false);
    let metric_type = metric_type(item, faults);
    let metadata = item.required_map("metadata", faults);
    let (scaler, metadata) = (scaler?, metadata?);
    if use_cached_metrics && ["cpu", "memory", "cron"].contains(&scaler) {
        let help = "take it out: KEDA refuses the object otherwise";
        item.fault(faults, format!("`useCachedMetrics` of {} is not for triggers of type `{scaler}`", item.owner), help);
    }
    let mut source = Metadata::read(metadata, faults);
    let kind = match scaler {
        "cron" => cron(&mut source, faults),
        "prometheus" => prometheus(&mut source, faults),
        other => queue(other, item, (source, faults)),
    };
    Some(Trigger { name, metric_type, use_cached_metrics, kind: kind? })
}

fn metric_type(item: Field, faults: &mut Faults) -> MetricType {
    match item.text("metricType", faults) {
        None | Some("AverageValue") => MetricType::AverageValue,
        Some("Value") => MetricType::Value,
        Some(other) => {
            let at = item.get("metricType").unwrap_or(item);
            at.fault(faults, format!("`metricType` of {} is `{other}`", item.owner), "write `AverageValue` or `Value`");
            MetricType::AverageValue
        }
    }
}

/// Metadata as texts, with the field for places.
struct Metadata<'a> {
    field: Field<'a>,
    texts: BTreeMap<&'a str, &'a str>,
}

impl<'a> Metadata<'a> {
    fn read(field: Field<'a>, faults: &mut Faults) -> Self {
        let mut texts = BTreeMap::new();
        for (key, _) in field.entries() {
            if let Some(text) = field.text(key, faults) {
                texts.insert(key, text);
            }
        }
        Self { field, texts }
    }

    /// A text that must be there; one that was refused already is no second fault.
    fn required(&self, key: &str, faults: &mut Faults) -> Option<&'a str> {
        match self.texts.get(key) {
            Some(&"") => self.fault(key, (format!("`{key}` of a trigger of {} is empty", self.field.owner), "write a value"), faults),
            Some(text) => return Some(text),
            None if self.field.get(key).is_none() => self.field.missing(key, faults),
            None => {}
        }
        None
    }

    fn fault(&self, key: &str, (what, help): (String, &str), faults: &mut Faults) {
        self.field.get(key).unwrap_or(self.field).fault(faults, what, help);
    }

    /// A number.
    fn number(&self, key: &str, faults: &mut Faults) -> Option<f64> {
        let text = self.texts.get(key).copied().filter(|text| !text.is_empty())?;
        let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
        if number.is_none() {
            let what = format!("`{key}` of a trigger of {} is `{text}`, which is no number", self.field.owner);
            self.fault(key, (what, "write a number in quotes, such as `\"12.5\"`"), faults);
        }
        number
    }

    /// A truth value, in the spellings of Go's `strconv.ParseBool`.
    fn flag(&self, key: &str, faults: &mut Faults) -> Option<bool> {
        match self.texts.get(key).copied().filter(|text| !text.is_empty())? {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
            other => {
                let what = format!("`{key}` of a trigger of {} is `{other}`, which is no truth value", self.field.owner);
                self.fault(key, (what, "write `\"true\"` or `\"false\"`"), faults);
                None
            }
        }
    }
}

/// Source: github.com/kedacore/keda, `pkg/scalers/cron_scaler.go`: equal times and a count of 0 are refused.
fn cron(metadata: &mut Metadata, faults: &mut Faults) -> Option<TriggerKind> {
    let owner = metadata.field.owner;
    let timezone = metadata.required("timezone", faults);
    let (start, end) = (metadata.required("start", faults), metadata.required("end", faults));
    let desired = metadata.required("desiredReplicas", faults);
    if let Some(Err(what)) = timezone.map(schedule::zone) {
        metadata.fault(
            "timezone",
            (format!("{what} (trigger of {owner})"), "write a name of the IANA database, such as `Europe/Berlin`"),
            faults,
        );
    }
    for (key, line) in [("start", start), ("end", end)] {
        if let Some(Err(what)) = line.map(schedule::check) {
            let help = "write five fields: minute, hour, day of the month, month, day of the week (Sunday is 0)";
            metadata.fault(key, (format!("`{key}` of a trigger of {owner}: {what}"), help), faults);
        }
    }
    if let (Some(start), Some(end)) = (start, end)
        && start == end
    {
        let help =
            "move one of them, or, for a count that always holds, raise `minReplicaCount` instead: KEDA refuses the trigger otherwise";
        metadata.fault("end", (format!("`start` and `end` of a trigger of {owner} are the same: `{end}`"), help), faults);
    }
    let desired_replicas = desired.and_then(|text| match text.parse::<i64>() {
        Ok(number) => u32::try_from(number).ok().filter(|n| *n > 0 && i32::try_from(*n).is_ok()).or_else(|| {
            let help =
                "write at least `\"1\"`; for no replicas take the trigger out and set `minReplicaCount: 0`: KEDA refuses it otherwise";
            metadata.fault("desiredReplicas", (format!("`desiredReplicas` of a trigger of {owner} is `{text}`"), help), faults);
            None
        }),
        Err(_) => {
            let what = format!("`desiredReplicas` of a trigger of {owner} is `{text}`, which is no whole number");
            metadata.fault("desiredReplicas", (what, "write a whole number in quotes, such as `\"4\"`"), faults);
            None
        }
    });
    let (timezone, start, end) = (timezone?.to_owned(), start?.to_owned(), end?.to_owned());
    Some(TriggerKind::Cron { timezone, start, end, desired_replicas: desired_replicas? })
}

/// Source: keda.sh/docs/latest/scalers/prometheus; an HPA target below a thousandth is none.
fn prometheus(metadata: &mut Metadata, faults: &mut Faults) -> Option<TriggerKind> {
    let server = metadata.required("serverAddress", faults);
    let query = metadata.required("query", faults);
    let threshold = metadata.required("threshold", faults).and_then(|_| metadata.number("threshold", faults));
    if let Some(threshold) = threshold.filter(|threshold| *threshold < LEAST_TARGET) {
        let what = format!("`threshold` of a trigger of {} is `{threshold}`", metadata.field.owner);
        metadata.fault("threshold", (what, "write what one replica may carry, at least `\"0.001\"`"), faults);
    }
    let activation_threshold = metadata.number("activationThreshold", faults).unwrap_or(0.0);
    let ignore_null_values = metadata.flag("ignoreNullValues", faults).unwrap_or(true);
    let (server, query) = (server?.to_owned(), query?.to_owned());
    Some(TriggerKind::Prometheus { server, query, threshold: threshold?, activation_threshold, ignore_null_values })
}

/// A queue, or a scaler that a replay cannot evaluate.
fn queue(scaler: &str, item: Field, (metadata, faults): (Metadata, &mut Faults)) -> Option<TriggerKind> {
    let at = item.get("type").unwrap_or(item);
    if scaler == "cpu" || scaler == "memory" {
        let what = format!("a trigger of {} is of type `{scaler}`, which a replay has no values for", item.owner);
        at.fault(faults, what, "scale by requests: a `prometheus` trigger");
        return None;
    }
    if !scalers::is_known(scaler) {
        let help =
            scalers::nearest(scaler).map_or("write a type of keda.sh/docs/scalers".to_owned(), |name| format!("did you mean `{name}`?"));
        at.fault(faults, format!("a trigger of {} is of type `{scaler}`, which KEDA does not have", item.owner), help);
        return None;
    }
    // Credentials may carry what the metadata do not.
    if item.get("authenticationRef").is_none() {
        for key in scalers::lacking(scaler, |key| metadata.field.get(key).is_some()) {
            metadata.field.fault(faults, format!("a trigger of type `{scaler}` of {} has no `{key}`", item.owner), format!("add `{key}`"));
        }
    }
    for key in scalers::TARGETS {
        if let Some(target) = metadata.number(key, faults).filter(|target| *target <= 0.0) {
            metadata.fault(key, (format!("`{key}` of a trigger of {} is `{target}`", item.owner), "write a number above 0"), faults);
        }
    }
    let metadata = metadata.texts.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect();
    Some(TriggerKind::Other { scaler: scaler.to_owned(), metadata })
}

/// The value of a pausing annotation: anything that is no falsehood pauses.
///
/// Source: github.com/kedacore/keda, `apis/keda/v1alpha1/scaledobject_types.go`, `getBoolAnnotation`.
pub(super) fn pauses(value: &str) -> bool {
    !["0", "f", "F", "FALSE", "false", "False"].contains(&value)
}

/// Annotations of an object of KEDA: paused or not; those that a replay does not know are faults.
pub(super) fn paused(object: Field, faults: &mut Faults) -> bool {
    const UNKNOWN: [&str; 5] = ["paused-replicas", "paused-scale-down", "paused-scale-in", "paused-scale-out", "force-activation"];
    let Some(annotations) = object.at(&["metadata", "annotations"]) else { return false };
    for key in UNKNOWN {
        let key = format!("autoscaling.keda.sh/{key}");
        if let Some(value) = annotations.get(&key) {
            value.unsupported(&key, faults);
        }
    }
    let Some(field) = annotations.get("autoscaling.keda.sh/paused") else { return false };
    if !matches!(field.node.value, Value::Text(_)) {
        annotations.text("autoscaling.keda.sh/paused", faults);
    }
    matches!(&field.node.value, Value::Text(text) if pauses(text))
}
