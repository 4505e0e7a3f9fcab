//! Servers that several services share: the Deployment, scaler and pools of the server, the demand of its members.

use super::{Unplayable, Wanted, accelerator, assembled, gpus, model, parts, region};
use crate::emit::model_name;
use crate::emit::parse::types::{Files, ModelServer};
use crate::plan::replay::{LoadMetric, ReplayInputs, ServiceInputs, Spread, StartUp, Traffic};
use crate::plan::{Bundle, BundleMember, WorkloadPlan};
use crate::simulate::fleet::{Fleet, HostedModel, LatencyModel, Member, ServiceSetup, SharedModel, Way};

/// The server of a bundle.
pub(super) fn server(fleet: &Fleet, (files, bundle): (&Files, &Bundle), inputs: &ReplayInputs) -> Result<ServiceSetup, Unplayable> {
    let host = &bundle.host;
    let parts = parts(fleet, files, host)?;
    let place = (accelerator(fleet, &parts, inputs)?, gpus(&parts));
    let server = configured(files, host)?;
    let (mut members, mut models) = (Vec::with_capacity(bundle.members.len()), Vec::with_capacity(bundle.members.len()));
    for member in &bundle.members {
        let known = inputs.services.iter().find(|service| service.name == member.workload);
        let service = known.ok_or_else(|| format!("the replay inputs do not know the workload `{}`", member.workload))?;
        models.push(hosted((member, service), server, place)?);
        let way = Way::of(service.network.as_ref(), region(fleet, &parts));
        members.push(Member { inputs: service.clone(), model: model_name(&member.model), way });
    }
    let most = server.most_in_service().max(1);
    let shared = SharedModel { models, most, interference: bundle.interference.max(1.0) };
    let own = of_members(bundle, &members)?;
    Ok(ServiceSetup { way: way(&members), members, ..assembled(&own, LatencyModel::Shared(shared), parts) })
}

/// What starts of the server cost: one image, the largest, and the weights of all models. Requests are its members'.
fn way(members: &[Member]) -> Option<Way> {
    let mut ways = members.iter().filter_map(|member| member.way.as_ref()).peekable();
    ways.peek()?;
    let none = Way { clients: Vec::new(), usd_per_request: 0.0, usd_per_image: 0.0, usd_per_weights: 0.0 };
    Some(ways.fold(none, |sum, way| Way {
        usd_per_image: sum.usd_per_image.max(way.usd_per_image),
        usd_per_weights: sum.usd_per_weights + way.usd_per_weights,
        ..sum
    }))
}

/// What the files say of the server; one for all of its Deployments.
fn configured<'a>(files: &'a Files, host: &WorkloadPlan) -> Result<&'a ModelServer, Unplayable> {
    let mut servers = files.deployments.iter().filter(|d| d.workload == host.name).map(|d| d.server.as_ref());
    let first = servers.next().flatten().ok_or_else(|| format!("the files give the models of `{}` no configuration", host.name))?;
    if servers.any(|other| other != Some(first)) {
        return Err(format!("the Deployments of `{}` serve different models: a replay knows one server", host.name));
    }
    Ok(first)
}

fn hosted(
    (member, service): (&BundleMember, &ServiceInputs),
    server: &ModelServer,
    (accelerator, gpus): (&str, u32),
) -> Result<HostedModel, Unplayable> {
    let name = model_name(&member.model);
    let found = server.models.iter().find(|model| model.name == name);
    let served = found.ok_or_else(|| format!("no server of the files loads the model `{name}` of `{}`", member.workload))?;
    match model(service, &Wanted { accelerator, precision: &member.precision, gpus, slice: None })? {
        LatencyModel::Request(knots) => Ok(HostedModel { knots, priority: served.priority }),
        LatencyModel::Llm(..) | LatencyModel::Shared(_) => {
            Err(format!("`{}` has no concurrency curve: it cannot share a server with other models", member.workload))
        }
    }
}

/// What is known of the server as a whole.
fn of_members(bundle: &Bundle, members: &[Member]) -> Result<ServiceInputs, Unplayable> {
    let host = &bundle.host;
    let service = host.service.as_ref().ok_or_else(|| format!("the plan says nothing of the server `{}`", host.name))?;
    let scaling = &service.scaling;
    let timeouts = members.iter().map(|member| member.inputs.request_timeout_s);
    Ok(ServiceInputs {
        name: host.name.clone(),
        namespace: host.kubernetes.namespace.clone(),
        time_zone: "UTC".to_owned(),
        traffic: Traffic { step_s: 3600, rate_rps: service.mean_load_rps.clone(), cv2: vec![1.0], lengths: Vec::new() },
        tokens: None,
        slo: service.slo.clone(),
        routing: service.routing.clone(),
        cold_requests: scaling.cold_requests.clone(),
        request_timeout_s: timeouts.fold(0.0, f64::max),
        metric: scaling.query.as_ref().map(|query| LoadMetric {
            query: query.clone(),
            survives_pods: false,
            activity_query: scaling.activity_query.clone(),
        }),
        min_replicas: scaling.min_replicas,
        polling_s: f64::from(scaling.polling_interval_s),
        stabilization_s: f64::from(scaling.stabilization_s),
        start_up: start_up(members),
        engines: Vec::new(),
        network: None,
        today: None,
    })
}

/// One image, whichever takes longest; the weights of all models, one after the other; the slowest engine.
fn start_up(members: &[Member]) -> StartUp {
    let all = || members.iter().map(|member| &member.inputs.start_up);
    let longest = |a: Spread, b: Spread| if b.p95 > a.p95 { b } else { a };
    let none = Spread { p50: 0.0, p95: 0.0 };
    StartUp {
        image_pull_s: all().map(|start| start.image_pull_s).fold(none, longest),
        weights_load_s: all().map(|start| start.weights_load_s).fold(none, |a, b| Spread { p50: a.p50 + b.p50, p95: a.p95 + b.p95 }),
        engine_start_s: all().map(|start| start.engine_start_s).fold(none, longest),
    }
}
