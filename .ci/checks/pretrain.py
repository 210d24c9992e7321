#!/usr/bin/env python3
"""From text to a checkpoint with two commands, unattended: speech is made, heard and learnt; a run killed on the way arrives; the checkpoint speaks

Every night (KOEMORPH_SLOW=1) for twenty minutes, and then it must have learnt: on voices that never taught it moves with the speech and tells bilabials from other consonants."""
import json, os, signal, subprocess, sys, tempfile, time
from pathlib import Path
import numpy as np
from koemorph.features import loudness_face
from koemorph.pretrained import held_out, lacking, sessions
from koemorph.realtime import animate

SLOW = os.environ.get('KOEMORPH_SLOW') == '1'
ENGINES = ['hibari', 'flite', 'piper'] + SLOW*['openjtalk', 'festival']
HOURS, STEPS = (.7, 500) if SLOW else (.03, 12)
missing = {e: lacking(e) for e in ENGINES if lacking(e)}
if missing: print('not run: '+'; '.join(f'{e}: {what}' for e, what in missing.items())); sys.exit(77)

def koemorph(*words): return [sys.executable, '-m', 'koemorph', *map(str, words)]
with tempfile.TemporaryDirectory() as tmp:
    clips, out = Path(tmp)/'clips', Path(tmp)/'checkpoint'
    subprocess.run(koemorph('corpus', clips, '--hours', HOURS, '--jobs', 2, '--engines', ','.join(ENGINES)), check=True, stdin=subprocess.DEVNULL)
    train = koemorph('pretrain', clips, out, '--steps', STEPS)
    if SLOW:                                                     # killed after its first save, taken up again
        going, last = subprocess.Popen(train, stdin=subprocess.DEVNULL), out/'last_model/trainer/last.pt'
        while going.poll() is None and not last.exists(): time.sleep(1)
        assert going.poll() is None, f'ended with {going.returncode} before it saved anything'
        going.send_signal(signal.SIGKILL); going.wait()
    subprocess.run(train, check=True, stdin=subprocess.DEVNULL)
    about = json.loads((out/'best_model/config.json').read_text(encoding='utf-8'))
    log = about['log']
    assert log[-1]['step'] == STEPS and all(np.isfinite(list(l.values())).all() for l in log), log
    assert about['name'] == 'live' and about['features']['lookahead_ms'] == 33 and 'CC BY 3.0' in about['licence'] and min(about['minutes'].values()) > 0, about['minutes']
    again = subprocess.run(train, capture_output=True, text=True, stdin=subprocess.DEVNULL); assert not again.returncode, again.stderr   # nothing left to do
    takes = list(sessions(clips, 'val'))
    ours = held_out(takes, [animate(t.wave, sr=16_000, model_path=out/'best_model') for t in takes])
    loud = held_out(takes, [loudness_face(t.wave) for t in takes])
    for who, s in (('learnt', ours), ('loudness', loud)): print(f'{who:9}'+', '.join(f'{k} {v:.2f}' for k, v in s.items()))
    assert all(np.isfinite(v) for v in ours.values()), ours
    if SLOW: assert ours['aperture'] > max(.6, loud['aperture']+.1) and ours['lips'] > max(.4, loud['lips']+.1), 'twenty minutes taught it nothing'
