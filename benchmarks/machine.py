"What every benchmark says of the machine it ran on, and how it asks for time and memory"
import os, platform, re, statistics, sys, time

def about():
    "Processor, cores, system and Python, for the end of a report"
    try: name = next(l.split(':')[1].strip() for l in open('/proc/cpuinfo') if l.startswith('model name'))
    except (OSError, StopIteration): name = platform.processor() or platform.machine()
    return dict(machine=name, cores=os.cpu_count(), system=platform.platform(), python=platform.python_version())

def rtf(stage, chunks, seconds, repeats):
    "CPU time of `stage` over `chunks`, per second of sound: the median and the least"
    from koemorph.features import steps
    took = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in steps(stage, chunks): pass
        took.append((time.process_time()-start)/seconds)
    return dict(median=round(statistics.median(took), 5), least=round(min(took), 5))

def speech(sr=16_000, names=('en', 'ja')):
    "The package's samples, one after the other: (samples,) float32"
    import numpy as np
    from importlib.resources import files
    from koemorph.features import load_wave
    return np.concatenate([load_wave(files('koemorph')/f'samples/{x}.wav', sr) for x in names])

def one_by_one(stage, rows):
    "What comes of each row in a call of its own, and how long each took of the processor, seconds"
    import numpy as np
    state, ys, took = stage.init(), [], []
    for row in rows:
        start = time.process_time(); state, y = stage.step(state, row[None]); took.append(time.process_time()-start)
        ys.append(y[0])
    return np.stack(ys), np.array(took)

def memory_mb(peak=True):
    "Megabytes this process holds, or held at its `peak`; Linux keeps the parent's getrusage peak over exec, so ask the memory itself"
    try: return int(re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", open('/proc/self/status').read())[1])/1024
    except OSError: pass
    try: import resource
    except ImportError: return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/(2**20 if sys.platform=='darwin' else 2**10)
