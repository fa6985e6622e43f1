#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
#	throughput.py PLUGIN [OPTION...]	(devtools/throughput.sh builds the plugin and calls it)
"""Frames a second between two unmodified testpmd on two processors.

The back end with the device under test polls on one processor, the guest with net_virtio_user on
the other. The devices take turns within each case, so that other load of the machine affects both.
Between the measurements a single frame goes round: its rate says whether the processors are near.

Cases: rxonly: the guest sends, the back end receives. txonly: the back end sends, the guest
receives. io: both forward, and 32 bursts of the guest circulate. one: both forward a single frame.
"""
import argparse
import contextlib
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

RINGS = {
    "split": "packed_vq=0,in_order=0,mrg_rxbuf=0",
    "split-mergeable": "packed_vq=0,in_order=0,mrg_rxbuf=1",
    "split-in-order": "packed_vq=0,in_order=1,mrg_rxbuf=0",
    "split-vectorized": "packed_vq=0,in_order=0,mrg_rxbuf=0,vectorized=1",
    "packed": "packed_vq=1,in_order=0,mrg_rxbuf=0",
    "packed-mergeable": "packed_vq=1,in_order=0,mrg_rxbuf=1",
    "packed-in-order": "packed_vq=1,in_order=1,mrg_rxbuf=0",
    "packed-vectorized": "packed_vq=1,in_order=1,mrg_rxbuf=0,vectorized=1",
}
# Forwarding mode of the back end and of the guest.
CASES = {"rxonly": ("rxonly", "txonly"), "txonly": ("txonly", "rxonly"), "io": ("io", "io"), "one": ("io", "io")}
PROMPT = b"testpmd> "
# Share of the best rate of round trips above which two processors are near.
NEAR = 0.6


class Testpmd:
    """An interactive testpmd."""

    def __init__(self, name, eal, options, directory):
        self.name = name
        command = ["dpdk-testpmd", *eal, "--", "-i", "--no-mlockall", "--total-num-mbufs=32768", *options]
        log = open(os.path.join(directory, name + ".log"), "wb")
        self.process = subprocess.Popen(["stdbuf", "-o0", *command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=log)
        log.close()
        self.read()

    def run_first(self):
        """Give it a real-time priority, its poll threads a lower one than its other threads."""
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/comm", encoding="ascii") as name:
                polls = "worker" in name.read()
            os.sched_setscheduler(int(task), os.SCHED_FIFO, os.sched_param(10 if polls else 20))

    def read(self):
        """Return the output up to the next prompt. A line about an event may follow the prompt."""
        text = b""
        while PROMPT not in text:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise SystemExit(f"throughput: {self.name}: testpmd ended: {text.decode()[-300:]}")
            text += data
        return text.decode(errors="replace")

    def command(self, *lines):
        """Run commands; return the output of the last one."""
        text = ""
        for line in lines:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
            text = self.read()
        return text

    def rates(self):
        """Return the frames a second received and sent since the last call."""
        text = self.command("show port stats 0")
        return [int(re.search(word + r"-pps: *(\d+)", text)[1]) for word in ("Rx", "Tx")]

    def link_is_up(self):
        """True if the other side is connected."""
        return re.search(r"\bup\b", self.command("show port summary 0")) is not None

    def quit(self):
        """Ask it to end, and wait."""
        try:
            self.process.stdin.write(b"stop\nquit\n")
            self.process.stdin.flush()
            self.process.wait(20)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()


def pair_start(device, ring, options, directory):
    """Start the back end and the guest; return both."""
    socket = os.path.join(directory, "s")
    eal = ["--no-pci", "--no-telemetry", "--no-shconf", "-m", "512"]
    # One file for all pages: vhost-user carries at most eight descriptors of memory.
    eal += ["--in-memory", "--single-file-segments"] if options.hugepages else ["--no-huge"]
    queues = [f"--rxq={options.queues}", f"--txq={options.queues}", f"--rxd={options.ring_size}",
              f"--txd={options.ring_size}", f"--burst={options.burst}"]
    plugin = ["-d", options.plugin] if device == "net_vstate" else []
    # Each main thread sleeps on the processor on which the other side polls.
    back = Testpmd("back", ["--lcores", "0@1,1@0", f"--file-prefix=throughput-back-{device}", *eal, *plugin, "--vdev",
                            f"{device}0,iface={socket},queues={options.queues}"], queues, directory)
    simd = ["--force-max-simd-bitwidth=512"] if ring.endswith("vectorized") else []
    guest = Testpmd("guest", ["--lcores", "0@0,1@1", f"--file-prefix=throughput-guest-{device}", *eal, *simd, "--vdev",
                              f"net_virtio_user0,path={socket},queues={options.queues},"
                              f"queue_size={options.ring_size},{RINGS[ring]}"], queues, directory)
    for side in (back, guest):
        for _ in range(100):
            if side.link_is_up():
                break
            time.sleep(0.1)
        else:
            raise SystemExit(f"throughput: {side.name}: the link did not come up")
        side.command("set record-core-cycles on", "set record-burst-stats on")
        if options.realtime:
            side.run_first()
    return back, guest


def cycles_and_bursts(text):
    """Return the busy cycles a frame and the shares of the bursts' sizes that testpmd reports at stop."""
    cycles = re.search(r"(?:CPU )?cycles/packet=([\d.]+)", text)
    bursts = re.search(r"RX-bursts *: *\d+ *\[(.*)\]", text)
    return (float(cycles[1]) if cycles else None), (bursts[1] if bursts else "")


def case_run(pair, case, size, options):
    """Run a case; return what was measured."""
    back, guest = pair
    modes = CASES[case]
    for side, mode in zip(pair, modes):
        side.command("stop", f"set fwd {mode}", f"set txpkts {size}", f"set burst {1 if case == 'one' else options.burst}",
                     "clear port stats all")
    # The receiver first, so that nothing is dropped at the start.
    if modes[1] == "rxonly":
        guest.command("start")
        back.command("start")
    else:
        back.command("start")
        guest.command("start" if case == "rxonly" else "start tx_first 1" if case == "one" else "start tx_first 32")
    time.sleep(options.warm_up)
    back.rates()
    guest.rates()
    time.sleep(options.seconds)
    back_rx, back_tx = back.rates()
    guest_rx, _ = guest.rates()
    texts = [side.command("stop") for side in (guest, back)]
    # What circulated is received, so that the next case begins with empty rings.
    for side in pair:
        side.command("set fwd rxonly", "start")
    time.sleep(0.02)
    for side in pair:
        side.command("stop")
    cycles = [cycles_and_bursts(text) for text in texts]
    return {"mpps": (back_rx if case == "rxonly" else guest_rx) / 1e6,
            "guest_cycles": cycles[0][0], "back_cycles": cycles[1][0],
            "guest_bursts": cycles[0][1], "back_bursts": cycles[1][1]}


def round_trips(pair, options):
    """Return the millions of round trips a second of a single frame: how far apart the processors are."""
    seconds, options.seconds = options.seconds, 0.05
    warm_up, options.warm_up = options.warm_up, 0.03
    result = case_run(pair, "one", 64, options)["mpps"]
    options.seconds, options.warm_up = seconds, warm_up
    return result


def measure(options):
    """Yield a record for each device, ring, case, size and turn. One device polls at a time."""
    for ring in options.ring:
        with contextlib.ExitStack() as stack:
            pairs = {}
            for device in options.device:
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="throughput."))
                pairs[device] = pair_start(device, ring, options, directory)
                for side in pairs[device]:
                    stack.callback(side.quit)
            probe = pairs[options.device[-1]]
            before = round_trips(probe, options)
            for turn, case, size in itertools.product(range(options.turns), options.case, options.size):
                for device in options.device[::-1] if turn % 2 else options.device:
                    record = {"device": device, "ring": ring, "case": case, "size": size, "turn": turn,
                              **case_run(pairs[device], case, size, options)}
                    after = round_trips(probe, options)
                    yield {**record, "round_trips": min(before, after), "round_trips_max": max(before, after)}
                    before = after


def states(records):
    """Split records by the distance of the processors, which a virtual machine may change at any time.

    A record during which the distance changed belongs to neither state.
    """
    best = max(r["round_trips_max"] for r in records)
    if min(r["round_trips"] for r in records) > NEAR * best:
        return {"": records}
    return {"near": [r for r in records if r["round_trips"] > NEAR * best],
            "far": [r for r in records if r["round_trips_max"] <= NEAR * best]}


def print_table(records, options):
    """Print the medians of all turns, the devices next to each other."""
    names = [d.removeprefix("net_") for d in options.device]
    print("cycles: busy cycles a frame of the back end; rtt: round trips of a single frame in millions a second")
    print(f"{'ring':17} {'case':6} {'bytes':>5} {'state':>5} {'rtt':>5} {'n':>3}" +
          "".join(f" {n + ' Mpps':>11} {'cycles':>6}" for n in names) + (" ratio" if len(names) == 2 else ""))
    for ring in options.ring:
        for state, case, size in itertools.product(("", "near", "far"), options.case, options.size):
            some = states([r for r in records if r["ring"] == ring]).get(state, [])
            some = [r for r in some if (r["case"], r["size"]) == (case, size)]
            print_line(some, (ring, case, size, state), options)


def print_line(records, key, options):
    """Print a line of the table, if each device has a record."""
    of = [[r for r in records if r["device"] == d] for d in options.device]
    if not all(of):
        return
    ring, case, size, state = key
    line = f"{ring:17} {case:6} {size:5} {state:>5} " \
        f"{statistics.median(r['round_trips'] for r in records):5.2f} {min(map(len, of)):3}"
    rates = [statistics.median(r["mpps"] for r in some) for some in of]
    for rate, some in zip(rates, of):
        cycles = [r["back_cycles"] for r in some if r["back_cycles"] is not None]
        line += f" {rate:11.2f} {statistics.median(cycles) if cycles else 0:6.0f}"
    if len(rates) == 2 and rates[0]:
        line += f" {rates[1] / rates[0]:5.2f}"
    print(line)


def parse_arguments():
    """Return the options of the command line."""
    def words(allowed):
        def split(text):
            for word in text.split(","):
                if word not in allowed:
                    raise argparse.ArgumentTypeError(f"{word}: choose from {', '.join(allowed)}")
            return text.split(",")
        return split
    parser = argparse.ArgumentParser(prog="throughput.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plugin", help=argparse.SUPPRESS)
    parser.add_argument("--device", type=words(["net_vhost", "net_vstate"]), default="net_vhost,net_vstate",
                        help="devices, in the order of their turns (default: %(default)s)")
    parser.add_argument("--ring", type=words(list(RINGS)), default="split,packed", help="of: " + ", ".join(RINGS))
    parser.add_argument("--case", type=words(list(CASES)), default="rxonly,txonly,io")
    parser.add_argument("--size", type=lambda t: [int(n) for n in t.split(",")], default="64", help="bytes of a frame")
    parser.add_argument("--queues", type=int, default=1, help="queue pairs (default: 1)")
    parser.add_argument("--ring-size", type=int, default=1024, help="entries of a ring (default: 1024)")
    parser.add_argument("--burst", type=int, default=32, help="frames of a burst (default: 32)")
    parser.add_argument("--turns", type=int, default=5, help="turns of each device (default: 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement (default: 0.5)")
    parser.add_argument("--warm-up", type=float, default=0.1, help="seconds before it (default: 0.1)")
    parser.add_argument("--realtime", action="store_true",
                        help="run at a real-time priority, so that other load waits (needs root)")
    parser.add_argument("--json", metavar="FILE", help="write each measurement to FILE")
    options = parser.parse_args()
    with open("/proc/meminfo", encoding="ascii") as lines:
        free = int(re.search(r"HugePages_Free: *(\d+)", lines.read())[1])
    options.hugepages = free >= 512 * len(options.device)
    return options


RT_RUNTIME = "/proc/sys/kernel/sched_rt_runtime_us"


@contextlib.contextmanager
def realtime():
    """This process runs at a real-time priority, and the kernel takes no share back for others."""
    with open(RT_RUNTIME, encoding="ascii") as file:
        before = file.read()
    try:
        with open(RT_RUNTIME, "w", encoding="ascii") as file:
            file.write("-1")
        # Not for its children while they start: EAL polls for its own threads there.
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(20))
        yield
    finally:
        with open(RT_RUNTIME, "w", encoding="ascii") as file:
            file.write(before)


def main():
    """Measure and print."""
    options = parse_arguments()
    report = open(options.json, "w", encoding="utf-8") if options.json else None
    print("memory:", "hugepages" if options.hugepages else "4 KiB pages (too few free hugepages)")
    records = []
    with realtime() if options.realtime else contextlib.nullcontext():
        for record in measure(options):
            records.append(record)
            if sys.stderr.isatty():
                print(f"{len(records)}: {record['device']} {record['ring']} {record['case']}", end="\r",
                      file=sys.stderr)
    print_table(records, options)
    if report:
        json.dump(records, report, indent=1)
        report.close()


if __name__ == "__main__":
    main()
