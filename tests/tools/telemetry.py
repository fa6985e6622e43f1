#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""A telemetry client for DPDK processes: one packet for each command and answer.

telemetry.py SOCKET COMMAND             print the answer as JSON
telemetry.py SOCKET COMMAND until KEY VALUE SECONDS
                                        repeat the command until KEY of the answer is
                                        VALUE (!VALUE: is not, ~VALUE: contains it)
"""

import json
import socket
import sys
import time


class Client:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(20)
        self.sock.connect(path)
        self.max = json.loads(self.sock.recv(1024))["max_output_len"]

    def ask(self, command):
        """Return the answer, or None if the process has none."""
        self.sock.send(command.encode())
        answer = json.loads(self.sock.recv(self.max))
        name = command.split(",")[0]
        if list(answer) != [name]:
            raise ValueError("answer to another command than %s: %s" % (name, answer))
        return answer[name]


def is_met(answer, key, value):
    if not isinstance(answer, dict) or key not in answer:
        return False
    if value.startswith("!"):
        return str(answer[key]) != value[1:]
    if value.startswith("~"):
        return value[1:] in str(answer[key])
    return str(answer[key]) == value


def main(path, command, how=None, key=None, value=None, seconds="0"):
    client = Client(path)
    answer = client.ask(command)
    end = time.monotonic() + float(seconds)
    while how == "until" and not is_met(answer, key, value):
        if time.monotonic() > end:
            sys.exit("%s: %s did not become %s: %s" % (command, key, value, answer))
        time.sleep(0.001)
        answer = client.ask(command)
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
