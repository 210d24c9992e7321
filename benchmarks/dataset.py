#!/usr/bin/env python3
"""What a data set costs, as JSON: seconds per 1000 frames and how much of that is not MediaPipe, audio features, voice detection, memory

usage: benchmarks/dataset.py [--short]    (--short takes six seconds for everything, once; its figures are worth nothing)
"""
import json, os, subprocess, sys, tempfile, time
from pathlib import Path
os.environ.setdefault('OMP_NUM_THREADS', '1')
import av
import numpy as np
import machine
from koemorph.dataset_pipeline import audio_features, film_clip, speech_segments, talking_face, write_video
from koemorph.io import read_wave

ROOT = Path(__file__).resolve().parents[1]
short = '--short' in sys.argv
wave, sr = read_wave(ROOT/'koemorph/samples/en.wav')
speech = np.concatenate([wave, np.zeros(sr//2, np.float32)])

def best(f, times=3):
    "Seconds of `f` by the wall and by the processor, the least of `times`"
    took = []
    for _ in range(1 if short else times):
        w, c = time.perf_counter(), time.process_time(); f()
        took.append((time.perf_counter()-w, time.process_time()-c))
    return min(took)

def film(path, seconds):
    "A portrait that speaks for `seconds`, 480 × 320 at 25 a second"
    x = np.tile(speech, int(seconds*sr/len(speech))+1)[:int(seconds*sr)]
    jaw = .6*np.sqrt([(h**2).mean() for h in np.split(x[:len(x)//640*640], len(x)//640)])/.2
    talking_face(jaw.clip(0, .6), 25, x, f'{path}.mkv')
    write_video(f'{path}.mkv', 0, seconds, x, path)           # coded as a camera would

def longer(path, out, times):
    "The same film `times` over, nothing coded anew"
    with av.open(str(out), 'w') as new:
        to = {}
        for k in range(times):
            with av.open(str(path)) as old:
                for s in old.streams: to[s.index] = to.get(s.index) or new.add_stream_from_template(s)
                for p in old.demux():
                    if p.dts is None: continue
                    shift = round(k*(old.duration/1e6+.12)/p.time_base)    # the coder of the sound begins before its second 0
                    p.stream, p.pts, p.dts = to[p.stream.index], p.pts+shift, p.dts+shift
                    new.mux(p)

def peak(d, name, *words):
    "Peak memory of `koemorph dataset` in one process, MB, and its seconds"
    code = """import sys; sys.path.insert(0, sys.argv.pop(1))
from koemorph.io import main; main(sys.argv[1:])
import machine; print(round(machine.memory_mb() or 0))"""
    t = time.perf_counter()
    out = subprocess.run([sys.executable, '-c', code, str(ROOT/'benchmarks'), 'dataset', name, '-o', f'{name}.d', '--jobs', '1', *words], cwd=d, capture_output=True, text=True).stdout
    return dict(peak_mb=int(out.split()[-1]), seconds=round(time.perf_counter()-t, 1), clips=len(list((d/f'{name}.d/data').glob('*_metadata.json'))))

with tempfile.TemporaryDirectory() as tmp:
    d, r = Path(tmp), {}
    long, minute, half_hour = (6, 6, 6) if short else (40, 60, 1800)   # seconds
    film(d/'forty.mp4', long)
    film_clip(d/'forty.mp4', 0., 2.)                                    # numba compiles once, imports are made once
    took = []
    wall, cpu = best(lambda: took.append(film_clip(d/'forty.mp4', 0., float(long)).about['took']))
    took = min(took, key=lambda t: t['seconds'])
    r['clip'] = dict(frames=25*long, seconds_per_1000_frames=round(wall*40/long, 2), cpu_seconds_per_1000_frames=round(cpu*40/long, 2), outside_mediapipe=round(1-took['tracker_seconds']/took['seconds'], 3))
    sound = np.tile(speech, 300)[:half_hour*sr]
    r['audio_features_rtf'] = {f0: round(best(lambda: audio_features(sound[:minute*sr], fps=25, f0=f0), 2)[0]/minute, 4) for f0 in ('dio', 'harvest')}
    r['vad_seconds_of_30_minutes'] = round(best(lambda: speech_segments(sound))[0]*1800/half_hour, 2)
    if not short:
        longer(d/'forty.mp4', d/'one.mp4', 2); longer(d/'forty.mp4', d/'ten.mp4', 15)
        r['memory'] = {'80 seconds': peak(d, 'one.mp4'), '10 minutes': peak(d, 'ten.mp4')}
print(json.dumps(r|machine.about(), indent=1))
