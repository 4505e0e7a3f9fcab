//! A model's configuration in a shared server: what of it a replay follows, and what it refuses.
//!
//! Source of the fields: github.com/triton-inference-server/common, `protobuf/model_config.proto`.

use super::fault::Faults;
use super::folder::whole;
use super::text_format::{self, Item, Place, Value};
use super::types::{Origin, ServedModel};
use crate::emit::triton::EXECUTION;

/// Fields that change which requests are worked on when, in ways that a replay does not know.
const REFUSED: [&str; 4] = ["sequence_batching", "ensemble_scheduling", "response_cache", "batch_input"];
/// Fields of `dynamic_batching` that do.
const REFUSED_OF_BATCHING: [&str; 6] = [
    "priority_levels",
    "default_priority_level",
    "default_queue_policy",
    "priority_queue_policy",
    "preferred_batch_size",
    "preserve_ordering",
];

/// Messages with where they stand.
struct Desk<'a> {
    path: &'a str,
    owner: String,
    faults: &'a mut Faults,
}

impl Desk<'_> {
    fn fault(&mut self, place: Place, what: &str, help: &str) {
        let at = Origin { path: self.path.to_owned(), place: Some(place) };
        self.faults.push(at, format!("{what} of {}", self.owner), help);
    }

    fn unknown(&mut self, item: &Item) {
        let what = format!("`{}`", item.name);
        let help = "it changes scheduling in a way that a replay does not know: take it out";
        self.fault(item.place, &what, help);
    }

    /// A number of a field that stands once.
    fn number(&mut self, fields: &[Item], name: &str) -> Option<u32> {
        let mut all = fields.iter().filter(|item| item.name == name);
        let first = all.next()?;
        if let Some(second) = all.next() {
            self.fault(second.place, &format!("a second `{name}`"), "Triton refuses it: write it once");
        }
        let number = match &first.value {
            Value::Word(word) => word.parse::<u32>().ok(),
            Value::Text(_) | Value::Message(_) => None,
        };
        if number.is_none() {
            self.fault(first.place, &format!("`{name}`, which is no count,"), "write a whole number of 0 or more");
        }
        number
    }

    fn message<'i>(&mut self, item: &'i Item) -> &'i [Item] {
        match &item.value {
            Value::Message(fields) => fields,
            Value::Text(_) | Value::Word(_) => {
                self.fault(item.place, &format!("`{}`, which is no message,", item.name), "write its fields in braces");
                &[]
            }
        }
    }
}

/// Reads one.
pub(super) fn read((path, text): (&str, &str), model: &str, faults: &mut Faults) -> Option<ServedModel> {
    let fields = match text_format::read(text) {
        Ok(fields) => fields,
        Err(fault) => {
            let at = Origin { path: path.to_owned(), place: Some(fault.place) };
            faults.lose(at, fault.what, "mend the text, or let `gpuplan optimize` write it anew");
            return None;
        }
    };
    let mut desk = Desk { path, owner: format!("the configuration of `{model}`"), faults };
    for item in fields.iter().filter(|item| REFUSED.contains(&item.name.as_str())) {
        desk.unknown(item);
    }
    for item in fields.iter().filter(|item| item.name == "name" && item.value != Value::Text(model.to_owned())) {
        desk.fault(item.place, "another name than that of its folder: the `name`", "write the name of the model");
    }
    let max_batch_size = desk.number(&fields, "max_batch_size").unwrap_or(0);
    let mut delay_us = 0;
    for item in fields.iter().filter(|item| item.name == "dynamic_batching") {
        let batching = desk.message(item);
        batching.iter().filter(|inner| REFUSED_OF_BATCHING.contains(&inner.name.as_str())).for_each(|inner| desk.unknown(inner));
        delay_us = desk.number(batching, "max_queue_delay_microseconds").unwrap_or(0);
    }
    let groups: Vec<Group> = fields.iter().filter(|item| item.name == "instance_group").filter_map(|item| group(item, &mut desk)).collect();
    if groups.is_empty() {
        faults.note(whole(path), "names no instances: Triton makes one on each GPU");
    }
    let priorities: Vec<u32> = groups.iter().map(|group| group.priority).collect();
    let priority = priorities.first().copied().unwrap_or(1);
    if priorities.iter().any(|other| *other != priority) {
        let help = "give all groups of a model one priority: a replay knows one a model";
        faults.push(whole(path), format!("`instance_group` of the configuration of `{model}` has several priorities"), help);
    }
    let instances = if groups.is_empty() { 1 } else { groups.iter().map(|group| group.count).sum() };
    Some(ServedModel { name: model.to_owned(), instances, max_batch_size, max_queue_delay_us: delay_us, priority })
}

/// Instances of one kind.
struct Group {
    count: u32,
    priority: u32,
}

fn group(item: &Item, desk: &mut Desk<'_>) -> Option<Group> {
    let fields = desk.message(item);
    for inner in fields {
        let on_gpu = ["KIND_GPU", "KIND_AUTO", "0", "1"];
        match (inner.name.as_str(), &inner.value) {
            ("kind", Value::Word(kind)) if !on_gpu.contains(&kind.as_str()) => {
                desk.fault(inner.place, &format!("`{kind}`, which does not run on the GPU,"), "write `KIND_GPU`");
            }
            ("gpus", Value::Word(gpu)) if gpu != "0" => {
                desk.fault(inner.place, &format!("GPU {gpu}, which a replica does not have,"), "write `gpus: 0`");
            }
            ("passive" | "secondary_devices" | "profile", _) => desk.unknown(inner),
            _ => {}
        }
    }
    let count = desk.number(fields, "count").unwrap_or(1);
    if count == 0 {
        desk.fault(item.place, "an `instance_group` without instances", "write a `count` of 1 or more, or take the group out");
        return None;
    }
    let mut priority = 1;
    for limiter in fields.iter().filter(|inner| inner.name == "rate_limiter") {
        let limiter = desk.message(limiter);
        // Triton takes 0 for 1.
        priority = desk.number(limiter, "priority").unwrap_or(1).max(1);
        for resource in limiter.iter().filter(|inner| inner.name == "resources") {
            let about = desk.message(resource);
            let ours = about.iter().any(|inner| inner.name == "name" && inner.value == Value::Text(EXECUTION.to_owned()));
            let global = about.iter().any(|inner| inner.name == "global" && inner.value != Value::Word("false".to_owned()));
            if !ours || global || desk.number(about, "count") != Some(1) {
                desk.fault(
                    resource.place,
                    "a resource that is not one `execution`",
                    "each instance takes one `execution` in a replay: write `name: \"execution\"` and `count: 1`",
                );
            }
        }
    }
    Some(Group { count, priority })
}
