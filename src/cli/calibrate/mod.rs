//! `gpuplan calibrate`: capacity tables by simulation, for the scenario to plan on.

mod show;
mod tables;
#[cfg(test)]
mod tests;

use super::prices::cache::{self, PriceArgs};
use super::progress::Progress;
use super::write::write_file;
use super::{Exit, Terminal};
use crate::input::capacity_file::{CapacityEntry, CapacityFile, Refused};
use crate::input::{self, LoadOptions, Loaded, Rejected, render};
use clap::ValueEnum;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Scenario that is looked for when none is named.
const DEFAULT_SCENARIO: &str = "scenario.yaml";
/// File written to when the scenario names none.
const DEFAULT_OUT: &str = "capacity.json";

/// How the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON document.
    Json,
}

/// Arguments.
///
/// Tables that are there already and still hold are kept; only what the scenario needs and the file lacks is simulated.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario file or its folder [default: ./scenario.yaml; without one, the embedded example]
    pub scenario: Option<PathBuf>,
    /// File of tables to bring up to date [default: the scenario's `capacity_tables`, else capacity.json beside it]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Most replicas that are simulated together
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub max_replicas: u32,
    /// Prices.
    #[command(flatten)]
    pub prices: PriceArgs,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let here = Path::new(DEFAULT_SCENARIO);
    let named = args.scenario.as_deref().or(here.exists().then_some(here));
    let prices = match cache::book(&args.prices, named.is_none(), terminal) {
        Ok(prices) => prices,
        Err(fault) => return super::prices::told(&fault, terminal),
    };
    let options = LoadOptions { ignore_tables: true, prices: prices.as_ref(), ..LoadOptions::default() };
    let (loaded, folder) = match load(named, options) {
        Ok(found) => found,
        Err(rejected) => {
            let style = render::Style { color: terminal.color_err, ..render::Style::default() };
            let _ = write!(terminal.err, "{}", render::render(&rejected.diagnostics, &rejected.sources, style));
            let _ = writeln!(terminal.err, "{}; nothing was written", render::count(&rejected.diagnostics));
            return Exit::BadInput;
        }
    };
    let beside = |folder: &PathBuf| folder.join(loaded.capacity_tables.as_deref().unwrap_or(DEFAULT_OUT));
    let Some(out) = args.out.clone().or(folder.as_ref().map(beside)) else {
        let _ = writeln!(terminal.err, "error: the embedded example has no folder to write to\n  = help: name a file with --out FILE");
        return Exit::BadInput;
    };
    let before = match existing(&out, terminal) {
        Ok(entries) => entries,
        Err(why) => {
            let _ = writeln!(terminal.err, "error: `{}` {why}\n  = help: name another file with --out FILE", out.display());
            return Exit::BadInput;
        }
    };
    let started = Instant::now();
    let needed = tables::needed(&loaded.scenario);
    let progress = Progress::start(terminal.color_err);
    let made = tables::make(&needed, &before, args.max_replicas, |tasks| tables::simulate(tasks, &|step: &str| progress.step(step)));
    progress.finish();
    if let Err(fault) = write(&out, &made.file) {
        let _ = writeln!(terminal.err, "error: `{}`: {fault}; nothing was changed", out.display());
        return Exit::Failure;
    }
    let outcome =
        show::Outcome { file: out.display().to_string(), wall_seconds: started.elapsed().as_secs_f64(), made: &made, needed: &needed };
    let printed = match args.format {
        Format::Human => Ok(show::human(&outcome) + &hint(&loaded, &out)),
        Format::Json => show::json(&outcome).map(|text| text + "\n"),
    };
    match printed.map_err(io::Error::other).and_then(|text| write!(terminal.out, "{text}")) {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Failure,
    }
}

/// The scenario named, the one here, or the embedded example; with its folder, if it has one. Its tables are not looked at.
fn load(named: Option<&Path>, options: LoadOptions<'_>) -> Result<(Loaded, Option<PathBuf>), Box<Rejected>> {
    let Some(path) = named else {
        return Ok((input::load_builtin_demo_with(options).map_err(Box::new)?, None));
    };
    let folder = if path.is_dir() { path.to_owned() } else { path.parent().map(Path::to_owned).unwrap_or_default() };
    Ok((input::load_with(path, options).map_err(Box::new)?, Some(folder)))
}

/// Tables of a file that is there. One that was changed by hand counts for nothing; one that is something else stays.
fn existing(path: &Path, terminal: &mut Terminal) -> Result<Vec<CapacityEntry>, String> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = input::read::text(path).map_err(|why| format!("cannot be read: {why:?}"))?;
    match CapacityFile::parse(&text) {
        Ok(file) => Ok(file.entries),
        Err(Refused::Digest) => {
            let _ = writeln!(terminal.err, "`{}` was changed after it was calibrated: all of it is made again", path.display());
            Ok(Vec::new())
        }
        Err(Refused::Form(_) | Refused::Format(_) | Refused::Table(_)) => Err("is there, and holds something else".to_owned()),
    }
}

/// Writes the tables.
fn write(path: &Path, file: &CapacityFile) -> io::Result<()> {
    let text = serde_json::to_string_pretty(file)? + "\n";
    write_file(path, text.as_bytes())
}

/// How the tables get into the plan, where the scenario does not say so yet.
fn hint(loaded: &Loaded, out: &Path) -> String {
    if loaded.capacity_tables.is_some() || loaded.scenario.demo {
        return String::new();
    }
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("To plan on them, put them beside the scenario and add `capacity_tables: {name}` to it.\n")
}
