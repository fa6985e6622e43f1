#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
#	vhost_user_proxy.py FRONT-END-SOCKET BACK-END-SOCKET forget-log|wrong-base|queues=N
"""A vhost-user proxy that alters messages.

Passes every message and descriptor between a front end and a back end, with one change:

forget-log  removes VHOST_F_LOG_ALL from SET_FEATURES, so that the back end writes to guest
            memory without a dirty log
wrong-base  adds one to each SET_VRING_BASE, so that a back end which uses the base gets out of
            step with the guest
queues=N    reports that the back end has N queue pairs
"""
import array
import os
import select
import socket
import struct
import sys

HEADER = struct.Struct("<III")
SET_FEATURES = 2
SET_VRING_BASE = 10
GET_QUEUE_NUM = 17
LOG_ALL = 1 << 26
FDS_MAX = 16


def receive(sock):
    """Return one message (header and body) and its descriptors."""
    fds = array.array("i")
    data, ancillary, _, _ = sock.recvmsg(HEADER.size, socket.CMSG_LEN(FDS_MAX * fds.itemsize))
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(value[: len(value) - len(value) % fds.itemsize])
    if len(data) < HEADER.size:
        sys.exit(0)
    size = HEADER.unpack(data)[2]
    while len(data) < HEADER.size + size:
        more = sock.recv(HEADER.size + size - len(data))
        if not more:
            sys.exit(0)
        data += more
    return data, fds


def forget_log(features):
    """Remove the request for a dirty log."""
    if features & LOG_ALL:
        print("forgot the dirty log", flush=True)
    return features & ~LOG_ALL


def wrong_base(state):
    """Add one to each position of a base: queue in the lower half, base in the upper half."""
    queue, base = state & 0xFFFFFFFF, state >> 32
    avail, used = base & 0xFFFF, base >> 16
    wrong = (used and (used + 1) & 0xFFFF) << 16 | (avail + 1) & 0xFFFF
    print(f"base of queue {queue} is {base}, sent {wrong}", flush=True)
    return wrong << 32 | queue


def change_of(mode):
    """Return the request that a mode changes, and a function of its first eight bytes."""
    name, _, value = mode.partition("=")
    return {
        "forget-log": (SET_FEATURES, forget_log),
        "wrong-base": (SET_VRING_BASE, wrong_base),
        "queues": (GET_QUEUE_NUM, lambda _: int(value)),
    }[name]


def altered(data, change):
    """Return the message to send, altered if it is the request to change."""
    request, flags, size = HEADER.unpack_from(data)
    if request != change[0] or size < 8:
        return data
    value = change[1](struct.unpack_from("<Q", data, HEADER.size)[0])
    return HEADER.pack(request, flags, size) + struct.pack("<Q", value) + data[HEADER.size + 8 :]


def main(front_path, back_path, mode):
    """Serve one connection."""
    change = change_of(mode)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(front_path)
    listener.listen(1)
    front = listener.accept()[0]
    back = socket.socket(socket.AF_UNIX)
    back.connect(back_path)
    while True:
        for sock in select.select([front, back], [], [])[0]:
            data, fds = receive(sock)
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else []
            (back if sock is front else front).sendmsg([altered(data, change)], ancillary)
            for fd in fds:
                os.close(fd)


main(*sys.argv[1:])
