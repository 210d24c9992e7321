#!/usr/bin/env python3
"Public functions say what they give, and of every parameter what it is; no name is one of the words that say nothing; ruff finds no fault"
import ast, io, re, subprocess, sys, tokenize
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EMPTY = re.compile(r'(^|_)(utils?|helpers?|managers?|process|misc|v\d+|enhanced|simplified|improved|advanced)(_|$)')
BARE = 'data', 'info', 'stuff'                               # as a whole name

def spoken(name):
    "`name` in small words: AudioManager is audio_manager"
    return re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name).lower().strip('_')

def defined(tree):
    "Every function and class, and every name a module gives, with its line"
    for n in ast.walk(tree):
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)): yield n.name, n.lineno
    for n in tree.body:
        for t in getattr(n, 'targets', []): yield from ((x.id, n.lineno) for x in ast.walk(t) if isinstance(x, ast.Name))

def public(tree):
    "The functions that `__all__` offers"
    offered = next((ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '')=='__all__'), [])
    return [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in offered]

def untold(f, remarks):
    "Parameters of `f` with no remark on their line, nor words in a fastcore `Param`"
    args = [*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs]
    ends = {a.arg: a.end_lineno for a in args}
    for a,d in [*zip(args[::-1], f.args.defaults[::-1]), *zip(f.args.kwonlyargs, f.args.kw_defaults)]:
        if d is not None: ends[a.arg] = max(ends[a.arg], d.end_lineno)
    for a in args:
        words = a.annotation is not None and any(isinstance(x, ast.Constant) and isinstance(x.value, str) and ' ' in x.value for x in ast.walk(a.annotation))
        if a.arg!='self' and not words and not remarks & {*range(a.lineno, ends[a.arg]+1)}: yield a.arg

def wrong(path):
    text = path.read_text(encoding='utf-8'); tree, name = ast.parse(text), path.relative_to(ROOT)
    remarks = {t.start[0] for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type==tokenize.COMMENT}
    for n, line in [(path.stem, 1), *defined(tree)]:
        if EMPTY.search(spoken(n)) or n in BARE: yield f'{name}:{line}: the name {n} says nothing: what is it?'
    if path.parent.name!='koemorph': return
    for f in public(tree):
        if not ast.get_docstring(f): yield f'{name}:{f.lineno}: {f.name} has no docstring'
        yield from (f'{name}:{f.lineno}: {f.name} says nothing of {a}: unit and shape, in a comment on its line' for a in untold(f, remarks))

files = [f for d in ('koemorph/*.py', 'benchmarks/*.py', '.ci/*.py', '.ci/checks/*.py') for f in sorted(ROOT.glob(d)) if not f.name.startswith('_')]
if found := [w for f in files for w in wrong(f)]: sys.exit('\n'.join(found))
if not find_spec('ruff'): print("ruff: pip install -e '.[dev]'"); sys.exit(77)
if (r := subprocess.run([sys.executable, '-m', 'ruff', 'check', 'koemorph', 'benchmarks', '.ci'], cwd=ROOT, capture_output=True, text=True)).returncode: sys.exit(r.stdout+r.stderr)
print(f"{len(files)} files, {sum(len(public(ast.parse(f.read_text(encoding='utf-8')))) for f in files)} public functions")
