//! What KEDA's scalers are called and what they need. A replay evaluates `cron` and `prometheus`; of the others it keeps the metadata.

/// Every type that KEDA has a scaler for.
///
/// Source: github.com/kedacore/keda, `pkg/scaling/scalers_builder.go` and `scalers_registry.go`.
const KNOWN: &[&str] = &[
    "activemq",
    "apache-kafka",
    "arangodb",
    "artemis-queue",
    "aws-cloudwatch",
    "aws-dynamodb",
    "aws-dynamodb-streams",
    "aws-kinesis-stream",
    "aws-sqs-queue",
    "azure-app-insights",
    "azure-blob",
    "azure-data-explorer",
    "azure-eventhub",
    "azure-log-analytics",
    "azure-monitor",
    "azure-pipelines",
    "azure-queue",
    "azure-servicebus",
    "beanstalkd",
    "cassandra",
    "couchdb",
    "cpu",
    "cron",
    "datadog",
    "dynatrace",
    "elasticsearch",
    "etcd",
    "external",
    "external-push",
    "forgejo-runner",
    "gcp-cloudtasks",
    "gcp-pubsub",
    "gcp-stackdriver",
    "gcp-storage",
    "github-runner",
    "graphite",
    "huawei-cloudeye",
    "ibmmq",
    "influxdb",
    "kafka",
    "kubernetes-resource",
    "kubernetes-workload",
    "liiklus",
    "loki",
    "memory",
    "metrics-api",
    "mongodb",
    "mssql",
    "mysql",
    "nats-jetstream",
    "new-relic",
    "nsq",
    "openstack-metric",
    "openstack-swift",
    "postgresql",
    "predictkube",
    "prometheus",
    "pulsar",
    "rabbitmq",
    "redis",
    "redis-cluster",
    "redis-cluster-streams",
    "redis-sentinel",
    "redis-sentinel-streams",
    "redis-streams",
    "selenium-grid",
    "solace-direct-messaging",
    "solace-event-queue",
    "solarwinds",
    "solr",
    "splunk",
    "splunk-observability",
    "stan",
    "sumologic",
    "temporal",
];

/// Keys that a queue needs; of each row one.
///
/// Source: the scaler's page under keda.sh/docs/scalers.
const NEEDED: &[(&str, &[&[&str]])] = &[
    ("aws-sqs-queue", &[&["queueURL", "queueURLFromEnv"], &["awsRegion"]]),
    ("aws-kinesis-stream", &[&["streamName"], &["awsRegion"]]),
    ("azure-queue", &[&["queueName"]]),
    ("azure-servicebus", &[&["queueName", "topicName"]]),
    ("gcp-cloudtasks", &[&["queueName"], &["projectID"]]),
    ("gcp-pubsub", &[&["subscriptionName", "subscriptionNameFromEnv", "topicName", "topicNameFromEnv"]]),
    ("kafka", &[&["bootstrapServers", "bootstrapServersFromEnv"], &["consumerGroup", "consumerGroupFromEnv"]]),
    ("apache-kafka", &[&["bootstrapServers", "bootstrapServersFromEnv"], &["consumerGroup", "consumerGroupFromEnv"]]),
    ("nats-jetstream", &[&["natsServerMonitoringEndpoint"], &["stream"], &["consumer"]]),
    ("rabbitmq", &[&["queueName"], &["host", "hostFromEnv"]]),
    ("redis", &[&["listName"], &["address", "addressFromEnv", "host", "hostFromEnv"]]),
    ("redis-streams", &[&["stream"], &["address", "addressFromEnv", "host", "hostFromEnv"]]),
];

/// Metadata that is a target: a number above zero.
pub(super) const TARGETS: &[&str] =
    &["queueLength", "lagThreshold", "listLength", "messageCount", "subscriptionSize", "shardCount", "lagCount", "pendingEntriesCount"];

/// KEDA has a scaler of this type.
pub(super) fn is_known(scaler: &str) -> bool {
    KNOWN.contains(&scaler)
}

/// The nearest type, for a slip of the pen.
pub(super) fn nearest(scaler: &str) -> Option<&'static str> {
    let slips = |name: &str| {
        let common = name.chars().zip(scaler.chars()).take_while(|(a, b)| a == b).count();
        let tail = name.chars().rev().zip(scaler.chars().rev()).take_while(|(a, b)| a == b).count();
        let length = name.chars().count().max(scaler.chars().count());
        length.saturating_sub(common + tail)
    };
    KNOWN.iter().copied().filter(|name| slips(name) <= 2).min_by_key(|name| slips(name))
}

/// Rows of keys of which a queue has none.
pub(super) fn lacking(scaler: &str, has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let rows = NEEDED.iter().find(|(name, _)| *name == scaler).map_or(&[] as &[&[&str]], |(_, rows)| rows);
    rows.iter().filter(|row| !row.iter().any(|key| has(key))).filter_map(|row| row.first().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_known() {
        assert!(is_known("prometheus"));
        assert_eq!(nearest("promethues"), Some("prometheus"));
        assert_eq!(nearest("crn"), Some("cron"));
        assert_eq!(nearest("something-else"), None);
    }

    #[test]
    fn queues_need_their_address() {
        assert_eq!(lacking("aws-sqs-queue", |key| key == "queueURLFromEnv"), ["awsRegion"]);
        assert!(lacking("mysql", |_| false).is_empty());
    }
}
