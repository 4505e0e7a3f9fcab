//! `gpuplan validate`: every fault of a scenario and its files, or one line that says it is sound.

use super::prices::cache::{self, PriceArgs};
use super::{Exit, Terminal};
use crate::diagnostic::{Diagnostic, Severity};
use crate::input::read::Sources;
use crate::input::render::Lines;
use crate::input::{self, LoadOptions, render};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario file, or the folder of a `scenario.yaml`.
    #[arg(default_value = "scenario.yaml")]
    pub scenario: PathBuf,
    /// Prices.
    #[command(flatten)]
    pub prices: PriceArgs,
    /// How to print the diagnostics.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// How diagnostics are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// With the source lines, on standard error.
    Human,
    /// One JSON document on standard output.
    Json,
}

/// Format of the JSON document.
const DIAGNOSTICS_FORMAT: &str = "gpuplan/diagnostics/v1";

/// A diagnostic as JSON.
#[derive(Serialize)]
struct DiagnosticJson<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    path: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    label: Option<&'a str>,
    help: Option<&'a str>,
}

/// The JSON document.
#[derive(Serialize)]
struct Report<'a> {
    format: &'static str,
    sound: bool,
    scenario_sha256: Option<&'a str>,
    diagnostics: Vec<DiagnosticJson<'a>>,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let prices = match cache::book(&args.prices, false, terminal) {
        Ok(prices) => prices,
        Err(fault) => return super::prices::told(&fault, terminal),
    };
    let outcome = input::load_with(&args.scenario, LoadOptions { prices: prices.as_ref(), ..LoadOptions::default() });
    let (diagnostics, sources, scenario) = match &outcome {
        Ok(loaded) => (&loaded.diagnostics, &loaded.sources, Some(&loaded.scenario)),
        Err(rejected) => (&rejected.diagnostics, &rejected.sources, None),
    };
    let written = match args.format {
        Format::Json => {
            let lines = sources.iter().map(|(path, text)| (path.as_path(), Lines::of(text))).collect();
            let report = Report {
                format: DIAGNOSTICS_FORMAT,
                sound: scenario.is_some(),
                scenario_sha256: scenario.map(|scenario| scenario.sha256.as_str()),
                diagnostics: diagnostics.iter().map(|diagnostic| as_json(diagnostic, &lines)).collect(),
            };
            serde_json::to_string_pretty(&report).map_err(std::io::Error::other).and_then(|json| writeln!(terminal.out, "{json}"))
        }
        Format::Human => human(args, (diagnostics, sources), scenario, terminal),
    };
    match (written, scenario) {
        (Err(_), _) => Exit::Failure,
        (Ok(()), Some(_)) => Exit::Done,
        (Ok(()), None) => Exit::BadInput,
    }
}

/// Diagnostics on standard error, the summary of a sound scenario on standard output.
fn human(
    args: &Args,
    (diagnostics, sources): (&[Diagnostic], &Sources),
    scenario: Option<&crate::domain::Scenario>,
    terminal: &mut Terminal,
) -> std::io::Result<()> {
    let style = render::Style { color: terminal.color_err, width: terminal.width.unwrap_or(120) };
    write!(terminal.err, "{}", render::render(diagnostics, sources, style))?;
    let counted = render::count(diagnostics);
    let Some(scenario) = scenario else {
        return writeln!(terminal.err, "{}: not sound: {counted}", args.scenario.display());
    };
    let remarks = if counted.is_empty() { String::new() } else { format!(" ({counted})") };
    let services = scenario.workloads.iter().filter(|workload| workload.service().is_some()).count();
    writeln!(
        terminal.out,
        "{}: sound{remarks}: scenario `{}`, {services} services, {} jobs, {} profiles, {} offerings in {}",
        args.scenario.display(),
        scenario.name,
        scenario.workloads.len() - services,
        scenario.profiles.len(),
        scenario.offerings.len(),
        scenario.regions.iter().map(crate::ids::RegionId::as_str).collect::<Vec<_>>().join(", "),
    )
}

fn as_json<'a>(diagnostic: &'a Diagnostic, lines: &BTreeMap<&Path, Lines<'_>>) -> DiagnosticJson<'a> {
    let Diagnostic { code, severity, message, place, label, help } = diagnostic;
    let position = place.as_ref().and_then(|place| Some(lines.get(place.path.as_path())?.position(place.span.start)));
    DiagnosticJson {
        code,
        severity: match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        message,
        path: place.as_ref().map(|place| place.path.display().to_string()),
        line: position.map(|(line, _)| line),
        column: position.map(|(_, column)| column),
        label: label.as_deref(),
        help: help.as_deref(),
    }
}
