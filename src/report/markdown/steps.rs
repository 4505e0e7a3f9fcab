//! What to do, in which order, each step with a check and a way back.

use crate::plan::{NodeGroupCost, NodePool, Plan, WorkloadPlan};
use crate::report::facts;
use crate::report::markdown::table::{Column, table};
use crate::report::quota::{self, Need};
use crate::report::text::{code, count, listed, md, plural, shell_word};
use std::collections::BTreeSet;

/// Quota to ask for before anything else: grants take days.
pub fn quotas(plan: &Plan) -> String {
    let more: Vec<Need> = quota::needs(plan).into_iter().filter(Need::is_more).collect();
    let mut out = String::from("## Quota requests to file first\n\n");
    if more.is_empty() {
        out.push_str("None: no quota is needed beyond what today's machines hold.\n");
        return out;
    }
    let rows = more
        .iter()
        .map(|n| {
            let today = md(&n.today_text());
            vec![md(&n.place), md(&n.quota), n.unit.to_owned(), count(n.plan), today, count(n.while_moving())]
        })
        .collect();
    let columns = [
        Column::Text("where"),
        Column::Text("quota"),
        Column::Text("counts"),
        Column::Number("plan needs"),
        Column::Number("runs today"),
        Column::Number("while both run"),
    ];
    out.push_str(
        "The plan does not know which limits are granted. File a request for each line whose limit is below *while both run* (or below \
         *plan needs*, if old nodes go before new ones come). *Plan needs* is every pool at its limit, fallback for lost spot included.\n\n",
    );
    out.push_str(&table(&columns, rows));
    if more.iter().any(|n| !n.today_unknown.is_empty()) {
        out.push_str("\nToday's machines of types that the plan does not use are given in machines; add their size to *while both run*.\n");
    }
    out
}

/// One step.
struct Step {
    title: String,
    what: String,
    commands: Vec<String>,
    check: String,
    back: String,
}

/// All steps that this plan needs.
pub fn ordered(plan: &Plan) -> String {
    let mut steps = vec![review()];
    if quota::needs(plan).iter().any(Need::is_more) {
        steps.push(file_quotas());
    }
    steps.extend([keep_today(plan), terraform(plan), kubernetes(plan), watch(plan)]);
    let gone = node_groups_that_shrink(plan);
    if !gone.is_empty() {
        steps.push(remove_old(&gone));
    }
    let mut out = String::from(
        "## What to do, in this order\n\nEach step can be checked before the next and taken back. Commands run in the folder of this \
         report.\n",
    );
    for (i, step) in steps.iter().enumerate() {
        out.push_str(&render(i + 1, step));
    }
    out
}

fn render(number: usize, step: &Step) -> String {
    let Step { title, what, commands, check, back } = step;
    let commands = if commands.is_empty() { String::new() } else { format!("```sh\n{}\n```\n\n", commands.join("\n")) };
    format!("\n### {number}. {title}\n\n{what}\n\n{commands}- **Check:** {check}\n- **Way back:** {back}\n")
}

fn review() -> Step {
    Step {
        title: "Review".to_owned(),
        what: "Read *What is not modelled* and the evidence. Measure what is `estimated` before it carries traffic.".to_owned(),
        commands: Vec::new(),
        check: "`gpuplan check` finds no fault in `plan.json` against the scenario it came from.".to_owned(),
        back: "nothing has changed yet.".to_owned(),
    }
}

fn file_quotas() -> Step {
    Step {
        title: "File the quota requests".to_owned(),
        what: "The lines of the table above. Wait for the grants: a pool without quota stays empty and its replicas stay pending."
            .to_owned(),
        commands: Vec::new(),
        check: "the cloud's console shows each limit at or above the number asked for.".to_owned(),
        back: "nothing to take back; a granted quota costs nothing.".to_owned(),
    }
}

/// Namespaces of workloads that change.
fn namespaces(plan: &Plan) -> BTreeSet<&str> {
    plan.workloads.iter().filter(|w| !w.change.unchanged).map(|w| w.kubernetes.namespace.as_str()).collect()
}

/// Kinds that the files of the plan create or patch.
const KINDS: &str = "deployments,horizontalpodautoscalers,scaledobjects,scaledjobs,cronjobs,jobs,poddisruptionbudgets";

fn keep_today(plan: &Plan) -> Step {
    let commands = std::iter::once("mkdir -p before".to_owned()).chain(namespaces(plan).into_iter().map(|ns| {
        let file = shell_word(&format!("before/{ns}.yaml"));
        format!("kubectl get {KINDS} --namespace {} --output yaml > {file}", shell_word(ns))
    }));
    Step {
        title: "Keep today's state".to_owned(),
        what: "What the cluster runs now, for the way back of the later steps. Tag the commit of your Terraform variables, too.".to_owned(),
        commands: commands.collect(),
        check: "each file in `before/` lists the Deployments you expect.".to_owned(),
        back: "nothing has changed yet.".to_owned(),
    }
}

fn terraform(plan: &Plan) -> Step {
    let pools = plural(plan.pools.len(), "pool");
    let see = match plan.provenance.node_autoscaler.as_str() {
        "karpenter" => "`kubectl get nodepools` lists each of them as ready",
        "gke" => "`gcloud container node-pools list` lists each of them",
        "aks" => "`az aks nodepool list` lists each of them",
        _ => "the node autoscaler lists each of them",
    };
    Step {
        title: "Create the node pools".to_owned(),
        what: format!("Terraform sets {pools}, their limits and their floors. Nodes come when pods ask for them; nothing moves yet."),
        commands: vec![
            "terraform -chdir=terraform init".to_owned(),
            "terraform -chdir=terraform plan -out=gpuplan.tfplan".to_owned(),
            "terraform -chdir=terraform apply gpuplan.tfplan".to_owned(),
        ],
        check: format!("the Terraform plan adds pools and destroys none; after it {see}, and a second `terraform plan` is empty."),
        back: "apply the tagged variables again; pools without pods hold no nodes beyond their floors.".to_owned(),
    }
}

/// Workloads that change, those with least to lose first: jobs, then services without spot and sleep, then the rest.
fn moving_order(plan: &Plan) -> Vec<&WorkloadPlan> {
    let risk = |w: &WorkloadPlan| {
        let sleeps = w.service.as_ref().is_some_and(|s| s.scaling.scale_to_zero);
        let spot = facts::spot_share(plan, w).is_some_and(|s| s > 0.0);
        match (&w.job, spot || sleeps) {
            (Some(_), _) => 0,
            (None, false) => 1,
            (None, true) => 2,
        }
    };
    let mut order: Vec<&WorkloadPlan> = plan.workloads.iter().filter(|w| !w.change.unchanged).collect();
    order.sort_by_key(|w| risk(w));
    order
}

fn kubernetes(plan: &Plan) -> Step {
    let order: Vec<String> = moving_order(plan).iter().map(|w| md(&w.name)).collect();
    let mut commands = vec!["kubectl diff -k kubernetes".to_owned(), "kubectl apply -k kubernetes".to_owned()];
    commands.extend(namespaces(plan).into_iter().map(|ns| {
        let ns = shell_word(ns);
        format!("kubectl get deployments,scaledobjects,scaledjobs --namespace {ns}")
    }));
    let back = namespaces(plan).into_iter().map(|ns| code(&format!("kubectl apply -f {}", shell_word(&format!("before/{ns}.yaml")))));
    let back: Vec<String> = std::iter::once("`kubectl delete -k kubernetes`".to_owned()).chain(back).collect();
    Step {
        title: "Move the workloads".to_owned(),
        what: format!(
            "All at once as below, or one after the other by the entries of `kubernetes/kustomization.yaml`, least to lose first: {}. \
             Where the plan patches a Deployment of yours, remove its own autoscaler first: two scalers on one Deployment fight.",
            listed(&order)
        ),
        commands,
        check: "every ScaledObject is ready, no pod is pending for longer than a node and a replica need to start, and error rate and \
                latency are as before."
            .to_owned(),
        back: format!("{}; today's nodes are still there.", listed(&back)),
    }
}

fn watch(plan: &Plan) -> Step {
    let spot = plan.pools.iter().any(|p| p.spot.is_some());
    let spot = if spot { " Compare reclaims with the rates in *When a pool is lost*." } else { "" };
    Step {
        title: "Watch one whole week".to_owned(),
        what: format!(
            "Every window opens and closes once in a week, the weekend's included. Compare replicas with *The week*, the share of good \
             requests with *Error budgets*, and the bill with *By pool*.{spot}"
        ),
        commands: vec![
            "kubectl get events --all-namespaces --field-selector reason=FailedScheduling".to_owned(),
            format!("kubectl get nodes --label-columns {POOL_LABEL},node.kubernetes.io/instance-type"),
        ],
        check: "each service kept its objective over the week, and node-hours are within a tenth of the plan's.".to_owned(),
        back: "as in the step before.".to_owned(),
    }
}

/// The node label that carries the pool's name in the emitted files.
const POOL_LABEL: &str = "gpuplan.dev/pool";

/// Node groups of today that hold more than the plan needs of their kind, and what it still needs.
fn node_groups_that_shrink(plan: &Plan) -> Vec<(&NodeGroupCost, f64)> {
    let same =
        |p: &NodePool, g: &NodeGroupCost| p.instance_type == g.instance_type && p.region == g.region && p.capacity_type == g.capacity_type;
    let stays = |g: &NodeGroupCost| {
        // A frozen workload stays where it is, and so do its nodes.
        let frozen = plan.workloads.iter().any(|w| w.mode == "frozen" && g.workloads.contains(&w.name));
        if frozen { g.nodes } else { plan.pools.iter().filter(|p| same(p, g)).map(|p| f64::from(p.max_nodes)).sum::<f64>().min(g.nodes) }
    };
    plan.baseline.node_groups.iter().map(|g| (g, stays(g))).filter(|(g, keeps)| g.nodes - keeps > 1e-9).collect()
}

fn remove_old(gone: &[(&NodeGroupCost, f64)]) -> Step {
    let rows = gone
        .iter()
        .map(|(g, keeps)| {
            let machine = format!("{} {}", md(&g.instance_type), md(&g.capacity_type));
            vec![md(&g.name), md(&g.region), machine, count(g.nodes), count(*keeps)]
        })
        .collect();
    let columns = [
        Column::Text("node group"),
        Column::Text("region"),
        Column::Text("machine"),
        Column::Number("nodes today"),
        Column::Number("of this kind in the plan, at most"),
    ];
    Step {
        title: "Remove the old nodes".to_owned(),
        what: format!(
            "Only now does the bill fall. Cordon and drain one node at a time, set each group's size down, and keep the empty group's \
             definition for two more weeks. What the plan still needs of a kind comes from its own pools.\n\n{}",
            table(&columns, rows)
        ),
        commands: vec!["kubectl cordon NODE".to_owned(), "kubectl drain NODE --ignore-daemonsets --delete-emptydir-data".to_owned()],
        check: "the nodes are gone from `kubectl get nodes` and from the cloud's console; the next day's bill shows it.".to_owned(),
        back: "set the group's size back to *nodes today*; `kubectl uncordon NODE` for a node that is still there.".to_owned(),
    }
}
