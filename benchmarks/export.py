#!/usr/bin/env python3
"""What each exported form weighs, costs and gets wrong, as JSON: one thread, one frame a call, the state carried along

usage: benchmarks/export.py [--seconds 30] [--models live studio] [--formats onnx …] [--keep FOLDER]

`us` is the median of what a call takes of the processor, microseconds, all threads together,
and `least` the least of them, since whatever else the machine does can only add: the budget is held against it; `max` and `mean` are differences from torch over `--seconds` of speech (the samples,
one after the other). Core ML is made and weighed; only a Mac could run it. `executorch` has its work done by XNNPACK (`--mobile_optimize`); its portable kernels stand beside it
as `executorch-portable`. What was made is kept in FOLDER/MODEL/FORM, and not made again when it is there: ExecuTorch in 8 bits takes minutes."""
import argparse, json, os, sys, tempfile
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MKL_NUM_THREADS='1')   # before numpy loads
from importlib.metadata import version
from pathlib import Path
import numpy as np
import machine
from koemorph.export import FORMATS, Exported, export_network
from koemorph.features import SR, ears_of, run
from koemorph.model import NetworkStage, load_checkpoint
from koemorph.realtime import Network, find_model

BUDGET = {'onnx': 600, 'onnx-int8': 400}   # microseconds a frame, of the default weights

def one_by_one(stage, rows):
    "Coefficients, and the median and the least time of a step in microseconds"
    ys, took = machine.one_by_one(stage, rows)
    return ys, dict(us=round(float(np.median(took))*1e6), least=round(took.min()*1e6))

def one(name, seconds, formats, keep):
    folder = find_model(name).parent
    net, about = load_checkpoint(folder)
    rows = run(ears_of(about['features']), np.resize(machine.speech(names=('en', 'ja', 'loud_quiet_silent')), round(seconds*SR)))
    truth, us = one_by_one(NetworkStage(net), rows)
    def row(stage): y, us = one_by_one(stage, rows); d = np.abs(y-truth); return dict(us, max=float(f'{d.max():.2g}'), mean=float(f'{d.mean():.2g}'))
    out = {'torch': dict(us, bytes=(folder/'model.safetensors').stat().st_size)}
    out |= {f: dict(row(Network(folder/f)), bytes=(folder/f).stat().st_size) for f in ('model.onnx', 'model-int8.onnx') if (folder/f).is_file()}
    for form in formats:
        f = form.removesuffix('-portable')
        paper = keep/name/form/f'{name}.json'
        if not paper.is_file(): export_network(name, paper.parent, f, mobile_optimize=form=='executorch')
        size = json.loads(paper.read_text(encoding='utf-8'))['files'][0]['bytes']
        out[form] = dict(bytes=size, **(dict(needs='a Mac') if f=='coreml' and sys.platform!='darwin' else row(Exported(paper, f))))
    return out

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--seconds', type=float, default=30); p.add_argument('--models', nargs='+', default=['live', 'studio']); p.add_argument('--formats', nargs='+', default=[*FORMATS, 'executorch-portable']); p.add_argument('--keep')
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp: out = {name: one(name, a.seconds, a.formats, Path(a.keep or tmp)) for name in a.models}
    first = out[a.models[0]]
    print(json.dumps(dict(forms=out, budget_us=BUDGET, within_budget={f: first[f]['least']<=most for f, most in BUDGET.items() if f in first}, seconds=a.seconds, **machine.about(),
        **{m: version(m) for m in ('torch', 'onnxruntime', *[m for m in ('executorch', 'coremltools') if any(f.startswith(m) for f in a.formats)])}), indent=1))

if __name__ == '__main__': main()
