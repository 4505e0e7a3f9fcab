//! `gpuplan diff`.

use super::{Exit, Terminal};
use crate::plan::{self, PLAN_FORMAT, Plan, PlanDiff};
use crate::report;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Tell two plans apart: exit 0 when they are the same, 1 when they differ, 2 when one cannot be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The first plan: a `plan.json`.
    pub before: PathBuf,
    /// The second plan.
    pub after: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// How to print a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// `gpuplan/plan-diff/v1`, every value whole.
    Json,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let (before, after) = match (read(&args.before), read(&args.after)) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => {
            for fault in [before.err(), after.err()].into_iter().flatten() {
                // A standard error that is gone leaves nobody to tell.
                let _ = writeln!(terminal.err, "error: {}", report::text::printable(&fault));
            }
            return Exit::BadInput;
        }
    };
    let diff = plan::diff(&before, &after);
    let text = match args.format {
        Format::Human => report::diff(&diff, report::Style { color: terminal.color_out, width: terminal.width.unwrap_or(100) }),
        Format::Json => match json(&diff) {
            Ok(text) => text,
            Err(error) => {
                let _ = writeln!(terminal.err, "error: the difference cannot be written as JSON: {error}");
                return Exit::Failure;
            }
        },
    };
    // A reader that has gone away changes nothing about the answer.
    let _ = terminal.out.write_all(text.as_bytes());
    if diff.is_empty() { Exit::Done } else { Exit::No }
}

fn json(diff: &PlanDiff) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(diff)?;
    text.push('\n');
    Ok(text)
}

/// A plan file. The message of a fault names the file and, where there is one, the line.
fn read(path: &Path) -> Result<Plan, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read `{shown}`: {e}"))?;
    // The format first: a file of another version deserves a better message than its first unknown field.
    let format = serde_json::from_str::<serde_json::Value>(&text)
        .map_err(|e| format!("`{shown}` is not JSON: {e}"))?
        .get("format")
        .and_then(|f| f.as_str().map(str::to_owned));
    match format.as_deref() {
        Some(PLAN_FORMAT) => serde_json::from_str(&text).map_err(|e| format!("`{shown}` is not a plan: {e}")),
        Some(other) => Err(format!("`{shown}` has format `{other}`; this program reads `{PLAN_FORMAT}`")),
        None => Err(format!("`{shown}` is not a plan: it has no `format`; give the `plan.json` that `gpuplan optimize` wrote")),
    }
}
