//! `gpuplan optimize`: scenario in, plan and files out.

use super::prices::cache::{self, PriceArgs};
use super::progress::Progress;
use super::write::write_all;
use super::{Exit, Terminal};
use crate::check::Finding;
use crate::domain::{RiskLevel, Scenario, Target};
use crate::emit::{self, Artifact};
use crate::input::series_file::Days;
use crate::input::{self, LoadOptions, Loaded, Rejected, render};
use crate::plan::replay::ReplayInputs;
use crate::plan::{Plan, from_solution};
use crate::planner::{self, PlanError};
use crate::report;
use crate::simulate::outcome::Simulation;
use crate::simulate::replay::Seeds;
use crate::simulate::run::Options as Replay;
use crate::study::{Options, Studied};
use crate::units::Usd;
use crate::verify::{self, Verified, VerifyError};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Scenario that is looked for when none is named.
const DEFAULT_SCENARIO: &str = "scenario.yaml";

/// Diagnostic: no plan keeps every limit.
const NO_PLAN: &str = "E1604";

/// Folder written to when none is named.
const DEFAULT_OUT: &str = "gpuplan-out";

/// How the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// The plan itself.
    Json,
}

/// What the plan must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Risk {
    /// The expected case
    Low,
    /// Demand up to its 90th percentile
    Medium,
    /// 1.5 times the demand of every service as well
    High,
}

impl From<Risk> for RiskLevel {
    fn from(risk: Risk) -> Self {
        match risk {
            Risk::Low => Self::Low,
            Risk::Medium => Self::Medium,
            Risk::High => Self::High,
        }
    }
}

/// Arguments.
///
/// Exit codes: 0 planned, and the target is met where there is one; 1 planned, and the target is missed (the files are
/// written); 2 bad input, nothing written; 3 a failure of ours.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario file or its folder [default: ./scenario.yaml; without one, the embedded example]
    pub scenario: Option<PathBuf>,
    /// Save this share of today's bill: -40%
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, value_parser = percent, conflicts_with = "budget")]
    pub target: Option<f64>,
    /// Spend at most this many dollars a month
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub budget: Option<f64>,
    /// Folder for the plan, the Terraform and the Kubernetes files, and the report [default: gpuplan-out]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
    /// Replay the files that are written against a week of traffic, and plan anew where the replay misses
    #[arg(long)]
    pub verify: bool,
    /// Plan on these days of every series only, for example 1-4; with --replay-on on others
    #[arg(long, value_name = "DAYS", requires = "replay_on", value_parser = days)]
    pub plan_on: Option<Days>,
    /// Replay these days of every series, for example 5-7
    #[arg(long, value_name = "DAYS", requires = "verify", value_parser = days)]
    pub replay_on: Option<Days>,
    /// Weeks that --verify plays, each with its own arrivals and reclaims
    #[arg(long, default_value_t = 20, requires = "verify", value_parser = clap::value_parser!(u32).range(3..=1000))]
    pub seeds: u32,
    /// Prices.
    #[command(flatten)]
    pub prices: PriceArgs,
    /// What the plan must stand: the expected case; demand up to its 90th percentile; 1.5 times the demand of every service as well
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub risk: Option<Risk>,
    /// Three plans within 2% of least cost, in alternatives/; on by default, unless --quick
    #[arg(long)]
    pub alternatives: bool,
    /// Plan only: leave out levers, sensitivities and relaxations, which take most of the time
    #[arg(long)]
    pub quick: bool,
}

/// `-40%`, `40%`, `-40`: a saving between 0 and 100 percent.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_start_matches(['-', '\u{2212}']);
    match number.parse::<f64>() {
        Ok(value) if value > 0.0 && value < 100.0 => Ok(value / 100.0),
        _ => Err(format!("`{text}` is no saving between 0% and 100%; write --target -40%")),
    }
}

/// A positive amount; `30000` or `$30,000`.
fn dollars(text: &str) -> Result<f64, String> {
    match text.trim().trim_start_matches('$').replace([',', '_'], "").parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 && value < 1e9 => Ok(value),
        _ => Err(format!("`{text}` is no amount of dollars a month; write --budget 30000")),
    }
}

/// `5-7`, or `3`: days from 1.
fn days(text: &str) -> Result<Days, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok(Days { first, last }),
        _ => Err(format!("`{text}` are no days; write --replay-on 5-7")),
    }
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let named = scenario_of(args.scenario.as_deref());
    let prices = match cache::book(&args.prices, named.is_none(), terminal) {
        Ok(prices) => prices,
        Err(fault) => return super::prices::told(&fault, terminal),
    };
    if prices.is_none() && named.is_some() {
        cache::say_embedded(terminal);
    }
    let chosen = LoadOptions { days: args.plan_on, prices: prices.as_ref(), ..LoadOptions::default() };
    let loaded = match load((named, chosen), terminal) {
        Ok(loaded) => loaded,
        Err(rejected) => return reject(&rejected, terminal),
    };
    let style = render::Style { color: terminal.color_err, ..render::Style::default() };
    // Notes on the embedded example would be notes on somebody else's input.
    if !loaded.scenario.demo {
        let _ = write!(terminal.err, "{}", render::render(&loaded.diagnostics, &loaded.sources, style));
    }
    let target = args.target.map(Target::Saving).or(args.budget.map(|usd| Target::Budget(Usd::from_f64(usd))));
    let alternatives = args.alternatives || !args.quick;
    let options = Options { target, explain: !args.quick, risk: args.risk.map(RiskLevel::from), alternatives };
    let progress = Progress::start(terminal.color_err);
    if args.verify {
        let seeds = Seeds { first: 1, count: args.seeds };
        let played = match args.replay_on.map(|days| load((named, LoadOptions { days: Some(days), ..chosen }), terminal)).transpose() {
            Ok(played) => played,
            Err(rejected) => return reject(&rejected, terminal),
        };
        let traffic = played.as_ref().map_or(&loaded.scenario, |played| &played.scenario);
        let replay =
            verify::plan((&loaded.scenario, traffic), (&options, seeds), &Replay { timeline: true, ..Replay::default() }, &|step| {
                progress.step(step)
            });
        progress.finish();
        return match replay {
            Ok(Verified { plan, inputs, simulation, alternatives }) => {
                hand_out(args, (&loaded.scenario, &plan, &inputs), (Some(&simulation), &alternatives), terminal)
            }
            Err(VerifyError::Plan(error)) => explain(error, terminal),
            Err(VerifyError::Replay(fault)) => {
                let _ =
                    writeln!(terminal.err, "error: the plan's files cannot be replayed (a fault of gpuplan, please report it): {fault}");
                Exit::Failure
            }
        };
    }
    let planned = planner::full(&loaded.scenario, &options, &|step| progress.step(step));
    progress.finish();
    match planned {
        Ok(Studied { plan, alternatives }) => {
            let inputs = from_solution::replay::of(&loaded.scenario, &plan);
            hand_out(args, (&loaded.scenario, &plan, &inputs), (None, &alternatives), terminal)
        }
        Err(error) => explain(error, terminal),
    }
}

/// The scenario named, or the one here; none: the embedded example.
fn scenario_of(named: Option<&Path>) -> Option<&Path> {
    let here = Path::new(DEFAULT_SCENARIO);
    named.or(here.exists().then_some(here))
}

fn load((path, options): (Option<&Path>, LoadOptions<'_>), terminal: &mut Terminal) -> Result<Loaded, Box<Rejected>> {
    if let Some(path) = path {
        return input::load_with(path, options).map_err(Box::new);
    }
    let _ = writeln!(
        terminal.err,
        "no {DEFAULT_SCENARIO} here: planning the embedded example fleet (not yours); `gpuplan init` starts your own\n"
    );
    input::load_builtin_demo_with(options).map_err(Box::new)
}

fn reject(rejected: &Rejected, terminal: &mut Terminal) -> Exit {
    let style = render::Style { color: terminal.color_err, ..render::Style::default() };
    let _ = write!(terminal.err, "{}", render::render(&rejected.diagnostics, &rejected.sources, style));
    let _ = writeln!(terminal.err, "{}; nothing was written", render::count(&rejected.diagnostics));
    Exit::BadInput
}

/// Writes everything, then prints the answer.
fn hand_out(
    args: &Args,
    (scenario, plan, inputs): (&Scenario, &Plan, &ReplayInputs),
    (simulation, alternatives): (Option<&Simulation>, &[Plan]),
    terminal: &mut Terminal,
) -> Exit {
    let base = args.out.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_OUT));
    let dir = if scenario.demo && args.out.is_none() { base.join("demo") } else { base };
    let plan_text = match emit::plan_json(plan) {
        Ok(text) => text,
        Err(fault) => {
            let _ = writeln!(terminal.err, "error: the plan could not be written as JSON: {fault}");
            return Exit::Failure;
        }
    };
    let mut artifacts = emit::artifacts(plan);
    let mut beside =
        vec![("replay.json".to_owned(), json(inputs)), ("simulation.json".to_owned(), simulation.map_or(Ok(String::new()), json))];
    for (summary, other) in plan.alternatives.iter().zip(alternatives) {
        beside.push((format!("alternatives/{}.plan.json", summary.name), emit::plan_json(other)));
    }
    for (path, text) in beside {
        match text {
            Ok(contents) if contents.is_empty() => {}
            Ok(contents) => artifacts.push(Artifact { path, contents }),
            Err(fault) => {
                let _ = writeln!(terminal.err, "error: {path} could not be written as JSON: {fault}");
                return Exit::Failure;
            }
        }
    }
    artifacts.push(Artifact { path: "plan.json".to_owned(), contents: plan_text.clone() });
    artifacts.push(Artifact { path: "report.md".to_owned(), contents: report::markdown(plan) });
    if let Err(fault) = write_all(&dir, &artifacts) {
        let _ = writeln!(terminal.err, "error: {fault}\n  = help: nothing was changed; name another folder with --out DIR");
        return Exit::Failure;
    }
    let printed = match args.format {
        Format::Json => plan_text,
        Format::Human => {
            let style = report::Style { color: terminal.color_out, width: terminal.width.unwrap_or(100) };
            let beside = if emit::roots(plan).len() > 1 { "clusters/ is" } else { "terraform/ and kubernetes/ are" };
            report::terminal(plan, &format!("Read {}/report.md; {beside} beside it.", dir.display()), style)
        }
    };
    let _ = write!(terminal.out, "{printed}");
    if args.format == Format::Human
        && let Some(simulation) = simulation
    {
        let style = report::Style { color: terminal.color_out, width: terminal.width.unwrap_or(100) };
        let _ = write!(terminal.out, "\nReplay\n{}", report::simulation(simulation, style));
    }
    let missed = plan.target.as_ref().is_some_and(|t| !t.met) || simulation.is_some_and(|s| s.verdict != "verified");
    if missed { Exit::No } else { Exit::Done }
}

/// One line of JSON: these files are for programs.
fn json<T: serde::Serialize>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| text + "\n")
}

fn explain(error: PlanError, terminal: &mut Terminal) -> Exit {
    match error {
        PlanError::Infeasible(faults) => {
            let style = render::Style { color: terminal.color_err, ..render::Style::default() };
            let _ = write!(terminal.err, "{}", render::render(&faults, &input::read::Sources::default(), style));
            let _ = writeln!(terminal.err, "{}; nothing was written", render::count(&faults));
            Exit::BadInput
        }
        PlanError::Solve(fault @ crate::solver::SolveError::Infeasible(_)) => {
            let _ = writeln!(
                terminal.err,
                "error[{NO_PLAN}]: {fault}\n  = help: raise the quotas or `max_changes`, or take workloads off `freeze`; nothing was written"
            );
            Exit::BadInput
        }
        PlanError::Solve(fault) => {
            let _ = writeln!(terminal.err, "error: {fault}; nothing was written");
            Exit::Failure
        }
        PlanError::Unsound(findings) => {
            let _ =
                writeln!(terminal.err, "error: the checker refuses the plan (a fault of gpuplan, please report it); nothing was written");
            for finding in findings.iter().take(40) {
                let _ = writeln!(terminal.err, "  {}", finding_line(finding));
            }
            Exit::Failure
        }
    }
}

fn finding_line(finding: &Finding) -> String {
    finding.to_string()
}
