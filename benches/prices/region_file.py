#!/usr/bin/env python3
"""An AWS region file of 300 MB in the real layout, served on loopback: the measurement of docs/prices.md.

    python3 benches/prices/region_file.py [--mb 300] [--runs 3] target/release/gpuplan

Writes the file to a temporary folder once, serves it, refreshes from it and prints time and peak memory of each run.
Without a binary it only serves, and says how to ask:

    GPUPLAN_AWS_PRICES_URL=http://127.0.0.1:PORT gpuplan prices refresh --cloud aws --region us-east-1

The layout is that of the real file: products, then prices by the hour, then reservations, one SKU for each operating system,
tenancy and licence of each machine, indented. A few of the machines have GPUs. Spot prices and bands are empty documents that
are sound; there are no savings plans. The file has the length in its head, as the real one does, and comes unpacked.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REGION = "us-east-1"
LIST = f"/offers/v1.0/aws/AmazonEC2/current/{REGION}/index.json"
GPU_MACHINES = {"g6e.xlarge": ("4", "32 GiB", "1", "1.8610000000"), "p5.48xlarge": ("192", "2048 GiB", "8", "55.0400000000")}
SYSTEMS = ["Linux", "Windows", "RHEL", "SUSE", "Ubuntu Pro", "Red Hat Enterprise Linux with HA"]
TENANCIES = ["Shared", "Dedicated", "Host"]
SOFTWARE = ["NA", "SQL Std", "SQL Web", "SQL Ent"]
CAPACITY = ["Used", "UnusedCapacityReservation", "AllocatedCapacityReservation"]
RESERVATIONS = [
    (code, length, kind, payment)
    for code, (length, kind, payment) in zip(
        ["4NA7Y494T4", "HU7G6KETJZ", "6QCMYABX3D", "BPH4J8HBKS", "38NPMPTW36", "NQ3QZPMQV9",
         "7NE97W5U4E", "CUZHX8X6JH", "VJWZNREJX2", "Z2E3P23VKM", "R5XV2EPZQZ", "MZU6U2429S"],
        [(length, kind, payment) for kind in ("standard", "convertible") for length in ("1yr", "3yr")
         for payment in ("No Upfront", "Partial Upfront", "All Upfront")],
    )
]


def product(sku, machine, vcpus, memory, gpus, sold):
    system, tenancy, software, capacity = sold
    attributes = {
        "servicecode": "AmazonEC2", "location": "US East (N. Virginia)", "locationType": "AWS Region", "instanceType": machine,
        "currentGeneration": "Yes", "instanceFamily": "General purpose", "vcpu": vcpus, "physicalProcessor": "Intel Xeon Platinum 8175",
        "clockSpeed": "3.1 GHz", "memory": memory, "storage": "EBS only", "networkPerformance": "Up to 10 Gigabit",
        "processorArchitecture": "64-bit", "tenancy": tenancy, "operatingSystem": system, "licenseModel": "No License required",
        "usagetype": f"BoxUsage:{machine}", "operation": "RunInstances" if system == "Linux" else "RunInstances:0002",
        "availabilityzone": "NA", "capacitystatus": capacity, "classicnetworkingsupport": "false", "dedicatedEbsThroughput": "Up to 2120 Mbps",
        "ecu": "16", "enhancedNetworkingSupported": "Yes", "gpuMemory": "NA", "intelAvxAvailable": "Yes", "intelAvx2Available": "Yes",
        "intelTurboAvailable": "Yes", "marketoption": "OnDemand", "normalizationSizeFactor": "4", "preInstalledSw": software,
        "processorFeatures": "Intel AVX; Intel AVX2; Intel AVX512; Intel Turbo", "regionCode": REGION,
        "servicename": "Amazon Elastic Compute Cloud", "vpcnetworkingsupport": "true",
    }
    if gpus:
        attributes["gpu"] = gpus
    return {"sku": sku, "productFamily": "Compute Instance", "attributes": attributes}


def term(sku, code, prices, attributes):
    dimensions = {}
    for letters, unit, price in prices:
        rate = f"{sku}.{code}.{letters}"
        dimensions[rate] = {
            "rateCode": rate, "description": f"${price} per machine", "beginRange": "0", "endRange": "Inf", "unit": unit,
            "pricePerUnit": {"USD": price}, "appliesTo": [],
        }
    return {"offerTermCode": code, "sku": sku, "effectiveDate": "2026-08-01T00:00:00Z", "priceDimensions": dimensions, "termAttributes": attributes}


def reserved(sku, price):
    terms = {}
    for code, length, kind, payment in RESERVATIONS:
        hourly = ("6YS6EN2CT7", "Hrs", f"{0.6 * price:.10f}" if payment == "No Upfront" else f"{0.3 * price:.10f}" if payment == "Partial Upfront" else "0.0000000000")
        fee = ("2TG2D8R56U", "Quantity", f"{0.3 * price * 8760 * int(length[0]):.0f}")
        prices = [hourly] if payment == "No Upfront" else [fee, hourly]
        attributes = {"LeaseContractLength": length, "OfferingClass": kind, "PurchaseOption": payment}
        terms[f"{sku}.{code}"] = term(sku, code, prices, attributes)
    return terms


def machines():
    """Names without end; the first ones have GPUs."""
    for machine, (vcpus, memory, gpus, price) in GPU_MACHINES.items():
        yield machine, vcpus, memory, gpus, float(price)
    number = 0
    while True:
        number += 1
        yield f"m{number}.large", "2", "8 GiB", "", 0.05 + number / 1e4


def ways():
    return [(system, tenancy, software, capacity) for system in SYSTEMS for tenancy in TENANCIES for software in SOFTWARE for capacity in CAPACITY]


def write_list(path, megabytes):
    """The file, part by part: each SKU is in three places, so its size is known from the first machine on."""
    skus = []
    names = machines()
    size = 0
    while size < megabytes * 1_000_000:
        machine, vcpus, memory, gpus, price = next(names)
        for way, sold in enumerate(ways()):
            sku = f"{len(skus):016X}"
            cost = price if sold == ("Linux", "Shared", "NA", "Used") else price / 2
            skus.append((sku, machine, vcpus, memory, gpus, sold, cost))
            # Reservations are for what runs, and not for its reservations of capacity.
            size += 1830 + 595 + (8_030 if sold[3] == "Used" and sold[1] != "Host" else 0)
    def entry(out, first, sku, value):
        text = json.dumps(value, indent=1).replace("\n", "\n  ")
        out.write(f'{"" if first else ","}\n  "{sku}" : {text}')
    with open(path, "w", buffering=1 << 20) as out:
        out.write('{\n "formatVersion" : "v1.0",\n "disclaimer" : "words",\n "offerCode" : "AmazonEC2",\n "version" : "20260801000000",\n')
        out.write(' "publicationDate" : "2026-08-01T00:00:00Z",\n "products" : {')
        for at, (sku, machine, vcpus, memory, gpus, sold, _) in enumerate(skus):
            entry(out, at == 0, sku, product(sku, machine, vcpus, memory, gpus, sold))
        out.write('\n },\n "terms" : {\n "OnDemand" : {')
        for at, (sku, *_, cost) in enumerate(skus):
            entry(out, at == 0, sku, {f"{sku}.JRTCKXETXF": term(sku, "JRTCKXETXF", [("6YS6EN2CT7", "Hrs", f"{cost:.10f}")], {})})
        out.write('\n },\n "Reserved" : {')
        first = True
        for sku, *_, sold, cost in skus:
            if sold[3] == "Used" and sold[1] != "Host":
                entry(out, first, sku, reserved(sku, cost))
                first = False
        out.write('\n }\n },\n "attributesList" : { }\n}\n')
    return len(skus)


class Cloud(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    path_of_list = None
    documents = {
        "/spot.json": {"config": {"regions": [{"region": REGION, "instanceTypes": []}]}},
        "/advisor.json": {"ranges": [], "spot_advisor": {REGION: {"Linux": {}}}},
        "/offers/v1.0/aws/index.json": {"offers": {"AmazonEC2": {"currentSavingsPlanIndexUrl": "/savingsPlan/region_index.json"}}},
        "/savingsPlan/region_index.json": {"regions": [{"regionCode": "elsewhere", "versionUrl": "/savingsPlan/elsewhere.json"}]},
    }

    def do_GET(self):
        document = self.documents.get(self.path)
        if document is not None:
            body = json.dumps(document).encode()
            self.head(200, len(body))
            self.wfile.write(body)
        elif self.path == LIST:
            with open(self.path_of_list, "rb") as file:
                self.head(200, os.fstat(file.fileno()).st_size)
                self.wfile.flush()
                self.connection.sendfile(file)
        else:
            self.head(404, 0)

    def head(self, status, length):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(length))
        self.end_headers()

    def log_message(self, *_):
        pass


def refresh(binary, url, cache):
    """Time, seconds, and peak memory, MiB, of one refresh that found what is to be found."""
    variables = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    variables |= {
        "GPUPLAN_CACHE_DIR": cache, "GPUPLAN_AWS_PRICES_URL": url,
        "GPUPLAN_AWS_SPOT_URL": f"{url}/spot.json", "GPUPLAN_AWS_ADVISOR_URL": f"{url}/advisor.json",
    }
    arguments = [binary, "prices", "refresh", "--cloud", "aws", "--region", REGION, "--retries", "0", "--format", "json"]
    answer, told = f"{cache}.json", f"{cache}.txt"
    into = lambda stream, path: (os.POSIX_SPAWN_OPEN, stream, path, os.O_WRONLY | os.O_CREAT, 0o600)
    started = time.monotonic()
    child = os.posix_spawn(binary, arguments, variables, file_actions=[into(1, answer), into(2, told)])
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - started
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"the refresh ended with {os.waitstatus_to_exitcode(status)}:\n{Path(told).read_text()}")
    # By the hour, and reserved in each way.
    wanted = len(GPU_MACHINES) * (1 + len(RESERVATIONS))
    read = json.loads(Path(answer).read_text())["read"]
    if read != wanted:
        sys.exit(f"{read} prices were read, and {wanted} are there")
    return seconds, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("binary", nargs="?")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.json"
        skus = write_list(path, arguments.mb)
        print(f"{path.stat().st_size / 1e6:.1f} MB, {skus} SKUs")
        Cloud.path_of_list = path
        server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
        server.daemon_threads = True
        url = f"http://127.0.0.1:{server.server_address[1]}"
        if arguments.binary is None:
            print(f"GPUPLAN_AWS_PRICES_URL={url} GPUPLAN_AWS_SPOT_URL={url}/spot.json GPUPLAN_AWS_ADVISOR_URL={url}/advisor.json \\\n"
                  f"  gpuplan prices refresh --cloud aws --region {REGION}", flush=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for run in range(arguments.runs):
            seconds, mib = refresh(str(Path(arguments.binary).resolve()), url, str(Path(folder) / f"cache{run}"))
            print(f"run {run + 1}: {seconds:.2f} s, peak memory {mib:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
