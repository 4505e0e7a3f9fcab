//! Scalers whose value is the length of a queue: what one replica is meant to take, by KEDA's metadata.
//!
//! Source: KEDA `pkg/scalers/*_scaler.go`, names and defaults of the metadata. All of these are active strictly above the
//! activation. Kafka's scalers also cap the lag at partitions x target, which is not in the metadata and not done here.

use std::collections::BTreeMap;

/// Target and activation of a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Elements for each replica.
    pub per_replica: f64,
    /// Active strictly above this length.
    pub activation: f64,
}

/// Names of the metadata, and the defaults; `None`: required.
struct Names {
    scalers: &'static [&'static str],
    target: &'static str,
    default: Option<f64>,
    activation: &'static str,
    activation_default: f64,
}

const fn names(scalers: &'static [&'static str], (target, default): (&'static str, Option<f64>), activation: &'static str) -> Names {
    Names { scalers, target, default, activation, activation_default: 0.0 }
}

const NAMES: &[Names] = &[
    names(&["aws-sqs-queue"], ("queueLength", Some(5.0)), "activationQueueLength"),
    names(&["azure-queue"], ("queueLength", Some(5.0)), "activationQueueLength"),
    names(&["azure-servicebus"], ("messageCount", Some(5.0)), "activationMessageCount"),
    names(&["gcp-pubsub"], ("value", Some(10.0)), "activationValue"),
    names(&["gcp-cloudtasks"], ("value", Some(100.0)), "activationValue"),
    names(&["redis", "redis-cluster", "redis-sentinel"], ("listLength", Some(5.0)), "activationListLength"),
    names(&["kafka", "apache-kafka"], ("lagThreshold", Some(10.0)), "activationLagThreshold"),
    names(&["nats-jetstream", "stan"], ("lagThreshold", Some(10.0)), "activationLagThreshold"),
    names(&["pulsar"], ("msgBacklogThreshold", Some(10.0)), "activationMsgBacklogThreshold"),
    names(&["activemq"], ("targetQueueSize", Some(10.0)), "activationTargetQueueSize"),
    Names { activation_default: 10.0, ..names(&["artemis-queue"], ("queueLength", Some(10.0)), "activationQueueLength") },
    names(&["postgresql"], ("targetQueryValue", None), "activationTargetQueryValue"),
    names(&["mysql", "mongodb"], ("queryValue", None), "activationQueryValue"),
    names(&["mssql"], ("targetValue", None), "activationTargetValue"),
    names(&["metrics-api"], ("targetValue", None), "activationTargetValue"),
    names(&["etcd", "beanstalkd"], ("value", None), "activationValue"),
];

/// The target of a scaler; `None` where its value is not a queue's length, or its metadata lack the target.
#[must_use]
pub fn target(scaler: &str, metadata: &BTreeMap<String, String>) -> Option<Target> {
    let number = |name: &str| metadata.get(name).map(|text| text.trim().parse::<f64>().ok().filter(|n| n.is_finite()));
    if scaler == "rabbitmq" {
        // `queueLength` is the older form of mode `QueueLength`; the other modes read rates.
        let by_length = metadata.get("mode").is_some_and(|mode| mode == "QueueLength");
        let per_replica = match number("queueLength") {
            Some(length) => length?,
            None if by_length => number("value")??,
            None => return None,
        };
        return Some(Target { per_replica, activation: number("activationValue").unwrap_or(Some(0.0))? });
    }
    if scaler == "redis-streams" || scaler == "redis-cluster-streams" || scaler == "redis-sentinel-streams" {
        let name = ["lagCount", "pendingEntriesCount", "streamLength"].into_iter().find(|name| metadata.contains_key(*name));
        let per_replica = name.map_or(Some(Some(5.0)), number)??;
        return Some(Target { per_replica, activation: number("activationLagCount").unwrap_or(Some(0.0))? });
    }
    if scaler == "gcp-pubsub" && metadata.get("mode").is_some_and(|mode| mode != "SubscriptionSize") {
        return None;
    }
    let names = NAMES.iter().find(|names| names.scalers.contains(&scaler))?;
    let per_replica = number(names.target).unwrap_or(names.default)?;
    let activation = number(names.activation).unwrap_or(Some(names.activation_default))?;
    Some(Target { per_replica, activation })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scaler: &str, pairs: &[(&str, &str)]) -> Option<(f64, f64)> {
        let metadata = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        target(scaler, &metadata).map(|t| (t.per_replica, t.activation))
    }

    #[test]
    fn names_and_defaults_are_those_of_keda() {
        assert_eq!(of("aws-sqs-queue", &[]), Some((5.0, 0.0)));
        assert_eq!(of("aws-sqs-queue", &[("queueLength", "20"), ("activationQueueLength", "3")]), Some((20.0, 3.0)));
        assert_eq!(of("artemis-queue", &[]), Some((10.0, 10.0)));
        assert_eq!(of("rabbitmq", &[("mode", "QueueLength"), ("value", "1")]), Some((1.0, 0.0)));
        assert_eq!(of("rabbitmq", &[("queueLength", "7")]), Some((7.0, 0.0)));
        assert_eq!(of("redis-streams", &[("lagCount", "4")]), Some((4.0, 0.0)));
    }

    #[test]
    fn what_is_no_queue_has_no_target() {
        assert_eq!(of("rabbitmq", &[("mode", "MessageRate"), ("value", "1")]), None);
        assert_eq!(of("postgresql", &[]), None);
        assert_eq!(of("cpu", &[("value", "80")]), None);
        assert_eq!(of("aws-sqs-queue", &[("queueLength", "many")]), None);
    }
}
