#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Commands for QEMU's machine protocol, one connection a call.
#
#	qmp.py SOCKET COMMAND [JSON-ARGUMENTS]	what it returns, as JSON
#	qmp.py SOCKET wait-migration SECONDS	until it has ended; its query-migrate
#	qmp.py SOCKET wait-status STATUS SECONDS	until query-status says so
"""Talk to QEMU."""
import json
import socket
import sys
import time

ENDED = ("completed", "failed", "cancelled")


class Qmp:
    """A connection."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(path)
        self.lines = self.sock.makefile("r")
        self.lines.readline()
        self.command("qmp_capabilities")

    def command(self, name, arguments=None):
        """Run it; what it returns."""
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
        return sys.exit(f"{name}: QEMU has gone")


def wait(qmp, command, seconds, values):
    """Until the status is one of those; the answer."""
    end = time.monotonic() + seconds
    while True:
        answer = qmp.command(command)
        if answer.get("status") in values:
            return answer
        if time.monotonic() > end:
            sys.exit(f"still '{answer.get('status')}' after {seconds} s: {answer}")
        time.sleep(0.01)


def main(path, command, *arguments):
    """One call."""
    qmp = Qmp(path)
    if command == "wait-migration":
        answer = wait(qmp, "query-migrate", float(arguments[0]), ENDED)
    elif command == "wait-status":
        answer = wait(qmp, "query-status", float(arguments[1]), (arguments[0],))
    else:
        answer = qmp.command(command, json.loads(arguments[0]) if arguments else None)
    print(json.dumps(answer))


main(*sys.argv[1:])
