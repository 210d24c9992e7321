#!/usr/bin/env python3
"Notebooks import only from lower-numbered ones and only what is public; the modules of the light core import nothing heavy"
import ast, json, re, subprocess, sys
from pathlib import Path

NBS = Path(__file__).resolve().parents[2]/'nbs'
HEAVY = 'torch mediapipe opensmile librosa matplotlib hydra accelerate tensorboard cv2 av onnx sounddevice ipywidgets anywidget scipy'.split()
LIGHT = 'io', 'features', 'realtime', 'sinks', 'live', 'serve'

def source(nb): # magics are not Python
    cells = [''.join(c['source']) for c in json.loads(nb.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code']
    return '\n'.join(l for l in '\n'.join(cells).splitlines() if not re.match(r'\s*[%!]', l))

def imported(src):
    "Names of our modules that `src` imports anywhere"
    for n in ast.walk(ast.parse(src)):
        names = [a.name for a in n.names] if isinstance(n, ast.Import) else [f'{n.module}.{a.name}' for a in n.names] if isinstance(n, ast.ImportFrom) else []
        yield from (x.split('.')[1] for x in names if x.startswith('koemorph.'))

def private(src):
    "Names with an underscore that `src` imports from our modules, by `koemorph.x` or by `.x`"
    ours = (n for n in ast.walk(ast.parse(src)) if isinstance(n, ast.ImportFrom) and (n.level or n.module.split('.')[0] == 'koemorph'))
    yield from (a.name for n in ours for a in n.names if a.name[0] == '_' and not a.name.endswith('__'))

sources = {nb: source(nb) for nb in sorted(NBS.glob('0*.ipynb'))}
number = {m[1]: nb.name.partition('_')[0] for nb, src in sources.items() if (m := re.search(r'#\|\s*default_exp\s+(\w+)', src))}
wrong = [f'{nb.name} imports koemorph.{m}, which comes later' for nb, src in sources.items()
         for m in sorted(set(imported(src))) if number.get(m, '') > nb.name.partition('_')[0]]   # 05 < 05a < 06
wrong += [f'{nb.name} imports {name}, which is private: give it a public name where it is defined'
          for nb, src in sources.items() for name in sorted(set(private(src)))]
for m in LIGHT:
    seen = subprocess.run([sys.executable, '-c', f'import sys, koemorph.{m}; print(*sys.modules)'], capture_output=True, text=True, cwd=NBS.parent)
    if seen.returncode: wrong.append(f'import koemorph.{m}: {seen.stderr.strip().splitlines()[-1]}')
    if heavy := [h for h in HEAVY if h in seen.stdout.split()]: wrong.append(f"import koemorph.{m} brings {', '.join(heavy)}")
if wrong: sys.exit('\n'.join(wrong))
