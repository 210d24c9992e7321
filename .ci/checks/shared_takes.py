#!/usr/bin/env python3
"""Real faces, where they lie beside this repository: the gate takes at most .01 from how well the lips follow them, and keeps still sounds still

The takes (iPhone captures and GRID clips, never trained on) belong to nobody's clone, so this check never counts as missing.
Correlation of aperture with the captured face, at the track's own clock, in frames within 25 dB of the take's loudest: with the gate and without."""
import json, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent/'shared/data'
if not (SHARED/'takes').is_dir(): print('not here: shared/data/takes beside this repository, seven real faces to compare with'); sys.exit(77)
import numpy as np
import soundfile as sf
from koemorph.io import ARKIT, Track, aperture, frame_ends
from koemorph.realtime import animate

def speaking(wave, sr, n):
    "(n,) bool: within 25 dB of the loudest frame"
    ends = np.minimum(frame_ends(n, 30, sr), len(wave))
    db = np.array([10*np.log10(np.mean(wave[max(0, e-sr//20):e]**2)+1e-12) for e in ends])
    return db > db.max()-25

rows = {}
for take in json.loads((SHARED/'takes/index.json').read_text()):
    folder = SHARED/'takes'/take['name']
    if not (folder/'truth.npz').is_file(): continue
    z, (wave, sr) = np.load(folder/'truth.npz'), sf.read(folder/'audio.wav', dtype='float32')
    truth = Track(np.nan_to_num(z['values']).astype(np.float32), names=ARKIT)
    n = min(len(truth), len(wave)*30//sr)
    here = speaking(wave, sr, n) & z['frame_mask'][:n].astype(bool)
    for gate in (False, True):
        ours = animate(wave, sr=sr, gate=gate)
        m = min(n, len(ours))
        r = np.corrcoef(aperture(truth)[:m][here[:m]], aperture(ours)[:m][here[:m]])[0, 1]
        rows.setdefault(take['name'].split('_')[0], {}).setdefault(gate, []).append(r)
assert rows, 'no take was read'
for who, r in rows.items():
    without, with_it = np.mean(r[False]), np.mean(r[True])
    print(f'{who}: aperture r in speech {without:.3f} without the gate, {with_it:.3f} with it, {len(r[True])} takes')
    assert with_it > without-.01 and with_it > .3, who
for path in sorted((SHARED/'noise').glob('*.wav')):
    wave, sr = sf.read(path, dtype='float32')
    gap = np.maximum(0, aperture(animate(wave, sr=sr, gate=True)))
    print(f'{path.stem}: mean {gap.mean():.4f}, max {gap.max():.3f}')
    assert gap.mean() <= .02 and gap.max() <= .15, path.name
