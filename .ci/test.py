#!/usr/bin/env python3
"""Run every notebook and every check of `.ci/checks`, two at a time, and close with `N passed, N failed`

usage: .ci/test.py [--demand-all] [--flags 'slow …'] [name …]    (a name picks notebooks and checks by part of their file name)

A check exits 0 when it passed and 77 when this machine cannot run it, with the reason on its last line; `--demand-all` makes such
a check a failure, unless that line begins with `not here: `: it wants what no clone brings along. Each job is a process of its own: one that crashes takes no other with it.
"""
import argparse, os, re, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONG = 'dataset.py', 'train.py', 'pretrain.py', '01_', 'benchmarks.py', '02_'     # begun first, so that no long one runs alone at the end
ENV = {**os.environ, 'OMP_NUM_THREADS': '1', 'MPLBACKEND': 'Agg', 'PYTHONUTF8': '1'}
NOTEBOOK = '''import re, sys
from pathlib import Path
from execnb.shell import CaptureShell
from nbdev.config import get_config
from nbdev.test import test_nb

def told(outputs):
    "The text of a cell's outputs, and how many pictures and pages it has; addresses and figures' sizes aside"
    def whole(x): return ''.join(x) if isinstance(x, (list, tuple)) else str(x)
    datas = [o.get('data', {}) for o in outputs]
    text = [whole(o['text']) for o in outputs if o['output_type']=='stream' and o.get('name')=='stdout']
    text += [whole(d.get('text/markdown') or d.get('text/plain', '')) for d in datas if not any(k.startswith('image/') for k in d)]
    return re.sub(r' at 0x[0-9a-f]+', '', ''.join(text)).strip(), sum(any(k.startswith('image/') for k in d) for d in datas), sum('text/html' in d for d in datas)

other, run = [], CaptureShell.cell
def cell(self, c, *args, **kwargs):
    before = list(c.get('outputs', [])); c['outputs'] = []
    run(self, c, *args, **kwargs)
    if c.cell_type!='code' or c.source.lstrip().startswith('!'): return      # what a shell prints does not come this way
    if not self.exc and (was := told(before))!=(now := told(c.get('outputs', []))): other.append((c.get('id'), was, now))
CaptureShell.cell = cell
ok, seconds = test_nb(Path(sys.argv[1]), get_config().tst_flags.split(), sys.argv[2].split(), basepath=get_config().config_path)
if ok and not seconds: print('skip_exec in its front matter')
for i,was,now in other: print(f'cell {i}: committed {str(was)[:300]}, now {str(now)[:300]}')
sys.exit(1 if not ok or other else 0 if seconds else 77)'''

def job(path, flags, limit):
    "Run one notebook or check; its exit code, its seconds and all it printed"
    cmd = [sys.executable, str(path)] if path.suffix == '.py' else [sys.executable, '-c', NOTEBOOK, str(path), flags]
    start = time.time()
    try: r = subprocess.run(cmd, cwd=ROOT, env=ENV, timeout=limit, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding='utf-8', errors='replace')
    except subprocess.TimeoutExpired as e:
        said = e.stdout if isinstance(e.stdout, str) else (e.stdout or b'').decode('utf-8', 'replace')
        return 1, time.time()-start, f'{said}\nstopped after {limit} s'
    said, code = r.stdout.strip(), r.returncode
    if code == 1 and (lacks := re.search(r'system lacks a library it needs.*?(apt install [\w. +-]+)', said, re.S)): code, said = 77, lacks[1]
    return code, time.time()-start, said

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('names', nargs='*'); p.add_argument('--flags', default='')
    p.add_argument('--demand-all', action='store_true'); p.add_argument('--limit', type=int, default=1200, help='seconds for one job')
    a = p.parse_args()
    nbs = sorted(f for f in (ROOT/'nbs').glob('*.ipynb') if f.name[0] not in '_.')
    checks = sorted((ROOT/'.ci/checks').glob('*.py'))
    jobs = [f for f in nbs+checks if not a.names or any(n in f.name for n in a.names)]
    jobs.sort(key=lambda f: not f.name.startswith(LONG))
    if not nbs or not jobs: print(f'nothing to run: {len(nbs)} notebooks and {len(checks)} checks, names asked for: {a.names}', '0 passed, 1 failed', sep='\n'); return 1
    if 'slow' in a.flags.split(): ENV['KOEMORPH_SLOW'] = '1'      # the long form of a check
    passed, failed, notrun = 0, 0, []
    with ThreadPoolExecutor(2) as pool:
        futures = {pool.submit(job, f, a.flags, a.limit): f for f in jobs}
        for done in as_completed(futures):
            f, (code, seconds, said) = futures[done], done.result()
            word = {0: 'ok', 77: 'not run'}.get(code, 'FAILED')
            print(f'{word:8}{f.relative_to(ROOT)}  {seconds:.0f} s', flush=True)
            why = said.splitlines()[-1] if said else f.name
            if code == 77: notrun.append(why.removeprefix('not run: '))
            if code == 0: passed += 1
            elif code != 77 or a.demand_all and not why.startswith('not here: '): failed += 1
            if word == 'FAILED': print(said or f'exit code {code} and no output', flush=True)
    if notrun: print(f"{len(notrun)} not run: {'; '.join(sorted(set(notrun)))}")
    print(f'{passed} passed, {failed} failed')
    return int(failed > 0 or passed == 0)

if __name__ == '__main__': sys.exit(main())
