#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Change one place of the code at a time, and see whether a unit test fails: see mutate.sh."""

import argparse
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / 'build-mutate'
DRIVER = 'drivers/vdpa/vstate/'
# A test fails if it takes this time, and ten times that of a run without a change.
TEST_SECONDS = 30

# Which groups of vstate-autotest can reach a room. "cost" counts instructions, and fails for any
# change.
GROUPS = {
    'ring': 'mem marks dirty chain burst_bounds inflight interrupted used_ahead fault net_put '
            'net_take request_hostile request notify state_file mem_guard blk simd lease',
    'net': 'net_headers net_mbuf net_offload net_segment net_filter cvq burst_bounds net_put '
           'net_take notify pace port port_conf port_queue port_stats net_bridge simd port_intr '
           'fail_calls fault mem_guard interrupted inflight dev takeover',
    'dev': 'dev run restore broken fault inflight state_file fail_calls device_state vdpa door '
           'door_net blk blk_stop takeover port cvq console pace notify port_intr port_queue '
           'mem_guard devargs interrupted door_disk',
    'handover': 'handover_msg state_file inflight interrupted fail_calls takeover takeover_ask '
                'door door_net door_disk dev fd_io mem_guard',
    'vhost': 'msg msg_log fd_io device_state door door_net fail_calls vdpa door_disk takeover '
             'mem_guard dev handover_msg cvq console mem_populate',
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
    """One change: characters AT..END of file NAME, which has text BEFORE, become TEXT."""

    def __init__(self, name, before, place, text, what):
        self.name, self.before, self.text, self.what = name, before, text, what
        self.at, self.end = place

    @property
    def line(self):
        """The line that it changes."""
        return self.before.count('\n', 0, self.at) + 1

    def __str__(self):
        shown = ' '.join(self.before[self.at:self.end].split())
        to = ' '.join(self.text.split()) or 'nothing'
        return f'{self.name}:{self.line}: {self.what}: "{shown}" -> "{to}"'

    def apply(self):
        """Return the text of the file with the change. Its lines keep their numbers."""
        lines = self.before.count('\n', self.at, self.end)
        return self.before[:self.at] + self.text + '\n' * lines + self.before[self.end:]


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


def places(name):
    """Return all mutants of a file."""
    text = (ROOT / name).read_text(encoding='utf-8')
    code = blank(text)
    found = []
    for begin, end in bodies(code):
        for pattern, to in SWAPS:
            for m in re.finditer(pattern, code[begin:end]):
                found.append(Mutant(name, text, (begin + m.start(), begin + m.end()), to,
                                    'operator'))
        for m in re.finditer(r'(?<![\w.])(\d+)(?=[uUlL]*\b)(?!\.)(?!x)', code[begin:end]):
            to = '0' if m.group(1) == '1' else str(int(m.group(1)) + 1)
            found.append(Mutant(name, text, (begin + m.start(1), begin + m.end(1)), to,
                                'constant'))
        for at, to in conditions(code, begin, end):
            found.append(Mutant(name, text, (at, to), '!(' + text[at:to] + ')', 'condition'))
        for at, to in statements(code, begin, end):
            found.append(Mutant(name, text, (at, to), ';', 'statement'))
    return [m for m in found if not SKIPPED.search(statement_of(code, m.at))]


def statement_of(code, at):
    """Return the statement around a place."""
    begin = max(code.rfind(c, 0, at) for c in ';{}') + 1
    end = min(i for i in (code.find(c, at) for c in ';{}') if i >= 0)
    return code[begin:end]


# ---- tests ----

def room_of(name):
    """Return the room of a file."""
    return name[len(DRIVER):].split('/')[0] if name.startswith(DRIVER) else 'lib'


def tests_of(name):
    """Return the test that has a file, and the argument of each run of it."""
    room = room_of(name)
    if room != 'lib':
        return 'app/test/vstate-autotest', [(g,) for g in GROUPS[room].split()]
    if 'control' in name or 'listener' in name:
        return 'app/test/vhost-state-control-autotest', [()]
    return 'app/test/vhost-state-autotest', [()]


def run_test(program, args, seconds):
    """Run a test. Return what failed; None: nothing."""
    name = ' '.join(args) or program.name
    with subprocess.Popen([program, *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL, start_new_session=True) as proc:
        try:
            return name if proc.wait(seconds) != 0 else None
        except subprocess.TimeoutExpired:
            return f'{name}, by its time'
        finally:
            # with the processes that it started
            with contextlib.suppress(ProcessLookupError):
                os.killpg(proc.pid, signal.SIGKILL)


class Times:
    """How long each run takes without a change, and what it killed: which to try first."""

    def __init__(self):
        self.seconds, self.kills = {}, {}

    def measure(self, tree, names):
        """Run the tests of these files without a change, if they are not those of the last run."""
        for target, runs in {tests_of(n)[0]: tests_of(n)[1] for n in names}.items():
            kept = WORK / (pathlib.Path(target).name + '.times')
            old = json.loads(kept.read_text(encoding='utf-8')) if kept.exists() else {}
            known = old['seconds'] if old.get('digest') == tree.original[target].hex() else {}
            for args in runs:
                begin, name = time.monotonic(), ' '.join(args)
                if name not in known and run_test(tree.build / target, args, 600):
                    sys.exit(f'error: {target} fails without a change: {name}')
                known.setdefault(name, time.monotonic() - begin)
                self.seconds[(target, args)] = known[name]
            kept.write_text(json.dumps({'digest': tree.original[target].hex(), 'seconds': known}),
                            encoding='utf-8')

    def limit(self, target, args):
        """Return the time that a run may take, in seconds."""
        return TEST_SECONDS + 10 * self.seconds[(target, args)]

    def killed(self, name, args):
        """Remember which run found a change of this file."""
        self.kills[(name, args)] = self.kills.get((name, args), 0) + 1

    def order(self, name):
        """Return the test of a file and its runs: of its name, those that killed, short ones."""
        target, runs = tests_of(name)
        stem = pathlib.Path(name).stem
        return target, sorted(runs, key=lambda a: (
            not (a and a[0] in stem), -self.kills.get((name, a), 0), self.seconds[(target, a)]))


# ---- the copies ----

class Tree:
    """A copy of the tracked files, and its build. Each worker has one."""

    def __init__(self, number):
        self.source, self.build = WORK / f'source{number}', WORK / f'build{number}'
        self.original = {}

    def copy(self):
        """Copy the files as they are now, where they differ, so that little is built."""
        names = subprocess.run(['git', '-C', ROOT, 'ls-files', '-z'], check=True,
                               capture_output=True, text=True).stdout.split('\0')
        for name in filter(None, names):
            to = self.source / name
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

    def ninja(self, target):
        """Build a test. True: it was built."""
        return subprocess.run(['ninja', '-C', self.build, target], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def setup(self, dpdk_source, targets):
        """Configure the copy, and build its tests."""
        self.copy()
        if not (self.build / 'build.ninja').exists():
            subprocess.run(['meson', 'setup', self.build, self.source,
                            f'-Ddpdk_source={dpdk_source}', '-Dbuildtype=debug',
                            '-Doptimization=1', '-Ddebug=false'], check=True,
                           stdout=subprocess.DEVNULL)
        for target in sorted(targets):
            if not self.ninja(target):
                sys.exit(f'error: {target} does not build without a change: '
                         f'ninja -C {self.build} {target}')
            self.original[target] = self.digest(target)

    def digest(self, target):
        """Return a digest of a test and of the library: it stays the same without an effect."""
        files = [self.build / target, *sorted((self.build / 'lib').glob('librte_vhost_state.so*'))]
        return b''.join(hashlib.sha256(f.read_bytes()).digest() for f in files if f.is_file())

    def judge(self, mutant, times):
        """Return (result, detail) of one mutant, and restore its file."""
        target, runs = times.order(mutant.name)
        path = self.source / mutant.name
        try:
            path.write_text(mutant.apply(), encoding='utf-8')
            if not self.ninja(target):
                return 'not built', ''
            if self.digest(target) == self.original[target]:
                return 'same code', ''
            for args in runs:
                failed = run_test(self.build / target, args, times.limit(target, args))
                if failed:
                    times.killed(mutant.name, args)
                    return 'killed', failed
            return 'survived', ''
        finally:
            path.write_text(mutant.before, encoding='utf-8')


# ---- all ----

def files_wanted(names):
    """Return the files that the arguments name, or those of all rooms, and the line, if any."""
    names = names or [DRIVER + room for room in GROUPS] + ['lib/vhost_state']
    found = []
    for name, line in (re.fullmatch(r'(.*?)(?::(\d+))?', n).groups() for n in names):
        path = pathlib.Path(name).resolve() if pathlib.Path(name).exists() else ROOT / name
        if path.is_dir():
            found += [(p, None) for p in sorted(path.iterdir()) if p.suffix in ('.c', '.h')]
        elif path.exists():
            found.append((path, line and int(line)))
        else:
            sys.exit(f'error: no file {name}')
    found = [(str(p.relative_to(ROOT)), line) for p, line in found]
    bad = [p for p, _ in found if room_of(p) not in (*GROUPS, 'lib')]
    if bad:
        sys.exit(f'error: no tests are known for {bad[0]}')
    return found


def report(results):
    """Print the survivors, and the figures of each room."""
    survivors = [m for m, result in results if result == 'survived']
    if survivors:
        print('survived:')
    for m in survivors:
        print(f'  {m}')
    for room in [*GROUPS, 'lib']:
        of = [result for m, result in results if room_of(m.name) == room]
        judged = of.count('killed') + of.count('survived')
        if of:
            print(f'{room}: {judged} mutants, {of.count("killed")} killed, '
                  f'{of.count("survived")} survived; {of.count("same code")} of the same code, '
                  f'{of.count("not built")} not built')


def judge_all(chosen, trees, times):
    """Return (mutant, result) of each mutant. Each tree takes the next one when it is free."""
    results, left, lock = [], iter(chosen), threading.Lock()

    def work(tree):
        while True:
            with lock:
                mutant = next(left, None)
            if mutant is None:
                return
            result, detail = tree.judge(mutant, times)
            with lock:
                results.append((mutant, result))
                print(f'{result}{" by " + detail if detail else ""}: {mutant}', flush=True)

    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        try:
            for done in [pool.submit(work, tree) for tree in trees]:
                done.result()
        finally:
            # an end by a signal: let the workers restore their files
            with lock:
                left = iter(())
    return results


def main():
    """Do what mutate.sh says."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=20)
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('--dpdk-source', default='')
    parser.add_argument('files', nargs='*')
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    mutants = [m for name, line in files_wanted(args.files) for m in places(name)
               if line in (None, m.line)]
    chosen = random.Random(args.seed).sample(mutants, min(args.count, len(mutants)))
    names = {m.name for m in chosen}
    print(f'{len(chosen)} of {len(mutants)} mutants, seed {args.seed}', flush=True)
    trees, times = [Tree(number) for number in range(args.jobs)], Times()
    for tree in trees:
        tree.setup(args.dpdk_source, {tests_of(name)[0] for name in names})
    times.measure(trees[0], names)
    report(judge_all(chosen, trees, times))


if __name__ == '__main__':
    main()
