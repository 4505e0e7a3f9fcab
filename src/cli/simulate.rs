//! `gpuplan simulate`: replay traffic against the emitted files.

use super::check::read_plan;
use super::progress::Progress;
use super::{Exit, Terminal, emitted};
use crate::emit::parse;
use crate::plan::Plan;
use crate::plan::replay::{REPLAY_FORMAT, ReplayInputs};
use crate::report;
use crate::simulate::outcome::Simulation;
use crate::simulate::replay::{self, Seeds};
use crate::simulate::run::{Options, Sampling};
use crate::simulate::traffic::{GapShape, Recording};
use crate::simulate::{of_files, replica::Stepping, today};
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Plan that is replayed when none is named.
const DEFAULT_PLANS: [&str; 2] = ["gpuplan-out/plan.json", "gpuplan-out/demo/plan.json"];

/// How the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON document.
    Json,
}

/// Which hours of traffic are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Hours {
    /// A share of them, with the peak and what follows a reclaim, weighted to the week.
    Stratified,
    /// All of them.
    Week,
}

/// Law of gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Gaps {
    /// Gamma
    Gamma,
    /// Weibull: clumps less tightly, pauses longer
    Weibull,
}

/// Arguments.
///
/// The autoscalers are those of the files, not of the plan: edit a threshold and replay with --edited. Exit codes: 0 every objective
/// holds and the bill is the plan's; 1 not so, or the files are not the plan's; 2 bad input; 3 a failure of ours.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Plan to replay [default: gpuplan-out/plan.json, else gpuplan-out/demo/plan.json]
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Folder with the Terraform and Kubernetes files [default: the plan's]
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// The files were edited on purpose: judge them by what they do, not by whether they are the plan's
    #[arg(long)]
    pub edited: bool,
    /// Replay these requests for a workload (CSV, may be .gz: t_s, input_tokens, output_tokens); may be given several times
    #[arg(long, value_name = "WORKLOAD=FILE", value_parser = super::trace::argument)]
    pub trace: Vec<(String, PathBuf)>,
    /// Weeks to play, each with its own arrivals and reclaims
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,
    /// First seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub first_seed: u64,
    /// Which hours of traffic are played
    #[arg(long, value_enum, default_value = "stratified")]
    pub hours: Hours,
    /// Demand times this
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub demand: f64,
    /// Burstiness times this: the squared variation of inter-arrival times
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub burst: f64,
    /// Law of the gaps between generated requests, at the same variation
    #[arg(long, value_enum, default_value = "gamma")]
    pub gaps: Gaps,
    /// Pass times of LLM engines times this: 1.15 covers nine in ten measured points
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub engine: f64,
    /// Spot reclaim hazard times this
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub hazard: f64,
    /// Monday of the week that is played, for clock changes [default: the plan's]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub week: Option<String>,
    /// Break something on purpose
    #[arg(long, value_enum)]
    pub fault: Option<super::faults::Fault>,
    /// Recorded availability of a spot pool; what a 1 in it means is told by --spot-trace-one
    #[arg(long, value_name = "POOL=FILE", value_parser = super::trace::argument, requires = "spot_trace_one")]
    pub spot_trace: Vec<(String, PathBuf)>,
    /// What a 1 in a --spot-trace means; public files disagree
    #[arg(long, value_enum)]
    pub spot_trace_one: Option<super::trace::OneMeans>,
    /// Do not replay today's configuration beside it
    #[arg(long)]
    pub no_baseline: bool,
    /// Advance engines pass by pass instead of in closed form (slow; to hold the fast mode against)
    #[arg(long)]
    pub exact: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

/// A positive factor.
fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 && value <= 1000.0 => Ok(value),
        _ => Err(format!("`{text}` is no factor between 0 and 1000")),
    }
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let started = Instant::now();
    let found = match read(args) {
        Ok(found) => found,
        Err(faults) => {
            for fault in &faults {
                let _ = writeln!(terminal.err, "error: {fault}");
            }
            return Exit::BadInput;
        }
    };
    let progress = Progress::start(terminal.color_err);
    let simulated = simulate(args, &found, &progress);
    progress.finish();
    match simulated {
        Ok(mut simulation) => {
            simulation.wall_seconds = started.elapsed().as_secs_f64();
            print(args.format, &simulation, terminal)
        }
        Err((exit, fault)) => {
            let _ = writeln!(terminal.err, "error: {fault}");
            exit
        }
    }
}

/// What a replay is made from.
struct Found {
    plan: Plan,
    inputs: ReplayInputs,
    files: parse::Files,
    options: Options,
}

fn read(args: &Args) -> Result<Found, Vec<String>> {
    let named = args.plan.clone().or_else(|| DEFAULT_PLANS.iter().map(PathBuf::from).find(|p| p.exists()));
    let path = named
        .ok_or_else(|| vec![format!("there is no {}: run `gpuplan optimize` first, or name a plan with --plan FILE", DEFAULT_PLANS[0])])?;
    let plan = read_plan(&path).map_err(|fault| vec![fault])?;
    let beside = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut inputs = read_inputs(&beside.join("replay.json"), &plan).map_err(|fault| vec![fault])?;
    if let Some(week) = &args.week {
        inputs.anchor_monday = monday(week).map_err(|fault| vec![fault])?;
    }
    let dir = args.from.clone().unwrap_or(if beside.as_os_str().is_empty() { PathBuf::from(".") } else { beside });
    let texts = emitted::texts(&dir).map_err(|fault| vec![fault])?;
    let files = parse::files(&texts).map_err(|faults| faults.iter().map(|f| format!("{}/{f}", dir.display())).collect::<Vec<_>>())?;
    let options = options(args, (&plan, &inputs))?;
    Ok(Found { plan, inputs, files, options })
}

/// `replay.json` beside a plan.
fn read_inputs(path: &Path, plan: &Plan) -> Result<ReplayInputs, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|fault| {
        format!("`{shown}`: {fault}\n  = help: it is written beside the plan by `gpuplan optimize`; keep the two together")
    })?;
    let inputs: ReplayInputs = serde_json::from_str(&text).map_err(|fault| format!("`{shown}`: {fault}"))?;
    if inputs.format != REPLAY_FORMAT {
        return Err(format!("`{shown}`: format is `{}`, this program reads `{REPLAY_FORMAT}`", inputs.format));
    }
    if inputs.scenario_sha256 != plan.provenance.scenario_sha256 {
        return Err(format!("`{shown}` belongs to another scenario than the plan: run `gpuplan optimize` again"));
    }
    Ok(inputs)
}

fn monday(text: &str) -> Result<String, String> {
    let date: jiff::civil::Date = text.parse().map_err(|_| format!("`{text}` is no date; write --week 2026-03-02"))?;
    if date.weekday() != jiff::civil::Weekday::Monday {
        return Err(format!("{text} is no Monday"));
    }
    Ok(date.to_string())
}

fn options(args: &Args, (plan, inputs): (&Plan, &ReplayInputs)) -> Result<Options, Vec<String>> {
    let traces = super::trace::requests(&args.trace, inputs)?;
    let last = traces.values().map(|trace| trace.last_s).fold(0.0, f64::max);
    let hours = if traces.is_empty() { 168 } else { ((last / 3600.0).floor() as u32 + 1).clamp(1, 168 * 53) };
    let spot_traces = super::trace::availability(&args.spot_trace, args.spot_trace_one)?;
    let mut options = Options {
        hours,
        sampling: if args.hours == Hours::Week { Sampling::Week } else { Sampling::Stratified },
        hazard_factor: args.hazard,
        demand_factor: args.demand,
        burst_factor: args.burst,
        engine_factor: args.engine,
        gaps: if args.gaps == Gaps::Weibull { GapShape::Weibull } else { GapShape::Gamma },
        stepping: if args.exact { Stepping::Exact } else { Stepping::Fast },
        traces: traces.into_iter().map(|(name, file)| (name, Arc::new(super::trace::OnDisk(file)) as Arc<dyn Recording>)).collect(),
        spot_traces,
        timeline: true,
        ..Options::default()
    };
    if let Some(fault) = args.fault {
        fault.apply(plan, &mut options).map_err(|why| vec![why])?;
    }
    Ok(options)
}

fn simulate(args: &Args, found: &Found, progress: &Progress) -> Result<Simulation, (Exit, String)> {
    let unsound = |fault: String| (Exit::BadInput, fault);
    let failed = |fault: String| (Exit::Failure, fault);
    let Found { plan, inputs, files, options } = found;
    let seeds = Seeds { first: args.first_seed, count: args.seeds };
    progress.step("replaying the files");
    let played = replay::play(of_files::fleet(files, plan, inputs).map_err(unsound)?, seeds, options).map_err(failed)?;
    let mut simulation = replay::outcome(plan, &played, (seeds, options));
    simulation.method.week_of.clone_from(&inputs.anchor_monday);
    simulation.method.fault = args.fault.map(|f| f.words().to_owned());
    simulation.differences = parse::compare(plan, files).into_iter().map(|d| format!("{}: {}", d.path, d.what)).collect();
    if !simulation.differences.is_empty() {
        if args.edited && simulation.verdict == replay::VERIFIED {
            replay::HOLDS.clone_into(&mut simulation.verdict);
        } else if !args.edited {
            replay::MISSED.clone_into(&mut simulation.verdict);
            simulation.reasons.insert(
                0,
                "the files are not the plan's: its promise does not cover them (--edited judges them by what they do)".to_owned(),
            );
        }
    }
    if !args.no_baseline && !inputs.node_groups.is_empty() {
        progress.step("replaying today's configuration");
        let options = Options { timeline: false, ..options.clone() };
        let today = replay::play(today::fleet(inputs).map_err(unsound)?, seeds, &options).map_err(failed)?;
        let baseline = replay::baseline(&today, plan.baseline.usd_per_month, options.hours);
        let target = plan.target.as_ref().map(|t| 1.0 - t.usd_per_month.as_f64() / plan.baseline.usd_per_month.as_f64());
        simulation.saving = Some(replay::saving((&played, &today), &baseline, (target, options.hours)));
        simulation.requests_simulated += replay::requests(&today);
        simulation.baseline = Some(baseline);
    }
    Ok(simulation)
}

fn print(format: Format, simulation: &Simulation, terminal: &mut Terminal) -> Exit {
    let text = match format {
        Format::Json => match serde_json::to_string_pretty(simulation) {
            Ok(text) => text + "\n",
            Err(fault) => {
                let _ = writeln!(terminal.err, "error: {fault}");
                return Exit::Failure;
            }
        },
        Format::Human => {
            let style = report::Style { color: terminal.color_out, width: terminal.width.unwrap_or(100) };
            report::simulation(simulation, style)
        }
    };
    let _ = write!(terminal.out, "{text}");
    if simulation.verdict == replay::MISSED { Exit::No } else { Exit::Done }
}
