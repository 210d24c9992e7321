#!/usr/bin/env python3
"""Every benchmark of speed, one after the other, as one JSON with the machine, the commit and how busy the machine was

usage: benchmarks/all.py [--only stream …] [--out nbs/files/benchmarks.json]

About four minutes. The site's page of benchmarks is made from what it writes: make pages. What the clock tells (CLOCK, and `live`) is kept only where
the machine had nothing else to do; what the processor's own time tells is kept always.
"""
import argparse, json, os, subprocess, sys
from pathlib import Path
import machine

HERE = Path(__file__).resolve().parent
RUNS = dict(stream='stream.py --seconds 20 --repeats 3', live='live.py --seconds 20', features='features.py --seconds 20 --repeats 3 --naive_windows 1 --minutes 5',
            train='train.py --steps 3 --sizes 1 4', dataset='dataset.py --short')

CLOCK = 'frame_ms', 'import_s', 'seconds_per_1000_frames', 'outside_mediapipe', 'vad_seconds_of_30_minutes'

def without(x, keys):
    "A report without what `keys` name, at any depth"
    return {k: without(v, keys) for k,v in x.items() if k not in keys} if isinstance(x, dict) else x

def kept(told):
    "The whole report, without times on the clock where other work was running"
    if not told['load'] or told['load']<=.5: return told
    runs = {k: {**r, 'report': without(r['report'], CLOCK)} for k,r in told['runs'].items() if k!='live'}
    return {**told, 'runs': runs, 'left_out': ['live', *CLOCK]}

def run(command):
    "The report of one benchmark, and its first line"
    name, *words = command.split()
    r = subprocess.run([sys.executable, str(HERE/name), *words], capture_output=True, text=True)
    if r.returncode: sys.exit(f'{command} ended with {r.returncode}:\n{r.stderr[-2000:]}')
    about = (HERE/name).read_text(encoding='utf-8').split('"""')[1].splitlines()[0]
    report = {k:v for k,v in json.loads(r.stdout).items() if k not in (*machine.about(), 'numpy', 'seconds', 'repeats')}
    return dict(command=command, about=about.replace(', as JSON', '')+'.', report=report)

if __name__=='__main__':
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--only', nargs='+', choices=[*RUNS], default=[*RUNS]); p.add_argument('--out')
    a = p.parse_args()
    load = round(os.getloadavg()[0], 1) if hasattr(os, 'getloadavg') else None
    commit = subprocess.run(['git', 'rev-parse', '--short', 'HEAD'], cwd=HERE, capture_output=True, text=True).stdout.strip()
    text = json.dumps(kept(dict(runs={k: run(RUNS[k]) for k in a.only}, load=load, commit=commit, **machine.about())), indent=1)
    if a.out: Path(a.out).write_text(text+'\n', encoding='utf-8')
    else: print(text)
