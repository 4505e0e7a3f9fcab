//! `gpuplan check`: hold a plan against its scenario.

use super::prices::cache;
use super::{Exit, Terminal};
use crate::check::{self, Finding};
use crate::domain::InputFile;
use crate::input::{self, LoadOptions, Loaded, PriceBook, Rejected, render};
use crate::plan::{PLAN_FORMAT, Plan};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Plan to check.
    pub plan: PathBuf,
    /// Scenario that the plan was made from [default: ./scenario.yaml; for a demo plan, the embedded example]
    #[arg(long, value_name = "PATH")]
    pub scenario: Option<PathBuf>,
    /// Prices that the plan was made on, where they are not in the cache: a file, `builtin`, or the beginning of a digest
    #[arg(long, value_name = "SNAPSHOT")]
    pub prices: Option<String>,
    /// How findings are written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text for people.
    Human,
    /// One JSON document.
    Json,
}

/// Runs the command: 0 clean, 1 findings, 2 when plan or scenario cannot be read.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let plan = match read_plan(&args.plan) {
        Ok(plan) => plan,
        Err(fault) => {
            let _ = writeln!(terminal.err, "error: {fault}");
            return Exit::BadInput;
        }
    };
    let inputs: Vec<InputFile> =
        plan.provenance.inputs.iter().map(|input| InputFile { path: input.path.clone(), sha256: input.sha256.clone() }).collect();
    let prices = match cache::book_of(&inputs, args.prices.as_deref(), terminal) {
        Ok(prices) => prices,
        Err(fault) => return super::prices::told(&fault, terminal),
    };
    match load_scenario(args, (&plan, prices.as_ref())) {
        Ok(loaded) => {
            let findings = check::plan(&loaded.scenario, &plan);
            report(&Answer { plan: &plan, findings: &findings }, args.format, terminal)
        }
        Err(rejected) => {
            let style = render::Style { color: terminal.color_err, ..render::Style::default() };
            let _ = write!(terminal.err, "{}", render::render(&rejected.diagnostics, &rejected.sources, style));
            let _ = writeln!(terminal.err, "{}", render::count(&rejected.diagnostics));
            Exit::BadInput
        }
    }
}

/// The scenario named, the one here, or for a demo plan the embedded example.
fn load_scenario(args: &Args, (plan, prices): (&Plan, Option<&PriceBook>)) -> Result<Loaded, Rejected> {
    let options = LoadOptions { prices, ..LoadOptions::default() };
    match &args.scenario {
        Some(path) => input::load_with(path, options),
        None if plan.demo => input::load_builtin_demo_with(options),
        None => input::load_with(Path::new("scenario.yaml"), options),
    }
}

/// Reads a plan file; the fault names file, line and column.
///
/// # Errors
/// Not readable, not JSON, another format, or a field that does not fit.
pub fn read_plan(path: &Path) -> Result<Plan, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|fault| format!("`{shown}`: {fault}"))?;
    parse_plan(&text).map_err(|fault| format!("`{shown}`{fault}"))
}

/// Format first: a plan of another version would only fail on its first new field.
fn parse_plan(text: &str) -> Result<Plan, String> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
    }
    let head: Head = serde_json::from_str(text).map_err(|fault| at(&fault))?;
    if head.format != PLAN_FORMAT {
        return Err(format!(": format is `{}`, this program reads `{PLAN_FORMAT}`", head.format));
    }
    serde_json::from_str(text).map_err(|fault| at(&fault))
}

/// `:line:column: what`, without serde's own copy of the place.
fn at(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    let place = format!(" at line {} column {}", fault.line(), fault.column());
    format!(":{}:{}: {}", fault.line(), fault.column(), text.strip_suffix(&place).unwrap_or(&text))
}

struct Answer<'a> {
    plan: &'a Plan,
    findings: &'a [Finding],
}

fn report(answer: &Answer<'_>, format: Format, terminal: &mut Terminal) -> Exit {
    let written = match format {
        Format::Human => human(answer, terminal),
        Format::Json => json(answer, terminal),
    };
    match written {
        Err(_) => Exit::Failure,
        Ok(()) if answer.findings.is_empty() => Exit::Done,
        Ok(()) => Exit::No,
    }
}

fn human(answer: &Answer<'_>, terminal: &mut Terminal) -> std::io::Result<()> {
    let Answer { plan, findings } = answer;
    for finding in *findings {
        writeln!(terminal.out, "finding[{}]: `{}`{}: {}", finding.family.as_str(), finding.subject, hour(finding), finding.message)?;
        if !(finding.expected.is_empty() && finding.found.is_empty()) {
            writeln!(terminal.out, "  expected {}\n  found    {}", finding.expected, finding.found)?;
        }
    }
    let mark = plan.verification.mark();
    match findings.len() {
        0 => writeln!(terminal.out, "plan `{}`: clean ({mark})", plan.name),
        1 => writeln!(terminal.out, "plan `{}`: 1 finding ({mark})", plan.name),
        n => writeln!(terminal.out, "plan `{}`: {n} findings ({mark})", plan.name),
    }
}

/// ` in hour 42 (Tuesday 18:00 UTC)`.
fn hour(finding: &Finding) -> String {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let Some(hour) = finding.hour else { return String::new() };
    let day = DAYS[(hour / 24 % 7) as usize];
    format!(" in hour {hour} ({day} {:02}:00 UTC)", hour % 24)
}

/// One finding as JSON.
#[derive(Serialize)]
struct Row<'a> {
    family: &'a str,
    subject: &'a str,
    hour: Option<u32>,
    message: &'a str,
    expected: &'a str,
    found: &'a str,
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    format: &'a str,
    plan: &'a str,
    verification: String,
    clean: bool,
    findings: Vec<Row<'a>>,
}

fn json(answer: &Answer<'_>, terminal: &mut Terminal) -> std::io::Result<()> {
    let Answer { plan, findings } = answer;
    let rows = findings.iter().map(|finding| {
        let Finding { family, subject, hour, message, expected, found } = finding;
        Row { family: family.as_str(), subject, hour: *hour, message, expected, found }
    });
    let document = Document {
        format: "gpuplan/findings/v1",
        plan: &plan.name,
        verification: plan.verification.mark(),
        clean: findings.is_empty(),
        findings: rows.collect(),
    };
    serde_json::to_writer_pretty(&mut terminal.out, &document)?;
    writeln!(terminal.out)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::check::Family;
    use crate::cli::Cli;
    use clap::Parser;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Page(Rc<RefCell<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    fn terminal() -> (Terminal, Page, Page) {
        let (out, err) = (Page::default(), Page::default());
        let terminal = Terminal { out: Box::new(out.clone()), err: Box::new(err.clone()), color_out: false, color_err: false, width: None };
        (terminal, out, err)
    }

    fn args(line: &[&str]) -> Args {
        match Cli::try_parse_from(line).unwrap().command {
            crate::cli::Command::Check(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arguments() {
        let parsed = args(&["gpuplan", "check", "plan.json", "--scenario", "s.yaml", "--format", "json"]);
        assert_eq!(
            (parsed.plan.to_str(), parsed.scenario.as_deref().and_then(Path::to_str), parsed.format),
            (Some("plan.json"), Some("s.yaml"), Format::Json)
        );
        assert_eq!(args(&["gpuplan", "check", "plan.json"]).format, Format::Human);
        assert!(Cli::try_parse_from(["gpuplan", "check"]).is_err());
    }

    #[test]
    fn a_missing_file_and_bad_json_are_bad_input() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let mut args = args(&["gpuplan", "check", "x"]);
        args.plan.clone_from(&path);
        let (mut shell, _, err) = terminal();
        assert_eq!(run(&args, &mut shell), Exit::BadInput);
        std::fs::write(&path, "{\n  \"format\": \"gpuplan/plan/v1\",\n  \"nam\": 1\n}").unwrap();
        assert_eq!(run(&args, &mut shell), Exit::BadInput);
        assert!(err.text().contains("plan.json`:3:7: unknown field `nam`"), "{}", err.text());
        assert!(!err.text().contains("at line"), "{}", err.text());
    }

    #[test]
    fn another_format_is_named() {
        let fault = parse_plan("{\"format\": \"gpuplan/plan/v9\", \"new\": 1}").unwrap_err();
        assert_eq!(fault, ": format is `gpuplan/plan/v9`, this program reads `gpuplan/plan/v1`");
    }

    #[test]
    fn hours_have_names() {
        assert_eq!(hour(&finding()), " in hour 42 (Tuesday 18:00 UTC)");
    }

    fn finding() -> Finding {
        Finding {
            family: Family::Quota,
            subject: "g".to_owned(),
            hour: Some(42),
            message: "above the quota, vcpus".to_owned(),
            expected: "60".to_owned(),
            found: "64".to_owned(),
        }
    }

    fn plan() -> Plan {
        // The least that is a plan: the renderers read its name and its mark.
        let text = include_str!("../../tests/golden/check/empty-plan.json");
        parse_plan(text).unwrap()
    }

    #[test]
    fn people_read_family_subject_hour_and_both_values() {
        let (mut shell, out, _) = terminal();
        let (plan, findings) = (plan(), [finding()]);
        assert_eq!(report(&Answer { plan: &plan, findings: &findings }, Format::Human, &mut shell), Exit::No);
        let wanted = "finding[quota]: `g` in hour 42 (Tuesday 18:00 UTC): above the quota, vcpus\n  expected 60\n  found    64\n\
                      plan `empty`: 1 finding (UNVERIFIED: not replayed)\n";
        assert_eq!(out.text(), wanted);
    }

    #[test]
    fn programs_read_json() {
        let (mut shell, out, _) = terminal();
        let (plan, findings) = (plan(), [finding()]);
        assert_eq!(report(&Answer { plan: &plan, findings: &findings }, Format::Json, &mut shell), Exit::No);
        let read: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
        assert_eq!(read["format"], "gpuplan/findings/v1");
        assert_eq!(read["clean"], false);
        assert_eq!(read["findings"][0]["family"], "quota");
        assert_eq!(read["findings"][0]["hour"], 42);
        assert_eq!(read["findings"][0]["found"], "64");
    }

    #[test]
    fn clean_is_done() {
        let (mut shell, out, _) = terminal();
        let plan = plan();
        assert_eq!(report(&Answer { plan: &plan, findings: &[] }, Format::Human, &mut shell), Exit::Done);
        assert_eq!(out.text(), "plan `empty`: clean (UNVERIFIED: not replayed)\n");
    }
}
