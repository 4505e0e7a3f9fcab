//! What to do, in which order, each step with a check and a way back.

use crate::plan::{Bundle, NodeGroupCost, NodePool, Plan, WorkloadPlan};
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
            vec![md(&n.place), md(&n.quota), n.unit.to_owned(), count(n.plan), today, md(&n.while_moving_text())]
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
         *plan needs*, if old nodes go before new ones come). *Plan needs* is every pool at its limit, fallback for lost spot included. \
         Quotas that are not listed are enough once the old nodes are gone.\n\n",
    );
    out.push_str(&table(&columns, rows));
    if more.iter().any(|n| !n.today_unknown.is_empty()) {
        out.push_str("\nToday's machines of types that the plan does not use are counted in machines: their size is not in the plan.\n");
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
    let mut steps = vec![review(plan)];
    if quota::needs(plan).iter().any(Need::is_more) {
        steps.push(file_quotas());
    }
    steps.extend([keep_today(plan), node_pools(plan)]);
    steps.extend(repositories(plan));
    steps.extend([kubernetes(plan), watch(plan)]);
    let old = replaced(plan);
    if !old.is_empty() {
        steps.push(remove_old(plan, &old));
    }
    let mut out = String::from(
        "## What to do, in this order\n\nEach step can be checked before the next and taken back. Commands run in the folder of this \
         report; keep files of your own out of it, or the next run refuses to replace it.\n",
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

fn review(plan: &Plan) -> Step {
    let nodes = match plan.provenance.node_autoscaler.as_str() {
        "karpenter" => ", Karpenter v1",
        _ => "",
    };
    Step {
        title: "Review".to_owned(),
        what: format!(
            "Read *What is not modelled* and *Evidence*; measure what is `estimated` before it carries traffic. The files need Kubernetes \
             1.31, KEDA 2.17{nodes} and Terraform 1.6, or newer."
        ),
        commands: vec!["kubectl version".to_owned(), "kubectl get crd scaledobjects.keda.sh scaledjobs.keda.sh".to_owned()],
        check: "`gpuplan check` finds no fault in `plan.json` against the scenario it came from; the versions are there.".to_owned(),
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
    let commands = std::iter::once("mkdir -p ../before".to_owned()).chain(namespaces(plan).into_iter().map(|ns| {
        let file = shell_word(&format!("../before/{ns}.yaml"));
        format!("kubectl get {KINDS} --namespace {} --output yaml > {file}", shell_word(ns))
    }));
    Step {
        title: "Keep today's state".to_owned(),
        what: "What the cluster runs now, to compare with if you go back. Tag the commits of your own manifests and Terraform variables, too: \
               they are what you go back to.".to_owned(),
        commands: commands.collect(),
        check: "each file in `../before/` lists the Deployments you expect.".to_owned(),
        back: "nothing has changed yet.".to_owned(),
    }
}

/// Models of shared servers come from volumes of the user's.
fn repositories(plan: &Plan) -> Option<Step> {
    let first = plan.bundles.first()?;
    let names = |bundle: &Bundle| {
        let models: Vec<&str> = bundle.members.iter().map(|member| member.model.as_str()).collect();
        format!("{} ({})", code(&format!("{}-repository", bundle.host.name)), md(&models.join(", ")))
    };
    let look = |bundle: &Bundle| {
        let claim = shell_word(&format!("{}-repository", bundle.host.name));
        format!("kubectl get persistentvolumeclaim {claim} --namespace {}", shell_word(&bundle.host.kubernetes.namespace))
    };
    Some(Step {
        title: "Put the models where their servers find them".to_owned(),
        what: format!(
            "A PersistentVolumeClaim for each shared server, with a folder for each of its models as in any Triton repository: {}. Your own \
             `config.pbtxt` of a model stays, without `instance_group`, `dynamic_batching` and `max_batch_size`, which are the plan's.",
            plan.bundles.iter().map(names).collect::<Vec<_>>().join("; ")
        ),
        commands: plan.bundles.iter().map(look).collect(),
        check: format!(
            "each claim is `Bound`, and every replica may mount it: `ReadOnlyMany` or `ReadWriteMany`. Without it the pods of {} stay pending.",
            code(&first.host.name)
        ),
        back: "the volumes are read only; nothing that runs uses them.".to_owned(),
    })
}

/// Karpenter makes nodes from objects of the cluster; elsewhere the pools come from the user's own Terraform.
fn node_pools(plan: &Plan) -> Step {
    let pools = plural(plan.pools.len(), "pool");
    let title = "Create the node pools".to_owned();
    if plan.provenance.node_autoscaler == "karpenter" {
        return Step {
            title,
            what: format!(
                "Karpenter makes nodes for {pools} from objects of the cluster. Its EC2NodeClass needs your cluster's role, subnets and \
                 security groups: write a Kustomize overlay of `kubernetes/`, outside this folder, as `kubernetes/README.md` shows; its path \
                 is `OVERLAY` below. The first apply takes the pools alone, which carry no name of a workload. `terraform/` has the same \
                 pools and limits as values for your own modules, quotas and budgets; it creates nothing. Nodes come when pods ask for them; \
                 nothing moves yet."
            ),
            commands: vec![
                "kubectl kustomize OVERLAY".to_owned(),
                "kubectl apply --server-side -k OVERLAY --selector '!app.kubernetes.io/name'".to_owned(),
            ],
            check: "`kubectl get nodepools` lists each of them as ready, and no node of today has gone.".to_owned(),
            back: "`kubectl delete nodepools --selector app.kubernetes.io/managed-by=gpuplan`: pools without pods hold no nodes."
                .to_owned(),
        };
    }
    let list = match plan.provenance.node_autoscaler.as_str() {
        "gke" => "`gcloud container node-pools list`",
        "aks" => "`az aks nodepool list`",
        _ => "the node autoscaler",
    };
    Step {
        title,
        what: format!(
            "`terraform/` is a module without resources: it gives {pools}, with limits and floors, the shape that the usual modules take. \
             Call it from your own Terraform as `terraform/README.md` shows, and plan and apply there, not in this folder. Nodes come when \
             pods ask for them; nothing moves yet."
        ),
        commands: Vec::new(),
        check: format!(
            "your `terraform plan` adds pools and destroys none; after it {list} lists each of them, and a second one is empty."
        ),
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
    // The base as it is would put the placeholders of Karpenter's node class back.
    let from = if plan.provenance.node_autoscaler == "karpenter" { "OVERLAY" } else { "kubernetes" };
    let mut commands = vec![format!("kubectl diff --server-side -k {from}"), format!("kubectl apply --server-side -k {from}")];
    commands.extend(namespaces(plan).into_iter().map(|ns| {
        let ns = shell_word(ns);
        format!("kubectl get deployments,scaledobjects,scaledjobs --namespace {ns}")
    }));
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
        back: "apply your own manifests as tagged and wait until they serve; then `kubectl delete -k kubernetes`, after its \
               `--dry-run=server` has shown that it names nothing of yours. Today's nodes are still there."
            .to_owned(),
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

/// Node groups of today that the plan's pools replace: all but those of workloads that stay as they are.
fn replaced(plan: &Plan) -> Vec<&NodeGroupCost> {
    let stays = |name: &String| plan.workloads.iter().any(|w| w.name == *name && (w.change.unchanged || w.mode == "frozen"));
    plan.baseline.node_groups.iter().filter(|g| g.nodes > 0.0 && !g.workloads.iter().any(stays)).collect()
}

/// Pools that a node group's workloads move to.
fn successors(plan: &Plan, group: &NodeGroupCost) -> String {
    if group.workloads.is_empty() {
        return "nothing: it runs no planned workload, and the saving counts on its end".to_owned();
    }
    let uses = |p: &&NodePool| p.workloads.iter().any(|w| group.workloads.contains(w));
    let pools: Vec<String> = plan.pools.iter().filter(uses).map(|p| md(&p.name)).collect();
    listed(&pools)
}

fn remove_old(plan: &Plan, groups: &[&NodeGroupCost]) -> Step {
    let rows = groups
        .iter()
        .map(|g| {
            let machine = format!("{} {}", md(&g.instance_type), md(&g.capacity_type));
            vec![md(&g.name), md(&g.region), machine, count(g.nodes), successors(plan, g)]
        })
        .collect();
    let columns = [
        Column::Text("node group"),
        Column::Text("region"),
        Column::Text("machine"),
        Column::Number("nodes today"),
        Column::Text("what takes over"),
    ];
    Step {
        title: "Remove the old nodes".to_owned(),
        what: format!(
            "Only now does the bill fall. Cordon and drain one node at a time, set each group's size down, and keep the empty group's \
             definition for two more weeks.\n\n{}",
            table(&columns, rows).trim_end()
        ),
        commands: vec!["kubectl cordon NODE".to_owned(), "kubectl drain NODE --ignore-daemonsets --delete-emptydir-data".to_owned()],
        check: "the nodes are gone from `kubectl get nodes` and from the cloud's console; the next days' bill shows it.".to_owned(),
        back: "set the group's size back to *nodes today*; `kubectl uncordon NODE` for a node that is still there.".to_owned(),
    }
}
