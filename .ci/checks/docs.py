#!/usr/bin/env python3
"Every page goes through nbdev's docs step and becomes HTML, and no link between pages or to a picture is broken"
import json, re, shutil, subprocess, sys, tempfile
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
CONVERT = '''from pathlib import Path
from nbdev.serve import proc_nbs
from nbconvert import HTMLExporter
proc_nbs(force=True)
html = HTMLExporter()
for nb in sorted(Path('_proc').glob('*.ipynb')): nb.with_suffix('.html').write_text(html.from_filename(str(nb))[0], encoding='utf-8')'''
LINK = re.compile(r'''\]\(([^()\s]+)\)|(?:src|href)=["']([^"']+)["']''')

def links(nb):
    "What the Markdown cells of `nb` point to, as written"
    for cell in json.loads(nb.read_text(encoding='utf-8'))['cells']:
        if cell['cell_type'] == 'markdown':
            text = re.sub(r'(?s)```.*?```|`[^`\n]*`', '', ''.join(cell['source']))
            yield from (a or b for a, b in LINK.findall(text))

def broken(nb):
    for to in links(nb):
        path = unquote(to.partition('#')[0])
        if path and not re.match(r'[a-z]+:', path) and not (nb.parent/path).exists(): yield f'{nb.name}: {to} leads nowhere'

with tempfile.TemporaryDirectory() as tmp:
    copy = Path(tmp)/'copy'; copy.mkdir()
    for name in 'koemorph', 'nbs': shutil.copytree(ROOT/name, copy/name, ignore=shutil.ignore_patterns('__pycache__', '.ipynb_checkpoints'))
    for name in 'settings.ini', 'README.md', '_quarto.yml': shutil.copy(ROOT/name, copy)
    subprocess.run([sys.executable, '-c', CONVERT], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    pages, nbs = sorted((copy/'_proc').glob('*.html')), sorted((ROOT/'nbs').glob('*.ipynb'))
    wrong = [b for nb in nbs for b in broken(nb)]
    if len(pages) != len(nbs): wrong.append(f'{len(nbs)} notebooks, but {len(pages)} pages')
    if wrong: sys.exit('\n'.join(wrong))
