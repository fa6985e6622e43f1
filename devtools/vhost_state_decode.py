#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Decode a saved vhost state and print it as JSON.

This decoder was written from the byte tables of doc/guides/prog_guide/vhost_state_lib.rst,
independently of the library in C, to show that the tables suffice. It checks the bytes: header,
checksums, order, number and length of parts, reserved fields. It does not check whether values
contradict each other; dpdk-test-vdpa state FILE does. It prints the line that
rte_vhost_state_dump_json() prints.
"""

import json
import struct
import sys
import zlib

MAGIC = b'\x89VSTATE\n'
VERSION = 1
HEADER = struct.Struct('<8sHHIIHHII')
PART = struct.Struct('<HBB8sI')
OPTIONAL = 1
MAX_VQ = 257
RING_PACKED = 34
NO_VECTOR = 0xffff

# Parts of every class: {type: (name, one for each virtqueue, mandatory, length of a unit in bytes,
# largest number of units)}
COMMON_PARTS = {
    0x0100: ('device features', False, True, 8, 16),
    0x0101: ('driver features', False, True, 8, 16),
    0x0103: ('device status', False, True, 1, 1),
    0x0104: ('virtqueue configuration', True, True, 32, 1),
    0xf001: ('ring', True, True, 16, 1),
    0xf002: ('in flight', True, False, 16, 32768),
    0xf003: ('statistics', True, False, 16, 1),
    0xf004: ('in-flight descriptors', True, False, 16, 32768),
}

# Parts with several selectors: {type: [first two bytes of the selector, in their order]}
SELECTORS = {
    0x0200: [0x0000, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0x0001, 0x0101, 0x0004, 0x0005],
}


class Refused(Exception):
    """The bytes are no state of this format version."""


def require(condition, text):
    """Refuse with the text if the condition is false."""
    if not condition:
        raise Refused(text)


def header(data):
    """Check the header. Return device ID and number of virtqueues."""
    require(len(data) >= HEADER.size, 'state ends in its header')
    magic, version, length, total, crc, device_id, nb_vqs, reserved, header_crc = \
        HEADER.unpack_from(data)
    require(magic == MAGIC, 'not a vhost state')
    require(version == VERSION, f'format version {version}')
    require(length == HEADER.size, f'header length {length}')
    require(header_crc == zlib.crc32(data[:HEADER.size - 4]), 'checksum of the header')
    require(reserved == 0, 'reserved header field')
    require(total == len(data), f'{len(data)} bytes, header announces {total}')
    require(crc == zlib.crc32(data[HEADER.size:]), 'checksum of the parts')
    require(0 < nb_vqs <= MAX_VQ, f'{nb_vqs} virtqueues')
    require(device_id in CLASSES, f'unknown device class {device_id}')
    return device_id, nb_vqs


def parts(data, nb_vqs, known):
    """Return the values of the known parts by (type, virtqueue); 0 for a part of the device."""
    found = {}
    last = (0, 0)
    at = HEADER.size
    while at < len(data):
        require(len(data) - at >= PART.size, f'part header at {at} cut')
        kind, flags, reserved, selector, length = PART.unpack_from(data, at)
        value = data[at + PART.size:at + PART.size + length]
        require(flags & ~OPTIONAL == 0 and reserved == 0, f'reserved bits of part at {at}')
        require(len(value) == length, f'part at {at} longer than the state')
        at += PART.size + length
        index = int.from_bytes(selector[:2], 'little')
        if kind not in known or (kind in SELECTORS and index not in SELECTORS[kind]):
            require(flags & OPTIONAL, f'unknown part 0x{kind:x}')
            continue
        name, per_vq, _, unit, most = known[kind]
        if kind in SELECTORS:
            index = SELECTORS[kind].index(index)
        require(not any(selector[2 if per_vq or kind in SELECTORS else 0:]), f'selector of {name}')
        require(not per_vq or index < nb_vqs, f'{name} of virtqueue {index}')
        require(length and length % unit == 0 and length // unit <= most, f'length of {name}')
        require((kind, index) > last, f'{name} of virtqueue {index} twice or out of order')
        last = (kind, index)
        found[last] = value
    for kind, (name, per_vq, mandatory, _, _) in known.items():
        for index in range(nb_vqs if per_vq else 1):
            require(not mandatory or (kind, index) in found, f'{name} {index} missing')
    return found


def features(value):
    """Return the first word of feature bits. Other words must be zero."""
    require(not any(value[8:]), 'features above 63')
    return int.from_bytes(value[:8], 'little')


def on_off(value):
    """Return a mode of reception."""
    require(value in (b'\0', b'\1'), 'mode of reception')
    return value == b'\1'


def addresses(value):
    """Return the table of MAC addresses: unicast ones, then multicast ones."""
    tables = []
    for _ in range(2):
        require(len(value) >= 4, 'table of addresses')
        size = 6 * int.from_bytes(value[:4], 'little')
        require(len(value) >= 4 + size, 'table of addresses')
        tables.append([value[i:i + 6].hex(':') for i in range(4, 4 + size, 6)])
        value = value[4 + size:]
    require(not value, 'table of addresses')
    return {'unicast': tables[0], 'multicast': tables[1]}


def number(size, text):
    """Return a decoder of a number of some bytes, to be shown by the function text."""
    def decode_number(value):
        require(len(value) == size, 'length of a control command')
        return text(int.from_bytes(value, 'little'))
    return decode_number


def address(value):
    """Return a MAC address."""
    require(len(value) == 6, 'length of a control command')
    return value.hex(':')


# Names and decoders of the control commands, in the order of SELECTORS.
CONTROLS = [
    ('promisc', on_off), ('allmulti', on_off), ('alluni', on_off), ('nomulti', on_off),
    ('nouni', on_off), ('nobcast', on_off), ('mac_table', addresses), ('mac_addr', address),
    ('pairs', number(2, int)), ('offloads', number(8, hex)),
]


def controls(found):
    """Return the settings of the control virtqueue, as a dictionary that may be empty."""
    settings = {name: decoder(found[0x0200, i])
                for i, (name, decoder) in enumerate(CONTROLS) if (0x0200, i) in found}
    vlans = [vlan for vlan, in struct.iter_unpack('<H', found.get((0xf011, 0), b''))]
    require(vlans == sorted(set(vlans)) and max(vlans, default=0) < 4096, 'VLANs')
    return {'ctrl': {**settings, 'vlans': vlans}} if settings or vlans else {}


def network(found):
    """Return the data of a network device."""
    mac, mtu, status, pairs, rx_mode, reserved, offloads = \
        struct.unpack('<6sHHHB3sQ', found[0xf000, 0])
    require(not any(reserved), 'reserved field of the network device')
    return {
        'mac': mac.hex(':'),
        'mtu': mtu,
        'status': status,
        'active_pairs': pairs,
        'rx_mode': rx_mode,
        'guest_offloads': hex(offloads),
        **controls(found),
    }


DISK_FIELDS = ('capacity', 'blk_size', 'read_only', 'write_cache')


def disk(found):
    """Return the data of a block device."""
    *values, reserved = struct.unpack('<QIBB2s', found[0xf010, 0])
    require(not any(reserved), 'reserved field of the block device')
    return dict(zip(DISK_FIELDS, values))


def console(found):
    """Return the data of a console."""
    value, ports = found[0xf020, 0], found[0xf021, 0]
    pending = found.get((0xf022, 0), b'')
    require(not any(value[1:]), 'reserved field of the console')
    entries = []
    for port in struct.iter_unpack('<BBBBHHHH4sQQ32s', ports):
        require(not any(port[8]), 'reserved field of a port')
        entries.append({
            'guest_open': port[0],
            'host_open': port[1],
            'ready': port[2],
            'due': port[3],
            'cols': port[4],
            'rows': port[5],
            'name': port[11].rstrip(b'\0').decode('ascii'),
            'to_host': {'id': port[6], 'offset': port[9]},
            'to_guest': {'id': port[7], 'offset': port[10]},
            'pending': '',
        })
    first = 0
    while pending:
        require(len(pending) > 4, 'bytes for the guest cut')
        index, count = struct.unpack_from('<HH', pending)
        require(first <= index < len(entries), f'bytes for the guest of port {index}')
        require(0 < count <= min(1024, len(pending) - 4), f'{count} bytes for the guest')
        entries[index]['pending'] = pending[4:4 + count].hex()
        pending = pending[4 + count:]
        first = index + 1
    return {'driver_ready': value[0], 'ports': entries}


def scsi(found):
    """Return the data of a SCSI host."""
    sense_size, cdb_size = struct.unpack('<II', found[0xf030, 0])
    luns = []
    for *values, attention, event, serial in struct.iter_unpack('<QIBBBB32s', found[0xf031, 0]):
        require(event <= 1, 'event of a logical unit')
        luns.append({
            **dict(zip(DISK_FIELDS, values)),
            'attention': attention,
            'event': event,
            'serial': serial.rstrip(b'\0').decode('ascii'),
        })
    return {'sense_size': sense_size, 'cdb_size': cdb_size, 'luns': luns}


# {device ID: (key in JSON, parts as in COMMON_PARTS, decoder of these parts)}
CLASSES = {
    1: ('net', {
        0x0200: ('control command', False, False, 1, 8 + 256 * 6),
        0xf000: ('network device', False, True, 24, 1),
        0xf011: ('VLANs', False, False, 2, 4096),
    }, network),
    2: ('blk', {0xf010: ('block device', False, True, 16, 1)}, disk),
    3: ('console', {
        0xf020: ('console', False, True, 8, 1),
        0xf021: ('console ports', False, True, 64, 16),
        0xf022: ('console bytes', False, False, 1, 16 * 1028),
    }, console),
    8: ('scsi', {
        0xf030: ('SCSI host', False, True, 8, 1),
        0xf031: ('logical units', False, True, 48, 16),
    }, scsi),
}


def inflight(value):
    """Return the buffers in flight."""
    entries = []
    for counter, head, ident, num, reserved in struct.iter_unpack('<QHHHH', value):
        require(reserved == 0, 'reserved field of an entry in flight')
        entries.append({'head': head, 'id': ident, 'num': num, 'counter': counter})
    return entries


def descriptors(value):
    """Return the descriptors of the buffers in flight in a packed ring."""
    return [{'addr': hex(addr), 'len': length, 'id': ident, 'flags': flags}
            for addr, length, ident, flags in struct.iter_unpack('<QIHH', value)]


def virtqueue(index, found):
    """Return one virtqueue, from its parts."""
    size, vector, enabled, reserved, desc, driver, device = \
        struct.unpack('<HHHHQQQ', found[0x0104, index])
    require(vector == NO_VECTOR, 'interrupt vector')
    require(enabled <= 1 and reserved == 0, 'reserved field of a virtqueue')
    avail, used, avail_wrap, used_wrap, flags, zero, signalled, rest = \
        struct.unpack('<HHBBBBH6s', found[0xf001, index])
    require(flags <= 3 and zero == 0 and not any(rest), 'reserved field of a ring')
    packets, count = struct.unpack('<QQ', found.get((0xf003, index), bytes(16)))
    return {
        'index': index,
        'size': size,
        'enabled': bool(enabled),
        'desc_addr': hex(desc),
        'driver_addr': hex(driver),
        'device_addr': hex(device),
        'avail_idx': avail,
        'avail_wrap': avail_wrap,
        'used_idx': used,
        'used_wrap': used_wrap,
        'signalled_used': signalled,
        'signalled_valid': bool(flags & 1),
        'notify_pending': bool(flags & 2),
        'inflight': inflight(found.get((0xf002, index), b'')),
        'inflight_descs': descriptors(found.get((0xf004, index), b'')),
        'stats': {'packets': packets, 'bytes': count},
    }


def decode(data):
    """Return the state as a dictionary. Raise Refused if the bytes are no state."""
    device_id, nb_vqs = header(data)
    class_name, class_parts, class_decode = CLASSES[device_id]
    found = parts(data, nb_vqs, {**COMMON_PARTS, **class_parts})
    driver_features = features(found[0x0101, 0])
    return {
        'format': VERSION,
        'device_id': device_id,
        'status': found[0x0103, 0][0],
        'device_features': hex(features(found[0x0100, 0])),
        'driver_features': hex(driver_features),
        'ring': 'packed' if driver_features >> RING_PACKED & 1 else 'split',
        class_name: class_decode(found),
        'vqs': [virtqueue(index, found) for index in range(nb_vqs)],
    }


def main():
    """Decode the file of the command line."""
    if len(sys.argv) != 2 or sys.argv[1] in ('-h', '--help'):
        print(f'usage: {sys.argv[0]} FILE\n\n{__doc__}', end='')
        return 0 if len(sys.argv) == 2 else 2
    try:
        with open(sys.argv[1], 'rb') as file:
            print(json.dumps(decode(file.read())))
    except (OSError, Refused) as error:
        print(f'{sys.argv[1]}: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
