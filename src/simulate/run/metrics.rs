//! What Prometheus knows of a service at a moment: series that vanish with their pods, or that a gateway keeps.

use crate::plan::replay::LoadMetric;
use crate::simulate::autoscaler::promql::{Query, Selection, Series};
use crate::simulate::station::{Load, Station};
use std::collections::BTreeMap;

/// What a series counts, by the words in its name: engines export running and waiting requests apart, gateways all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Running,
    Waiting,
    All,
}

/// The series of a service.
#[derive(Clone, Debug, Default)]
pub struct Exposed {
    selections: Vec<(Selection, Signal)>,
    survives_pods: bool,
}

impl Exposed {
    /// The series that the service's own query selects exist; no others do.
    #[must_use]
    pub fn of(metric: Option<&LoadMetric>) -> Self {
        let Some(metric) = metric else { return Self::default() };
        let Ok(query) = Query::parse(&metric.query) else { return Self::default() };
        let signal = |name: &str| {
            if name.contains("running") {
                Signal::Running
            } else if name.contains("waiting") || name.contains("queue") {
                Signal::Waiting
            } else {
                Signal::All
            }
        };
        let selections = query.selections().into_iter().map(|s| {
            let signal = signal(&s.name);
            (s, signal)
        });
        Self { selections: selections.collect(), survives_pods: metric.survives_pods }
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
            };
            Series { name: selection.name.clone(), labels, value: f64::from(value) }
        };
        if self.survives_pods {
            let Load { running, waiting, held } = station.load();
            return self.selections.iter().map(|s| one(s, None, (running, waiting + held))).collect();
        }
        let pods: Vec<_> = station.replicas().collect();
        self.selections.iter().flat_map(|s| pods.iter().map(move |pod| one(s, Some(pod.id), (pod.running, pod.waiting)))).collect()
    }
}
