//! What Prometheus knows of a service at a moment: series that vanish with their pods, or that a gateway keeps.

use crate::plan::replay::LoadMetric;
use crate::simulate::autoscaler::promql::{Query, Selection, Series, counted_over};
use crate::simulate::fleet::{Member, ServiceSetup};
use crate::simulate::station::{Load, Station};
use std::collections::{BTreeMap, VecDeque};

/// What a series counts, by the words in its name: engines export running and waiting requests apart, gateways all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Signal {
    Running,
    Waiting,
    All,
    /// Requests that came in the last so many seconds.
    Came(u32),
}

impl Signal {
    fn of(name: &str) -> Self {
        match counted_over(name) {
            Some(seconds) => Self::Came(seconds),
            None if name.contains("running") => Self::Running,
            None if name.contains("waiting") || name.contains("queue") => Self::Waiting,
            None => Self::All,
        }
    }
}

/// The series of a service.
#[derive(Clone, Debug, Default)]
pub struct Exposed {
    selections: Vec<(Selection, Signal)>,
    survives_pods: bool,
    /// Requests that had come by a second, the latest last.
    came: VecDeque<(i64, u64)>,
    longest_s: i64,
    /// Of each selection; empty where the service is its own.
    whose: Vec<Whose>,
}

/// What a selection of a shared server's metrics counts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whose {
    /// All requests: the server is not shared.
    All,
    /// Those of one member, seen by a gateway (true) or by the server.
    Member(usize, bool),
    /// Of every member a series of its own, with the name of its model as label.
    Each(Vec<String>),
}

/// Triton labels what it counts with the model; a gateway's series are those of the member whose own query selects them.
fn whose(selection: &Selection, setup: &ServiceSetup) -> Whose {
    if setup.members.is_empty() {
        return Whose::All;
    }
    if let Some(model) = selection.labels.get("model")
        && let Some(class) = setup.members.iter().position(|member| &member.model == model)
    {
        return Whose::Member(class, false);
    }
    let asks = |member: &Member| {
        let metric = member.inputs.metric.as_ref()?;
        let texts = std::iter::once(&metric.query).chain(&metric.activity_query);
        let mut own = texts.filter_map(|text| Query::parse(text).ok()).flat_map(|query| query.selections());
        own.any(|other| &other == selection).then_some(metric.survives_pods)
    };
    // What several members ask for is the server's.
    let mut askers = setup.members.iter().enumerate().filter_map(|(class, member)| Some((class, asks(member)?)));
    match (askers.next(), askers.next()) {
        (Some((class, survives)), None) => Whose::Member(class, survives),
        (Some(_), Some(_)) | (None, _) => Whose::Each(setup.members.iter().map(|member| member.model.clone()).collect()),
    }
}

impl Exposed {
    /// The series of a service, or of a shared server.
    #[must_use]
    pub fn of_service(setup: &ServiceSetup) -> Self {
        let mut exposed = Self::of(setup.inputs.metric.as_ref());
        for (selection, _) in &exposed.selections {
            exposed.whose.push(whose(selection, setup));
        }
        exposed
    }

    /// The series that the service's own queries select exist; no others do.
    #[must_use]
    pub fn of(metric: Option<&LoadMetric>) -> Self {
        let Some(metric) = metric else { return Self::default() };
        let mut exposed = Self { survives_pods: metric.survives_pods, ..Self::default() };
        for text in std::iter::once(&metric.query).chain(&metric.activity_query) {
            let found = Query::parse(text).map(|query| query.selections()).unwrap_or_default();
            exposed.selections.extend(found.into_iter().map(|selection| {
                let signal = Signal::of(&selection.name);
                (selection, signal)
            }));
        }
        exposed.selections.sort();
        exposed.selections.dedup();
        let windows =
            exposed.selections.iter().filter_map(|(_, signal)| if let Signal::Came(s) = signal { Some(i64::from(*s)) } else { None });
        exposed.longest_s = windows.max().unwrap_or(0);
        exposed
    }

    /// Takes down how many requests have come by now, for counters. Called whenever something is about to be read.
    pub fn scrape(&mut self, now: i64, came: u64) {
        if self.longest_s == 0 {
            return;
        }
        self.came.push_back((now, came));
        // One sample at or before the start of the longest window is kept.
        while self.came.get(1).is_some_and(|(at, _)| *at <= now - self.longest_s) {
            self.came.pop_front();
        }
    }

    fn came_within(&self, seconds: u32) -> u32 {
        let Some((now, all)) = self.came.back() else { return 0 };
        let before = self.came.iter().rev().find(|(at, _)| *at <= now - i64::from(seconds)).or(self.came.front());
        before.map_or(0, |(_, count)| u32::try_from(all - count).unwrap_or(u32::MAX))
    }

    /// Series with their values now. Those of pods exist for each pod that runs, with its name as label.
    #[must_use]
    pub fn series(&self, station: &Station) -> Vec<Series> {
        let one = |(selection, signal): &(Selection, Signal), pod: Option<u64>, (running, waiting): (u32, u32)| {
            let mut labels: BTreeMap<String, String> = selection.labels.clone();
            if let Some(pod) = pod {
                labels.entry("pod".to_owned()).or_insert_with(|| pod.to_string());
            }
            let value = match signal {
                Signal::Running => running,
                Signal::Waiting => waiting,
                Signal::All => running + waiting,
                Signal::Came(seconds) => self.came_within(*seconds),
            };
            Series { name: selection.name.clone(), labels, value: f64::from(value) }
        };
        if !self.whose.iter().all(|whose| *whose == Whose::All) {
            return self.of_members(station, one);
        }
        if self.survives_pods {
            let Load { running, waiting, held } = station.load();
            return self.selections.iter().map(|s| one(s, None, (running, waiting + held))).collect();
        }
        let pods: Vec<_> = station.replicas().collect();
        self.selections.iter().flat_map(|s| pods.iter().map(move |pod| one(s, Some(pod.id), (pod.running, pod.waiting)))).collect()
    }

    /// Series of a shared server, each once: two selections may choose the same.
    fn of_members(&self, station: &Station, one: impl Fn(&(Selection, Signal), Option<u64>, (u32, u32)) -> Series) -> Vec<Series> {
        let mut all: Vec<Series> = Vec::new();
        let mut add = |series: Series| {
            if !all.iter().any(|other| (&other.name, &other.labels) == (&series.name, &series.labels)) {
                all.push(series);
            }
        };
        for (selection, whose) in self.selections.iter().zip(&self.whose) {
            match whose {
                Whose::All => {}
                Whose::Member(class, true) => {
                    let Load { running, waiting, held } = station.load_of(*class);
                    add(one(selection, None, (running, waiting + held)));
                }
                Whose::Member(class, false) => {
                    station.replicas_of(*class).for_each(|pod| add(one(selection, Some(pod.id), (pod.running, pod.waiting))));
                }
                Whose::Each(models) => {
                    for (class, model) in models.iter().enumerate() {
                        for pod in station.replicas_of(class) {
                            let mut series = one(selection, Some(pod.id), (pod.running, pod.waiting));
                            series.labels.insert("model".to_owned(), model.clone());
                            add(series);
                        }
                    }
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ColdRequests, Routing};
    use crate::plan::SloPlan;
    use crate::plan::replay::{ServiceInputs, Spread, StartUp, Traffic};
    use crate::simulate::fleet::{LatencyModel, SharedModel};
    use crate::simulate::replica::{Host, Hosted, Law, Model, Work};
    use crate::simulate::station::{Class, NewReplica, Setup, fixtures};
    use crate::simulate::tally::{Limits, Tally};
    use crate::simulate::traffic::{Merged, Request, Source, Trace};
    use std::sync::Arc;

    fn inputs(name: &str, metric: Option<LoadMetric>) -> ServiceInputs {
        let spread = Spread { p50: 1.0, p95: 1.0 };
        ServiceInputs {
            name: name.to_owned(),
            namespace: "serving".to_owned(),
            time_zone: "UTC".to_owned(),
            traffic: Traffic { step_s: 3600, rate_rps: vec![1.0], cv2: vec![1.0], lengths: Vec::new() },
            tokens: None,
            slo: SloPlan { attainment: 0.99, ttft_ms: None, tpot_ms: None, latency_ms: None, planning_percentile: 0.995 },
            routing: "random".to_owned(),
            cold_requests: "reject".to_owned(),
            request_timeout_s: 60.0,
            metric,
            min_replicas: 1,
            polling_s: 15.0,
            stabilization_s: 300.0,
            start_up: StartUp { image_pull_s: spread, weights_load_s: spread, engine_start_s: spread },
            engines: Vec::new(),
            today: None,
            network: None,
        }
    }

    fn metric(query: &str, survives_pods: bool) -> LoadMetric {
        LoadMetric { query: query.to_owned(), survives_pods, activity_query: None }
    }

    /// Two models on one replica, two requests of the first in service and one of the second waiting behind them; one query for the
    /// model of the first, one for all models, one that a gateway answers for the second.
    #[test]
    fn a_shared_server_exposes_a_series_a_pod_and_model() {
        let query = "sum(nv_inference_pending_request_count{model=\"a\"}) + sum(nv_inference_pending_request_count) + sum(gateway_active)";
        let own = metric("sum(gateway_active)", true);
        let setup = ServiceSetup {
            inputs: inputs("server", Some(metric(query, false))),
            model: LatencyModel::Shared(SharedModel { models: Vec::new(), most: 2, interference: 1.0 }),
            routing: Routing::Random,
            cold: ColdRequests::Reject,
            start_up: crate::simulate::of_files::start_up(&inputs("server", None).start_up),
            parts: Vec::new(),
            way: None,
            members: vec![
                Member { inputs: inputs("first", None), model: "a".to_owned(), way: None },
                Member { inputs: inputs("second", Some(own)), model: "b".to_owned(), way: None },
            ],
        };
        let exposed = Exposed::of_service(&setup);
        let law = || Arc::new(Law::queue(1, Work::Constant(10.0), None));
        let hosted = || Hosted { law: law(), priority: 1, timeout_s: 60.0 };
        let mut station = Station::new(
            Setup {
                classes: vec![Class { cold: ColdRequests::Reject, timeout_s: 60.0 }; 2],
                ..fixtures::setup(Model::Shared(Arc::new(Host { models: vec![hosted(), hosted()], most: 2, interference: 1.0 })))
            },
            0.0,
        );
        let mut tally = Tally::shared(&[Limits::NONE, Limits::NONE]);
        station.add_replica(NewReplica { id: 7, model: 0, weight: 1.0 }, 0.0, &mut tally);
        let of = |at_s: &[f64]| {
            let requests = at_s.iter().map(|&at_s| Request { at_s, ..Request::default() });
            Source::Trace(Trace::new(requests.collect(), 0.0))
        };
        let mut source = Source::Merged(Merged::new(vec![of(&[1.0, 2.0]), of(&[3.0])]));
        station.advance(4.0, &mut source, &mut tally);
        let shown: Vec<String> = exposed
            .series(&station)
            .iter()
            .map(|s| {
                let label = |name: &str| s.labels.get(name).cloned().unwrap_or_default();
                format!("{} {}/{} {}", s.name, label("pod"), label("model"), s.value)
            })
            .collect();
        let expected = ["gateway_active / 1", "nv_inference_pending_request_count 7/a 2", "nv_inference_pending_request_count 7/b 1"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn counters_count_what_came_in_their_window() {
        let metric = LoadMetric {
            query: "sum(gateway_active{service=\"x\"})".to_owned(),
            survives_pods: true,
            activity_query: Some("sum(increase(gateway_requests_total{service=\"x\"}[2m]))".to_owned()),
        };
        let mut exposed = Exposed::of(Some(&metric));
        assert_eq!(exposed.longest_s, 120);
        for (now, came) in [(0, 0), (30, 1), (60, 1), (90, 4), (120, 4), (150, 4), (180, 4), (210, 4)] {
            exposed.scrape(now, came);
        }
        // At 210 the window begins at 90, when 4 had come.
        assert_eq!(exposed.came_within(120), 0);
        exposed.scrape(240, 5);
        assert_eq!(exposed.came_within(120), 1);
        assert!(exposed.came.len() <= 6);
    }
}
