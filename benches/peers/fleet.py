"""vllm-sr-sim on one 8B replica: Poisson arrivals, prompts of 780 and answers of 190 tokens on average.

pip install vllm-sr-sim==0.1.0.dev20260713123629; python fleet.py [requests] [runs]
"""

import math
import random
import sys
import time

from fleet_sim import Fleet, FleetConfig, ManualProfile, PoolConfig, Request

# The decode step of profiles' 8B model on an A100: 11.511 ms + 0.0311 ms a sequence + 0.0844 ms per 1000 tokens of context.
# This simulator has one term a sequence, proportional to its length: at 970 tokens 0.0311 + 0.0844 x 0.97.
ENGINE = ManualProfile(name="8B on A100", W=0.011511, H=(0.0311 + 0.0844 * 0.97) / 1000, calibration_ctx=970,
                       chunk=2048, blk_size=16, total_kv_blks=430_300 // 16, max_slots=256, cost_per_hr=1.0)


def lognormal(draw, mean, cv2):
    variance = math.log1p(cv2)
    return max(1, round(draw.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))))


def arrivals(rate, requests, seed):
    draw, now, out = random.Random(seed), 0.0, []
    for number in range(requests):
        now += draw.expovariate(rate)
        # 2400 at the 95th percentile is a squared variation of about 1.2 for prompts; answers have 1.
        out.append((now, Request(number, now, min(lognormal(draw, 780, 1.2), 8000), min(lognormal(draw, 190, 1.0), 4000))))
    return out


def main():
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for rate in (3.0, 8.0):
        spent = []
        for seed in range(1, runs + 1):
            given = arrivals(rate, requests, seed)
            pool = PoolConfig(pool_id="one", gpu=ENGINE, n_gpus=1, max_ctx=970)
            fleet = Fleet(FleetConfig(pools=[pool], router_type="RandomRouter"))
            began = time.process_time()
            found = fleet.run(given)
            spent.append(time.process_time() - began)
        tpot = sorted(r.tpot for r in found.completed if r.tpot is not None)
        print(f"vllm-sr-sim one replica at {rate:g}/s, {requests} requests x {runs}: {requests / min(spent):10,.0f} requests/s, "
              f"TTFT p50 {found.percentile('ttft', 50) * 1000:.0f} ms p99 {found.percentile('ttft', 99) * 1000:.0f} ms, "
              f"TPOT p50 {tpot[len(tpot) // 2] * 1000:.1f} ms, slots {pool.gpu.n_slots(pool.max_ctx)}", flush=True)


main()
