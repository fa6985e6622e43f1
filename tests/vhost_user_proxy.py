#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
#	vhost_user_proxy.py FRONT-END-SOCKET BACK-END-SOCKET
"""A vhost-user connection that forgets to ask for the dirty log.

Passes every message and descriptor between a front end and a back end, but takes
VHOST_F_LOG_ALL out of SET_FEATURES: the back end then writes to guest memory
without telling anyone, as one without dirty logging would.
"""
import array
import os
import select
import socket
import struct
import sys

HEADER = struct.Struct("<III")
SET_FEATURES = 2
LOG_ALL = 1 << 26
FDS_MAX = 16


def receive(sock):
    """One message: header and body, descriptors."""
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


def forget(data):
    """The message without the wish for a log."""
    request, flags, size = HEADER.unpack_from(data)
    if request != SET_FEATURES:
        return data
    features = struct.unpack_from("<Q", data, HEADER.size)[0]
    if features & LOG_ALL:
        print("forgot the dirty log", flush=True)
    return HEADER.pack(request, flags, size) + struct.pack("<Q", features & ~LOG_ALL)


def main(front_path, back_path):
    """One connection."""
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
            if sock is front:
                back.sendmsg([forget(data)], ancillary)
            else:
                front.sendmsg([data], ancillary)
            for fd in fds:
                os.close(fd)


main(*sys.argv[1:])
