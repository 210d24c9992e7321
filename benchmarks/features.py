#!/usr/bin/env python3
"""What the ears cost, as JSON: real-time factors of every feature stage, one thread, and the memory of an hour of sound

usage: benchmarks/features.py [--seconds 60] [--repeats 5] [--naive_windows 3] [--minutes 60]

A real-time factor is CPU time of the whole process ÷ audio time: the median of `--repeats`, and the least, since whatever else the machine does
can only add; the budget is held against the least. openSMILE's includes its cold start of 20 s. `live` hands over one frame of
sound at a time, `file` two seconds. The naive openSMILE call, once per window as its documentation shows it, is timed beside the stream in the
same run. `--minutes 0` leaves the hour out.
"""
import argparse, json, os, statistics, subprocess, sys, time
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MKL_NUM_THREADS='1')   # before numpy loads
from importlib.resources import files
from importlib.util import find_spec
import numpy as np
import machine
from koemorph.features import SR, AudioFeatures, Egemaps, LogMel, Prosody, Resampler

BUDGET = dict(LogMel=.002, Prosody=.005, Egemaps=.03, Resampler_48k=.003)   # at 30 frames a second

def both_ways(stage, wave, sr, fps, repeats):
    "`machine.rtf` one frame at a time, and two seconds at a time"
    seconds = len(wave)/sr
    cut = lambda n: np.array_split(wave, max(1, round(n)))
    return dict(live=machine.rtf(stage, cut(seconds*fps), seconds, repeats), file=machine.rtf(stage, cut(seconds/2), seconds, repeats))

def naive(wave, windows):
    "openSMILE called afresh on 20 s of sound every 0.3 s: CPU time ÷ 0.3 s"
    from opensmile import FeatureLevel, FeatureSet, Smile
    smile, took = Smile(FeatureSet.eGeMAPSv02, FeatureLevel.Functionals), []
    for k in range(windows):
        x = np.resize(wave[k*4800:], 20*SR)
        start = time.process_time(); smile.process_signal(x, SR); took.append(time.process_time()-start)
    return round(statistics.median(took)/.3, 4)

SOAK = '''import json, sys
import numpy as np
from machine import memory_mb
from koemorph.features import *
from koemorph.io import SR
name, minutes, voice = sys.argv[1:]
stage = dict(LogMel=LogMel, Prosody=Prosody, Egemaps=Egemaps).get(name, lambda: Resampler(48_000))()
sr = 48_000 if name=='Resampler_48k' else SR
sound = np.resize(load_wave(voice), 60*sr)
seen, rows = [], 0
for k,y in enumerate(steps(stage, (sound[i:i+2*sr] for _ in range(int(minutes)) for i in range(0, len(sound), 2*sr)))):
    rows += len(y)
    if k%30==29: seen.append(memory_mb(peak=False))
print(json.dumps([seen[0], seen[-1], rows]))'''

def memory(name, minutes, voice):
    "Megabytes held after one minute and after the last, in a process of its own"
    a, b, rows = json.loads(subprocess.run([sys.executable, '-c', SOAK, name, str(minutes), voice], check=True, capture_output=True, text=True, cwd=os.path.dirname(os.path.abspath(__file__))).stdout)
    return dict(minutes=minutes, mb_after_1_min=round(a, 1), mb_at_the_end=round(b, 1), rows=rows)

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--seconds', type=float, default=60); p.add_argument('--repeats', type=int, default=5)
    p.add_argument('--naive_windows', type=int, default=3); p.add_argument('--minutes', type=int, default=60)
    a = p.parse_args()
    speech = machine.speech()
    wave, wide = np.resize(speech, round(a.seconds*SR)), np.resize(speech, round(a.seconds*48_000))
    smile = find_spec('opensmile') is not None
    out = {}
    for fps in (30, 60):
        stages = dict(LogMel=LogMel(fps), Prosody=Prosody(fps), **(dict(Egemaps=Egemaps(fps)) if smile else {}), both_ears=AudioFeatures(fps))
        out[f'{fps}_fps'] = {name: both_ways(stage, wave, SR, fps, a.repeats) for name,stage in stages.items()}
    out['30_fps']['Resampler_48k'] = both_ways(Resampler(48_000), wide, 48_000, 30, a.repeats)
    out['30_fps']['Resampler_44k1'] = both_ways(Resampler(44_100), wide, 44_100, 30, a.repeats)
    if smile: out['openSMILE_called_per_window'] = naive(speech, a.naive_windows)
    report = dict(rtf=out, budget=BUDGET, within_budget={name: max(out["30_fps"][name][how]["least"] for how in ('live', 'file'))<=most for name,most in BUDGET.items() if name in out['30_fps']},
        seconds=a.seconds, repeats=a.repeats, **machine.about(), numpy=np.__version__)
    if a.minutes: report['memory'] = {name: memory(name, a.minutes, str(files('koemorph')/'samples/en.wav')) for name in BUDGET if name!='Egemaps' or smile}
    if not smile: report['not_run'] = "openSMILE: pip install 'koemorph[opensmile]'"
    print(json.dumps(report, indent=1))

if __name__ == '__main__': main()
