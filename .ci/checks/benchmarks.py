#!/usr/bin/env python3
"Every benchmark runs, briefly, and prints JSON with numbers in it; how fast is for a quiet machine to say, not for a check"
import json, shutil, subprocess, sys, tempfile
from importlib.resources import files
from pathlib import Path
import numpy as np
from koemorph.realtime import animate

FOLDER = Path(__file__).resolve().parents[2]/'benchmarks'
SHORT = {'stream.py': '--seconds 3 --repeats 1', 'features.py': '--seconds 3 --repeats 1 --naive_windows 1 --minutes 1',
         'train.py': '--batch 1 --frames 32 --steps 1 --sizes 2', 'dataset.py': '--short', 'live.py': '--seconds 4', 'ablations.py': '--short', 'pretrained.py': '--short',
         'export.py': '--seconds 2 --models live --formats onnx onnx-int8 torchscript', 'peers.py': '{tmp} --peers --out {tmp}/out'}                # our own part, which npm and a browser are not needed for

def takes(tmp):
    "A folder for peers.py whose one face is that of the model itself, so that every score is known; row i is at i/30 s, where frame i-1 ends"
    take, noise = Path(tmp)/'takes/own_en', Path(tmp)/'noise'
    take.mkdir(parents=True); noise.mkdir()
    voice, v = files('koemorph')/'samples/en.wav', animate(str(files('koemorph')/'samples/en.wav')).values
    for to in (take/'audio.wav', noise/'voice.wav'): shutil.copy(str(voice), to)
    np.savez(take/'truth.npz', values=np.r_[v[:1], v[:-1]], channel_mask=np.ones(52, bool), frame_mask=np.ones(len(v), bool))
    (take/'phones.json').write_text('[[0.2664, 0.3129, "M", "mama"], [0.3825, 0.4754, "AA", "mama"]]')

def known(report):
    "The model against itself is right, and the loudness curve is not"
    own, loud = (report['systems'][k]['own'] for k in ('koemorph-live', 'loudness'))
    wrong = {k: own[k] for k in ('aperture_r', 'mouth_r', 'jaw_r', 'jitter', 'amplitude', 'best_r', 'dip_recall') if k in own and abs(own[k]-1)>.002}
    if wrong or own['best_lag_ms'] or own['vowels_shut'] or own['open_shut'] or loud['aperture_r']>.95: sys.exit(f'peers.py says {own} of a face and itself, {loud} of a loudness curve')

def numbers(x):
    "All numbers in a report"
    if isinstance(x, (dict, list)): return [n for v in (x.values() if isinstance(x, dict) else x) for n in numbers(v)]
    return [x] if isinstance(x, (int, float)) and not isinstance(x, bool) else []

for path in sorted(FOLDER.glob('*.py')):
    if path.name in ('machine.py', 'card.py', 'all.py'): continue       # all.py runs these
    if path.name not in SHORT: sys.exit(f'{path.name}: say in this check how to run it briefly')
    with tempfile.TemporaryDirectory() as tmp:
        if '{tmp}' in SHORT[path.name]: takes(tmp)
        r = subprocess.run([sys.executable, str(path), *(w.format(tmp=tmp) for w in SHORT[path.name].split())], capture_output=True, text=True)
    if r.returncode: sys.exit(f'{path.name} ended with {r.returncode}:\n{r.stderr[-2000:]}')
    report = json.loads(r.stdout)
    found = numbers(report)
    if path.name == 'peers.py': known(report)
    if path.name in ('peers.py', 'ablations.py', 'pretrained.py'): found = [abs(x) for x in found]      # a correlation or a lag may be below nothing
    if len(found) < 5 or min(found) < 0: sys.exit(f'{path.name}: {len(found)} numbers, the least {min(found, default=None)}')
    print(f'{path.name}: {len(found)} numbers')
