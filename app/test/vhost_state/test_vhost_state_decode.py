#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Compare the decoder in Python with the library: test_vhost_state_decode.py DECODER SAMPLES"""

import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest

DECODER, SAMPLES = sys.argv[1:3]
COUNT = 100


def load_decoder():
    """Load the decoder as a module."""
    spec = importlib.util.spec_from_file_location('decoder', DECODER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class DecoderTest(unittest.TestCase):
    """The library in C writes samples as states and as JSON; the decoder reads the states."""

    @classmethod
    def setUpClass(cls):
        cls.decoder = load_decoder()
        cls.place = tempfile.TemporaryDirectory()
        cls.dir = pathlib.Path(cls.place.name)
        subprocess.run([SAMPLES, cls.dir, str(COUNT)], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def run_decoder(self, path):
        """Run the decoder from the command line."""
        return subprocess.run([sys.executable, DECODER, path], capture_output=True, check=False)

    def test_both_decoders_print_the_same_bytes(self):
        """The samples with names, decoded by the command line."""
        for name in 'split', 'packed', 'packed_descs', 'blk', 'net_ctrl', 'console', 'scsi':
            done = self.run_decoder(self.dir / f'{name}.state')
            self.assertEqual(done.returncode, 0)
            self.assertEqual(done.stdout, (self.dir / f'{name}.json').read_bytes())

    def test_both_decoders_agree_on_random_states(self):
        """All samples."""
        states = list(self.dir.glob('*.state'))
        self.assertEqual(len(states), COUNT + 7)
        for state in states:
            line = self.decoder.json.dumps(self.decoder.decode(state.read_bytes())) + '\n'
            self.assertEqual(line, state.with_suffix('.json').read_text())

    def test_every_flipped_bit_is_refused(self):
        """The library refuses the same bytes."""
        for name in 'packed_descs', 'net_ctrl':
            data = (self.dir / f'{name}.state').read_bytes()
            for bit in range(8 * len(data)):
                flipped = bytearray(data)
                flipped[bit // 8] ^= 1 << bit % 8
                with self.assertRaises(self.decoder.Refused):
                    self.decoder.decode(bytes(flipped))

    def test_every_truncation_is_refused(self):
        """The library refuses the same bytes."""
        data = (self.dir / 'split.state').read_bytes()
        for length in range(len(data)):
            with self.assertRaises(self.decoder.Refused):
                self.decoder.decode(data[:length])

    def test_refusal_has_exit_status_1_and_a_message(self):
        """The message is on stderr, and stdout is empty."""
        path = self.dir / 'bad'
        path.write_bytes(b'no state')
        done = self.run_decoder(path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'state ends in its header', done.stderr)
        self.assertEqual(done.stdout, b'')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
