//! `gpuplan prices snapshots`: what is in the cache.

use super::{Exit, Format, Terminal, cache, tell, told};
use crate::pricing::store::Kept;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::io;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let read = cache::store().and_then(|store| Ok((store.all()?, store.pinned()?, store.folder())));
    let (kept, pinned, folder) = match read {
        Ok(read) => read,
        Err(fault) => return told(&fault, terminal),
    };
    kept.findings.iter().for_each(|finding| tell(finding, terminal));
    let written = match args.format {
        Format::Json => json_text(&kept.found, pinned.as_deref()).and_then(|text| writeln!(terminal.out, "{text}")),
        Format::Human if kept.found.is_empty() => {
            writeln!(terminal.out, "no snapshots in {}; `gpuplan prices refresh` takes one", folder.display())
        }
        Format::Human => kept.found.iter().rev().try_for_each(|one| line(one, pinned.as_deref(), terminal)),
    };
    if written.is_ok() { Exit::Done } else { Exit::Failure }
}

fn line(kept: &Kept, pinned: Option<&str>, terminal: &mut Terminal) -> io::Result<()> {
    let mut read: BTreeMap<&str, usize> = BTreeMap::new();
    let newest = kept.snapshot.refreshed.iter().map(|r| r.taken_at).max();
    for refreshed in kept.snapshot.refreshed.iter().filter(|r| Some(r.taken_at) == newest) {
        *read.entry(refreshed.cloud.as_str()).or_default() += 1;
    }
    let read: Vec<String> =
        read.iter().map(|(cloud, regions)| format!("{cloud}: {regions} region{}", if *regions == 1 { "" } else { "s" })).collect();
    let mark = if pinned == Some(&*kept.digest) { "  pinned" } else { "" };
    let (digest, age) = (cache::short(&kept.digest), cache::aged(kept.snapshot.taken_at, Timestamp::now()));
    writeln!(terminal.out, "{digest}  {age:<34} {} prices, read {}{mark}", kept.snapshot.rows.len(), read.join(", "))
}

fn json_text(kept: &[Kept], pinned: Option<&str>) -> io::Result<String> {
    let one = |k: &Kept| {
        json!({
            "digest": k.digest, "taken_at": k.snapshot.taken_at.to_string(), "path": k.path, "prices": k.snapshot.rows.len(),
            "pinned": pinned == Some(&*k.digest),
        })
    };
    let document = json!({"format": "gpuplan/price-snapshots/v1", "snapshots": kept.iter().map(one).collect::<Vec<_>>()});
    serde_json::to_string_pretty(&document).map_err(io::Error::other)
}
