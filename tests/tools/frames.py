#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
#	frames.py INTERFACE MODE PORT-MAC PEER-MAC
"""Check what a forwarding mode of testpmd does with frames.

Sends frames to an interface that leads to a testpmd, and compares the returned frames with the
documented effect of the mode. Prints "sent N back N"; any difference is an error.
"""
import ipaddress
import random
import socket
import struct
import sys
import time

HERE, THERE = bytes.fromhex("525400000001"), bytes.fromhex("525400000002")
BROADCAST = b"\xff" * 6
IP_HERE, IP_THERE = (ipaddress.ip_address(a).packed for a in ("192.0.2.1", "192.0.2.2"))
IPV4, ARP, EXPERIMENTAL = 0x0800, 0x0806, 0x88B5
ICMP, TCP, UDP = 1, 6, 17
PACKET_OUTGOING = 4
GENERATED = 200
PATIENCE_S = 15


def checksum(data):
    """Return the Internet checksum."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ether(dst, src, kind, payload):
    """Build an Ethernet frame."""
    return dst + src + struct.pack("!H", kind) + payload


def ipv4(src, dst, protocol, payload):
    """Build an IPv4 packet."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0, src, dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def layer4(protocol, src, dst, ports, data, spoil=0):
    """Build a UDP datagram or a TCP segment; spoil alters its checksum."""
    if protocol == UDP:
        head, at = struct.pack("!HHHH", *ports, 8 + len(data), 0), 6
    else:
        head, at = struct.pack("!HHIIBBHHH", *ports, 1, 2, 0x50, 0x10, 4096, 0, 0), 16
    pseudo = src + dst + struct.pack("!BBH", 0, protocol, len(head) + len(data))
    value = checksum(pseudo + head + data) ^ spoil
    return head[:at] + struct.pack("!H", value) + head[at + 2 :] + data


def segment(protocol, data, spoil=0, swapped=False):
    """Build a frame with a datagram or segment, from here to there or back."""
    ends = [(HERE, IP_HERE, 1000), (THERE, IP_THERE, 2000)]
    (src, ip_src, port), (dst, ip_dst, to) = reversed(ends) if swapped else ends
    payload = layer4(protocol, ip_src, ip_dst, (port, to), data, spoil)
    return ether(dst, src, IPV4, ipv4(ip_src, ip_dst, protocol, payload))


def icmp(kind, data):
    """Build an echo message."""
    head = struct.pack("!BBHHH", kind, 0, 0, 5, 6)
    return head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data


def arp(operation, sender, target):
    """Build an ARP request or reply."""
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + b"".join(sender + target)


def bodies():
    """Return random data of many lengths, up to a full frame."""
    rng = random.Random(1)
    return [rng.randbytes(n) for n in list(range(18, 1460, 47)) + [1460]]


def readdressed(frame, dst, src):
    """Return the frame with other Ethernet addresses."""
    return dst + src + frame[12:]


def plain():
    """Return UDP and TCP frames of many lengths, and one frame of an unknown protocol."""
    frames = [segment(p, data) for p in (UDP, TCP) for data in bodies()]
    return frames + [ether(THERE, HERE, EXPERIMENTAL, b"experimental" * 9)]


def same(_):
    """Frames return unchanged."""
    return [(f, f) for f in plain()]


def mac(macs):
    """Frames return with the peer as destination and the port as source."""
    return [(f, readdressed(f, macs[1], macs[0])) for f in plain()]


def macswap(_):
    """Frames return with their Ethernet addresses swapped."""
    return [(f, readdressed(f, HERE, THERE)) for f in plain()]


def csum(macs):
    """As mac, and wrong checksums are corrected."""
    pairs = [(segment(p, d, 0x5555), segment(p, d)) for p in (UDP, TCP) for d in bodies()]
    return [(f, readdressed(g, macs[1], macs[0])) for f, g in pairs]


def swap5(_):
    """Frames return with Ethernet addresses, IP addresses and ports swapped."""
    return [(segment(p, d), segment(p, d, swapped=True)) for p in (UDP, TCP) for d in bodies()]


def icmpecho(macs):
    """Requests are answered, all other frames are dropped."""
    pairs = []
    for d in bodies():
        request = ether(THERE, HERE, IPV4, ipv4(IP_HERE, IP_THERE, ICMP, icmp(8, d)))
        reply = ether(HERE, THERE, IPV4, ipv4(IP_THERE, IP_HERE, ICMP, icmp(0, d)))
        pairs += [(request, reply), (segment(UDP, d), None)]
    who = ether(BROADCAST, HERE, ARP, arp(1, (HERE, IP_HERE), (b"\0" * 6, IP_THERE)))
    me = ether(HERE, macs[0], ARP, arp(2, (macs[0], IP_THERE), (HERE, IP_HERE)))
    return pairs + [(who, me)]


def dropped(_):
    """No frame returns."""
    return [(f, None) for f in plain()]


MODES = {"io": same, "noisy": same, "mac": mac, "macswap": macswap, "csum": csum, "5tswap": swap5,
         "icmpecho": icmpecho, "rxonly": dropped, "shared_rxq": dropped}


def receive(sock, until):
    """Return the next incoming frame, or None at the deadline."""
    while time.monotonic() < until:
        sock.settimeout(max(until - time.monotonic(), 0.001))
        try:
            frame, address = sock.recvfrom(65536)
        except TimeoutError:
            return None
        if address[2] != PACKET_OUTGOING:
            return frame
    return None


def exchange(sock, pairs):
    """Send 16 frames at a time, so that no queue overflows, and check what returns."""
    back = 0
    for begin in range(0, len(pairs), 16):
        part = pairs[begin : begin + 16]
        for frame, _ in part:
            sock.send(frame)
        for number, (_, want) in enumerate(part, begin):
            if want is None:
                continue
            got = receive(sock, time.monotonic() + PATIENCE_S)
            if got != want:
                sys.exit(f"frame {number}: expected {want.hex()}, received {got and got.hex()}")
            back += 1
    extra = receive(sock, time.monotonic() + 0.1)
    if extra is not None:
        sys.exit(f"unexpected frame: {extra.hex()}")
    print(f"sent {len(pairs)} back {back}")


def generated(sock):
    """Check the headers of frames that testpmd generates."""
    flows = set()
    for number in range(GENERATED):
        frame = receive(sock, time.monotonic() + PATIENCE_S)
        if frame is None:
            sys.exit(f"received {number} frames, expected {GENERATED}")
        length, protocol = struct.unpack_from("!HxxxxxB", frame, 16)
        if (frame[12:14] != b"\x08\x00" or checksum(frame[14:34]) != 0 or protocol != UDP or
                length != len(frame) - 14):
            sys.exit(f"frame {number} has a wrong header: {frame.hex()}")
        flows.add(frame[26:34])
    print(f"sent 0 back {GENERATED} of {len(flows)} flows")


def main(interface, mode, *macs):
    """Check one mode."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((interface, 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    if mode in MODES:
        exchange(sock, MODES[mode]([bytes.fromhex(m.replace(":", "")) for m in macs]))
    else:
        generated(sock)


main(*sys.argv[1:])
