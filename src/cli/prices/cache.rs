//! Where snapshots are kept, and which one is meant.

use super::tell;
use crate::catalog::{Catalog, builtin};
use crate::cli::Terminal;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::InputFile;
use crate::input::{BUILTIN_PRICES, PriceBook, suggest};
use crate::pricing::codes;
use crate::pricing::key::{KeyFault, OfferingKey};
use crate::pricing::snapshot::{self, Snapshot};
use crate::pricing::snapshot_file;
use crate::pricing::store::Store;
use jiff::Timestamp;
use std::env;
use std::path::{Path, PathBuf};

/// Name of a snapshot among a plan's inputs.
pub const SNAPSHOT_INPUT: &str = "prices:snapshot";

/// Which prices a command plans with.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PriceArgs {
    /// Prices to plan on: `current` (pinned, else newest), `builtin`, the beginning of a snapshot's digest, or a file [default: current]
    #[arg(long, value_name = "SNAPSHOT")]
    pub prices: Option<String>,
    /// Warn where prices of the scenario's regions are older than this
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub max_price_age: u32,
}

/// A snapshot, and how to name it to people.
#[derive(Clone, Debug)]
pub struct Found {
    /// Contents.
    pub snapshot: Snapshot,
    /// SHA-256 in hex; none for the prices that are compiled in.
    pub digest: Option<String>,
    /// `snapshot 1a2b3c4d5e6f of 2026-11-26 (3 hours ago)`.
    pub name: String,
}

/// The cache: `GPUPLAN_CACHE_DIR`, else `gpuplan` in `XDG_CACHE_HOME` or `~/.cache`.
///
/// # Errors
/// None of the three variables is set.
pub fn store() -> Result<Store, Diagnostic> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let root = set("GPUPLAN_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("gpuplan")))
        .or_else(|| set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(".cache").join("gpuplan")));
    root.map(|root| Store::open(root.join("prices"))).ok_or_else(|| {
        let mut fault =
            Diagnostic::new(codes::CACHE_UNWRITABLE, Severity::Error, "no folder for the cache: neither HOME nor XDG_CACHE_HOME is set");
        fault.help("name a folder in GPUPLAN_CACHE_DIR");
        fault
    })
}

/// The snapshot that is meant; the prices that are compiled in where there is none.
///
/// # Errors
/// No such snapshot, or a damaged one.
pub fn find(named: Option<&str>, terminal: &mut Terminal) -> Result<Found, Diagnostic> {
    match named {
        None | Some("current" | "latest") => {
            // Without a home there is no cache, and nothing in it.
            let Ok(store) = store() else { return embedded() };
            let current = if named == Some("latest") { store.latest()? } else { store.current()? };
            current.findings.iter().for_each(|finding| tell(finding, terminal));
            current.found.map_or_else(embedded, |kept| Ok(named_snapshot(kept.snapshot, kept.digest)))
        }
        Some("builtin") => embedded(),
        Some(text) if is_file(text) => of_file(Path::new(text)),
        Some(digest) => store()?.find(digest).map(|kept| named_snapshot(kept.snapshot, kept.digest)),
    }
}

/// A path, rather than the beginning of a digest.
fn is_file(text: &str) -> bool {
    text.contains(['/', '\\', '.']) || Path::new(text).is_file()
}

fn of_file(path: &Path) -> Result<Found, Diagnostic> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|fault| {
        let mut diagnostic = Diagnostic::new(codes::NO_SNAPSHOT, Severity::Error, format!("`{shown}`: {fault}"));
        diagnostic.help("name a file that `gpuplan prices pin --out FILE` wrote, or `builtin`");
        diagnostic
    })?;
    let snapshot = snapshot_file::decode(&bytes, &shown)?;
    let digest = snapshot_file::digest(&snapshot_file::encode(&snapshot)?);
    Ok(named_snapshot(snapshot, digest))
}

fn named_snapshot(snapshot: Snapshot, digest: String) -> Found {
    let name = format!("snapshot {} of {}", short(&digest), aged(snapshot.taken_at, Timestamp::now()));
    Found { snapshot, digest: Some(digest), name }
}

fn embedded() -> Result<Found, Diagnostic> {
    let catalog = builtin_catalog()?;
    let taken_at = newest_day(&catalog);
    let name = format!("the prices that are compiled in, the newest of {}", taken_at.strftime("%Y-%m-%d"));
    Ok(Found { snapshot: snapshot::from_builtin(&catalog, taken_at), digest: None, name })
}

/// Day of the newest price, as a moment: its midnight in UTC.
#[must_use]
pub fn newest_day(catalog: &Catalog) -> Timestamp {
    let newest = catalog.rows.iter().map(|row| row.as_of.as_str()).max().unwrap_or_default();
    format!("{newest}T00:00:00Z").parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The embedded catalogue.
///
/// # Errors
/// Never with the data that is in the tree.
pub fn builtin_catalog() -> Result<Catalog, Diagnostic> {
    builtin::catalog().map_err(|fault| Diagnostic::new(crate::input::codes::BROKEN_BUILTIN, Severity::Error, fault.to_string()))
}

/// The catalogue of the snapshot that is meant.
///
/// # Errors
/// As [`find`].
pub fn catalog(named: Option<&str>, terminal: &mut Terminal) -> Result<Catalog, Diagnostic> {
    let found = find(named, terminal)?;
    let builtin = builtin_catalog()?;
    Ok(if found.digest.is_some() { snapshot::catalog(&found.snapshot, &builtin) } else { builtin })
}

/// Prices to plan on; none: those that are compiled in. The embedded example is planned on those unless told otherwise.
///
/// # Errors
/// As [`find`].
pub fn book(args: &PriceArgs, demo: bool, terminal: &mut Terminal) -> Result<Option<PriceBook>, Diagnostic> {
    if demo && args.prices.is_none() {
        return Ok(None);
    }
    let found = find(args.prices.as_deref(), terminal)?;
    if let Some(warning) = old(&found, args.max_price_age) {
        tell(&warning, terminal);
    }
    let Some(digest) = found.digest else { return Ok(None) };
    if !demo {
        let _ = writeln!(terminal.err, "prices: {}\n", found.name);
    }
    let catalog = snapshot::catalog(&found.snapshot, &builtin_catalog()?);
    Ok(Some(PriceBook { catalog, origin: InputFile { path: SNAPSHOT_INPUT.to_owned(), sha256: digest } }))
}

/// Says that a plan is made on the prices that are compiled in, and how old these are.
pub fn say_embedded(terminal: &mut Terminal) {
    if let Ok(found) = embedded() {
        let _ = writeln!(terminal.err, "prices: {}; `gpuplan prices refresh` reads today's\n", found.name);
    }
}

/// The prices that a plan was made on: those named, else those whose digest it carries.
///
/// # Errors
/// As [`find`]; the snapshot of the plan is not in the cache.
pub fn book_of(inputs: &[InputFile], named: Option<&str>, terminal: &mut Terminal) -> Result<Option<PriceBook>, Diagnostic> {
    let own = inputs.iter().find(|input| input.path == SNAPSHOT_INPUT);
    let builtin = inputs.iter().any(|input| input.path == BUILTIN_PRICES);
    let named = named.or(own.map(|input| input.sha256.as_str())).or(builtin.then_some("builtin"));
    let args = PriceArgs { prices: named.map(str::to_owned), max_price_age: u32::MAX };
    book(&args, true, terminal).map_err(|mut fault| {
        if fault.code == codes::NO_SNAPSHOT {
            let help = fault.help.take().unwrap_or_default();
            fault.help(format!("{help}; the plan was made on that one, and a file of it can be named with --prices"));
        }
        fault
    })
}

/// Warning about prices past the limit. What is compiled in is old by its nature; that is in its name.
fn old(found: &Found, limit_days: u32) -> Option<Diagnostic> {
    found.digest.as_ref()?;
    let days = Timestamp::now().duration_since(found.snapshot.taken_at).as_hours() / 24;
    (days > i64::from(limit_days)).then(|| {
        let message = format!("{} is older than {limit_days} days", found.name);
        let mut warning = Diagnostic::new(codes::OLD_PRICES, Severity::Warning, message);
        warning.help("`gpuplan prices refresh` reads today's; --max-price-age sets the limit");
        warning
    })
}

/// The beginning of a digest that people are shown.
#[must_use]
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// Day and age: `2026-11-26 (3 hours ago)`.
#[must_use]
pub fn aged(at: Timestamp, now: Timestamp) -> String {
    let hours = now.duration_since(at).as_hours();
    let age = match hours {
        i64::MIN..0 => "in the future: is the clock right?".to_owned(),
        0 => "less than an hour ago".to_owned(),
        1..48 => format!("{hours} hours ago"),
        _ => format!("{} days ago", hours / 24),
    };
    format!("{} ({age})", at.strftime("%Y-%m-%d"))
}

/// The price that is meant, as it is called in the snapshot.
///
/// # Errors
/// No such name, with the nearest one.
pub fn key(text: &str, snapshot: &Snapshot) -> Result<OfferingKey, String> {
    let names = || snapshot.rows.iter().map(|row| row.key().to_string());
    let near = || {
        let all: Vec<String> = names().collect();
        suggest::help(text, all.iter().map(String::as_str)).map(|help| format!("; {help}")).unwrap_or_default()
    };
    let key: OfferingKey = text.parse().map_err(|fault: KeyFault| format!("{fault}{}", near()))?;
    match snapshot.row(&key) {
        Some(_) => Ok(key),
        None => Err(format!("no price `{key}`{}", near())),
    }
}
