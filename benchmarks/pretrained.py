#!/usr/bin/env python3
"""How good the weights are on voices with known words, as JSON: held-out voices and known ones, engine by engine, with intervals; each network's two precisions side by side

usage: benchmarks/pretrained.py CLIPS [--models live studio] [--draws 300] [--short]

CLIPS is what `koemorph corpus` filled; `val` are the voices kept apart, `seen` every twentieth sentence of the others, which no training heard. Scores are
`koemorph.pretrained.held_out`: [value, low, high] of a 95 % interval, takes resampled. `int8` is compared with fp32 on the faces of `val`:
mean |Δ| of all coefficients, and the largest fall of a correlation. `squeezed` are the voices of `val` through each codec. `us_per_frame` is the CPU time of one frame at a time, the least of five tries in turns.
"""
import argparse, json, os
from dataclasses import replace
os.environ.update(OMP_NUM_THREADS='1')
from pathlib import Path
import machine

def faces_of(model, takes):
    from koemorph.realtime import animate
    return [animate(t.wave, sr=16_000, model_path=model) for t in takes]

def scores(takes, faces, draws):
    from koemorph.pretrained import held_out
    told = held_out(takes, faces, draws)
    def known(x): return round(float(x), 3) if x == x else None                   # JSON has no NaN
    return {k: [known(x) for x in v] if draws else known(v) for k, v in told.items()}

def us_per_frame(models, rows):
    "CPU microseconds of a frame, each model in turn, the least of five rounds"
    from koemorph.realtime import Network
    nets, least = {m: Network(m) for m in models}, {m: 1e9 for m in models}
    for _ in range(5):
        for m, net in nets.items(): least[m] = min(least[m], machine.one_by_one(net, rows)[1].mean()*1e6)
    return {m: round(v) for m, v in least.items()}

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('clips', nargs='?'); p.add_argument('--models', nargs='+', default=['live', 'studio']); p.add_argument('--draws', type=int, default=300)
    p.add_argument('--short', action='store_true', help='on the two sentences of the package')
    a = p.parse_args()
    import numpy as np
    from koemorph.features import loudness_face, run
    from koemorph.pretrained import CODECS, session, sessions, squeezed
    from koemorph.realtime import Network, find_model
    import koemorph
    if a.short:
        samples = Path(koemorph.__file__).parent/'samples'; a.models, a.draws = ['live'], 0
        takes = dict(val=[session([samples/f'{l}.json'], np.random.default_rng(0), False) for l in ('en', 'ja')])
    elif not a.clips: p.error('say where the clips are')
    else:
        try: takes = {s: list(sessions(a.clips, s)) for s in ('val', 'seen')}
        except FileNotFoundError as e: p.error(str(e))
    report = dict(minutes={s: round(sum(len(t.wave) for t in ts)/960_000, 1) for s, ts in takes.items()},
                  loudness={s: scores(ts, [loudness_face(t.wave) for t in ts], 0) for s, ts in takes.items()}, models={})
    for name in a.models:
        full = find_model(name); small = full.with_name('model-int8.onnx')
        net = Network(full); rows = run(net.ears, takes['val'][0].wave)[:200]; out = {}
        for split, ts in takes.items():
            faces = faces_of(full, ts); out[split] = scores(ts, faces, a.draws)
            out[f'{split}, by engine'] = {e: scores([t for t in ts if t.engine == e], [f for t, f in zip(ts, faces) if t.engine == e], 0) for e in sorted({t.engine for t in ts})}
            if split == 'val': out['squeezed'] = {c: scores(ts, faces_of(full, [replace(t, wave=squeezed(t.wave, c)) for t in ts]), 0) for c in CODECS}
            if split == 'val' and small.exists():
                quick = faces_of(small, ts); s8, s32 = scores(ts, quick, 0), {k: v[0] if a.draws else v for k, v in out[split].items()}
                out['int8'] = dict(mean_abs_delta=round(float(np.mean([np.abs(f.values-q.values).mean() for f, q in zip(faces, quick)])), 5), scores=s8,
                                   worst_fall_of_r=round(max(s32[k]-s8[k] for k in ('aperture', 'funnel', 'pucker')), 4))
        out['us_per_frame'] = {Path(m).name: v for m, v in us_per_frame([m for m in (full, small) if m.exists()], rows).items()}
        out['megabytes'] = {m.name: round(m.stat().st_size/1e6, 2) for m in (full, small) if m.exists()}
        report['models'][name] = out
    print(json.dumps(report | machine.about(), indent=1))

if __name__ == '__main__': main()
