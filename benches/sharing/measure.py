#!/usr/bin/env python3
"""How much of a GPU several served models get when they share it.

    python3 benches/sharing/measure.py --out h100.csv --deadline 300
    python3 benches/sharing/measure.py --summary h100.csv

Starts server processes on one CUDA card, each with a BERT-large encoder (384 tokens) and a ResNet-50 (224 x 224), both in
fp16 with random weights and a CUDA graph for each batch size. Requests come in a Poisson stream that does not wait for
answers; a server takes what is queued, up to 32, at once. The capacity at a latency limit is the greatest rate at which the
p99 over all servers of a model is within it. Looks for it alone and with k servers at equal load, for each way to share:

    time-slicing   k processes, the driver's default
    mps            k processes as clients of MPS
    mps-limit      the same, each with 100/k percent of the threads
    streams        one process with k models, each on a stream and a thread of its own

Needs PyTorch; writes a row for each trial as it goes, so that a run that is cut short loses nothing. Changes no setting of
the card. MPS runs with its pipe and log in a temporary folder and is stopped at the end. Plain MPS comes last, when the
servers with a limit on threads have been stopped: not all fit into the memory of the card.
"""

import argparse
import bisect
import csv
import ctypes
import functools
import gc
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

MPS_CONTROL = "nvidia-cuda-mps-control"
MODELS = ("bert-large", "resnet50")
MIX = "+".join(MODELS)
BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
TOKENS, PIXELS = 384, 224
# Limits as multiples of the batch-1 time alone; the greater first, since a trial that misses it misses the other as well.
LIMITS = (20, 5)
# What the planner assumes: share of its part that a slice delivers, and the factor on every time in a common server.
DELIVERED = {"time-slicing": 0.45, "mps": 0.55, "mps-limit": 0.55}
INTERFERENCE = 1.25
COLUMNS = """
    what card driver torch model limit_ms technique k share rate_per_process duration_s requests mean_ms p50_ms p99_ms
    p99_pooled_ms kept aborted repeats spread at_s arrivals
""".split()


# ---------------------------------------------------------------- models


def bert_large(torch):
    """24 layers, 1,024 wide, 16 heads; what comes in are token numbers."""
    nn, F = torch.nn, torch.nn.functional

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(1024, 3072), nn.Linear(1024, 1024)
            self.up, self.down = nn.Linear(1024, 4096), nn.Linear(4096, 1024)
            self.norm1, self.norm2 = nn.LayerNorm(1024), nn.LayerNorm(1024)

        def forward(self, x):
            b, t, _ = x.shape
            q, k, v = self.qkv(x).view(b, t, 3, 16, 64).permute(2, 0, 3, 1, 4)
            a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, 1024)
            x = self.norm1(x + self.out(a))
            return self.norm2(x + self.down(F.gelu(self.up(x))))

    class Bert(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(30522, 1024), nn.Embedding(512, 1024)
            self.norm, self.head = nn.LayerNorm(1024), nn.Linear(1024, 2)
            self.layers = nn.ModuleList(Layer() for _ in range(24))

        def forward(self, ids):
            x = self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])
            for layer in self.layers:
                x = layer(x)
            return self.head(x)

    return Bert()


def resnet50(torch):
    """Batch norms folded into the convolutions, as an inference engine does."""
    nn, F = torch.nn, torch.nn.functional

    class Conv(nn.Conv2d):
        fused = True

        def relu(self, x, beside=None):
            if x.is_cuda and self.fused:
                rest = (self.bias, self.stride, self.padding, self.dilation, self.groups)
                try:
                    if beside is None:
                        return torch.cudnn_convolution_relu(x, self.weight, *rest)
                    return torch.cudnn_convolution_add_relu(x, self.weight, beside, 1.0, *rest)
                except RuntimeError as fault:
                    print(f"not fused: {self}: {fault}", file=sys.stderr)
                    self.fused = False
            y = self(x)
            return F.relu(y if beside is None else y + beside)

    class Block(nn.Module):
        def __init__(self, inside, width, stride):
            super().__init__()
            self.a, self.b = Conv(inside, width, 1), Conv(width, width, 3, stride, 1)
            self.c = Conv(width, 4 * width, 1)
            same = stride == 1 and inside == 4 * width
            self.side = None if same else Conv(inside, 4 * width, 1, stride)

        def forward(self, x):
            return self.c.relu(self.b.relu(self.a.relu(x)), x if self.side is None else self.side(x))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, blocks, inside = Conv(3, 64, 7, 2, 3), [], 64
            for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
                for index in range(count):
                    blocks.append(Block(inside, width, stride if index == 0 else 1))
                    inside = 4 * width
            self.blocks, self.head = nn.Sequential(*blocks), nn.Linear(2048, 1000)

        def forward(self, x):
            x = F.max_pool2d(self.stem.relu(x), 3, 2, 1)
            return self.head(self.blocks(x).mean((2, 3)))

    return ResNet().to(memory_format=torch.channels_last)


class GraphLane:
    """A model on a stream of its own, with a captured graph for each batch size."""

    def __init__(self, torch, model):
        self.torch, self.stream, self.graphs = torch, torch.cuda.Stream(), {}
        with torch.device("cuda"):
            self.net = {"bert-large": bert_large, "resnet50": resnet50}[model](torch).half().eval()
        pool = None
        with torch.no_grad():
            for batch in reversed(BATCHES):
                if model == "bert-large":
                    given = torch.randint(0, 30522, (batch, TOKENS), device="cuda")
                else:
                    given = torch.randn(batch, 3, PIXELS, PIXELS, device="cuda", dtype=torch.half)
                    given = given.to(memory_format=torch.channels_last)
                torch.cuda.synchronize()  # what is given was made on another stream
                with torch.cuda.stream(self.stream):
                    for _ in range(2):
                        self.net(given)
                self.stream.synchronize()
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, pool=pool, stream=self.stream):
                    made = self.net(given)
                pool = pool or graph.pool()
                self.graphs[batch] = (graph, given, made)
        torch.cuda.empty_cache()
        self.done = torch.cuda.Event()

    def enter(self):
        """Called by the thread that is going to run it."""
        self.torch.cuda.set_stream(self.stream)

    def run(self, count):
        self.graphs[BATCHES[bisect.bisect_left(BATCHES, count)]][0].replay()
        self.done.record(self.stream)
        self.done.synchronize()


class DryLane:
    """Without a GPU: a batch is a pause. Shows that queueing and search work."""

    def __init__(self, model):
        self.base = {"bert-large": 0.004, "resnet50": 0.002}[model]

    def enter(self):
        pass

    def run(self, count):
        time.sleep(self.base * (0.7 + 0.3 * BATCHES[bisect.bisect_left(BATCHES, count)]))


# ---------------------------------------------------------------- server process


def poisson(count, seed):
    """Arrivals of a Poisson stream of rate 1. The gaps are all quantiles of their law, so that chance is left in their order alone. The
    last gap is left out: the sum of all is the same for every seed, and the last requests of all servers would come at one moment."""
    gaps, at, arrivals = [-math.log(1 - (i + 0.5) / (count + 1)) for i in range(count + 1)], 0.0, []
    random.Random(seed).shuffle(gaps)
    for gap in gaps[:-1]:
        at += gap
        arrivals.append(at)
    return arrivals


def serve(lane, order, start, answer):
    """One lane of one trial. Latencies and batch-1 times of what came after the first tenth, in microseconds."""
    lane.enter()
    ctypes.CDLL(None).prctl(29, 1, 0, 0, 0)  # PR_SET_TIMERSLACK: pauses end on time
    if order["rate"] > 0:
        arrivals = [start + at / order["rate"] for at in poisson(order["count"], order["seed"])]
        end = arrivals[-1]
    else:  # saturated: as many full batches as the time takes
        arrivals, end = [start] * 1_000_000, start + order["seconds"]
    counted_from = start + 0.1 * (end - start)
    limit, total, late = order["limit_s"], len(arrivals), 0
    enough = math.inf if limit is None else max(3, 0.03 * total)
    latencies, ones, first, done, busy = [], [], 0, 0, 0.0
    while first < total:
        now = time.monotonic()
        if arrivals[first] > now:
            time.sleep(arrivals[first] - now)
            continue
        if order["rate"] <= 0 and now >= end:
            break
        last = bisect.bisect_right(arrivals, now, first, min(total, first + BATCHES[-1]))
        lane.run(last - first)
        ended = time.monotonic()
        done, busy = done + last - first, busy + ended - now
        if now >= counted_from and last - first == 1:
            ones.append(round(1e6 * (ended - now)))
        for arrival in arrivals[first:last]:
            if order["rate"] > 0 and arrival >= counted_from:
                latencies.append(round(1e6 * (ended - arrival)))
                late += limit is not None and ended - arrival > limit
        first = last
        if late > enough or ended > end + 1.0:
            break
    answer.update(latencies=latencies, ones=ones, done=done, busy=busy, wall=time.monotonic() - start)
    answer["aborted"] = order["rate"] > 0 and first < total


def times(lane, batch, seconds=0.12):
    """Median seconds of a batch, as the server sees them."""
    lane.enter()
    for _ in range(3):
        lane.run(batch)
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        lane.run(batch)
        found.append(time.monotonic() - start)
    return statistics.median(found)


def worker(copies, dry):
    """Answers orders, a line of JSON each, until its input ends."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(value):
        out.write(json.dumps(value) + "\n")
        out.flush()

    if dry:
        lanes = {model: [DryLane(model) for _ in range(copies)] for model in MODELS}
        say({"torch": "none", "multiprocessors": 0, "gib": 0})
    else:
        import torch

        lanes = {model: [GraphLane(torch, model) for _ in range(copies)] for model in MODELS}
        torch.cuda.synchronize()
        seen = torch.cuda.get_device_properties(0)
        gib = torch.cuda.memory_reserved() / 2**30
        say({"torch": torch.__version__, "multiprocessors": seen.multi_processor_count, "gib": round(gib, 2)})
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "times":
            say([times(lanes[order["model"]][0], batch) for batch in BATCHES])
            continue
        gc.disable()
        answers, threads, seen = [{} for _ in order["lanes"]], [], {}
        for task, answer in zip(order["lanes"], answers):
            index = seen[task["model"]] = seen.get(task["model"], -1) + 1
            threads.append((serve, (lanes[task["model"]][index], task, order["start"], answer)))
        if len(threads) == 1:
            threads[0][0](*threads[0][1])
        else:
            threads = [threading.Thread(target=call, args=args) for call, args in threads]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        gc.enable()
        say(answers)


class Server:
    """A server process, seen from outside."""

    def __init__(self, options, copies=1, extra=None):
        command = [sys.executable, os.path.abspath(__file__), "--worker", str(copies)]
        command += ["--dry-run"] if options.dry_run else []
        nowhere = os.path.join(options.folder, "no-mps")
        env = {**os.environ, "CUDA_MPS_PIPE_DIRECTORY": nowhere, "OMP_NUM_THREADS": "1", **(extra or {})}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=env, text=True)

    def tell(self, order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a server process ended")
        return json.loads(line)

    def stop(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


# ---------------------------------------------------------------- queueing on paper


def percentile(values, share):
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


def played_p99(curve, rate, count=20_000):
    """p99 of the same server with these batch times and nothing beside it."""
    rng, at, arrivals = random.Random(7), 0.0, []
    for _ in range(count):
        at += rng.expovariate(rate)
        arrivals.append(at)
    latencies, first, now = [], 0, 0.0
    while first < count:
        now = max(now, arrivals[first])
        last = bisect.bisect_right(arrivals, now, first, min(count, first + BATCHES[-1]))
        now += curve[bisect.bisect_left(BATCHES, last - first)]
        latencies += [now - arrival for arrival in arrivals[first:last]]
        first = last
    return percentile(latencies, 0.99)


def played_capacity(curve, limit):
    """Greatest rate whose p99 is within the limit, by the same reckoning; 0 where a single request takes longer."""
    low, high = 0.001 / curve[0], BATCHES[-1] / curve[-1]
    if played_p99(curve, low) > limit:
        return 0.0
    for _ in range(12):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if played_p99(curve, middle) <= limit else (low, middle)
    return low


def turns_capacity(curve, k, limit, count=10_000):
    """Greatest rate of k such models together that take turns on a card, the one whose request is the oldest first, a batch at a time."""
    rng, at, stream = random.Random(11), 0.0, []
    for _ in range(count):
        at += rng.expovariate(1.0)
        stream.append((at, rng.randrange(k)))

    def kept(rate):
        queues = [[] for _ in range(k)]
        for at, model in stream:
            queues[model].append(at / rate)
        heads, now, late = [0] * k, 0.0, 0
        while True:
            waiting = [(queue[head], model) for model, (queue, head) in enumerate(zip(queues, heads)) if head < len(queue)]
            if not waiting:
                return late <= 0.01 * count
            oldest, model = min(waiting)
            now, queue, head = max(now, oldest), queues[model], heads[model]
            heads[model] = last = bisect.bisect_right(queue, now, head, min(len(queue), head + BATCHES[-1]))
            now += curve[bisect.bisect_left(BATCHES, last - head)]
            late += sum(now - arrival > limit for arrival in queue[head:last])

    low, high = 0.001 / curve[0], BATCHES[-1] / curve[-1]
    if not kept(low):
        return 0.0
    for _ in range(10):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if kept(middle) else (low, middle)
    return low


# ---------------------------------------------------------------- the measurement


class OutOfTime(Exception):
    pass


class Bench:
    """All servers of a run, and the file that the rows go to."""

    def __init__(self, options):
        self.options, self.began = options, time.monotonic()
        self.servers, self.fixed, self.curves, self.alone = {}, {"card": "none", "driver": "none", "arrivals": 2}, {}, {}
        self.file = open(options.out, "w", newline="")
        self.rows = csv.DictWriter(self.file, COLUMNS)
        self.rows.writeheader()
        if not options.dry_run:
            query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
            card, driver = subprocess.run(query, capture_output=True, text=True).stdout.splitlines()[0].split(", ")
            self.fixed |= {"card": card, "driver": driver}

    def left(self):
        return self.options.deadline - (time.monotonic() - self.began)

    def row(self, **values):
        for key, value in values.items():
            if isinstance(value, float):
                values[key] = float(f"{value:.5g}")
        self.rows.writerow({**self.fixed, "at_s": round(time.monotonic() - self.began, 1), **values})
        self.file.flush()

    def note(self, text):
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)

    # -- servers

    def start(self, fleets):
        """Starts servers, all at once, and waits for them. A fleet that does not come up is left out."""
        for name, copies, count, extra in fleets:
            self.servers[name] = [Server(self.options, copies, extra) for _ in range(count)]
        for name, _, _, _ in fleets:
            patience = threading.Timer(60, self.kill, [self.servers[name]])
            patience.start()
            try:
                ready = [server.hear() for server in self.servers[name]]
                self.fixed["torch"] = ready[0]["torch"]
                self.note(f"{name}: {len(ready)} up, {ready[0]}")
            except RuntimeError as fault:
                self.note(f"{name}: not measured, {fault}")
                self.kill(self.servers.pop(name))
                if self.options.strict:
                    raise
            finally:
                patience.cancel()

    def kill(self, servers):
        for server in servers:
            server.process.kill()

    def mps(self):
        """The environment of an MPS client, or None where MPS cannot be started."""
        if self.options.dry_run or shutil.which(MPS_CONTROL) is None:
            self.note(f"no {MPS_CONTROL}")
            if self.options.strict:
                raise RuntimeError("no MPS")
            return None
        folder = self.options.folder
        env = {"CUDA_MPS_PIPE_DIRECTORY": f"{folder}/pipe", "CUDA_MPS_LOG_DIRECTORY": f"{folder}/log"}
        for path in env.values():
            os.makedirs(path, exist_ok=True)
        done = subprocess.run([MPS_CONTROL, "-d"], env={**os.environ, **env}, capture_output=True, text=True)
        if done.returncode:
            self.note(f"MPS does not start: {done.stdout} {done.stderr}")
            if self.options.strict:
                raise RuntimeError("no MPS")
            return None
        self.control = env
        return env

    def ask_mps(self, order):
        env = {**os.environ, **self.control}
        try:
            return subprocess.run([MPS_CONTROL], input=order + "\n", env=env, capture_output=True, text=True, timeout=20).stdout.strip()
        except subprocess.TimeoutExpired:
            return "(no answer)"

    def leave(self, names):
        """Stops servers, all at once."""
        gone = [server for name in names for server in self.servers.pop(name, [])]
        threads = [threading.Thread(target=server.stop) for server in gone]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self):
        self.leave(list(self.servers))
        if hasattr(self, "control"):
            self.note(f"MPS stops {self.ask_mps('quit')}")

    def fleet(self, technique, k):
        """The servers of a configuration, and how many lanes each runs."""
        if technique == "streams":
            return self.servers.get("streams", []), k
        name = {"alone": "time-slicing", "mps-limit": f"mps-limit-{k}"}.get(technique, technique)
        found = self.servers.get(name, [])
        return (found[:k], 1) if len(found) >= k else ([], 1)

    def play(self, technique, tasks, seed):
        """One trial, all lanes from the same moment. The tasks: model, rate, limit, duration."""
        servers, lanes = self.fleet(technique, len(tasks))
        length = max(task.get("seconds", task["count"] / max(task["rate"], 1e-9)) for task in tasks)
        if self.left() < 3.0 + length:
            raise OutOfTime
        tasks = [{**task, "seed": 1000 * seed + index} for index, task in enumerate(tasks)]
        patience = threading.Timer(length + 15, self.kill, [servers])
        patience.start()
        try:
            start = time.monotonic() + 0.08
            for index, server in enumerate(servers):
                server.tell({"do": "trial", "start": start, "lanes": tasks[index * lanes : (index + 1) * lanes]})
            return [answer for server in servers for answer in server.hear()]
        finally:
            patience.cancel()

    # -- batch times

    def batch_times(self, label):
        for model in MODELS:
            server = self.servers["time-slicing"][0]
            server.tell({"do": "times", "model": model})
            curve = server.hear()
            self.curves[model] = [min(curve[i:]) for i in range(len(curve))]
            for batch, seconds in zip(BATCHES, curve):
                self.row(what=f"batch-time-{label}", model=model, technique="alone", k=batch, p50_ms=1000 * seconds)
            shown = " ".join(f"{batch}:{1000 * seconds:.2f}" for batch, seconds in zip(BATCHES, curve))
            self.note(f"{model} batch times, ms, {label}: {shown}")

    # -- capacity

    def limit(self, model, multiple):
        return multiple * self.first[model]

    def trial(self, at, share, count, seed):
        """`share` of what the whole card carries alone at this limit, spread evenly over k servers; `count` requests of the first."""
        model, technique, k, multiple = at
        names = [MODELS[i % 2] if model == MIX else model for i in range(k)]
        limits = [self.limit(name, multiple) for name in names]
        rates = [share / k * self.alone[name, multiple] for name in names]
        tasks = [
            {"model": name, "rate": rate, "limit_s": limit, "count": round(count * rate / rates[0])}
            for name, rate, limit in zip(names, rates, limits)
        ]
        answers = self.play(technique, tasks, seed)
        # In parts of the limit, so that a mix has one number. Servers of one model are alike, and their requests are taken together.
        parts = [[x / 1e6 / limit for x in answer["latencies"]] for answer, limit in zip(answers, limits)]
        worst = max(percentile(part, 0.99) for part in parts)
        pooled = max(percentile([x for name, part in zip(names, parts) if name == model for x in part], 0.99) for model in set(names))
        middle = percentile([x for part in parts for x in part], 0.5)
        aborted = any(answer["aborted"] for answer in answers)
        kept = not aborted and pooled <= 1.0
        unit = 1000 * limits[0]
        self.row(
            what="trial", model=model, limit_ms=unit, technique=technique, k=k, share=share, rate_per_process=rates[0],
            duration_s=count / rates[0], requests=sum(len(part) for part in parts), p50_ms=middle * unit, p99_ms=worst * unit,
            p99_pooled_ms=pooled * unit, kept=int(kept), aborted=int(aborted), repeats=seed,
        )
        return {"share": share, "kept": kept, "p99": math.inf if aborted else pooled, "hopeless": middle > 1.0}

    def search(self, at, guess, seed):
        """The share at which p99 is the limit, between one that is kept and one that is not; 0 below a twentieth of the card."""
        model, _, k, multiple = at
        low, high, share, planned = None, None, guess, math.inf
        longest, enough = (3.0, 3000) if k == 1 else (2.0, 1500)  # all else is held against what one carries alone
        shortest, longest, enough = (x * self.options.scale for x in (0.7, longest, enough))
        for _ in range(9):
            close = low and high and high["share"] / low["share"]
            if share < 0.05 or (close and close < (1.08 if high["p99"] == math.inf else 1.17)):
                break
            if not planned / 2 < share < planned * 1.6:  # the same requests at every rate, unless they become too many or too few
                planned = share
                rate = planned * self.alone[MODELS[0] if model == MIX else model, multiple]
                count = max(240 // k, round(rate / k * min(longest, max(shortest, enough / rate))))
            found = self.trial(at, share, count, seed)
            low, high = (found, high) if found["kept"] else (low, found)
            if low and high:
                share = math.sqrt(low["share"] * high["share"])
            else:
                up, down = 1.4 if found["p99"] < 0.6 else 1.15, 2.0 if found["hopeless"] else 1.2
                share = share * up if low else share / down
        if not low or not high:
            return low["share"] if low else 0.0
        if high["p99"] == math.inf:
            return math.sqrt(low["share"] * high["share"])
        part = -math.log(low["p99"]) / math.log(high["p99"] / low["p99"])
        return low["share"] * (high["share"] / low["share"]) ** part

    def capacity(self, model, technique, k):
        if not self.fleet(technique, k)[0]:
            return
        for multiple in LIMITS:
            names = MODELS if model == MIX else (model,)
            if technique == "alone":
                self.alone[model, multiple] = played_capacity(self.curves[model], self.limit(model, multiple))
                guess = 0.9
            else:
                slower = [[k * t for t in self.curves[name]] for name in names]
                guess = min(
                    k * played_capacity(curve, self.limit(name, multiple)) / self.alone[name, multiple]
                    for name, curve in zip(names, slower)
                )
            at, name = (model, technique, k, multiple), names[0]
            first = self.search(at, max(guess, 0.15), 0)
            second = self.search(at, first, 1) if first > 0 else 0.0
            share = math.sqrt(first * second)
            rate = share / k * self.alone[name, multiple]
            if technique == "alone":
                self.alone[model, multiple], share = rate, 1.0
            self.row(
                what="capacity", model=model, limit_ms=1000 * self.limit(name, multiple), technique=technique, k=k,
                share=share, rate_per_process=rate, repeats=2 if first else 1, spread=second / first - 1 if first else 0.0,
            )
            self.note(f"{model} {technique} {k} at {multiple}x: share {share:.3f} ({first:.3f}, {second:.3f}), {rate:.0f}/s each")
        self.saturated(model, technique, k)

    def saturated(self, model, technique, k):
        """Full batches without a pause and without a limit: what sharing costs in throughput alone."""
        if model == MIX:
            return
        tasks = [{"model": model, "rate": 0, "limit_s": None, "count": 0, "seconds": 0.6 * self.options.scale} for _ in range(k)]
        answers = self.play(technique, tasks, 0)
        each = [answer["done"] / answer["wall"] for answer in answers]
        if technique == "alone":
            self.alone[model, "saturated"] = each[0]
        share = sum(each) / self.alone[model, "saturated"]
        self.row(what="saturated", model=model, technique=technique, k=k, share=share, rate_per_process=sum(each) / k)
        self.note(f"{model} {technique} {k} saturated: share {share:.3f}, {sum(each):.0f}/s together")

    def slowdown(self, technique):
        """Time of a single request while the other model has half and all of what it carries alone."""
        if not self.fleet(technique, 2)[0]:
            return
        for victim, other in (MODELS, MODELS[::-1]):
            for load in (0.0, 0.5, 1.0):
                rates = 0.1 * self.alone[victim, LIMITS[0]], max(load * self.alone[other, LIMITS[0]], 0.8)
                tasks = [
                    {"model": model, "rate": rate, "limit_s": None, "count": max(1, round(1.2 * self.options.scale * rate))}
                    for model, rate in zip((victim, other), rates)
                ]
                ones = self.play(technique, tasks, 0)[0]["ones"]
                if not ones:
                    self.note(f"{victim} {technique}, {other} at {load:.0%}: no batch of one")
                    continue
                mean, p50, p99 = (x / 1000 for x in (statistics.fmean(ones), percentile(ones, 0.5), percentile(ones, 0.99)))
                self.row(
                    what="slowdown", model=victim, technique=technique, k=2, share=load, rate_per_process=tasks[0]["rate"],
                    requests=len(ones), mean_ms=mean, p50_ms=p50, p99_ms=p99,
                )
                self.note(f"{victim} {technique}, {other} at {load:.0%}: mean {mean:.2f}, p50 {p50:.2f}, p99 {p99:.2f} ms")

    def run(self):
        o = self.options
        most = max([2] + [step for step in o.plan if isinstance(step, int)])
        self.start([("time-slicing", 1, 1, None)])
        self.batch_times("by itself")
        first = self.servers.pop("time-slicing")
        fleets = [("time-slicing", 1, most - 1, None)]
        if "streams" in o.techniques:
            fleets.append(("streams", most, 1, None))
        client = self.mps() if any(technique.startswith("mps") for technique in o.techniques) else None
        if client and "mps-limit" in o.techniques:
            for k in sorted({2 if step in ("mix", "slowdown") else step for step in o.plan}):
                fleets.append((f"mps-limit-{k}", 1, k, {**client, "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": f"{100 / k:g}"}))
        self.start(fleets)
        self.servers["time-slicing"] = first + self.servers.get("time-slicing", [])
        self.state(client)
        self.batch_times("among idle servers")
        self.first = {model: self.curves[model][0] for model in MODELS}
        for model in MODELS:
            self.capacity(model, "alone", 1)
        self.steps([technique for technique in o.techniques if technique != "mps"])
        if client and "mps" in o.techniques and self.left() > 30:
            self.batch_times("later")
            self.leave(["streams"] + [name for name in self.servers if name.startswith("mps-limit")])
            self.start([("mps", 1, most, client)])
            self.state(client)
            self.steps(["mps"])

    def state(self, client):
        """Tells how full the card is, and who is with MPS."""
        if not self.options.dry_run:
            query = ["nvidia-smi", "--query-gpu=memory.used,clocks.sm,power.draw", "--format=csv,noheader"]
            self.note("card: " + subprocess.run(query, capture_output=True, text=True).stdout.strip())
        if client:
            for server in self.ask_mps("get_server_list").split():
                self.note(f"MPS server {server}, clients: {len(self.ask_mps(f'get_client_list {server}').split())}")

    def steps(self, techniques):
        for step in self.options.plan:
            for technique in list(techniques):
                try:
                    self.take(step, technique)
                except (RuntimeError, OSError) as fault:
                    self.note(f"{technique}: measured no further, {fault}")
                    techniques.remove(technique)
                    if self.options.strict:
                        raise

    def take(self, step, technique):
        if step == "mix":
            self.capacity(MIX, technique, 2)
        elif step == "slowdown":
            self.slowdown(technique)
        else:
            for model in MODELS:
                self.capacity(model, technique, step)


def measure(options):
    options.folder = tempfile.mkdtemp(prefix="sharing-")
    bench = Bench(options)

    def overdue():
        print("the deadline is long past; stopping", flush=True)
        for fleet in bench.servers.values():
            for server in fleet:
                server.process.kill()
        if hasattr(bench, "control"):
            bench.ask_mps("quit")
        os._exit(3)

    watch = threading.Timer(options.deadline + 15, overdue)
    watch.daemon = True
    watch.start()
    try:
        bench.run()
    except OutOfTime:
        bench.note("out of time")
    finally:
        bench.stop()
        watch.cancel()
        bench.file.close()
        shutil.rmtree(options.folder, ignore_errors=True)


# ---------------------------------------------------------------- tables


class Planner:
    """What the planner would give the servers of a row: every time divided by the speed that it assumes."""

    def __init__(self, rows):
        found = {}
        for row in rows:
            if row["what"] == "batch-time-among idle servers":
                found.setdefault(row["model"], {})[int(row["k"])] = float(row["p50_ms"]) / 1000
        curves = {model: [curve[b] for b in BATCHES] for model, curve in found.items()}
        self.curves = {model: [min(curve[i:]) for i in range(len(curve))] for model, curve in curves.items()}

    @functools.lru_cache(maxsize=None)
    def capacity(self, model, step):
        """At a limit of 1.02 to the power of `step` times the batch-1 time."""
        return played_capacity(self.curves[model], self.curves[model][0] * 1.02**step)

    def at(self, model, multiple):
        """Between two such limits, so that few need to be played."""
        step = math.log(multiple) / math.log(1.02)
        low, part = math.floor(step), step - math.floor(step)
        return (1 - part) * self.capacity(model, low) + part * self.capacity(model, low + 1)

    def share(self, model, multiple, parts, speed):
        """Share of the whole card that `parts` servers of this speed carry together within the limit."""
        names = MODELS if model == MIX else (model,)
        return min(parts * speed * self.at(name, multiple * speed) / self.at(name, multiple) for name in names)

    def fitting(self, measured, model, multiple, parts):
        """The speed that gives the share that was measured."""
        low, high = 0.02, 2.0
        for _ in range(9):
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self.share(model, multiple, parts, middle) > measured else (middle, high)
        return math.sqrt(low * high)


def verdict(measured, planned):
    if max(measured, planned) < 0.05:
        return "both none"
    return "**OPTIMISTIC**" if measured < 0.95 * planned else "pessimistic" if measured > 1.05 * planned else "right"


def in_step(row, rows):
    """Part of the requests of the last search that came at one moment, in files from before that was mended."""
    same = ("model", "technique", "k", "limit_ms")
    trials = [trial for trial in rows if trial["what"] == "trial" and all(trial[name] == row[name] for name in same)]
    if "arrivals" in row or not trials or row["k"] == "1":
        return 0.0
    last = [trial for trial in trials if trial["repeats"] == trials[-1]["repeats"]]
    return int(row["k"]) / max(int(trial["requests"]) for trial in last)


def finding(row, rows, planner):
    """Cells of a capacity: slice or server, what was found, what is planned."""
    model, technique, k, limit = row["model"], row["technique"], int(row["k"]), float(row["limit_ms"]) / 1000
    curve = planner.curves[model.split("+")[0]]
    measured, multiple, server = float(row["share"]), limit / curve[0], technique == "streams"
    constant = INTERFERENCE if server else DELIVERED[technique]
    parts, speed = (1, 1 / constant) if server else (k, constant / k)
    planned, together = planner.share(model, multiple, parts, speed), in_step(row, rows)
    shown, judged, fits = f"{measured:.2f}", verdict(measured, planned), "none"
    if together >= 0.01:
        shown = judged = fits = "void"
    elif measured >= 0.05:
        fit = planner.fitting(measured, model, multiple, parts)
        fits = f"{1 / fit if server else fit * k:.2f}"
    else:
        shown = "< 0.05"
    spread = f"{abs(float(row['spread'])):.0%}" if measured >= 0.05 else "-"
    share = 1 / constant if server else constant
    read = "void" if shown == "void" else verdict(measured, share)
    cells = [technique, k, model, f"{limit * 1000:.1f}", spread, f"{together:.1%}", shown]
    cells += [f"{share:.2f}", read, f"{planned:.2f}", judged, fits]
    if server and model != MIX:
        turns = turns_capacity(curve, k, limit) / played_capacity(curve, limit)
        cells.append(f"{turns:.2f}")
    return cells


def table(head, lines):
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for cells in lines:
        print(f"| {' | '.join(map(str, cells))} |")


def summary(paths):
    """Markdown: shares found, beside what the planner assumes. A file may hold several runs, one after the other."""
    runs = []
    for path in paths:
        with open(path, newline="") as file:
            before = math.inf
            for row in csv.DictReader(file):
                if float(row["at_s"]) < before:
                    runs.append([])
                before = float(row["at_s"])
                runs[-1].append(row)
    pick = lambda what: [(row, rows) for rows in runs for row in rows if row["what"] == what]
    order = ["alone", *DELIVERED, "streams"]
    capacities = sorted(pick("capacity"), key=lambda pair: (order.index(pair[0]["technique"]), int(pair[0]["k"])))
    planners = {id(rows): Planner(rows) for rows in runs}
    lines = []
    for run, rows in enumerate(runs, 1):
        for model in MODELS:
            curve = planners[id(rows)].curves[model]
            lines.append([run, model] + [f"{1000 * curve[BATCHES.index(batch)]:.2f}" for batch in (1, 4, 8, 16, 32)])
    table(["run", "model", *(f"batch of {batch}, ms" for batch in (1, 4, 8, 16, 32))], lines)
    alone = [(row, next(i for i, other in enumerate(runs, 1) if other is rows)) for row, rows in capacities if row["technique"] == "alone"]
    lines = [
        [run, row["model"], f"{float(row['limit_ms']):.1f}", f"{float(row['rate_per_process']):.0f}", f"{abs(float(row['spread'])):.0%}"]
        for row, run in alone
    ]
    table(["run", "model", "p99 limit, ms", "alone, requests/s", "repeats differ by"], lines)
    head = ["technique", "k", "model", "p99 limit, ms", "repeats differ by", "in step", "measured share"]
    head += ["constant as a share", "is then", "planned share", "the plan is", "constant that fits"]
    cells = [finding(row, rows, planners[id(rows)]) for row, rows in capacities if row["technique"] != "alone"]
    table(head, [line for line in cells if line[0] != "streams"])
    table(head + ["taking turns, on paper"], [line for line in cells if line[0] == "streams"])
    lines = []
    for row, _ in sorted(pick("saturated"), key=lambda pair: order.index(pair[0]["technique"])):
        together = float(row["rate_per_process"]) * int(row["k"])
        lines.append([row["technique"], row["k"], row["model"], f"{together:.0f}", f"{float(row['share']):.2f}"])
    table(["saturated: technique", "k", "model", "together, requests/s", "share of the whole card"], lines)
    lines, base = [], math.nan
    for row, _ in pick("slowdown"):
        mean, load = float(row["mean_ms"]), float(row["share"])
        base = mean if load == 0.0 else base
        lines.append([row["technique"], row["model"], f"{load:.0%}", f"{mean:.2f}", f"{float(row['p99_ms']):.2f}", f"{mean / base:.2f}"])
    if lines:
        table(["slowdown: technique", "model", "load of the other", "one request: mean, ms", "p99, ms", "mean against no load"], lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="sharing.csv", help="file for the rows")
    parser.add_argument("--deadline", type=float, default=300, help="seconds after which no trial is started")
    parser.add_argument("--plan", default="2,4,8,mix,slowdown", help="what is measured, in this order: numbers of servers, slowdown, mix")
    parser.add_argument("--techniques", default="mps-limit,time-slicing,streams,mps", help="in this order; mps last in any case")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the length of the trials; below 1 to see that it works")
    parser.add_argument("--strict", action="store_true", help="stop where something cannot be measured, instead of going on without it")
    parser.add_argument("--dry-run", action="store_true", help="no GPU: a batch is a pause")
    parser.add_argument("--summary", nargs="+", metavar="FILE", help="print the tables of these files and stop")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.dry_run)
    elif options.summary:
        summary(options.summary)
    else:
        options.plan = [int(step) if step.isdigit() else step for step in options.plan.split(",")]
        options.techniques = options.techniques.split(",")
        measure(options)


if __name__ == "__main__":
    main()
