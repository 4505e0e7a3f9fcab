#!/usr/bin/env python3
"""What each lever adds to a fleet, with sharing and commitments on.

    python3 benches/levers/fleet.py gpuplan scenarios/fleet-50k WORKDIR [SEEDS]

Copies the scenario, lets every service share a GPU (`any`, `memory`), offers one-year commitments without upfront payment, plans it
with its levers, times the base solve alone, and replays the plan. Prints Markdown.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

BINARY, SCENARIO, WORK = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
SEEDS = sys.argv[4] if len(sys.argv) > 4 else "20"


def widened(text):
    """Every service shares, and commitments are on offer."""
    text = re.sub(r"(\n    kind: service\n)", r"\1    share: {with: any, isolation: memory}\n", text)
    return text + "\ncommitments_to_buy: {max_term_months: 12, payments: [no-upfront]}\n"


def run(arguments):
    begun = time.monotonic()
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stderr}")
    return time.monotonic() - begun, done


def dollars(value):
    return f"{float(value):,.0f}"


WORK.mkdir(parents=True, exist_ok=True)
folder = WORK / "scenario"
shutil.copytree(SCENARIO, folder, dirs_exist_ok=True)
(folder / "scenario.yaml").write_text(widened((SCENARIO / "scenario.yaml").read_text()))
base, _ = run(["optimize", str(folder), "--quick", "--out", str(WORK / "quick")])
whole, _ = run(["optimize", str(folder), "--target", "-40%", "--out", str(WORK / "plan")])
plan = json.loads((WORK / "plan" / "plan.json").read_text())
proof = plan["optimality"]
print(f"Base solve {base:.1f} s, gap {100 * proof['gap']:.2f}%; with every table {whole:.1f} s.\n")
print("| lever | its share, $ a month | alone | lost without it |\n|---|---:|---:|---:|")
for lever in plan["levers"]:
    parts = [lever["usd_per_month"], lever["first_in_usd_per_month"], lever["last_in_usd_per_month"]]
    print(f"| {lever['name'].replace('_', ' ')} | {' | '.join(dollars(p) for p in parts)} |")
together = float(plan["baseline"]["usd_per_month"]) - float(proof["usd_per_month"])
print(f"| together | {dollars(together)} | | |\n")
for purchase in plan.get("purchases", []):
    print(f"- bought: {purchase['product']}, {purchase['amount']}")
_, replay = run(["optimize", str(folder), "--target", "-40%", "--quick", "--verify", "--seeds", SEEDS, "--out", str(WORK / "verified")])
verified = json.loads((WORK / "verified" / "plan.json").read_text())
print(f"\nReplayed, {SEEDS} seeds: {verified['verification']['status']}, {verified['verification']['reason']}; "
      f"${dollars(verified['cost']['usd_per_month'])} a month.")
