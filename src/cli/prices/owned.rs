//! `gpuplan prices owned`: commitments that the account holds, as a scenario writes them.

use super::{Exit, Format, Terminal, cache, told};
use crate::pricing::gathered::{Owned, Product};
use serde_json::json;
use std::fmt::Write as _;
use std::io;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which prices: `current`, `builtin`, the beginning of a snapshot's digest, or a file.
    #[arg(long, value_name = "SNAPSHOT")]
    pub prices: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let found = match cache::find(args.prices.as_deref(), terminal) {
        Ok(found) => found,
        Err(fault) => return told(&fault, terminal),
    };
    let owned = &found.snapshot.owned;
    let written = match args.format {
        Format::Json => json_text(owned).and_then(|text| writeln!(terminal.out, "{text}")),
        Format::Human if owned.is_empty() => {
            writeln!(terminal.out, "no commitments in {}; `gpuplan prices refresh --source api` reads those of your account", found.name)
        }
        Format::Human => write!(terminal.out, "{}", yaml(owned)),
    };
    if written.is_ok() { Exit::Done } else { Exit::Failure }
}

/// Those that a scenario can hold, as YAML; the others as comments that say why not.
fn yaml(owned: &[Owned]) -> String {
    let mut out =
        String::from("# Under `baseline:` of the scenario. Rates are the account's own, amortized over the term.\ncommitments:\n");
    for one in owned {
        let Owned { cloud, region, id, product, covers, count, usd_per_hour, ends } = one;
        let until = ends.map(|at| at.strftime("%Y-%m-%d").to_string());
        let machines = matches!(product, Product::StandardReserved | Product::ConvertibleReserved | Product::Reservation);
        let _ = match (machines && *count > 0, usd_per_hour, &until) {
            (true, Some(usd), Some(until)) => writeln!(
                out,
                "  - name: {id}\n    instance_type: {covers}\n    region: {region}\n    nodes: {count}\n    usd_per_hour: {:.5}\n    expires: {until}",
                usd / f64::from(*count)
            ),
            _ => {
                let what = if covers.is_empty() { "anything" } else { covers };
                let rate = usd_per_hour.map_or_else(|| "at an unknown rate".to_owned(), |usd| format!("${usd:.5} an hour"));
                let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
                writeln!(
                    out,
                    "  # {} {id} ({}{}{region}), for {what}, {rate}{until}: no count of machines; set it as nodes of the type that it covers.",
                    product.as_str(),
                    cloud.as_str(),
                    if region.is_empty() { "" } else { " " }
                )
            }
        };
    }
    out
}

fn json_text(owned: &[Owned]) -> io::Result<String> {
    let one = |o: &Owned| {
        json!({
            "cloud": o.cloud.as_str(), "region": o.region, "id": o.id, "product": o.product.as_str(), "covers": o.covers,
            "count": o.count, "usd_per_hour": o.usd_per_hour, "ends": o.ends.map(|at| at.to_string()),
        })
    };
    let document = json!({"format": "gpuplan/owned-commitments/v1", "commitments": owned.iter().map(one).collect::<Vec<_>>()});
    serde_json::to_string_pretty(&document).map_err(io::Error::other)
}
