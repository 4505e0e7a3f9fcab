"""SimPy and Ciw on M/M/c: requests a second of processor time, mean wait against the closed form.

pip install simpy==4.1.2 ciw==3.2.7; python queues.py simpy|ciw [requests] [runs]
"""

import random
import sys
import time

CASES = [("M/M/1 at 0.8", 1, 0.8), ("M/M/16 at 0.9", 16, 0.9)]


def closed_form(servers, load):
    """Mean wait with services of mean 1: Erlang C over what is free."""
    offered, blocked = servers * load, 1.0
    for k in range(1, servers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked / (1 - load * (1 - blocked)) / (servers * (1 - load))


def by_simpy(servers, load, requests, seed):
    import simpy

    draw, waits = random.Random(seed), [0.0]

    def request(env, desk):
        came = env.now
        with desk.request() as turn:
            yield turn
            waits[0] += env.now - came
            yield env.timeout(draw.expovariate(1.0))

    def arrivals(env, desk):
        for _ in range(requests):
            yield env.timeout(draw.expovariate(servers * load))
            env.process(request(env, desk))

    env = simpy.Environment()
    env.process(arrivals(env, simpy.Resource(env, capacity=servers)))
    env.run()
    return waits[0] / requests


def by_ciw(servers, load, requests, seed):
    import ciw

    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=servers * load)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        number_of_servers=[servers],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(requests, method="Finish")
    waits = [record.waiting_time for record in simulation.get_all_records()]
    return sum(waits) / len(waits)


def main():
    library = sys.argv[1]
    requests = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    simulate = {"simpy": by_simpy, "ciw": by_ciw}[library]
    for name, servers, load in CASES:
        spent, means = [], []
        for seed in range(1, runs + 1):
            began = time.process_time()
            means.append(simulate(servers, load, requests, seed))
            spent.append(time.process_time() - began)
        wait, theory = sum(means) / runs, closed_form(servers, load)
        print(f"{library:6} {name:14} {requests} requests x {runs}: {requests / min(spent):12,.0f} requests/s, "
              f"mean wait {wait:.4f}, closed form {theory:.4f}, off by {100 * (wait / theory - 1):+.2f}%", flush=True)


main()
