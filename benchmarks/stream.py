#!/usr/bin/env python3
"""What the real-time path costs, as JSON: real-time factors, milliseconds a frame, import seconds, peak memory

usage: benchmarks/stream.py [--model_path live] [--fps 30] [--seconds 20] [--repeats 5] [--soak MINUTES]

A real-time factor is CPU time ÷ audio time, one thread, the median of `--repeats`. `live` hands over one frame of sound
at a time, `file` two seconds; `gate_and_idle` is the whole with both of them. A frame's milliseconds are wall time, so run this on an idle machine. Import and memory are
measured in fresh processes; `--soak` streams that many minutes from a file and reports memory after one minute and at the end.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile, time
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MKL_NUM_THREADS='1')   # before numpy loads
import numpy as np
import machine
import koemorph.realtime as rt
from koemorph.features import SR, run
from koemorph.io import write_wave

def rtf(*how): return machine.rtf(*how)['median']

def frame_ms(face, chunks):
    "Wall milliseconds from a frame's sound to its coefficients: the median, and what one in a hundred exceeds"
    state,took = face.init(), []
    for x in chunks:
        start = time.perf_counter()
        state,y = face.step(state, x)
        if len(y): took.append((time.perf_counter()-start)*1000)
    return {f'p{q}': round(float(np.percentile(took, q)), 3) for q in (50, 95, 99)}

def fresh(code, *args):
    "What `code` prints in a process of its own"
    return json.loads(subprocess.run([sys.executable, '-c', code, *map(str, args)], check=True, capture_output=True, text=True, cwd=os.path.dirname(os.path.abspath(__file__))).stdout)

IMPORT = 'import time; t = time.perf_counter(); import koemorph.realtime; print(time.perf_counter()-t)'
MEMORY = '''import json, sys
from machine import memory_mb
from koemorph.realtime import stream
path, model, fps, chunk, every = sys.argv[1:]
seen = [memory_mb() for k,track in enumerate(stream(path, model, fps, chunk=float(chunk))) if k%int(every)==int(every)-1]
assert 'torch' not in sys.modules
print(json.dumps([seen[0], seen[-1]]))'''

def memory(wave, a, chunk, every):
    with tempfile.TemporaryDirectory() as tmp:
        write_wave(wave, f'{tmp}/speech.wav')
        seen = fresh(MEMORY, f'{tmp}/speech.wav', a.model_path, a.fps, chunk, every)
        return [x and round(x, 1) for x in seen]

UNTRAINED = '''import json, sys
from koemorph.model import DualStream, ModelCfg, save_checkpoint
save_checkpoint(sys.argv[1], DualStream(ModelCfg(emotion='opensmile')), licence='research only')
print('null')'''

def with_egemaps(wave, chunks, a):
    "The same with openSMILE's features, through a network of the same size that has learnt nothing: it costs what a trained one costs"
    from importlib.util import find_spec
    if not (find_spec('torch') and find_spec('opensmile')): return None
    with tempfile.TemporaryDirectory() as tmp:
        fresh(UNTRAINED, tmp)
        return rtf(rt.pipeline(tmp, a.fps), chunks, a.seconds, a.repeats)

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--model_path', default='live'); p.add_argument('--fps', type=int, default=30)
    p.add_argument('--seconds', type=float, default=20); p.add_argument('--repeats', type=int, default=5)
    p.add_argument('--soak', type=float, default=0, metavar='MINUTES')
    a = p.parse_args()
    speech = machine.speech()
    wave = np.resize(speech, round(a.seconds*SR))
    net, face = rt.Network(a.model_path), rt.pipeline(a.model_path, a.fps)
    rows = run(net.ears, wave)
    one, block = float(net.fps), 1/2                                        # chunks a second
    cut = lambda x, rate, per: np.array_split(x, round(len(x)/rate*per))
    out = {}
    for name, per in dict(live=one, file=block).items():
        out[name] = dict(features=rtf(net.ears, cut(wave, SR, per), a.seconds, a.repeats),
                         model=rtf(net, cut(rows, float(net.fps), per), a.seconds, a.repeats),
                         total=rtf(face, cut(wave, SR, per), a.seconds, a.repeats))
    wide = np.resize(wave, round(a.seconds*48_000))
    out['resampler_48k'] = rtf(rt.Resampler(48_000), cut(wide, 48_000, one), a.seconds, a.repeats)
    out['live']['gate_and_idle'] = rtf(rt.pipeline(a.model_path, a.fps, gate=True, idle=0), cut(wave, SR, one), a.seconds, a.repeats)
    out['live']['total_with_egemaps'] = with_egemaps(wave, cut(wave, SR, one), a)
    import onnxruntime
    report = dict(rtf=out, frame_ms=frame_ms(face, cut(wave, SR, one)),
        import_s=round(statistics.median(fresh(IMPORT) for _ in range(5)), 3),
        peak_memory_mb=memory(wave, a, .02, 1)[-1],
        model=dict(path=str(a.model_path), name=net.about.get('name'), mb=round(net.path.stat().st_size/1e6, 2), fps=str(face.rate*SR), lookahead_ms=net.lookahead_ms),
        seconds=a.seconds, repeats=a.repeats, **machine.about(), numpy=np.__version__, onnxruntime=onnxruntime.__version__)
    if a.soak:
        seen = memory(np.resize(speech, round(a.soak*60*SR)), a, 2, 30)     # a track every 2 s: the first reading after a minute
        report['soak'] = dict(minutes=a.soak, peak_memory_mb_after_1_min=seen[0], peak_memory_mb_at_the_end=seen[-1])
    print(json.dumps(report, indent=1))

if __name__ == '__main__': main()
