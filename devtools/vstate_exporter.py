#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Export the telemetry of vstate devices in the text format of Prometheus.

vstate_exporter.py SOCKET           print the metrics once
vstate_exporter.py SOCKET PORT      serve them at http://127.0.0.1:PORT/metrics

SOCKET is the telemetry socket of a DPDK process, as /run/dpdk/rte/dpdk_telemetry.v2. Only the
standard library is needed.
"""

import http.server
import json
import re
import socket
import sys

# Fields of /vstate/dev that are values of now; all other numbers only rise.
GAUGES = {'connected', 'started', 'queues', 'active_pairs', 'capacity_bytes', 'write_cache',
          'file_locked', 'memory_regions', 'memory_bytes', 'dirty_log', 'cvq_in_force', 'cvq_filters',
          'cvq_announce_due'}
# Fields of /vstate/vq that are no counters.
VQ_GAUGES = {'size', 'ready', 'granted', 'avail_idx', 'avail_wrap', 'used_idx', 'used_wrap'}
# Numbers that are no measurements.
SKIPPED = {'index'}
# Durations with a histogram, which has their number and sum.
OPERATIONS = ('suspend', 'capture', 'restore', 'resume')


class Telemetry:
    """A connection to the telemetry socket: one packet for each command and answer."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(5)
        self.sock.connect(path)
        self.max = json.loads(self.sock.recv(1024))['max_output_len']

    def ask(self, command):
        """Return the answer, or None if the process has none."""
        self.sock.send(command.encode())
        answer = json.loads(self.sock.recv(self.max))
        return next(iter(answer.values()))

    def close(self):
        """Close the connection."""
        self.sock.close()


def label(value):
    """Return a value as the text between the quotes of a label."""
    return str(value).replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')


class Metrics:
    """Collects samples; one metric has one block, as the format demands."""

    def __init__(self):
        self.blocks = {}

    def add(self, name, kind, labels, value):
        """Add a sample."""
        name = 'vstate_' + re.sub('[^a-zA-Z0-9_]', '_', name)
        if name.endswith('_ns'):
            name, value = name[:-3] + '_seconds', value / 1e9
        if kind == 'counter':
            name += '_total'
        text = ','.join(f'{key}="{label(v)}"' for key, v in labels.items())
        self.blocks.setdefault((name, kind), []).append(f'{name}{{{text}}} {value:.17g}')

    def add_histogram(self, name, labels, counts, number, total_ns):
        """Add a histogram of durations: element i of counts has those below 2^i us."""
        block = self.blocks.setdefault(('vstate_' + name, 'histogram'), [])
        text = ','.join(f'{key}="{label(v)}"' for key, v in labels.items())
        below = 0
        for i, count in enumerate(counts[:-1]):
            below += count
            block.append(f'vstate_{name}_bucket{{{text},le="{2 ** i / 1e6:g}"}} {below}')
        block.append(f'vstate_{name}_bucket{{{text},le="+Inf"}} {number}')
        block.append(f'vstate_{name}_sum{{{text}}} {total_ns / 1e9:.17g}')
        block.append(f'vstate_{name}_count{{{text}}} {number}')

    def text(self):
        """Return all metrics."""
        lines = []
        for (name, kind), samples in sorted(self.blocks.items()):
            lines += [f'# TYPE {name} {kind}'] + samples
        return '\n'.join(lines) + '\n'


def device_add(metrics, telemetry, device):
    """Add the metrics of a device and of its virtqueues."""
    dev = telemetry.ask('/vstate/dev,' + device)
    if dev is None:
        return
    labels = {'device': device}
    metrics.add('info', 'gauge', labels | {key: dev.get(key, '') for key in
                                           ('class', 'iface', 'poller', 'ring', 'status',
                                            'takeover')}, 1)
    for what in OPERATIONS:
        metrics.add_histogram(f'dev_{what}_seconds', labels, dev[what + '_histogram'],
                              dev[what + '_count'], dev[what + '_sum_ns'])
    for key, value in dev.items():
        if isinstance(value, int) and not key.endswith('_sum_ns'):
            gauge = key in GAUGES or key.endswith(('_last_ns', '_max_ns'))
            metrics.add('dev_' + key, 'gauge' if gauge else 'counter', labels, value)
    for qid in range(dev.get('queues', 0)):
        queue = telemetry.ask(f'/vstate/vq,{device},{qid}')
        for key, value in (queue or {}).items():
            if isinstance(value, int) and key not in SKIPPED:
                metrics.add('vq_' + key, 'gauge' if key in VQ_GAUGES else 'counter',
                            labels | {'queue': qid}, value)


def collect(path):
    """Return the metrics of a process as text. Without the process it is not up."""
    metrics = Metrics()
    try:
        telemetry = Telemetry(path)
        devices = telemetry.ask('/vstate/list') or []
        for device in devices:
            device_add(metrics, telemetry, device)
        telemetry.close()
        metrics.add('up', 'gauge', {'socket': path}, 1)
    except (OSError, ValueError) as error:
        print(f'vstate_exporter.py: {path}: {error}', file=sys.stderr)
        metrics = Metrics()
        metrics.add('up', 'gauge', {'socket': path}, 0)
    return metrics.text()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET /metrics."""

    path_of_socket = ''

    def do_GET(self):  # pylint: disable=invalid-name
        """Collect and send."""
        if self.path != '/metrics':
            self.send_error(404)
            return
        body = collect(self.path_of_socket).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Log nothing: Prometheus asks every few seconds."""


def main():
    """Print or serve."""
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith('-'):
        print(__doc__.strip(), file=sys.stdout if '--help' in sys.argv else sys.stderr)
        sys.exit(0 if '--help' in sys.argv else 2)
    if len(sys.argv) == 2:
        sys.stdout.write(collect(sys.argv[1]))
        return
    Handler.path_of_socket = sys.argv[1]
    try:
        with http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2])), Handler) as server:
            server.serve_forever()
    except (OSError, ValueError, OverflowError) as error:
        sys.exit(f'vstate_exporter.py: port {sys.argv[2]}: {error}')
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == '__main__':
    main()
