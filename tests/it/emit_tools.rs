//! Emitted folders under the tools that will read them: Terraform, Kustomize, and a contract checker, each where it is installed.

#![expect(clippy::unwrap_used, reason = "test")]

use crate::bundle_fixture::bundled;
use crate::emit_fixture::{HOSTILE, aws, gke};
use gpuplan::cli::write::write_all;
use gpuplan::emit;
use gpuplan::plan::Plan;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

/// Runs a command; `None`, and a line that says so, where the program is not installed.
pub fn run(program: &str, arguments: &[&str], dir: &Path) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(dir).env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1");
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            let line = format!("skipped: `{program}` cannot be run here: {error}\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            None
        }
    }
}

pub fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Plans to try: AWS, GKE, AWS with hostile text where a user may write free text, and a shared server.
fn plans() -> Vec<Plan> {
    let mut hostile = aws();
    hostile.name = HOSTILE.into();
    for workload in &mut hostile.workloads {
        if let Some(service) = &mut workload.service {
            service.scaling.query = service.scaling.query.take().map(|_| HOSTILE.into());
        }
    }
    vec![aws(), gke(), hostile, bundled()]
}

fn written(plan: &Plan) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    write_all(&root.path().join("out"), &emit::artifacts(plan)).unwrap();
    root
}

#[test]
fn terraform_takes_the_values() {
    for plan in plans() {
        let root = written(&plan);
        let dir = root.path().join("out/terraform");
        let Some(init) = run("terraform", &["init", "-no-color", "-input=false"], &dir) else { return };
        succeeded(&init);
        succeeded(&run("terraform", &["validate", "-no-color"], &dir).unwrap());
        succeeded(&run("terraform", &["fmt", "-check", "-diff"], &dir).unwrap());
        succeeded(&run("terraform", &["apply", "-no-color", "-input=false", "-auto-approve"], &dir).unwrap());
        let outputs = succeeded(&run("terraform", &["output", "-json"], &dir).unwrap());
        let outputs: serde_json::Value = serde_json::from_str(&outputs).unwrap();
        let names: Vec<&String> = outputs["node_pools"]["value"].as_object().unwrap().keys().collect();
        assert_eq!(names.len(), plan.pools.len());
        for (name, workload) in outputs["workloads"]["value"].as_object().unwrap() {
            assert_eq!(workload["team"], HOSTILE, "{name}: free text is no template");
        }
        let second = run("terraform", &["plan", "-no-color", "-input=false", "-detailed-exitcode"], &dir).unwrap();
        assert_eq!(second.status.code(), Some(0), "a second plan changes nothing");
    }
}

#[test]
fn terraform_refuses_contradictions() {
    type Damage = fn(&mut Plan);
    let broken: [(&str, Damage); 4] = [
        ("min_nodes <= max_nodes", |plan| plan.pools[0].min_nodes = 99),
        ("capacity_type is", |plan| plan.pools[1].capacity_type = "lease".into()),
        ("needs an instance_type", |plan| plan.pools[1].instance_type = " ".into()),
        ("is no on-demand pool", |plan| plan.pools[2].spot.as_mut().unwrap().fallback_pool = Some("nowhere".into())),
    ];
    for (message, damage) in broken {
        let mut plan = aws();
        damage(&mut plan);
        let root = written(&plan);
        let dir = root.path().join("out/terraform");
        let Some(init) = run("terraform", &["init", "-no-color", "-input=false"], &dir) else { return };
        succeeded(&init);
        let output = run("terraform", &["plan", "-no-color", "-input=false"], &dir).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).replace("\n│ ", " ");
        assert!(!output.status.success() && said.contains(message), "{message}: {said}");
    }
}

#[test]
fn kustomize_builds_the_base() {
    for plan in plans() {
        let root = written(&plan);
        let Some(output) = run("kubectl", &["kustomize", "out/kubernetes"], root.path()) else { return };
        let built = succeeded(&output);
        let kept = match (plan.demo, plan.bundles.is_empty()) {
            (true, _) => "name: demo-chat-flex",
            (false, true) => "name: chat-flex",
            (false, false) => "name: vision-models-floor",
        };
        assert!(built.contains(kept));
    }
}

#[test]
fn other_readers_see_the_same_strings() {
    // What YAML 1.1 (Go, Python) or 1.2 readers might take for something else than a string, and what may break a block.
    let texts = [
        "true",
        "no",
        "On",
        "y",
        "012",
        "0o7",
        "1e3",
        "1e30",
        "0x1f",
        ".5",
        "+1",
        "null",
        "Null",
        "~",
        "12:30",
        "190:20:30",
        "2026-01-05",
        "2001-12-14t21:59:43.10-05:00",
        ".inf",
        ".NaN",
        "<<",
        "=",
        "-",
        "- x",
        "? x",
        "x: y",
        "x #y",
        " x",
        "x ",
        "*a",
        "&a",
        "!t",
        "%d",
        "@x",
        "`x",
        "1_000",
        "{}",
        "[]",
        "a\nb",
        "a\n",
        "\na",
        "  a\nb\n\n",
        "\ta",
        "a\r\nb",
        "\u{2028}",
        "\u{feff}a",
        "---",
        "...",
        "a\n---\nb",
        "é😀",
    ];
    let mut plan = aws();
    let template = plan.workloads.iter().find(|w| w.name == "embed").unwrap().clone();
    plan.windows.clear();
    plan.workloads = texts
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let mut workload = template.clone();
            workload.name = format!("w{i:02}");
            workload.kubernetes.image = (*text).to_owned();
            workload
        })
        .collect();
    let root = written(&plan);
    let Some(output) = run("kubectl", &["kustomize", "out/kubernetes"], root.path()) else { return };
    let built: Vec<serde_json::Value> = serde_saphyr::from_multiple(&succeeded(&output)).unwrap();
    for (i, text) in texts.iter().enumerate() {
        let deployment = built.iter().find(|d| d["metadata"]["name"] == format!("w{i:02}-floor")).unwrap();
        assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], *text);
    }
}

#[test]
fn kustomize_patches_the_users_deployment() {
    let root = written(&aws());
    let own = |name: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: search}}\nspec:\n  replicas: 9\n  \
             selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      \
             nodeSelector: {{node.kubernetes.io/instance-type: g5.xlarge}}\n      containers:\n        - {{name: mine, image: mine:1, \
             resources: {{limits: {{nvidia.com/gpu: 1}}}}}}\n"
        )
    };
    fs::write(root.path().join("floor.yaml"), own("search-api")).unwrap();
    fs::write(root.path().join("flex.yaml"), own("search-flex")).unwrap();
    let kustomization = "resources: [floor.yaml, flex.yaml]\ncomponents: [out/kubernetes/patches/search]\n";
    fs::write(root.path().join("kustomization.yaml"), kustomization).unwrap();
    let Some(output) = run("kubectl", &["kustomize", "."], root.path()) else { return };
    let built: Vec<serde_json::Value> = serde_saphyr::from_multiple(&succeeded(&output)).unwrap();
    let of = |name: &str| built.iter().find(|d| d["metadata"]["name"] == name).unwrap()["spec"].clone();
    let (floor, flex) = (of("search-api"), of("search-flex"));
    assert_eq!(floor["replicas"], 2);
    assert_eq!(floor["template"]["spec"]["nodeSelector"], serde_json::json!({"gpuplan.dev/pool": "l40s-od"}), "today's nodes are left");
    assert_eq!(floor["template"]["spec"]["containers"][0]["image"], "mine:1");
    assert_eq!(floor["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"], "2500m");
    assert_eq!(flex["template"]["spec"].get("nodeSelector"), None);
    assert!(flex["template"]["spec"]["affinity"]["nodeAffinity"].is_object());
}

/// `GPUPLAN_CONTRACTS` names a program that takes a folder and exits with 0 when every manifest keeps its contract.
#[test]
fn manifests_keep_their_contracts() {
    let Some(checker) = std::env::var_os("GPUPLAN_CONTRACTS") else { return };
    for plan in plans() {
        let root = written(&plan);
        let output = Command::new(&checker).arg(root.path()).output().unwrap();
        let said = succeeded(&output);
        assert!(said.contains(" 0 faults") && !said.contains("no contract here"), "{said}");
    }
}
