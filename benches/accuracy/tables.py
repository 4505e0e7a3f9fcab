#!/usr/bin/env python3
"""Predicted against replayed: the tables of docs/accuracy-replay.md.

    python3 benches/accuracy/tables.py gpuplan scenarios/fleet-50k WORKDIR [SEEDS]

Plans the scenario on some days and replays it on others, then replays one plan under other loads, burstiness and arrivals.
Prints Markdown. What the plan predicts of a service is the least attainment that it counts on: 1, less the share set aside
for queueing, less the expected misses of cold starts and reclaims over all requests.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

BINARY, SCENARIO, WORK = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
SEEDS = sys.argv[4] if len(sys.argv) > 4 else "10"

SPLITS = [("1-7", "1-7"), ("1-4", "5-7"), ("4-7", "1-3"), ("1-3", "5-7")]
OTHER = [
    ("as planned", []),
    ("demand x0.5", ["--demand", "0.5"]),
    ("demand x0.8", ["--demand", "0.8"]),
    ("demand x1.1", ["--demand", "1.1"]),
    ("demand x1.2", ["--demand", "1.2"]),
    ("demand x1.5", ["--demand", "1.5"]),
    ("burst x0.5", ["--burst", "0.5"]),
    ("burst x2", ["--burst", "2"]),
    ("burst x4", ["--burst", "4"]),
    ("Weibull gaps", ["--gaps", "weibull"]),
    ("engines 15% slower", ["--engine", "1.15"]),
]


def run(arguments):
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def predicted(plan):
    least = {}
    for workload in plan["workloads"]:
        service = workload.get("service")
        if not service:
            continue
        budget = service["error_budget"]
        used = sum(use["misses_per_week"] for use in budget["uses"]) / max(budget["requests_per_week"], 1e-9)
        least[workload["name"]] = 1 - budget["steady_state_share"] - used
    return least


def percent(share):
    return f"{100 * share:.2f}"


def services(simulation):
    return [w for w in simulation["workloads"] if w["kind"] == "service"]


def row(label, plan, simulation):
    bill, planned = simulation["bill"]["usd_per_month"], plan["cost"]["usd_per_month"]
    least = predicted(plan)
    missed = [f"{w['name']} {percent(w['attainment'])} of {percent(w['slo_target'])}" for w in simulation["workloads"] if not w["met"]]
    below = [w["name"] for w in services(simulation) if w["attainment"] < least[w["name"]]]
    held = sum(w["met"] for w in simulation["workloads"])
    return (
        f"| {label} | {planned:,.0f} | {bill:,.0f} ({100 * (bill / planned - 1):+.1f}%) | {held} of {len(simulation['workloads'])} | "
        f"{'; '.join(missed) or '-'} | {', '.join(below) or '-'} |"
    )


HEADER = "| | planned, $/month | replayed, $/month | hold | missed | below what the plan counts on |\n|---|---:|---:|---:|---|---|"


def splits():
    print(f"\n{HEADER}")
    plans = {}
    for planned_on, replayed_on in SPLITS:
        out = WORK / f"plan-{planned_on}-on-{replayed_on}"
        arguments = ["optimize", str(SCENARIO), "--target", "-40%", "--quick", "--verify", "--seeds", SEEDS, "--format", "json", "--out", str(out)]
        if planned_on != replayed_on:
            arguments += ["--plan-on", planned_on, "--replay-on", replayed_on]
        plan = run(arguments)
        simulation = json.loads((out / "simulation.json").read_text())
        plans[planned_on, replayed_on] = (out, plan, simulation)
        print(row(f"planned on days {planned_on}, replayed on {replayed_on}", plan, simulation), flush=True)
    return plans


def detail(plans):
    print("\n| service | objective | the plan counts on | " + " | ".join(f"{a} on {b}" for a, b in SPLITS) + " |")
    print("|---|---:|---:|" + "---:|" * len(SPLITS))
    _, whole, first = plans[SPLITS[0]]
    for workload in services(first):
        name = workload["name"]
        replayed = []
        for split in SPLITS:
            other = next(w for w in plans[split][2]["workloads"] if w["name"] == name)
            replayed.append(f"{percent(other['attainment'])} ({percent(other['attainment_ci_low'])})")
        print(f"| `{name}` | {percent(workload['slo_target'])} | {percent(predicted(whole)[name])} | " + " | ".join(replayed) + " |")


def recorded(plan_path, scenario):
    """Real arrivals and lengths, every third request, so that the rate is that of the plan's peak."""
    rows = list(csv.DictReader((scenario / "traces" / "azure-2023-conv-excerpt.csv").open()))
    path = WORK / "azure-thinned.csv"
    with path.open("w") as out:
        out.write("t_s,input_tokens,output_tokens\n")
        for request in rows[::3]:
            # Tuesday 16:00, an hour of the plan's peaks.
            out.write(f"{float(request['t_s']) + 86400 + 16 * 3600},{request['in_tok']},{request['out_tok']}\n")
    return path


def others(out, plan):
    print(f"\n{HEADER}")
    base = ["simulate", "--plan", str(out / "plan.json"), "--no-baseline", "--seeds", SEEDS, "--format", "json"]
    for label, arguments in OTHER:
        print(row(label, plan, run([*base, *arguments])), flush=True)
    trace = recorded(out / "plan.json", SCENARIO)
    simulation = run([*base, "--trace", f"chat-70b={trace}"])
    chat = next(w for w in simulation["workloads"] if w["name"] == "chat-70b")
    low = chat["attainment_ci_low"]
    print(f"\nrecorded requests for chat-70b: {chat['arrived'] / int(SEEDS):.0f} a seed, {percent(chat['attainment'])}% ({percent(low)}) of {percent(chat['slo_target'])}%")


WORK.mkdir(parents=True, exist_ok=True)
made = splits()
detail(made)
others(made[SPLITS[0]][0], made[SPLITS[0]][1])
