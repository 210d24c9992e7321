#!/usr/bin/env python3
"""What training costs, as JSON: frames per CPU-second and peak memory of whole training steps, one thread

usage: benchmarks/train.py [--batch 4] [--frames 256] [--steps 5] [--sizes 1 2 4 8 16] [--encoders temporal frequency]

A step is forward, loss, backward, clipping and the optimiser, on random rows and faces: every frame of every window is supervised.
Frames per CPU-second is the median over `--steps`, after one step to warm up; CPU time counts user and system. Each measurement runs in a process
of its own, and its peak memory is that of the whole process, torch included. `sizes` sweeps the batch for the first encoder. `target` says what
the project asks at 4 × 256 and whether this run gave it: the speed of the temporal encoder, the memory of both.
"""
import argparse, json, os, statistics, subprocess, sys, time
import machine

TARGET = dict(frames_per_cpu_s=1500, peak_memory_gb=1.5)

def measure(encoder, batch, frames, steps):
    "One measurement, in this process"
    import numpy as np, torch
    from koemorph.model import SEED, DualStream, ModelCfg, cost
    from koemorph.train import FaceLoss, Recording
    torch.set_num_threads(1); torch.manual_seed(0)
    net = DualStream(SEED if encoder == 'frequency' else ModelCfg(mel_encoder=encoder)).train()
    rows, target = torch.randn(batch, frames, net.mean.numel()), torch.rand(batch, frames, 52)
    loss = FaceLoss([Recording(rows[0].numpy(), target[0].numpy(), np.ones(frames, bool))])
    opt, took = torch.optim.AdamW(net.parameters(), lr=1e-4), []
    for _ in range(steps+1):
        start = time.process_time()
        y, _ = net(rows, net.init_state(batch))
        opt.zero_grad(); loss(y, target).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.); opt.step()
        took.append(time.process_time()-start)
    peak = machine.memory_mb()
    return dict(frames_per_cpu_s=round(batch*frames/statistics.median(took[1:])), peak_memory_gb=peak and round(peak*2**20/1e9, 2),
                mflops_a_frame=round(cost(net)['mflops'], 2), torch=torch.__version__)

def fresh(*words):
    "The same in a process of its own"
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1'}
    r = subprocess.run([sys.executable, __file__, '--one', *map(str, words)], stdout=subprocess.PIPE, text=True, env=env)
    if r.returncode: sys.exit(f"the measurement {' '.join(map(str, words))} failed (exit code {r.returncode})")
    return json.loads(r.stdout)

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--batch', type=int, default=4); p.add_argument('--frames', type=int, default=256); p.add_argument('--steps', type=int, default=5)
    p.add_argument('--sizes', type=int, nargs='*', default=[1, 2, 4, 8, 16]); p.add_argument('--encoders', nargs='+', default=['temporal', 'frequency'])
    p.add_argument('--one', nargs=4, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.one: print(json.dumps(measure(a.one[0], *map(int, a.one[1:])))); return
    encoders = {e: fresh(e, a.batch, a.frames, a.steps) for e in a.encoders}
    version = [e.pop('torch') for e in encoders.values()][0]
    first, few = a.encoders[0], ('frames_per_cpu_s', 'peak_memory_gb')
    report = dict(encoders=encoders)
    report['sizes'] = {b: {k: v for k, v in fresh(first, b, a.frames, a.steps).items() if k in few} for b in a.sizes}
    if 'temporal' in encoders and (a.batch, a.frames) == (4, 256):
        fast = encoders['temporal']['frames_per_cpu_s'] >= TARGET['frames_per_cpu_s']
        lean = all((e['peak_memory_gb'] or 0) <= TARGET['peak_memory_gb'] for e in encoders.values())
        report['target'] = dict(TARGET, met=fast and lean)
    report.update(batch=a.batch, frames=a.frames, steps=a.steps, **machine.about(), torch=version)
    print(json.dumps(report, indent=1))

if __name__ == '__main__': main()
