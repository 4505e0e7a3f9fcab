//! How a service may scale, with the defaults of every setting.

use super::values::{between, count, one_line, optional};
use crate::domain::{ColdRequests, Metrics, Mode, NodeAutoscaler, Profile, Routing, Scaling};
use crate::input::at::{At, Span};
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::workload_file::{ColdRequestsFile, MetricsFile, ModeFile, RoutingFile, ScalingFile};
use crate::units::Seconds;

/// What the owner allows. `file` may be missing: all defaults.
pub fn scaling(file: Option<&At<ScalingFile>>, faults: &mut Faults) -> Scaling {
    let given = file.map(|file| &file.value);
    let metrics = given.and_then(|file| file.metrics.as_ref()).map(|given| metrics(given, faults));
    let mut seconds =
        |given: Option<&At<f64>>, key, default: f64| Seconds(optional(faults, given, between(key, 0.0, 86_400.0)).unwrap_or(default));
    let cooldown = seconds(given.and_then(|f| f.cooldown_s.as_ref()), "cooldown_s", 300.0);
    let polling = seconds(given.and_then(|f| f.polling_s.as_ref()), "polling_s", 30.0);
    let stabilization = seconds(given.and_then(|f| f.stabilization_s.as_ref()), "stabilization_s", 300.0);
    let request_timeout = seconds(given.and_then(|f| f.request_timeout_s.as_ref()), "request_timeout_s", 60.0);
    let mut number = |given: Option<&At<u32>>, rule: (&'static str, u32)| given.map(|given| count(faults, given, rule));
    let max_windows = number(given.and_then(|f| f.max_windows.as_ref()), ("max_windows", 1)).unwrap_or(4);
    let min_replicas = number(given.and_then(|f| f.min_replicas.as_ref()), ("min_replicas", 1)).unwrap_or(1);
    let max_replicas = number(given.and_then(|f| f.max_replicas.as_ref()), ("max_replicas", 1));
    if let Some(most) = given.and_then(|f| f.max_replicas.as_ref()).filter(|most| most.value < min_replicas) {
        let message = format!("`max_replicas` {} is below `min_replicas` {min_replicas}", most.value);
        faults.error(codes::OUT_OF_RANGE, most.span, message);
    }
    Scaling {
        modes: modes(given.and_then(|f| f.modes.as_ref()), metrics.is_some(), faults),
        max_windows: max_windows.min(168),
        min_replicas,
        max_replicas,
        scale_to_zero: given.and_then(|f| f.scale_to_zero.as_ref()).is_some_and(|given| given.value),
        cooldown,
        polling,
        stabilization,
        metrics,
        routing: match given.and_then(|f| f.routing) {
            Some(RoutingFile::LeastLoaded) => Routing::LeastLoaded,
            Some(RoutingFile::Random) | None => Routing::Random,
        },
        cold_requests: match given.and_then(|f| f.cold_requests.as_ref()).map(|given| given.value) {
            Some(ColdRequestsFile::Hold) => ColdRequests::Hold,
            Some(ColdRequestsFile::Fallback) => ColdRequests::Fallback,
            Some(ColdRequestsFile::Reject) | None => ColdRequests::Reject,
        },
        request_timeout,
    }
}

fn modes(given: Option<&At<Vec<ModeFile>>>, has_metrics: bool, faults: &mut Faults) -> Vec<Mode> {
    let Some(given) = given else {
        let mut all = vec![Mode::Static, Mode::Scheduled];
        if has_metrics {
            all.push(Mode::Reactive);
        }
        return all;
    };
    if given.is_empty() {
        faults.error(codes::NO_MODE, given.span, "`modes` is empty").help("list at least one of `static`, `scheduled`, `reactive`");
    }
    if given.contains(&ModeFile::Reactive) && !has_metrics {
        faults
            .error(codes::REACTIVE_WITHOUT_METRICS, given.span, "mode `reactive` needs a metric to scale on")
            .help("add `metrics: {server: .., query: ..}`, or leave `reactive` out");
    }
    let mut modes: Vec<Mode> = given
        .iter()
        .map(|mode| match mode {
            ModeFile::Static => Mode::Static,
            ModeFile::Scheduled => Mode::Scheduled,
            ModeFile::Reactive => Mode::Reactive,
        })
        .collect();
    modes.sort_unstable();
    modes.dedup();
    modes
}

fn metrics(file: &At<MetricsFile>, faults: &mut Faults) -> Metrics {
    let server = &file.server;
    let sound = (server.starts_with("http://") || server.starts_with("https://"))
        && server.len() <= 255
        && !server.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '$' | '{' | '}' | '`'));
    if !sound {
        faults
            .error(codes::BAD_TEXT, server.span, "`server` is no address of a Prometheus server")
            .help("for example `http://prometheus.monitoring.svc:9090`");
    }
    if file.query.trim().is_empty() {
        faults.error(codes::BAD_TEXT, file.query.span, "`query` is empty");
    }
    one_line(faults, file.query.trim(), ("query", file.query.span));
    if let Some(activity) = &file.activity_query {
        if activity.trim().is_empty() {
            faults.error(codes::BAD_TEXT, activity.span, "`activity_query` is empty");
        }
        one_line(faults, activity.trim(), ("activity_query", activity.span));
    }
    Metrics {
        server: server.value.clone(),
        query: file.query.trim().to_owned(),
        survives_pods: file.survives_pods,
        activity_query: file.activity_query.as_ref().map(|query| query.trim().to_owned()),
    }
}

/// What zero replicas need: a metric that wakes them, and callers that wait long enough if requests are held.
pub fn zero(file: &At<ScalingFile>, scaling: &Scaling, (profile, nodes): (Option<&Profile>, &NodeAutoscaler), faults: &mut Faults) {
    if !scaling.scale_to_zero {
        return;
    }
    let at: Span = file.scale_to_zero.as_ref().map_or(file.span, |given| given.span);
    if !scaling.metrics.as_ref().is_some_and(|metrics| metrics.survives_pods) {
        faults
            .error(codes::NOTHING_WAKES_IT, at, "at zero replicas no metric is left that could wake this service")
            .help("give `metrics` that exist without its pods (gateway, interceptor, broker) and say `survives_pods: true`");
    }
    let unseen = scaling.cold_requests != ColdRequests::Hold && scaling.metrics.as_ref().is_some_and(|m| m.activity_query.is_none());
    if unseen && scaling.metrics.as_ref().is_some_and(|metrics| metrics.survives_pods) {
        faults
            .warning(codes::WAKES_BY_CHANCE, at, "a request that is turned away is in flight for a moment only: a gauge sees it by chance")
            .help("add `activity_query`, for example `sum(increase(gateway_requests_total{service=\"x\"}[2m]))`, or hold cold requests");
    }
    let Some(profile) = profile.filter(|_| scaling.cold_requests == ColdRequests::Hold) else { return };
    let wait = nodes.provision_p95.0 + profile.cold_start.p95().0;
    if wait > scaling.request_timeout.0 {
        let at = file.cold_requests.as_ref().map_or(at, |given| given.span);
        let message = format!("held requests wait {wait:.0} s at p95 and time out after {:.0} s", scaling.request_timeout.0);
        faults
            .error(codes::HOLD_TOO_LONG, at, message)
            .label(format!("{:.0} s for a node and {:.0} s for the replica", nodes.provision_p95.0, profile.cold_start.p95().0))
            .help("use `cold_requests: reject` or `fallback`, or raise every timeout on the way and `request_timeout_s`");
    }
}
