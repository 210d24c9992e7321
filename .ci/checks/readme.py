#!/usr/bin/env python3
"The README is nbs/index.ipynb in Markdown; `--write` makes it so"
import json, posixpath, re, sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

def outputs(cell):
    "What a cell's committed text outputs show, indented as Markdown likes it"
    for o in cell.get('outputs', []):
        text = o.get('text') or o.get('data', {}).get('text/markdown') or o.get('data', {}).get('text/plain', [])
        text = ''.join(text).rstrip()
        if text: yield text if 'text/markdown' in o.get('data', {}) else '\n'.join('    '+l for l in text.splitlines())

def readme(nb, home):
    "Markdown of notebook `nb`: links relative to the repository's top, links into `home` (its web address) too"
    def relink(m):
        to = m[2].removeprefix(home)
        if to == m[2] and not re.match(r'[a-z]+:|#|/', to): to = posixpath.normpath('nbs/'+to)
        return m[1]+to+m[3]
    parts = []
    for cell in json.loads(nb.read_text(encoding='utf-8'))['cells']:
        src = ''.join(cell['source']).strip()
        if not src or re.search(r'^#\|\s*(hide\b|echo: *false)', src, re.M): continue      # `echo: false` is for the site: a face that plays
        if cell['cell_type'] == 'markdown': parts.append(re.sub(r'(\]\(|src=")([^)"\s]+)([)"])', relink, src))
        elif cell['cell_type'] == 'code':
            code = '\n'.join(l for l in src.splitlines() if not l.startswith('#|'))
            parts += [f'```python\n{code.strip()}\n```', *outputs(cell)]
    return '\n\n'.join(['<!-- Written from nbs/index.ipynb by `make readme`: edit the notebook -->', *parts])+'\n'

if __name__ == '__main__':
    cfg = ConfigParser(delimiters=['=']); cfg.read(ROOT/'settings.ini', encoding='utf-8'); cfg = cfg['DEFAULT']
    want = readme(ROOT/'nbs/index.ipynb', f"{cfg['git_url']}/blob/{cfg['branch']}/")
    if '--write' in sys.argv: (ROOT/'README.md').write_text(want, encoding='utf-8', newline='\n')
    elif (ROOT/'README.md').read_text(encoding='utf-8') != want: sys.exit('README.md is not what nbs/index.ipynb says: make readme')
