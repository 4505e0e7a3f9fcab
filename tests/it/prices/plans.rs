//! Plans on snapshots: a pinned one keeps the plan to the byte, another one changes it, and what a change costs can be worked out.
//!
//! The scenario is `two-by-hand`, whose README has every step. On the snapshot of `aws` its machines cost: g6e.xlarge 1.87, g7e.2xlarge
//! 3.37, g6.xlarge 0.81, g4dn.xlarge 0.53 dollars an hour. A later snapshot has g6e.xlarge at 2.20.

#![expect(clippy::unwrap_used, reason = "test")]

use super::clouds::{Fault, Server, public};
use super::desk::{Desk, Ran};
use crate::planned;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const AWS: &str = "--cloud aws --region us-east-1 --retries 0";

/// Weeks of a month, by hours: 730 / 168.
const MONTH: f64 = 730.0 / 168.0;

/// A cent a month: bills are shown to the cent.
const CENT: f64 = 0.01;

/// A user with two snapshots, and servers that have the prices of either.
struct Market {
    desk: Desk,
    later: Server,
    first: String,
}

impl Market {
    /// One snapshot is taken, and no more.
    fn opened() -> Self {
        let now = public(Vec::new());
        let later = public(vec![Fault::edit("/AmazonEC2/current/us-east-1/", "\"1.8700000000\"", "\"2.2000000000\"")]);
        let desk = Desk::at(&now);
        desk.refresh(AWS).ends(0);
        let first = desk.digest();
        Self { desk, later, first }
    }

    /// Prices move: another snapshot.
    fn moves(&mut self) -> String {
        self.desk.point_to(&self.later.url());
        self.desk.refresh(AWS).ends(0).says(&["aws/us-east-1/g6e.xlarge/on-demand  1.8700 -> 2.2000 (+17.6%)"]);
        self.desk.digest()
    }

    /// Plans into a folder of this name.
    fn plan(&self, name: &str, more: &[&str]) -> (PathBuf, Ran) {
        let out = self.desk.home().join(name);
        let scenario = planned::folder("two-by-hand");
        let arguments = [&["optimize", scenario.to_str().unwrap(), "--quick", "--out", out.to_str().unwrap()], more].concat();
        let ran = self.desk.run(&arguments);
        assert!(out.join("plan.json").is_file(), "{ran:?}");
        (out, ran)
    }

    fn check(&self, out: &Path, more: &[&str]) -> Ran {
        let (plan, scenario) = (out.join("plan.json"), planned::folder("two-by-hand"));
        let scenario = scenario.join("scenario.yaml");
        self.desk.run(&[&["check", plan.to_str().unwrap(), "--scenario", scenario.to_str().unwrap()], more].concat())
    }
}

fn read(out: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(out.join("plan.json")).unwrap()).unwrap()
}

/// Files of a folder by their place in it.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = crate::simulate::listing(folder).into_iter();
    files.map(|(path, bytes)| (path.strip_prefix(folder).unwrap().to_owned(), bytes)).collect()
}

/// The pool of a machine.
fn pool<'a>(plan: &'a Value, machine: &str) -> &'a Value {
    plan["pools"].as_array().unwrap().iter().find(|pool| pool["instance_type"] == machine).unwrap_or_else(|| panic!("no {machine}: {plan}"))
}

fn has(plan: &Value, machine: &str) -> bool {
    plan["pools"].as_array().unwrap().iter().any(|pool| pool["instance_type"] == machine)
}

#[test]
fn a_plan_on_a_pinned_snapshot_is_the_same_bytes_after_a_refresh() {
    let mut market = Market::opened();
    market.desk.run(&["prices", "pin"]).ends(0).says(&[&format!("pinned {} until `gpuplan prices unpin`", &market.first[..12])]);
    let (before, said) = market.plan("before", &[]);
    said.says(&[&format!("prices: snapshot {} of ", &market.first[..12])]);
    market.desk.point_to(&market.later.url());
    market.desk.refresh(AWS).ends(0).says(&[&format!("plans stay on the pinned snapshot {} until", &market.first[..12])]);
    let second = market.desk.digest();
    assert_ne!(market.first, second);
    let (after, said) = market.plan("after", &[]);
    said.says(&[&format!("prices: snapshot {} of ", &market.first[..12])]);
    assert!(tree(&before) == tree(&after), "the plan has changed");
    // One L40S all week and two more by day, as in the README, at 1.87.
    let plan = read(&after);
    assert!(has(&plan, "g6e.xlarge") && has(&plan, "g6.xlarge"), "{plan}");
    let input = plan["provenance"]["inputs"].as_array().unwrap().iter().find(|input| input["path"] == "prices:snapshot").unwrap();
    assert_eq!(input["sha256"], market.first.as_str());

    // Without the pin the newest prices count: three L40S by day come to 283.127 x 2.20 x 730/168 = 2706.58 a month, and the RTX PRO 6000
    // all week to 3.37 x 730 = 2460.10.
    market.desk.run(&["prices", "unpin"]).ends(0);
    let (newest, said) = market.plan("newest", &[]);
    said.says(&[&format!("prices: snapshot {} of ", &second[..12])]);
    let plan = read(&newest);
    assert!(has(&plan, "g7e.2xlarge") && !has(&plan, "g6e.xlarge"), "{plan}");
    assert!(tree(&newest) != tree(&after));
    market.desk.run(&["prices", "unpin"]).ends(0).says(&["nothing was pinned"]);
}

/// The same snapshot, however it is named, is the same plan; the embedded prices are those of the README.
#[test]
fn snapshots_by_file_digest_and_name() {
    let mut market = Market::opened();
    let (wanted, _) = market.plan("wanted", &[]);
    let file = market.desk.home().join("prices.json");
    let file = file.to_str().unwrap();
    market.desk.run(&["prices", "pin", "--out", file]).ends(0).says(&["wrote ", "plan on it with `gpuplan optimize --prices "]);
    let second = market.moves();
    for (folder, named) in [("file", file), ("digest", &market.first), ("short", &market.first[..8])] {
        let (out, said) = market.plan(folder, &["--prices", named]);
        said.says(&[&format!("prices: snapshot {} of ", &market.first[..12])]);
        assert!(tree(&out) == tree(&wanted), "{named}");
    }
    for named in ["latest", "current", &second] {
        let (out, _) = market.plan(&format!("second-{named}"), &["--prices", named]);
        assert!(has(&read(&out), "g7e.2xlarge"), "{named}");
    }
    // $2,439.70 a month instead of $4,663.09 in the README.
    let (builtin, said) = market.plan("builtin", &["--prices", "builtin"]);
    said.says(&["prices: the prices that are compiled in, the newest of 2026-09-06", "$4,663 -> $2,440/month, saving 47.7%"]);
    let plan = read(&builtin);
    assert!(plan["provenance"]["inputs"].as_array().unwrap().iter().all(|input| input["path"] != "prices:snapshot"));
    // A snapshot file is text that can be read and kept beside a scenario; the key is not in it.
    let text = fs::read_to_string(file).unwrap();
    assert!(text.starts_with("{\"format\":\"gpuplan/price-snapshot/v1\"") && !text.contains(super::desk::KEY));
}

/// 280 hours a week, and fourteen starts of 0.2233 hours: 283.1267. A difference of 0.33 dollars an hour is
/// 283.1267 x 730/168 x 0.33 = 405.98 dollars a month.
#[test]
fn a_difference_of_snapshots_names_the_line_that_it_moves() {
    let mut market = Market::opened();
    let (out, _) = market.plan("plan", &[]);
    let second = market.moves();
    let plan = out.join("plan.json");
    let ask = ["prices", "diff", &market.first, &second, "--plan", plan.to_str().unwrap()];
    let found = market.desk.run(&[&ask[..], &["--format", "json"]].concat());
    let found = found.ends(1).json();
    let document = read(&out);
    let of_plan = pool(&document, "g6e.xlarge");
    let hours = of_plan["paid_node_hours_per_week"].as_f64().unwrap() + of_plan["start_up_node_hours_per_week"].as_f64().unwrap();
    assert!((hours - 283.126_667).abs() < 1e-3, "{hours}");
    let by_hand = 283.126_667 * MONTH * 0.33;
    assert!((by_hand - 405.98).abs() < CENT, "{by_hand}");
    let lines = found["plan"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{found}");
    assert_eq!(
        (&lines[0]["pool"], &lines[0]["offering"]),
        (&of_plan["name"], &Value::from("aws/us-east-1/g6e.xlarge/on-demand")),
        "{found}"
    );
    assert!((lines[0]["usd_per_month"].as_f64().unwrap() - by_hand).abs() < CENT, "{found}");
    assert_eq!(found["changes"].as_array().unwrap().len(), 1, "{found}");

    let told = market.desk.run(&ask);
    told.ends(1).says(&[
        "+17.6%",
        of_plan["name"].as_str().unwrap(),
        "+405.98",
        "they move the plan `two-by-hand` by +405.98 dollars a month",
    ]);
    market.desk.run(&["prices", "diff", &second, &market.first, "--plan", plan.to_str().unwrap()]).ends(1).says(&["-15.0%", "-405.98"]);
    market.desk.run(&["prices", "diff", &market.first, &market.first]).ends(0).says(&["no price differs"]);
    market.desk.run(&["prices", "diff", &market.first]).ends(1).says(&["1 prices differ; with --plan"]);
    // Where the plan lies in its usual place it is found without being named.
    market.plan("gpuplan-out", &["--prices", &market.first]);
    market.desk.run(&["prices", "diff", &market.first]).ends(1).says(&["+405.98"]);
    // What moves without being in the plan is said to be so.
    let (other, _) = market.plan("other", &["--prices", &second]);
    let other = other.join("plan.json");
    market
        .desk
        .run(&["prices", "diff", &market.first, &second, "--plan", other.to_str().unwrap()])
        .ends(1)
        .says(&["none of them is in the plan"]);
    market.desk.run(&["prices", "diff", &market.first, "--plan", "nowhere.json"]).ends(2).says(&["nowhere.json"]);
}

/// A plan is held against the prices that it was made on, whatever is current.
#[test]
fn a_check_finds_the_snapshot_of_the_plan() {
    let mut market = Market::opened();
    let (out, _) = market.plan("plan", &[]);
    let file = market.desk.home().join("prices.json");
    market.desk.run(&["prices", "pin", "--out", file.to_str().unwrap()]).ends(0);
    market.check(&out, &[]).ends(0);
    let second = market.moves();
    market.check(&out, &[]).ends(0);
    // On other prices it is another bill: findings, and no bad input.
    market.check(&out, &["--prices", &second]).ends(1);
    // Gone from the cache: the digest, and what to do.
    let snapshots = market.desk.cache().join("prices/snapshots");
    let name = market.desk.snapshots().into_keys().find(|name| name.contains(&market.first)).unwrap();
    fs::remove_file(snapshots.join(name)).unwrap();
    market.check(&out, &[]).ends(2).says(&["error[E1842]", &format!("no snapshot `{}`", market.first), &second[..12]]);
    // Kept as a file it can be named.
    market.check(&out, &["--prices", file.to_str().unwrap()]).ends(0);
}

/// The snapshot of a plan is gone: what to do is said, and not only which others there are.
#[test]
fn a_check_without_the_snapshot_says_what_to_do() {
    let market = Market::opened();
    let (out, _) = market.plan("plan", &[]);
    fs::remove_dir_all(market.desk.cache()).unwrap();
    market.check(&out, &[]).ends(2).says(&["error[E1842]", &market.first, "--prices"]);
}

#[test]
fn old_prices_are_told_past_the_limit() {
    let market = Market::opened();
    let file = market.desk.home().join("prices.json");
    market.desk.run(&["prices", "pin", "--out", file.to_str().unwrap()]).ends(0);
    let (_, fresh) = market.plan("fresh", &["--max-price-age", "1"]);
    assert!(!fresh.err.contains("E1843"), "{}", fresh.err);
    // The same snapshot as it was taken two years ago.
    let mut snapshot: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    snapshot["taken_at"] = Value::from("2024-11-26T00:00:00Z");
    let old = market.desk.home().join("old.json");
    fs::write(&old, snapshot.to_string()).unwrap();
    let old = old.to_str().unwrap();
    let (_, said) = market.plan("old", &["--prices", old]);
    said.says(&[
        "warning[E1843]",
        "of 2024-11-26",
        "is older than 90 days",
        "`gpuplan prices refresh` reads today's; --max-price-age sets the limit",
    ]);
    let (_, said) = market.plan("older", &["--prices", old, "--max-price-age", "36500"]);
    assert!(!said.err.contains("E1843"), "{}", said.err);
    market.desk.run(&["prices", "show", "aws/us-east-1/g6e.xlarge/on-demand", "--prices", old]).ends(0).says(&["days ago)"]);
}

/// How a price moved from snapshot to snapshot.
#[test]
fn the_history_of_a_price() {
    let mut market = Market::opened();
    market.moves();
    let history = market.desk.run(&["prices", "history", "aws/us-east-1/g6e.xlarge/on-demand", "--format", "json"]);
    let history = history.ends(0).json();
    let prices: Vec<String> = history["prices"].as_array().unwrap().iter().map(|seen| seen["usd_per_hour"].to_string()).collect();
    // Compiled in, then of the two snapshots.
    assert_eq!(prices, ["1.861", "1.87", "2.2"]);
    market.desk.run(&["prices", "history", "aws/us-east-1/g6e.xlarge/on-demand"]).ends(0).says(&[
        "+0.5%",
        "+17.6%",
        "3 snapshots, those compiled in included",
    ]);
    market.desk.run(&["prices", "history", "aws/us-east-1/g6e.xlrge/on-demand"]).ends(2).says(&["g6e.xlarge"]);
    market.desk.run(&["prices", "snapshots"]).ends(0).says(&[&market.first[..12], &market.desk.digest()[..12], "aws: 1 region"]);
}
