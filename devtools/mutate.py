#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Change one place of the code at a time, and see whether a unit test fails: see mutate.sh."""

import argparse
import contextlib
import hashlib
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / 'build-mutate'
SOURCE, BUILD = WORK / 'source', WORK / 'build'
DRIVER = 'drivers/vdpa/vstate/'
# A test fails if it takes this time, and ten times that of a run without a change.
TEST_SECONDS = 20

# Which groups of vstate-autotest cover a room: the likely ones first, as the first failure ends the
# run. "cost" counts instructions, and fails for any change.
GROUPS = {
    'ring': 'mem marks dirty chain burst_bounds inflight interrupted used_ahead fault net_put net_take '
            'request_hostile request notify state_file mem_guard blk simd lease',
    'net': 'net_headers net_mbuf net_offload net_segment burst_bounds net_put net_take notify pace '
           'port port_conf port_queue port_stats net_bridge simd port_intr',
    'dev': 'dev fault inflight state_file fail_calls device_state vdpa door blk blk_stop takeover '
           'port',
    'handover': 'handover_msg state_file inflight interrupted fail_calls takeover door door_disk',
    'vhost': 'msg msg_log fd_io device_state door fail_calls vdpa door_disk takeover mem_guard mem_populate',
}
# Lines without an effect that a unit test can see: logs, hints, checks of the compiler.
SKIPPED = re.compile(r'\b(VSTATE_LOG|VHOST_STATE_LOG|RTE_LOG\w*|RTE_SET_USED|RTE_BUILD_BUG_ON|'
                     r'rte_prefetch\w*|\w*prefetch\w*|static_assert|__rte_\w+)\b')

SWAPS = [(r'<=', '<'), (r'>=', '>'), (r'==', '!='), (r'!=', '=='), (r'&&', '||'), (r'\|\|', '&&'),
         (r'(?<= )<(?= )', '<='), (r'(?<= )>(?= )', '>='), (r'(?<=[\w)\]] )\+(?= )', '-'),
         (r'(?<=[\w)\]] )-(?= )', '+'), (r'\+=', '-='), (r'(?<![-<>])-=', '+='), (r'\+\+', '--'),
         (r'(?<!-)--', '++'), (r'(?<=[\w)\]] )&(?= )', '|'), (r'(?<=[\w)\]] )\|(?= )', '&'),
         (r'<<(?!=)', '>>'), (r'>>(?!=)', '<<'), (r'\|=', '&=')]

# What begins like a statement that can be left out, and is none.
DECLARATION = re.compile(r'(return|goto|case|default|else|for|while|do|if|switch|static|const|'
                         r'struct|union|enum|unsigned|typedef)\b|\w+(\s+\*?|\s*\*)\w+\s*[=;,\[]')


class Mutant:
    """One change: bytes FROM..TO of a file become TEXT."""

    def __init__(self, path, at, end, text, what):
        self.path, self.at, self.end, self.text, self.what = path, at, end, text, what

    def __str__(self):
        before = self.path.read_text(encoding='utf-8')
        line = before.count('\n', 0, self.at) + 1
        shown = ' '.join(before[self.at:self.end].split())
        to = ' '.join(self.text.split()) or 'nothing'
        return f'{self.path.relative_to(SOURCE)}:{line}: {self.what}: "{shown}" -> "{to}"'

    def apply(self):
        """Return the text of the file with the change. Its lines keep their numbers."""
        text = self.path.read_text(encoding='utf-8')
        lines = text.count('\n', self.at, self.end)
        return text[:self.at] + self.text + '\n' * lines + text[self.end:]


# ---- places ----

def blank(text):
    """Return the text with comments, strings and directives blanked, of the same length."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|'
                         r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.S | re.M)
    return pattern.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), text)


def bodies(code):
    """Yield (begin, end) of the functions and initialised tables at the top level."""
    depth, begin, head = 0, 0, 0
    for m in re.finditer(r'[{};]', code):
        if m.group() == '{':
            if depth == 0:
                begin = m.end()
            depth += 1
        elif m.group() == '}':
            depth -= 1
            if depth == 0:
                before = code[head:begin - 1].rstrip()
                if before.endswith((')', '=')):
                    yield begin, m.start()
                head = m.end()
        elif depth == 0:
            head = m.end()


def statements(code, begin, end):
    """Yield (begin, end) of the statements of a function, as far as they are simple ones."""
    for m in re.finditer(r'(?<=[;{}\n])([ \t]+)(\w[^;{}]*;)', code[begin:end]):
        text = m.group(2)
        before = code[:begin + m.start()].rstrip()
        if not before.endswith((';', '{', '}', ':', ')', 'else')):
            continue
        if before.endswith(')') and not re.search(r'\b(if|for|while)\b[^;{}]*\)$', before):
            continue
        if code.count('(', begin, begin + m.start(2)) != code.count(')', begin, begin + m.start(2)):
            continue
        # declarations change what compiles; returns and gotos the type of the function
        if DECLARATION.match(text):
            continue
        yield begin + m.start(2), begin + m.end(2)


def conditions(code, begin, end):
    """Yield (begin, end) of what stands between the brackets of if and while."""
    for m in re.finditer(r'\b(?:if|while) \(', code[begin:end]):
        at = begin + m.end()
        depth, i = 1, at
        while depth > 0:
            depth += {'(': 1, ')': -1}.get(code[i], 0)
            i += 1
        yield at, i - 1


def places(path):
    """Return all mutants of a file."""
    text = path.read_text(encoding='utf-8')
    code = blank(text)
    found = []
    for begin, end in bodies(code):
        for pattern, to in SWAPS:
            for m in re.finditer(pattern, code[begin:end]):
                found.append(Mutant(path, begin + m.start(), begin + m.end(), to, 'operator'))
        for m in re.finditer(r'(?<![\w.])(\d+)(?=[uUlL]*\b)(?!\.)(?!x)', code[begin:end]):
            to = '0' if m.group(1) == '1' else str(int(m.group(1)) + 1)
            found.append(Mutant(path, begin + m.start(1), begin + m.end(1), to, 'constant'))
        for at, to in conditions(code, begin, end):
            found.append(Mutant(path, at, to, '!(' + text[at:to] + ')', 'condition'))
        for at, to in statements(code, begin, end):
            found.append(Mutant(path, at, to, ';', 'statement'))
    return [m for m in found if not SKIPPED.search(statement_of(code, m.at))]


def statement_of(code, at):
    """Return the statement around a place."""
    begin = max(code.rfind(c, 0, at) for c in ';{}') + 1
    end = min(i for i in (code.find(c, at) for c in ';{}') if i >= 0)
    return code[begin:end]


# ---- the copy ----

def copy_tree():
    """Copy the tracked files, as they are now, where they differ, so that little is built."""
    names = subprocess.run(['git', '-C', ROOT, 'ls-files', '-z'], check=True, capture_output=True,
                           text=True).stdout.split('\0')
    for name in filter(None, names):
        to = SOURCE / name
        if not (ROOT / name).exists():
            to.unlink(missing_ok=True)
            continue
        data = (ROOT / name).read_bytes()
        if name == DRIVER + 'meson.build':
            # One build of the ring code: a header is compiled less often.
            data = re.sub(rb"(?m)^ +'avx(2|512)': \[[^\]]*\],\n", b'', data)
        if not to.exists() or to.read_bytes() != data:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(data)
            to.chmod((ROOT / name).stat().st_mode)


def ninja(target):
    """Build a test. True: it was built."""
    return subprocess.run(['ninja', '-C', BUILD, target], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def setup(dpdk_source, targets):
    """Configure the copy, build its tests, and see them pass."""
    if not (BUILD / 'build.ninja').exists():
        subprocess.run(['meson', 'setup', BUILD, SOURCE, f'-Ddpdk_source={dpdk_source}',
                        '-Dbuildtype=debug', '-Doptimization=1', '-Ddebug=false'], check=True,
                       stdout=subprocess.DEVNULL)
    for target in sorted(targets):
        if not ninja(target):
            sys.exit(f'error: {target} does not build without a change: ninja -C {BUILD} {target}')


def room_of(path):
    """Return the room of a file."""
    name = str(path.relative_to(SOURCE))
    return name[len(DRIVER):].split('/')[0] if name.startswith(DRIVER) else 'lib'


def tests_of(path):
    """Return the test that has a file, and the argument of each run of it."""
    room = room_of(path)
    if room != 'lib':
        # those whose name the file has come first
        groups = sorted(GROUPS[room].split(), key=lambda g: g not in path.stem)
        return 'app/test/vstate-autotest', [[g] for g in groups]
    if 'control' in path.name or 'listener' in path.name:
        return 'app/test/vhost-state-control-autotest', [[]]
    return 'app/test/vhost-state-autotest', [[]]


def run_tests(target, runs, seconds):
    """Run a test. SECONDS has the limit of each run. Return what failed; None: nothing."""
    for args in runs:
        name = ' '.join(args) or pathlib.Path(target).name
        with subprocess.Popen([BUILD / target, *args], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                              start_new_session=True) as proc:
            try:
                if proc.wait(seconds.get((target, *args), TEST_SECONDS)) != 0:
                    return name
            except subprocess.TimeoutExpired:
                return f'{name}, by its time'
            finally:
                # with the processes that it started
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(proc.pid, signal.SIGKILL)
    return None


def measure(chosen):
    """Run the tests of all mutants without a change. Return the limit of each run, in seconds."""
    limits = {}
    for target, runs in map(tests_of, {m.path for m in chosen}):
        for args in runs:
            if (target, *args) in limits:
                continue
            begin = time.monotonic()
            failed = run_tests(target, [args], {(target, *args): 600})
            if failed:
                sys.exit(f'error: {target} fails without a change: {failed}')
            limits[(target, *args)] = TEST_SECONDS + 10 * (time.monotonic() - begin)
    return limits


def digest(target):
    """Return a digest of a test and of the library: a change without effect leaves it the same."""
    files = [BUILD / target, *sorted((BUILD / 'lib').glob('librte_vhost_state.so*'))]
    return b''.join(hashlib.sha256(f.read_bytes()).digest() for f in files if f.is_file())


def try_mutant(mutant, original, limits):
    """Return (result, detail) of one mutant, and restore its file."""
    target, runs = tests_of(mutant.path)
    text = mutant.path.read_text(encoding='utf-8')
    try:
        mutant.path.write_text(mutant.apply(), encoding='utf-8')
        if not ninja(target):
            return 'not built', ''
        if digest(target) == original[target]:
            return 'same code', ''
        failed = run_tests(target, runs, limits)
        return ('killed', failed) if failed else ('survived', '')
    finally:
        mutant.path.write_text(text, encoding='utf-8')


# ---- all ----

def files_wanted(names):
    """Return the files of the copy that the arguments name, or those of all rooms."""
    names = names or [DRIVER + room for room in GROUPS] + ['lib/vhost_state']
    found = []
    for name in names:
        path = SOURCE / pathlib.Path(name).resolve().relative_to(ROOT) if \
            pathlib.Path(name).exists() else SOURCE / name
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.suffix in ('.c', '.h'))
        elif path.exists():
            found.append(path)
        else:
            sys.exit(f'error: no file {name}')
    bad = [p for p in found if room_of(p) not in (*GROUPS, 'lib')]
    if bad:
        sys.exit(f'error: no tests are known for {bad[0].relative_to(SOURCE)}')
    return found


def report(results):
    """Print the survivors, and the figures of each room."""
    survivors = [m for m, result in results if result == 'survived']
    if survivors:
        print('survived:')
    for m in survivors:
        print(f'  {m}')
    for room in [*GROUPS, 'lib']:
        of = [result for m, result in results if room_of(m.path) == room]
        judged = of.count('killed') + of.count('survived')
        if of:
            print(f'{room}: {judged} mutants, {of.count("killed")} killed, '
                  f'{of.count("survived")} survived; {of.count("same code")} of the same code, '
                  f'{of.count("not built")} not built')


def main():
    """Do what mutate.sh says."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=20)
    parser.add_argument('--dpdk-source', default='')
    parser.add_argument('files', nargs='*')
    args = parser.parse_args()
    # an end by a signal restores the file, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    copy_tree()
    mutants = [m for path in files_wanted(args.files) for m in places(path)]
    chosen = random.Random(args.seed).sample(mutants, min(args.count, len(mutants)))
    targets = {tests_of(m.path)[0] for m in chosen}
    print(f'{len(chosen)} of {len(mutants)} mutants, seed {args.seed}', flush=True)
    setup(args.dpdk_source, targets)
    original = {target: digest(target) for target in targets}
    limits = measure(chosen)
    results = []
    for m in chosen:
        result, detail = try_mutant(m, original, limits)
        results.append((m, result))
        print(f'{result}{" by " + detail if detail else ""}: {m}', flush=True)
    report(results)


if __name__ == '__main__':
    main()
