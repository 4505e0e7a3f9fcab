//! Files that a replay plays: requests of a workload, recorded availability of a spot pool.

use crate::input::request_file::RequestFile;
use crate::input::{self, render};
use crate::plan::replay::ReplayInputs;
use crate::simulate::cluster::{OneMeans as Meaning, Trace};
use crate::simulate::traffic::{Recording, Request};
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a 1 means in a trace of availability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OneMeans {
    /// A node can be had
    Available,
    /// A node was taken back, or cannot be had
    Preempted,
    /// Lines are times in seconds and counts of nodes that ran
    Count,
}

/// A trace on disk, as the replay plays it.
#[derive(Clone, Debug)]
pub struct OnDisk(pub RequestFile);

impl Recording for OnDisk {
    fn open(&self) -> Box<dyn Iterator<Item = Request> + Send> {
        let length = |tokens: f64| tokens.round().clamp(0.0, 1e9) as u32;
        Box::new(self.0.open().map(move |r| Request {
            at_s: r.t_s,
            input_tokens: length(r.input_tokens),
            output_tokens: length(r.output_tokens),
            class: 0,
        }))
    }
}

/// `NAME=FILE`.
///
/// # Errors
/// Another form.
pub fn argument(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), PathBuf::from(file))),
        _ => Err(format!("`{text}` is not NAME=FILE")),
    }
}

/// Requests by workload.
///
/// # Errors
/// Every fault of every file, with its line, ready to print.
pub fn requests(named: &[(String, PathBuf)], inputs: &ReplayInputs) -> Result<BTreeMap<String, RequestFile>, Vec<String>> {
    let (mut traces, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, path) in named {
        let Some(service) = inputs.services.iter().find(|s| &s.name == name) else {
            let known: Vec<&str> = inputs.services.iter().map(|s| s.name.as_str()).collect();
            faults.push(format!("--trace {name}=..: the plan has no service `{name}`; it has {}", known.join(", ")));
            continue;
        };
        if traces.contains_key(name) {
            faults.push(format!("--trace {name}=..: given twice"));
            continue;
        }
        match input::requests(path) {
            Err(rejected) => faults.push(render::render(&rejected.diagnostics, &rejected.sources, render::Style::default())),
            Ok(trace) if service.tokens.is_some() && !trace.has_tokens => {
                faults.push(format!("`{}` has no columns `input_tokens` and `output_tokens`, which `{name}` needs", path.display()));
            }
            Ok(trace) => {
                traces.insert(name.clone(), trace);
            }
        }
    }
    if faults.is_empty() { Ok(traces) } else { Err(faults) }
}

/// Availability by pool.
///
/// # Errors
/// A file that cannot be read, or is none.
pub fn availability(named: &[(String, PathBuf)], one: Option<OneMeans>) -> Result<Vec<(String, Trace)>, Vec<String>> {
    let (mut traces, mut faults) = (Vec::new(), Vec::new());
    for (pool, path) in named {
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(fault) => {
                faults.push(format!("`{shown}`: {fault}"));
                continue;
            }
        };
        let trace = match one {
            Some(OneMeans::Available) | None => Trace::ticks(&text, Meaning::Available),
            Some(OneMeans::Preempted) => Trace::ticks(&text, Meaning::Preempted),
            Some(OneMeans::Count) => Trace::counts(&text, 1.0),
        };
        match trace {
            Ok(trace) => traces.push((pool.clone(), trace)),
            Err(fault) => faults.push(format!("`{shown}`: {fault}")),
        }
    }
    if faults.is_empty() { Ok(traces) } else { Err(faults) }
}
