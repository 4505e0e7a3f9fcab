//! `gpuplan prices history`: how a price moved from snapshot to snapshot.

use super::{Exit, Format, Terminal, cache, tell, told};
use crate::pricing::history::{self, Seen};
use serde_json::json;
use std::io;
use tabled::builder::Builder;
use tabled::settings::Style;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Price: `aws/us-east-1/g6e.12xlarge/spot`.
    #[arg(value_name = "OFFERING")]
    pub offering: String,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let start =
        cache::store().and_then(|store| Ok((cache::find(Some("latest"), terminal)?, cache::find(Some("builtin"), terminal)?, store)));
    let (newest, embedded, store) = match start {
        Ok(start) => start,
        Err(fault) => return told(&fault, terminal),
    };
    let key = match cache::key(&args.offering, &newest.snapshot)
        .or_else(|fault| cache::key(&args.offering, &embedded.snapshot).map_err(|_| fault))
    {
        Ok(key) => key,
        Err(fault) => {
            let _ = writeln!(terminal.err, "error: {fault}");
            return Exit::BadInput;
        }
    };
    let kept = match store.each() {
        Ok(kept) => kept,
        Err(fault) => return told(&fault, terminal),
    };
    let (mut count, mut findings) = (1, Vec::new());
    let whole = kept.filter_map(|read| match read {
        Ok(kept) => {
            count += 1;
            Some(kept.snapshot)
        }
        Err(finding) => {
            findings.push(finding);
            None
        }
    });
    let seen = history::history(std::iter::once(embedded.snapshot.clone()).chain(whole), &key);
    findings.iter().for_each(|finding| tell(finding, terminal));
    let written = match args.format {
        Format::Json => json_text(&key.to_string(), &seen).and_then(|text| writeln!(terminal.out, "{text}")),
        Format::Human => human(&key.to_string(), (&seen, count), terminal),
    };
    if written.is_ok() { Exit::Done } else { Exit::Failure }
}

fn human(name: &str, (seen, snapshots): (&[Seen], usize), terminal: &mut Terminal) -> io::Result<()> {
    let mut table = Builder::default();
    table.push_record(["in snapshots from", "$/h", "moved", "as of", "source"]);
    let mut before: Option<f64> = None;
    for price in seen {
        let moved = before.map_or_else(String::new, |before| format!("{:+.1}%", 100.0 * (price.usd_per_hour / before - 1.0)));
        before = Some(price.usd_per_hour);
        let day = price.taken_at.strftime("%Y-%m-%d %H:%M").to_string();
        table.push_record([day, format!("{:.4}", price.usd_per_hour), moved, price.as_of.clone(), price.source.clone()]);
    }
    writeln!(terminal.out, "{name}\n{}", table.build().with(Style::blank()))?;
    writeln!(terminal.out, "\n{snapshots} snapshots, those compiled in included")
}

fn json_text(name: &str, seen: &[Seen]) -> io::Result<String> {
    let one = |s: &Seen| json!({"from": s.taken_at.to_string(), "usd_per_hour": s.usd_per_hour, "as_of": s.as_of, "source": s.source});
    let document = json!({"format": "gpuplan/price-history/v1", "offering": name, "prices": seen.iter().map(one).collect::<Vec<_>>()});
    serde_json::to_string_pretty(&document).map_err(io::Error::other)
}
