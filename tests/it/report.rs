//! Reports of a plan made by hand.
#![expect(clippy::unwrap_used, reason = "test")]

use crate::golden;
use crate::report_fixture::{missed, plan, usd};
use gpuplan::plan::Plan;
use gpuplan::report::{Style, markdown, terminal};
use gpuplan::units::Usd;

const NEXT: &str = "Next: gpuplan-out/report.md";

fn screen(plan: &Plan) -> String {
    terminal(plan, NEXT, Style::default())
}

#[test]
fn goldens() {
    golden::check("report/plan.md", &markdown(&plan()));
    golden::check("report/plan.txt", &screen(&plan()));
    golden::check("report/missed.md", &markdown(&missed()));
    golden::check("report/missed.txt", &screen(&missed()));
}

#[test]
fn the_answer_is_in_the_first_three_lines() {
    let text = screen(&plan());
    let lines: Vec<&str> = text.lines().take(3).collect();
    for part in ["$50,000 -> $29,500", "41.0%", "$20,500", "-40% met by $500", "UNVERIFIED: not replayed"] {
        assert!(lines[0].contains(part), "`{part}` is missing in `{}`", lines[0]);
    }
    for part in ["least cost $28,900", "bound $28,840", "gap 0.21%", "$600 given back for safety"] {
        assert!(lines[1].contains(part), "`{part}` is missing in `{}`", lines[1]);
    }
    for part in ["Competent operations $38,200", "$8,700 above this plan", "gpuplan-out/report.md"] {
        assert!(lines[2].contains(part), "`{part}` is missing in `{}`", lines[2]);
    }
}

#[test]
fn every_output_carries_the_mark() {
    for text in [screen(&plan()), screen(&missed()), markdown(&plan()), markdown(&missed())] {
        assert!(text.contains("UNVERIFIED: not replayed"));
    }
}

#[test]
fn a_demo_never_passes_for_the_users_own() {
    let mut demo = plan();
    demo.demo = true;
    let text = screen(&demo);
    assert!(text.starts_with("demo: "), "{text}");
    assert!(text.contains("not yours"));
    assert!(markdown(&demo).contains("not your fleet"));
    assert!(!screen(&plan()).to_lowercase().contains("demo"));
    assert!(!markdown(&plan()).to_lowercase().contains("demo"));
}

#[test]
fn a_dearer_plan_is_called_dearer() {
    let mut plan = plan();
    plan.baseline.usd_per_month = usd(20_000.0);
    plan.saving = 1.0 - 29_500.0 / 20_000.0;
    assert!(screen(&plan).starts_with("$20,000 -> $29,500/month, $9,500 (47.5%) MORE than today"));
    assert!(markdown(&plan).contains("**$9,500 (47.5%) more** than today"));
}

#[test]
fn a_plan_without_anything_optional_still_reports() {
    let mut bare = plan();
    bare.target = None;
    bare.levers.clear();
    bare.sensitivity.clear();
    bare.windows.clear();
    bare.notes.clear();
    bare.workloads.clear();
    bare.pools.clear();
    bare.optimality.stages.clear();
    bare.baseline.usd_per_month = Usd::ZERO;
    let (text, md) = (screen(&bare), markdown(&bare));
    for bad in ["NaN", "inf", "target"] {
        assert!(!text.contains(bad), "`{bad}` in\n{text}");
    }
    for bad in ["NaN", "inf%"] {
        assert!(!md.contains(bad), "`{bad}` in\n{md}");
    }
}

/// Nothing is wider than the screen, whatever the screen; words stay whole (no line ends in the middle of a name).
#[test]
fn lines_fit_the_screen() {
    for width in [80, 100, 160] {
        let text = terminal(&plan(), NEXT, Style { color: false, width });
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width} columns are too few for `{line}`");
        }
        for whole in ["scheduled", "g6e.xlarge", "on-demand", "commitments", "America/New_York", "UNVERIFIED: not replayed"] {
            assert!(text.contains(whole), "`{whole}` is cut at {width} columns");
        }
    }
}

#[test]
fn colour_only_when_asked_for() {
    assert!(!screen(&plan()).contains('\u{1b}'));
    let colored = terminal(&plan(), NEXT, Style { color: true, width: 100 });
    assert!(colored.contains('\u{1b}'));
    assert_eq!(without_escapes(&colored), screen(&plan()), "colour changes nothing but colour");
}

fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    out + rest
}

/// Every place where a user's text can stand gets the same hostile text.
fn hostile(bad: &str) -> Plan {
    let mut p = plan();
    p.name = bad.to_owned();
    p.notes = vec![bad.to_owned()];
    for w in &mut p.workloads {
        for field in [&mut w.team, &mut w.cost_center, &mut w.profile, &mut w.change.summary, &mut w.kubernetes.namespace] {
            bad.clone_into(field);
        }
        w.why = vec![bad.to_owned()];
        bad.clone_into(&mut w.variant.source);
        bad.clone_into(&mut w.variant.precision);
    }
    p.workloads[0].name = bad.to_owned();
    p.windows[0].workload = bad.to_owned();
    p.windows[0].cron_start = bad.to_owned();
    p.baseline.node_groups[0].name = bad.to_owned();
    p.baseline.node_groups[0].reason = bad.to_owned();
    p.pools[1].when_lost = Some(bad.to_owned());
    p.cost.commitments[0].name = bad.to_owned();
    p.provenance.prices[0].source = bad.to_owned();
    p.provenance.inputs[0].path = bad.to_owned();
    p.target.as_mut().unwrap().requested = bad.to_owned();
    p
}

#[test]
fn hostile_names_cannot_change_the_page() {
    let bad = "<img src=x onerror=alert(1)>|a|b\n# owned\n\u{1b}[2J\u{7}\u{202e}[x](javascript:alert(1)) `x` ```\n";
    let clean = hostile("plain");
    let p = hostile(bad);

    let text = screen(&p);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "control characters reach the screen");
    assert!(!text.contains('\u{202e}'), "direction marks reach the screen");

    let md = markdown(&p);
    assert!(md.chars().all(|c| c == '\n' || !c.is_control()));
    // Headings, tables and fences are as many as with a harmless name.
    let shape = |md: &str| {
        let count = |f: &dyn Fn(&str) -> bool| md.lines().filter(|l| f(l)).count();
        (count(&|l| l.starts_with('#')), count(&|l| l.starts_with("| ")), count(&|l| l.starts_with("```")))
    };
    assert_eq!(shape(&md), shape(&markdown(&clean)));
    for row in md.lines().filter(|l| l.starts_with("| ")) {
        let prose: String = row.split('`').step_by(2).collect();
        assert!(!prose.replace("<br>", "").contains('<'), "HTML in `{row}`");
    }
    let mut in_fence = false;
    for line in md.lines() {
        in_fence ^= line.starts_with("```");
        // Inside fences and code spans nothing is markup; elsewhere links and tags must be escaped.
        if !in_fence {
            let prose: String = line.split('`').step_by(2).collect();
            assert!(!prose.contains("[x]("), "a link in `{line}`");
            assert!(!prose.contains("<img"), "HTML in `{line}`");
        }
    }
}

#[test]
fn hostile_names_cannot_run_in_commands() {
    let mut p = plan();
    p.workloads[0].kubernetes.namespace = "x; rm -rf / #".to_owned();
    let md = markdown(&p);
    assert!(md.contains("--namespace 'x; rm -rf / #'"), "{md}");
    assert!(!md.contains("--namespace x;"));
}

/// Rows of the table below a heading: cells without emphasis.
fn table(md: &str, heading: &str) -> Vec<Vec<String>> {
    let chapter = md.split(&format!("## {heading}\n")).nth(1).unwrap();
    let rows = chapter.lines().skip_while(|l| !l.starts_with("| ")).take_while(|l| l.starts_with("| ")).skip(2);
    rows.map(|l| l.trim_matches('|').split('|').map(|c| c.trim().replace("**", "")).collect()).collect()
}

fn dollars(cell: &str) -> f64 {
    cell.replace(['$', ','], "").parse().unwrap()
}

/// The amounts of the fixture are whole dollars, so the shown numbers sum up exactly.
#[test]
fn tables_sum_up_to_the_headline() {
    for (plan, after) in [(plan(), 29_500.0), (missed(), 28_900.0)] {
        let md = markdown(&plan);
        for (heading, before_column) in [("By workload", 5), ("By team and cost center", 2), ("By capacity type", 1)] {
            let rows = table(&md, heading);
            let (total, parts) = rows.split_last().unwrap();
            for (column, expected) in [(before_column, 50_000.0), (before_column + 1, after), (before_column + 2, 50_000.0 - after)] {
                let sum: f64 = parts.iter().map(|r| dollars(&r[column])).sum();
                assert!((sum - expected).abs() < 0.01, "{heading}: rows sum to {sum}, not {expected}");
                assert!((dollars(&total[column]) - expected).abs() < 0.01, "{heading}: total {}", total[column]);
            }
        }
        let pools = table(&md, "By pool");
        let (total, parts) = pools.split_last().unwrap();
        let sum: f64 = parts.iter().map(|r| dollars(&r[6])).sum();
        assert!((sum - dollars(&total[6])).abs() < 0.01 && (sum - after).abs() < 0.01, "pools sum to {sum}");
        let today = table(&md, "Today's nodes, at the plan's prices");
        let (total, parts) = today.split_last().unwrap();
        let sum: f64 = parts.iter().map(|r| dollars(&r[5])).sum();
        assert!((sum - dollars(&total[5])).abs() < 0.01, "node groups sum to {sum}");
    }
}

#[test]
fn levers_sum_up_to_the_saving() {
    let rows = table(&markdown(&plan()), "By lever");
    let by_name = |name: &str| dollars(&rows.iter().find(|r| r[0].starts_with(name)).unwrap()[1]);
    let counted: f64 = ["right sizing", "autoscaling", "spot", "placement"].iter().map(|l| by_name(l)).sum();
    assert!((counted - by_name("together")).abs() < 0.01);
    assert!((by_name("together") + by_name("given back") - by_name("this plan")).abs() < 0.01);
    assert!((by_name("this plan") - 20_500.0).abs() < 0.01);
}

#[test]
fn the_week_is_on_the_local_clock() {
    let md = markdown(&plan());
    // Monday to Friday 08:00-20:00 in New York: 4 + 4, else 2 + 1.
    let row = md.lines().find(|l| l.starts_with("Mon-Fri") && l.contains(" 8")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().skip(1).collect();
    assert_eq!(cells.iter().position(|c| *c == "8"), Some(8), "{row}");
    assert_eq!(cells.iter().filter(|c| **c == "8").count(), 12, "{row}");
    // 06:00-22:00 in Berlin: two awake; at night one, asleep at times.
    assert!(md.contains("~1"), "{md}");
    // The job that starts at hour 168 (UTC) starts on Sunday evening in New York.
    assert!(md.contains("| Sun 18:00 | Sun 20:00 | Sun 22:59 | Mon 04:00 |"), "{md}");
}

#[test]
fn quota_requests_name_the_number() {
    let md = markdown(&plan());
    // g6e.xlarge: 4 vCPUs; 16 on demand and 8 spot at the limit; 14 + 1 run today on demand, none on spot. The g5 are not in the plan.
    assert!(
        md.contains("| aws us-east-1 | Running On-Demand G and VT instances | vCPUs | 64 | 60 + 13 x g5.xlarge | 124 + 13 x g5.xlarge |"),
        "{md}"
    );
    assert!(md.contains("| aws us-east-1 | All G and VT Spot Instance Requests | vCPUs | 32 | 0 | 32 |"), "{md}");
    assert!(!md.contains("On-Demand P instances"), "the committed node runs today: nothing to ask for");
}

#[test]
fn the_worst_loss_is_told() {
    // At 08:00-20:00: 8 replicas, one of two zones takes 2 of 4 spot ones; 6 x 4.5 rps over 20 rps = 135%. Elsewhere: 1 of 3 is
    // lost; 2 x 4.5 over 5 = 180%.
    let md = markdown(&plan());
    assert!(md.contains("one zone takes 2 of 8 replicas; the rest carries 135.0% of the mean load and stays stable"), "{md}");
    let mut thin = plan();
    thin.workloads[0].service.as_mut().unwrap().stable_rps_per_replica = 3.0;
    assert!(markdown(&thin).contains("carries 90.0% of the mean load and **falls behind**"));
}

#[test]
fn steps_come_with_a_check_and_a_way_back() {
    let md = markdown(&plan());
    let steps = md.split("## What to do, in this order").nth(1).unwrap().split("\n## ").next().unwrap();
    let count = |needle: &str| steps.matches(needle).count();
    let n = count("\n### ");
    assert!(n >= 6, "{n} steps");
    assert_eq!((count("- **Check:**"), count("- **Way back:**")), (n, n));
    // Old node groups go, but for the one whose workload stays; the idle one is called what it is.
    assert!(steps.contains("| gpu-large | us-east-1 | g6e.xlarge on-demand | 14 | g6e-od and g6e-spot |"), "{steps}");
    assert!(steps.contains("| lab |") && steps.contains("the saving counts on its end"));
    assert!(!steps.contains("| train |"));
}
