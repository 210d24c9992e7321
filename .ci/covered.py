#!/usr/bin/env python3
"""How much of the package its notebooks run: lines of each module that ran while its own notebook did, in per cent

usage: .ci/covered.py [part of a notebook's name …]    all notebooks when none is given, some ten minutes

A notebook tests the functions of its own cells, not those of the module they become, so that is where lines are counted: in its exported cells.
What runs in a process that a notebook starts is not counted, so the figure is a little low.
"""
import ast, json, os, re, sys, threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

def statements(code):
    "First lines of the statements in functions of a cell: what importing alone does not run"
    inside = [n for f in ast.walk(ast.parse(code)) if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) for n in ast.walk(f) if isinstance(n, ast.stmt) and n is not f]
    doc = {f.body[0].lineno for f in ast.walk(ast.parse(code)) if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(f)}
    return {n.lineno for n in inside}-doc

def measure(path):
    "(statements run, statements) of the exported cells of a notebook, executed as its tests are"
    from execnb.shell import CaptureShell
    cells = [''.join(c['source']) for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type']=='code']
    os.chdir(path.parent)                                    # a notebook before may have left it
    shell, seen, told = CaptureShell(path.parent), {}, {}
    def trace(frame, event, arg):
        name = frame.f_code.co_filename
        if name not in told: return None
        if event=='line': seen.setdefault(name, set()).add(frame.f_lineno)
        return trace
    plain = shell.compile.cache                              # gives a cell the name under which its lines are traced
    def cache(code, *args, **kwargs):
        name = plain(code, *args, **kwargs)
        if re.search(r'^#\|\s*export', code, re.M): told[name] = statements(code)
        return name
    shell.compile.cache = cache
    flags = r'^#\|\s*(slow|notest|cuda|mic|eval: *false)'
    threading.settrace(trace); sys.settrace(trace)
    try:
        for code in cells:
            if re.search(flags, code, re.M): continue
            r = shell.run_cell(code)
            sys.settrace(trace)
            if r and not getattr(r.result, 'success', True): sys.exit(f'{path.name}: {r.result.error_in_exec or r.result.error_before_exec}\n{code[:300]}')
    finally: sys.settrace(None); threading.settrace(None)
    return sum(len(told[n] & seen.get(n, set())) for n in told), sum(map(len, told.values()))

if __name__=='__main__':
    os.environ |= dict(IN_TEST='1', MPLBACKEND='Agg', OMP_NUM_THREADS='1'); sys.path.insert(0, str(ROOT))
    nbs = [p for p in sorted((ROOT/'nbs').glob('0*.ipynb')) if not sys.argv[1:] or any(a in p.name for a in sys.argv[1:])]
    if not nbs: sys.exit(f'no notebook is called {" or ".join(sys.argv[1:])}')
    ran, all_ = 0, 0
    for p in nbs:
        n, of = measure(p); ran += n; all_ += of
        print(f'{p.name:28} {n:5} of {of:5} statements in functions, {100*n/of:.0f} %', flush=True)
    print(f'{100*ran/max(all_, 1):.0f} %')
