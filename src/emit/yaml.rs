//! Manifests as YAML text.

use super::{Artifact, header, names};
use crate::plan::Plan;
use serde_json::{Map, Value, json};

/// Documents as YAML text, `---` between them. Ambiguous strings are quoted for YAML 1.1 readers as well as 1.2; long ones are not
/// folded, those of several lines stand in a block.
#[must_use]
pub fn text(documents: &[Value]) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let mut all = String::new();
    for (i, document) in documents.iter().enumerate() {
        if i > 0 {
            all.push_str("---\n");
        }
        // A JSON value always has a YAML form: maps with string keys, no NaN. JSON is YAML too, so it is the way out.
        let body = serde_saphyr::to_string_with_options(document, options.clone()).unwrap_or_else(|_| format!("{document}\n"));
        all.push_str(&body);
        if !body.ends_with('\n') {
            all.push('\n');
        }
    }
    all
}

/// A YAML file with the header.
#[must_use]
pub fn file(plan: &Plan, path: String, documents: &[Value]) -> Artifact {
    Artifact { path, contents: header::commented(plan, &text(documents)) }
}

/// `metadata` of an object: name, namespace, labels, and annotations that carry the mark.
#[must_use]
pub fn metadata(plan: &Plan, (name, namespace): (&str, Option<&str>), labels: Value) -> Value {
    let mut meta = Map::new();
    meta.insert("name".to_owned(), json!(name));
    if let Some(namespace) = namespace {
        meta.insert("namespace".to_owned(), json!(namespace));
    }
    meta.insert("labels".to_owned(), labels);
    meta.insert("annotations".to_owned(), annotations(plan));
    Value::Object(meta)
}

/// The mark as annotations.
fn annotations(plan: &Plan) -> Value {
    let mut marks = json!({
        "gpuplan.dev/scenario": header::scenario_prefix(plan),
        "gpuplan.dev/verification": plan.verification.mark(),
    });
    if plan.demo {
        marks["gpuplan.dev/demo"] = json!("the embedded demo, not your fleet");
    }
    marks
}

/// Labels of what belongs to no workload.
#[must_use]
pub fn plain_labels(plan: &Plan) -> Value {
    json!({"app.kubernetes.io/part-of": names::label(&plan.name), "app.kubernetes.io/managed-by": "gpuplan"})
}

/// Labels of a workload's object; `component` is `floor`, `flex`, `job` ...
#[must_use]
pub fn labels(plan: &Plan, workload: &str, component: &str) -> Value {
    json!({
        "app.kubernetes.io/name": names::label(workload),
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": names::label(&plan.name),
        "app.kubernetes.io/managed-by": "gpuplan",
    })
}
