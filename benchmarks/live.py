#!/usr/bin/env python3
"""How late a live face is, as JSON: from a moment in the sound to the UDP packet of the frame that shows it, part by part

usage: benchmarks/live.py [--model_path live] [--fps 30] [--seconds 30] [--sr 48000]

A file is handed over at the speed it is spoken, in chunks of 10 ms, through gate and idle layer; packets are received on loopback. `moment_ms` is
measured from 2000 random moments; `parts` says what the time went to: up to a frame, the look-ahead, waiting, computing, sending.
Run it on an idle machine.
"""
import argparse, json, os, socket, threading, time
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MKL_NUM_THREADS='1')   # before numpy loads
import numpy as np
import machine
from koemorph.live import Meter, paced
from koemorph.sinks import outlet, sender
from koemorph.realtime import pipeline, tracks

def arrivals(door, came):
    "Note when each frame's packet arrives"
    while True:
        packet = door.recv(65_536)
        if packet == b'end': return
        came[json.loads(packet)['frame']] = time.perf_counter()

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--model_path', default='live'); p.add_argument('--fps', type=int, default=30)
    p.add_argument('--seconds', type=float, default=30); p.add_argument('--sr', type=int, default=48_000)
    a = p.parse_args()
    wave, n = np.resize(machine.speech(a.sr), round(a.seconds*a.sr)), a.sr//100
    door, came = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), {}
    door.bind(('127.0.0.1', 0)); port = door.getsockname()[1]
    hears = threading.Thread(target=arrivals, args=(door, came)); hears.start()
    source = paced([wave[i:i+n] for i in range(0, len(wave), n)], a.sr)
    face = pipeline(a.model_path, a.fps, a.sr, gate=True, idle=0)
    meter = Meter(face, a.sr, source)
    with sender('udp', port=port) as send, outlet(send, 'udp') as sink:
        for track in meter.watch(tracks(face, meter.hear(source), a.sr)): sink(track)
        memory = machine.memory_mb()
    time.sleep(.2); door.sendto(b'end', door.getsockname()); hears.join()
    last = int(len(wave)-face.lookahead-a.sr/a.fps)                     # what follows comes with the flush
    moments = np.sort(np.random.default_rng(0).integers(0, last, 2000))
    late = [(came[m*a.fps//a.sr]-source.heard(m))*1000 for m in moments.tolist() if m*a.fps//a.sr in came]
    seen = meter.summary()
    report = dict(moment_ms={f'p{q}': round(float(np.percentile(late, q)), 2) for q in (50, 95, 99)}, parts=seen,
        packets=len(came), frames=seen['frames'], memory_mb=round(memory, 1), model=str(a.model_path), fps=a.fps, sr=a.sr, **machine.about(), numpy=np.__version__)
    print(json.dumps(report, indent=1))

if __name__ == '__main__': main()
