#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
#	telemetry.py RUNTIME-DIRECTORY COMMAND
"""Ask a DPDK process: its answer, as JSON."""
import json
import pathlib
import socket
import sys

DEFAULT_SIZE = 16384


def main(directory, command):
    """The one process that has its files there."""
    paths = list(pathlib.Path(directory).glob("dpdk/*/dpdk_telemetry.v2"))
    if len(paths) != 1:
        sys.exit(f"{len(paths)} telemetry sockets below {directory}")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(str(paths[0]))
    size = json.loads(sock.recv(DEFAULT_SIZE))["max_output_len"]
    sock.send(command.encode())
    print(json.dumps(json.loads(sock.recv(size))[command.partition(",")[0]]))


main(*sys.argv[1:])
