#!/usr/bin/env python3
"The built package, in a bare environment and from another folder, speaks without torch: `koemorph demo`, `koemorph run`; what needs torch says so"
import json, os, re, shutil, subprocess, sys, tempfile, venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = re.compile(r'NewConnectionError|NameResolutionError|ConnectTimeout|Network is unreachable|ProxyError')

def sh(*cmd, cwd):
    r = subprocess.run([str(c) for c in cmd], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding='utf-8', errors='replace')
    if r.returncode == 0: return r.stdout
    print(r.stdout)
    if OFFLINE.search(r.stdout): print('a package index within reach, to install the wheel from scratch'); sys.exit(77)
    sys.exit(f"{' '.join(map(str, cmd))}: exit code {r.returncode}")

SPEAK = '''import sys, importlib.util as u
from pathlib import Path
import koemorph, koemorph.realtime
assert u.find_spec('torch') is None and u.find_spec('librosa') is None, 'torch or librosa in the bare environment'
assert Path(koemorph.__file__).is_relative_to(sys.prefix), koemorph.__file__
print(Path(koemorph.__file__).parent)'''

with tempfile.TemporaryDirectory() as tmp:
    tmp = Path(tmp); copy, elsewhere, bare = tmp/'copy', tmp/'elsewhere', tmp/'bare'; elsewhere.mkdir()
    ignore = shutil.ignore_patterns('.git', '.venv*', 'build', 'dist', '*.egg-info', '__pycache__', '_proc', '_docs', 'demo', 'nbs')
    shutil.copytree(ROOT, copy, ignore=ignore)
    sh(sys.executable, '-m', 'build', '-o', tmp/'dist', '.', cwd=copy)     # the sdist, then the wheel from the sdist
    venv.create(bare, with_pip=True)
    bin = bare/('Scripts' if os.name == 'nt' else 'bin')
    wheel, = (tmp/'dist').glob('*.whl')
    sh(bin/'python', '-m', 'pip', 'install', '-q', wheel, cwd=elsewhere)
    sh(bin/'python', '-m', 'pip', 'check', cwd=elsewhere)
    package = Path(sh(bin/'python', '-c', SPEAK, cwd=elsewhere).strip().splitlines()[-1])
    print(sh(bin/'koemorph', 'demo', cwd=elsewhere))
    for f in 'demo/face.jsonl', 'demo/face.html':
        if not (elsewhere/f).is_file(): sys.exit(f'koemorph demo wrote no {f}, only {sorted(str(p) for p in elsewhere.rglob("*"))}')
    print(sh(bin/'koemorph', 'run', package/'samples/en.wav', '-o', 'face.jsonl', cwd=elsewhere))
    frames = [json.loads(l)['blendshapes'] for l in (elsewhere/'face.jsonl').read_text().splitlines()]
    jaw = [f[17] for f in frames]                                        # jawOpen in Apple's order
    assert frames and all(len(f) == 52 and 0 <= min(f) and max(f) <= 1 for f in frames), 'not 52 coefficients in [0, 1]'
    assert max(jaw)-min(jaw) > .05, f'the jaw moved only from {min(jaw):.3f} to {max(jaw):.3f} over {len(frames)} frames'
    for cmd in ['eval', 'takes'], ['train', 'data.train_data_dir=takes']:
        r = subprocess.run([bin/'koemorph', *cmd], cwd=elsewhere, capture_output=True, text=True, encoding='utf-8')
        said = r.stderr.strip().splitlines()
        assert r.returncode == 1 and said == ["koemorph: torch is not installed: pip install 'koemorph[train]'"], f'koemorph {cmd[0]}, exit code {r.returncode}: {r.stderr}'
