#!/usr/bin/env python3
"""What the site takes from elsewhere: the weights' cards, measured figures, the commands' options, llms.txt. Written by `make pages`, compared by .ci/checks/pages.py

usage: .ci/pages.py [--write]    without it, the pages that are not as they would be written, and exit code 1
"""
import json, re, sys
from importlib import import_module
from pathlib import Path
import yaml

ROOT = Path(__file__).resolve().parent.parent
NBS, FILES = ROOT/'nbs', ROOT/'nbs/files'
NOTE = '<!-- Written by .ci/pages.py (make pages): edit there -->'
SITE = 'https://koemorph.github.io/koemorph/'

def head(title, description): return f'---\ntitle: {title}\ndescription: "{description}"\n---\n\n{NOTE}\n\n'
def table(names, rows): return '\n'.join([f"| {' | '.join(names)} |", '|---'*len(names)+'|', *(f"| {' | '.join(map(str, r))} |" for r in rows)])
def load(name): return json.loads((FILES/f'{name}.json').read_text(encoding='utf-8'))
def number(x): return '' if x is None or x!=x else f'{x:.0f}' if abs(x)>=10 else f'{x:.2f}'

def source(name, command): return f"Source: [`{name}.json`](https://github.com/koemorph/koemorph/blob/main/nbs/files/{name}.json), printed by `{command}`."

def cards():
    "Every set of weights with the card that lies beside it, headings one level down"
    texts = [p.read_text(encoding='utf-8').strip() for p in sorted((ROOT/'koemorph/weights').glob('*/README.md'))]
    down = [re.sub(r'^(#+ )', r'#\1', t, flags=re.M) for t in texts]
    return head('Model cards', 'Each set of shipped weights: what it heard, how good it is, where it fails') + '\n\n'.join(down)+'\n\n## Where these figures come from\n\n'+source('pretrained', 'benchmarks/pretrained.py')+' '+source('peers', 'benchmarks/peers.py')+' The cards are written by `benchmarks/card.py`.\n'

def measured():
    "The part of peers.md between its marks"
    told, systems = load('peers'), load('peers')['systems']
    cols = dict(aperture_r='lip gap *r*, in speech', mouth_r='mouth channels *r*', jaw_r='`jawOpen` *r*, whole take', bilabials_closed='bilabials closed', dip_recall='short closures met', open_shut='open mouths shut', jitter='restlessness (1 is right)')
    out = [f"`benchmarks/peers.py` plays the same sound to each ({told['machine']}, {told['cores']} cores; "
           f"{', '.join(f'{k} {v}' for k,v in told['versions'].items())}). wLipSync needs a profile, and two were made from our Japanese sample, with and without an S. *loudness* is no system: it is the level of the sound, moved to the mouth."]
    whose = dict(facegood='Three takes of a Mandarin speaker, 334 s, a studio rig. An *r* is good to ±.03.', grid='Four English speakers, 12 s, curves by MediaPipe. An *r* is good to ±.15, and the bilabials are seven.')
    for s,about in whose.items():
        keep = {k:v for k,v in cols.items() if any(x[s].get(k) is not None for x in systems.values())}
        out += [about, table(['', *keep.values()], [[n, *(number(x[s].get(k)) for k in keep)] for n,x in systems.items()])]
    noises = [*next(iter(systems.values()))['noise']]
    out += ['How far six seconds of what is no speech part the lips, in the mean, without our gate:', table(['', *noises], [[n, *(f"{x['noise'][k]['mean']:.3f}" for k in noises)] for n,x in systems.items()])]
    out += ["Ours are ahead in every *r*. They are not ahead in everything: this loudness curve, which shuts whenever the voice drops, meets slightly more short closures on the Mandarin takes (and shuts about six times as many open mouths), "
            "and wLipSync shuts fewer open mouths on the English ones. On breath, keys and white noise wLipSync with an S moves less than ours, which never pass .01 in the mean there.",
            source('peers', 'benchmarks/peers.py')]
    return '\n\n'.join(out)

def peers():
    text = (NBS/'peers.md').read_text(encoding='utf-8')
    return re.sub(r'(<!-- generated -->\n).*?(<!-- end -->)', lambda m: m[1]+measured()+'\n'+m[2], text, flags=re.S)

def flat(x, at=''):
    "Leaves of a report, each by its path"
    if isinstance(x, dict): return [r for k,v in x.items() for r in flat(v, f'{at} {k}'.strip())]
    return [(at, x)]

def benchmarks():
    "benchmarks.json as tables, one for each program"
    told = load('benchmarks')
    out = [f"Measured at commit `{told['commit']}` by `python benchmarks/all.py`, on {told['machine']}, {told['cores']} cores, Python {told['python']}, with a load of {told['load']} before it began: "
           + ('nothing else was running.' if 'left_out' not in told else 'other work was running beside it. So what the clock would tell is left out (latency, milliseconds a frame, import), and what is here is time of the '
              'processor itself and memory, a little more than on an idle machine. ')
           + f"A frame was out {load('live')['moment_ms']['p50']:.0f} ms after its moment in the sound, {load('live')['moment_ms']['p99']:.0f} ms at the 99th percentile. {source('live', 'benchmarks/live.py')}"]
    for name,r in told['runs'].items():
        rows = [(k, v if isinstance(v, str) else f'{v:g}') for k,v in flat(r['report']) if isinstance(v, (int, float, str)) and not isinstance(v, bool)]
        out += [f"## {name}", r['about'], f"`python benchmarks/{r['command']}`", table(['figure', 'value'], rows)]
    out += ['## How good the faces are', 'Scores, with their intervals, stand in [the cards](cards.md), scores beside others in [Beside others](peers.md), and what some of the choices in it are worth in [the notebook of the weights](07_pretrained.ipynb#what-each-choice-is-worth).']
    return head('Benchmarks', 'What it costs: seconds, milliseconds, megabytes, and the machine they were measured on') + '\n\n'.join(out)+'\n'

def options(cmd, target):
    "A command's options as a table, read from its docments"
    from koemorph.io import _command_parser
    module, name = target.split(':'); func = getattr(import_module(module), name)
    if cmd=='train': return f'{func.__doc__}\n\n`koemorph train --help` lists its settings; [the notebook](04_train.ipynb) tells what they do.'
    rows = []
    for a in _command_parser(cmd, func)._actions:
        if a.dest in ('help', 'pdb', 'xtra'): continue
        words = a.option_strings or [a.dest]
        first = [w for w in words if not w.startswith('--no-')] or words
        shown = ', '.join(f'`{w}`' for w in ([w for w in words if len(w)==2 and w[0]=='-'] or ([a.option_strings[0]] if a.option_strings else first)))
        rows.append([shown, re.sub(r' \(default: .*?\)$', '', a.help or '').replace('|', '\\|'), '' if a.default in (None, '', False, True) or not a.option_strings else f'`{a.default}`'])
    return func.__doc__+'.\n\n'+(table(['option', 'meaning', 'default'], rows) if rows else 'No options.')

def commands():
    from koemorph.io import COMMANDS
    parts = [f'## koemorph {c}\n\n{options(c, t)}' for c,t in COMMANDS.items()]
    return head('Commands', 'Every command of the terminal and all its options') + '`koemorph COMMAND --help` says the same. Where an option has two words, `--model_path` and `--model-path` are both right.\n\n' + '\n\n'.join(parts)+'\n'

def title(path):
    "Title and description of a page, from its front matter, or a notebook's first heading and the line below"
    text = path.read_text(encoding='utf-8')
    if path.suffix=='.ipynb':
        first = next(''.join(c['source']) for c in json.loads(text)['cells'] if c['cell_type']=='markdown')
        return re.search(r'^# (.+)', first, re.M)[1], (re.search(r'^> (.+)', first, re.M) or ['', ''])[1]
    about = yaml.safe_load(text.split('---\n')[1])
    return about['title'], about['description']

def sidebar():
    "(section, [page, …]) of _quarto.yml, in order"
    site = yaml.safe_load((ROOT/'_quarto.yml').read_text(encoding='utf-8'))['website']
    for s in site['sidebar']['contents']:
        yield s['section'], [c['href'] if isinstance(c, dict) else c for c in s['contents']]

def llms():
    "llms.txt: the site for readers that are programs"
    out = ['# koemorph', '> Speech in, a living face out: 52 ARKit blendshapes in real time on one CPU core. Python, MIT.']
    for section, pages in sidebar():
        out.append(f'## {section}')
        out.append('\n'.join(f"- [{t}]({SITE}{re.sub(r'[.](ipynb|md)$', '.html', p)}): {d}" for p in pages if (NBS/p).is_file() for t,d in [title(NBS/p)]))
    return '\n\n'.join(out)+'\n'

PAGES = {'nbs/cards.md': cards, 'nbs/peers.md': peers, 'nbs/benchmarks.md': benchmarks, 'nbs/commands.md': commands, 'nbs/llms.txt': llms}

def stale():
    "Pages that are not what they would be written as, written first where asked"
    for name,make in PAGES.items():
        path, want = ROOT/name, make()
        if path.is_file() and path.read_text(encoding='utf-8')==want: continue
        if '--write' in sys.argv: path.write_text(want, encoding='utf-8', newline='\n'); print(f'{name} written')
        else: yield name

if __name__=='__main__':
    if old := [*stale()]: sys.exit(f"{', '.join(old)}: not what the sources say: make pages")
