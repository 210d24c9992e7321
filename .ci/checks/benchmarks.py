#!/usr/bin/env python3
"Every benchmark runs, briefly, and prints JSON with numbers in it; how fast is for a quiet machine to say, not for a check"
import json, subprocess, sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2]/'benchmarks'
SHORT = {'stream.py': '--seconds 3 --repeats 1', 'features.py': '--seconds 3 --repeats 1 --naive_windows 1 --minutes 1',
         'train.py': '--batch 1 --frames 32 --steps 1 --sizes 2', 'dataset.py': '--short', 'live.py': '--seconds 4', 'ablations.py': '--short'}

def numbers(x):
    "All numbers in a report"
    if isinstance(x, dict): return [n for v in x.values() for n in numbers(v)]
    return [x] if isinstance(x, (int, float)) and not isinstance(x, bool) else []

for path in sorted(FOLDER.glob('*.py')):
    if path.name == 'machine.py': continue
    if path.name not in SHORT: sys.exit(f'{path.name}: say in this check how to run it briefly')
    r = subprocess.run([sys.executable, str(path), *SHORT[path.name].split()], capture_output=True, text=True)
    if r.returncode: sys.exit(f'{path.name} ended with {r.returncode}:\n{r.stderr[-2000:]}')
    report = json.loads(r.stdout)
    found = numbers(report)
    if len(found) < 5 or min(found) < 0: sys.exit(f'{path.name}: {len(found)} numbers, the least {min(found, default=None)}')
    print(f'{path.name}: {len(found)} numbers')
