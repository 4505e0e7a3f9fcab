//! `gpuplan prices refresh`: what the clouds ask today, as a new snapshot.
//!
//! Sources are asked one after the other. What one cannot bring does not spoil what others brought; whatever happens, the last good
//! snapshot stays as it is.

use super::scope::{self, Regions};
use super::sources::{self, Public};
use super::{CloudArg, Exit, Format, Terminal, cache, tell, told};
use crate::catalog::Catalog;
use crate::cli::progress::Progress;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::codes;
use crate::pricing::diff::{self, Change};
use crate::pricing::gathered::Gathered;
use crate::pricing::http::Policy;
use crate::pricing::merge::{self, Refresh, Scope};
use crate::pricing::snapshot::{self, Snapshot};
use crate::pricing::store::Kept;
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::json;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Who is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SourceArg {
    /// Public price lists: no account (Google Cloud: an API key in GOOGLE_API_KEY)
    #[default]
    Public,
    /// Your own account, through the clouds' SDKs: spot prices by zone with their history, machines, zones, commitments held
    Api,
}

impl SourceArg {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Api => "api",
        }
    }
}

/// Told at the end of the help.
const EXIT_CODES: &str = "Exit codes: 0 everything that was asked for is in the new snapshot; 1 some of it, or nothing; 2 bad input; \
    3 the cache cannot be written. Whatever happens, the last good snapshot stays.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// Clouds [default: all of them; Google Cloud only where it can be asked]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub cloud: Vec<CloudArg>,
    /// Regions [default: those that prices are known of]
    #[arg(long, value_delimiter = ',')]
    pub region: Vec<String>,
    /// Who is asked
    #[arg(long, value_enum, default_value = "public")]
    pub source: SourceArg,
    /// Longest wait for an answer to begin, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// Times that a question is asked again
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=10))]
    pub retries: u32,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// What all sources together brought.
struct Brought {
    gathered: Gathered,
    scope: Vec<Scope>,
    faults: Vec<Diagnostic>,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let start = cache::store().and_then(|store| Ok((store, cache::catalog(Some("latest"), terminal)?, cache::builtin_catalog()?)));
    let (store, catalog, builtin) = match start {
        Ok(start) => start,
        Err(fault) => return told(&fault, terminal),
    };
    let regions = match scope::regions(&args.cloud, &args.region, &catalog) {
        Ok(regions) => regions,
        Err(fault) => {
            let _ = writeln!(terminal.err, "error: {fault}");
            return Exit::BadInput;
        }
    };
    let now = Timestamp::now();
    let brought = match gather(args, (&regions, &catalog, now), terminal.color_err) {
        Ok(brought) => brought,
        Err(fault) => return told(&fault, terminal),
    };
    brought.faults.iter().chain(&brought.gathered.findings).for_each(|finding| tell(finding, terminal));
    let complete = brought.faults.iter().all(|fault| fault.severity != Severity::Error);
    if brought.scope.is_empty() {
        let _ = writeln!(terminal.err, "no prices were read; the last good snapshot is as it was");
        return Exit::No;
    }
    let base = || snapshot::from_builtin(&builtin, cache::newest_day(&builtin));
    let refresh = Refresh { gathered: &brought.gathered, scope: &brought.scope, accelerators: &builtin.accelerators, now };
    let appended = store.append(|previous| {
        let previous = previous.unwrap_or_else(base);
        let (next, findings) = merge::merge(&previous, &refresh);
        (is_news(&next, now).then_some(next), (previous, findings))
    });
    let (kept, (previous, findings), damaged) = match appended {
        Ok(appended) => (appended.kept, appended.made, appended.findings),
        Err(fault) => return told(&fault, terminal),
    };
    damaged.iter().chain(&findings).for_each(|finding| tell(finding, terminal));
    let Some(Kept { digest, snapshot, .. }) = kept else {
        let _ = writeln!(terminal.err, "no price that was read can be used; the last good snapshot is as it was");
        return Exit::No;
    };
    // A list of which no price can be used is as good as none.
    let complete = complete && findings.iter().all(|finding| finding.code != codes::NOTHING_FOUND);
    let changes = diff::diff(&previous, &snapshot);
    let answer = Answer { snapshot: &snapshot, digest: &digest, scope: &brought.scope, changes: &changes, complete, now };
    let pinned = store.pinned().ok().flatten();
    let written = match args.format {
        Format::Json => answer.json().and_then(|text| writeln!(terminal.out, "{text}")),
        Format::Human => answer.human(pinned.as_deref(), terminal),
    };
    match (written, complete) {
        (Err(_), _) => Exit::Failure,
        (Ok(()), true) => Exit::Done,
        (Ok(()), false) => Exit::No,
    }
}

/// Whether anything of this refresh is in it: a price, or one that is held back to be seen again.
fn is_news(next: &Snapshot, now: Timestamp) -> bool {
    next.rows.iter().any(|row| row.read_at == Some(now)) || next.held_back.iter().any(|held| held.first_seen == now)
}

/// Asks every cloud.
fn gather(args: &Args, (regions, catalog, now): (&Regions, &Catalog, Timestamp), in_place: bool) -> Result<Brought, Diagnostic> {
    let policy = Policy { retries: args.retries, timeout: Duration::from_secs(args.timeout), ..Policy::default() };
    let progress = Arc::new(Progress::start(in_place));
    let shown = Arc::clone(&progress);
    let public = Public::new(policy, Arc::new(move |what: &str, bytes: u64| shown.step(&format!("{what}, {} MiB", bytes >> 20))))?;
    let mut brought = Brought { gathered: Gathered::default(), scope: Vec::new(), faults: Vec::new() };
    for (cloud, regions) in regions {
        progress.step(&format!("asking {}", sources::name(*cloud)));
        let scope = sources::Scope { cloud: *cloud, regions, catalog, now };
        let by_account = args.source == SourceArg::Api && *cloud != Cloud::Azure;
        let (gathered, mut faults) =
            if by_account { sources::account(&scope, policy, &|step| progress.step(step)) } else { public.ask(&scope) };
        // Nobody asked for Google Cloud by name, and it cannot be asked: a hint is enough.
        if args.cloud.is_empty() && gathered.quotes.is_empty() {
            faults
                .iter_mut()
                .filter(|fault| fault.code == codes::CREDENTIALS && *cloud == Cloud::Gcp)
                .for_each(|fault| fault.severity = Severity::Note);
        }
        let source = if by_account { args.source } else { SourceArg::Public };
        // What a fault explains needs no second one.
        let is_explained = !faults.is_empty();
        for region in regions {
            if gathered.quotes.iter().any(|quote| quote.region == *region)
                || gathered.spot_history.iter().any(|point| point.region == *region)
            {
                brought.scope.push(Scope { cloud: *cloud, region: region.clone(), source: source.as_str().to_owned() });
            } else if !is_explained {
                faults.push(nothing(*cloud, region));
            }
        }
        brought.gathered.add(gathered);
        brought.faults.append(&mut faults);
    }
    progress.finish();
    Ok(brought)
}

fn nothing(cloud: Cloud, region: &str) -> Diagnostic {
    let message = format!("{}: no price of a GPU machine in `{region}`", sources::name(cloud));
    let mut fault = Diagnostic::new(codes::NOTHING_FOUND, Severity::Error, message);
    fault.help("check the name of the region; `gpuplan prices list` shows those that are known");
    fault
}

/// What came of it.
struct Answer<'a> {
    snapshot: &'a Snapshot,
    digest: &'a str,
    scope: &'a [Scope],
    changes: &'a [Change],
    complete: bool,
    now: Timestamp,
}

/// Changes that are spelled out.
const SHOWN: usize = 10;

impl Answer<'_> {
    fn read(&self) -> usize {
        self.snapshot.rows.iter().filter(|row| row.read_at == Some(self.now)).count()
    }

    fn human(&self, pinned: Option<&str>, terminal: &mut Terminal) -> io::Result<()> {
        let out = &mut terminal.out;
        let regions: Vec<String> = self.scope.iter().map(|s| format!("{}/{}", s.cloud.as_str(), s.region)).collect();
        writeln!(out, "snapshot {}: {} prices, {} of them read now", cache::short(self.digest), self.snapshot.rows.len(), self.read())?;
        writeln!(out, "read: {}", regions.join(", "))?;
        if !self.complete {
            writeln!(out, "not everything that was asked for could be read (see above); the rest keeps its old prices")?;
        }
        if !self.snapshot.held_back.is_empty() {
            writeln!(out, "{} held back until seen twice", self.snapshot.held_back.len())?;
        }
        writeln!(
            out,
            "{} prices differ from before{}",
            self.changes.len(),
            if self.changes.is_empty() { "" } else { ", furthest first:" }
        )?;
        for change in self.changes.iter().take(SHOWN) {
            let moved = match (change.before, change.after) {
                (Some(before), Some(after)) => format!("{before:.4} -> {after:.4} ({:+.1}%)", 100.0 * (after / before - 1.0)),
                (None, Some(after)) => format!("new at {after:.4}"),
                _ => "gone".to_owned(),
            };
            writeln!(out, "  {}  {moved}", change.key)?;
        }
        if self.changes.len() > SHOWN {
            writeln!(out, "  and {} more", self.changes.len() - SHOWN)?;
        }
        if let Some(pinned) = pinned {
            writeln!(out, "plans stay on the pinned snapshot {} until `gpuplan prices unpin`", cache::short(pinned))?;
        }
        Ok(())
    }

    fn json(&self) -> io::Result<String> {
        let scope = self.scope.iter().map(|s| json!({"cloud": s.cloud.as_str(), "region": s.region, "source": s.source}));
        let change = |c: &Change| json!({"offering": c.key.to_string(), "before": c.before, "after": c.after});
        let held = self.snapshot.held_back.iter().map(|h| json!({"offering": h.key.to_string(), "usd_per_hour": h.usd_per_hour}));
        let document = json!({
            "format": "gpuplan/price-refresh/v1",
            "snapshot": self.digest,
            "taken_at": self.snapshot.taken_at.to_string(),
            "complete": self.complete,
            "prices": self.snapshot.rows.len(),
            "read": self.read(),
            "regions": scope.collect::<Vec<_>>(),
            "held_back": held.collect::<Vec<_>>(),
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
        });
        serde_json::to_string_pretty(&document).map_err(io::Error::other)
    }
}
