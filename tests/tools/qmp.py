#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Sends one command over QEMU's machine protocol and prints the answer as JSON.
#
#	qmp.py SOCKET COMMAND [JSON-ARGUMENTS]
#	qmp.py SOCKET wait-migration SECONDS	wait for its end; the answer of query-migrate
#	qmp.py SOCKET wait-status STATUS SECONDS	wait until query-status has this status
"""A client of QEMU's machine protocol."""
import json
import socket
import sys
import time

ENDED = ("completed", "failed", "cancelled")


class Qmp:
    """A connection to QEMU."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(path)
        self.lines = self.sock.makefile("r")
        self.lines.readline()
        self.command("qmp_capabilities")

    def command(self, name, arguments=None):
        """Run a command and return its answer."""
        request = {"execute": name}
        if arguments is not None:
            request["arguments"] = arguments
        self.sock.sendall(json.dumps(request).encode())
        for line in self.lines:
            answer = json.loads(line)
            if "error" in answer:
                sys.exit(f"{name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        return sys.exit(f"{name}: QEMU closed the connection")


def wait(qmp, command, seconds, values):
    """Repeat a command until its status is one of the values; return the answer."""
    end = time.monotonic() + seconds
    while True:
        answer = qmp.command(command)
        if answer.get("status") in values:
            return answer
        if time.monotonic() > end:
            sys.exit(f"{command}: status is still '{answer.get('status')}' after {seconds} s: {answer}")
        time.sleep(0.01)


def main(path, command, *arguments):
    """Run one command of the command line."""
    qmp = Qmp(path)
    if command == "wait-migration":
        answer = wait(qmp, "query-migrate", float(arguments[0]), ENDED)
    elif command == "wait-status":
        answer = wait(qmp, "query-status", float(arguments[1]), (arguments[0],))
    else:
        answer = qmp.command(command, json.loads(arguments[0]) if arguments else None)
    print(json.dumps(answer))


main(*sys.argv[1:])
