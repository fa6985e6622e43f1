#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Kills one of two processes at a random instant of a handover, again and again, under a guest that
# must not lose its connection.
#
#	takeover_kills.py ROUNDS SEED DIRECTORY GUEST-COMMAND -- OWNER-COMMAND...
#
# OWNER-COMMAND starts a back end with takeover=1; GUEST-COMMAND is one word that a shell reads.
"""Kill processes during a handover."""
import atexit
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

# The handover begins with this line of the new process and takes a few milliseconds.
ASKS = "asks the process that owns it"
TAKEN = "taken over in"
GIVEN = ": handed over, "
KEPT = "with the connection"
LAST_MS = 12.0
PATIENCE_S = 30


class Process:
    """A process whose lines are read as they come."""

    started = []

    def __init__(self, name, command, shell=False):
        self.started.append(self)
        self.name = name
        self.lines = []
        self.news = threading.Condition()
        self.child = subprocess.Popen(
            command, shell=shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, bufsize=1, start_new_session=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """Collect lines until the process ends."""
        for line in self.child.stdout:
            with self.news:
                self.lines.append(line.rstrip())
                self.news.notify_all()

    def has(self, text):
        """Return the first line with a text, or None."""
        with self.news:
            return next((line for line in self.lines if text in line), None)

    def wait(self, text, seconds=PATIENCE_S):
        """Wait for a line; return it, or None."""
        end = time.monotonic() + seconds
        while self.has(text) is None and time.monotonic() < end and self.alive():
            with self.news:
                self.news.wait(0.005)
        return self.has(text)

    def alive(self):
        """Return whether the process runs."""
        return self.child.poll() is None

    def end(self, number):
        """Send a signal to the process and all its children."""
        try:
            os.killpg(self.child.pid, number)
        except ProcessLookupError:
            pass
        self.child.wait()

    def said(self):
        """Return the driver's last line."""
        with self.news:
            return next((line for line in reversed(self.lines) if "vstate: " in line), "nothing")

    def tail(self):
        """Return the last lines, for a message."""
        with self.news:
            return "\n".join(f"{self.name}: {line}" for line in self.lines[-25:])


def end_all():
    """End what still runs, however this program ends."""
    for process in Process.started:
        if process.alive():
            process.end(signal.SIGKILL)


class Kills:
    """Counts of what happened, and the processes of now."""

    def __init__(self, directory, guest, owner):
        self.directory, self.guest_command, self.owner_command = directory, guest, owner
        self.number = 0
        self.counts = {"went on": 0, "killed before the offer": 0, "killed after the handover": 0}
        self.owner = self.owner_start()
        self.guest = None
        self.guest_start()

    def start(self):
        """Start a back end."""
        self.number += 1
        command = [word.replace("%N", str(self.number)) for word in self.owner_command]
        return Process(f"back end {self.number}", command)

    def owner_start(self):
        """Start a back end that has nobody to ask, and wait until it can be asked itself."""
        path = os.path.join(self.directory, "state", "net_vstate0.handover")
        if os.path.exists(path):
            os.unlink(path)
        owner = self.start()
        end = time.monotonic() + PATIENCE_S
        while not os.path.exists(path):
            if time.monotonic() > end or not owner.alive():
                sys.exit(f"the owner does not start\n{owner.tail()}")
            time.sleep(0.01)
        return owner

    def guest_start(self):
        """Start the guest, when the owner listens."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.guest = Process("guest", self.guest_command, shell=True)
            time.sleep(0.3)
            if self.guest.alive():
                return
        sys.exit(f"the guest cannot connect\n{self.guest.tail()}\n{self.owner.tail()}")

    def round(self):
        """Hand the device over, and kill one of the two processes on the way."""
        new = self.start()
        if new.wait(ASKS) is None:
            sys.exit(f"the new process does not ask\n{new.tail()}\n{self.owner.tail()}")
        time.sleep(random.uniform(0, LAST_MS) / 1000)
        victim, survivor = random.choice(((new, self.owner), (self.owner, new)))
        victim.end(signal.SIGKILL)
        # what is still to be read of the victim's lines
        time.sleep(0.2)
        if victim is new:
            excuse = "killed after the handover" if self.owner.has(GIVEN) else None
        else:
            taken = survivor.wait(TAKEN)
            if taken is None:
                sys.exit(f"nobody has the device; new: {survivor.said()}; old: {victim.said()}\n{survivor.tail()}\n{victim.tail()}")
            excuse = None if KEPT in taken else "killed before the offer"
        if excuse == "killed after the handover":
            survivor.end(signal.SIGKILL)
            survivor = self.owner_start()
        self.owner = survivor
        self.judge(excuse, victim)

    def judge(self, excuse, victim):
        """The guest must be connected, unless there is an excuse."""
        time.sleep(0.3)
        if excuse is None:
            if not self.guest.alive():
                sys.exit(f"the guest lost its connection\n{self.guest.tail()}\n{self.owner.tail()}\n"
                         f"{victim.tail()}")
            self.counts["went on"] += 1
            return
        self.counts[excuse] += 1
        self.guest.end(signal.SIGKILL)
        self.guest_start()

    def finish(self):
        """The guest's frames since its start must be whole."""
        os.killpg(self.guest.child.pid, signal.SIGINT)
        status = self.guest.child.wait(PATIENCE_S)
        time.sleep(0.2)
        # The tool ends with 130 after SIGINT, whatever it counted.
        counts = re.findall(r"(lost|duplicated|reordered|corrupted) +(\d+)", self.guest.tail())
        if status != 128 + signal.SIGINT or len(counts) != 4 or any(n != "0" for _, n in counts):
            sys.exit(f"the guest ended with status {status}\n{self.guest.tail()}")
        self.owner.end(signal.SIGTERM)


def main(rounds, seed, directory, guest, _, *owner):
    """Run all rounds and print the counts."""
    atexit.register(end_all)
    random.seed(int(seed))
    kills = Kills(directory, guest, owner)
    for _ in range(int(rounds)):
        kills.round()
    kills.finish()
    print(f"{rounds} kills, seed {seed}: " + ", ".join(f"{n} {what}" for what, n in kills.counts.items()))


main(*sys.argv[1:])
