#!/usr/bin/env python3
"""What each exported form weighs, costs and gets wrong, as JSON: one thread, one frame a call, the state carried along

usage: benchmarks/export.py [--seconds 30] [--models live studio] [--formats onnx …]

`us` is the median of what a call takes of the processor, microseconds, all threads together; `max` and `mean` are differences from torch over `--seconds` of speech (the samples,
one after the other). Core ML is made and weighed; only a Mac could run it. `executorch` has its work done by XNNPACK (`--mobile_optimize`); its portable kernels stand beside it
as `executorch-portable`."""
import argparse, json, os, sys, tempfile, time
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MKL_NUM_THREADS='1')   # before numpy loads
from importlib.metadata import version
from importlib.resources import files
import numpy as np
import machine
from koemorph.export import FORMATS, Exported, export_network
from koemorph.features import SR, ears_of, load_wave, run
from koemorph.model import NetworkStage, load_checkpoint
from koemorph.realtime import Network, find_model

BUDGET = {'onnx': 600, 'onnx-int8': 400}   # microseconds a frame, of the default weights

def one_by_one(stage, rows):
    "Coefficients, and the median time of a step in microseconds"
    state, ys, took = stage.init(), [], []
    for row in rows:
        start = time.process_time(); state, y = stage.step(state, row[None]); took.append(time.process_time()-start)
        ys.append(y[0])
    return np.stack(ys), round(float(np.median(took))*1e6)

def one(name, seconds, formats):
    folder = find_model(name).parent
    net, about = load_checkpoint(folder)
    speech = np.concatenate([load_wave(files('koemorph')/f'samples/{x}.wav') for x in ('en', 'ja', 'loud_quiet_silent')])
    rows = run(ears_of(about['features']), np.resize(speech, round(seconds*SR)))
    truth, us = one_by_one(NetworkStage(net), rows)
    def row(stage): y, us = one_by_one(stage, rows); d = np.abs(y-truth); return dict(us=us, max=float(f'{d.max():.2g}'), mean=float(f'{d.mean():.2g}'))
    out = {'torch': dict(us=us, bytes=(folder/'model.safetensors').stat().st_size)}
    out |= {f: dict(row(Network(folder/f)), bytes=(folder/f).stat().st_size) for f in ('model.onnx', 'model-int8.onnx') if (folder/f).is_file()}
    for f, mobile in [(f, m) for f in formats for m in ((False, True) if f=='executorch' else (False,))]:
        with tempfile.TemporaryDirectory() as tmp:
            start = time.perf_counter(); paper = export_network(name, tmp, f, mobile_optimize=mobile); made = time.perf_counter()-start
            size = json.loads(paper.read_text(encoding='utf-8'))['files'][0]['bytes']
            ran = dict(needs='a Mac') if f=='coreml' and sys.platform!='darwin' else row(Exported(paper, f))
        out[f if f!='executorch' or mobile else 'executorch-portable'] = dict(ran, bytes=size, made_in_s=round(made, 1))
    return out

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--seconds', type=float, default=30); p.add_argument('--models', nargs='+', default=['live', 'studio']); p.add_argument('--formats', nargs='+', default=list(FORMATS))
    a = p.parse_args()
    out = {name: one(name, a.seconds, a.formats) for name in a.models}
    first = out[a.models[0]]
    print(json.dumps(dict(forms=out, budget_us=BUDGET, within_budget={f: first[f]['us']<=most for f, most in BUDGET.items() if f in first}, seconds=a.seconds, **machine.about(),
        **{m: version(m) for m in ('torch', 'onnxruntime', *[m for m in ('executorch', 'coremltools') if any(f.startswith(m) for f in a.formats)])}), indent=1))

if __name__ == '__main__': main()
