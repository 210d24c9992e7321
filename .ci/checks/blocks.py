#!/usr/bin/env python3
"""Every block of commands or code in the READMEs, CONTRIBUTING and the site's Markdown pages runs, or says before it why not: `<!-- not run: reason -->`

Each document has a folder of its own, with the samples, a few films and an avatar in it. What differs from what a reader does: sound comes from a file
where there is no microphone, `serve` and a websocket get a free port, `train` takes one step of a small network, `dataset` keeps short clips, and a line that stands
in two documents runs once. Lines that install or change a clone are read instead: their extras, files, targets and programs must exist.
"""
import contextlib, io, json, os, re, shlex, shutil, signal, socket, subprocess, sys, tempfile, threading, time
from configparser import ConfigParser
from importlib.resources import files
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from browser import CHROMIUM, QUIET, ROOT, free_port, not_run
BLOCK = re.compile(r'(?:<!--\s*not run:(?P<why>.*?)-->[ \t]*\n[ \t]*)?^(?P<pad>[ \t]*)```(?P<lang>\S*)[^\n]*\n(?P<code>.*?)^[ \t]*```', re.S|re.M)
SHOWN = 'text', 'bibtex'                                     # not meant to be run
SYSTEM = 'python3-venv', 'libportaudio2', 'libgl1', 'libegl1', 'libgles2', 'libhtsengine1', 'libespeak-ng1'
EN = str(files('koemorph')/'samples/en.wav')

def pages():
    "The documents that are held to their word"
    return [ROOT/'README.md', ROOT/'README.ja.md', ROOT/'CONTRIBUTING.md', *sorted((ROOT/'nbs').glob('*.md')), *sorted((ROOT/'nbs/howto').glob('*.md'))]

def blocks(text):
    "(line number, language, code, reason not to run it or None) of each fenced block"
    for m in BLOCK.finditer(text):
        code = '\n'.join(l.removeprefix(m['pad']) for l in m['code'].splitlines())
        yield text[:m.start('code')].count('\n'), m['lang'], code, m['why']

def lines(code):
    "The commands of a shell block, each as words; a line that ends in a backslash goes on"
    for line in code.replace('\\\n', ' ').splitlines():
        if words := shlex.split(line.removeprefix('$ '), comments=True): yield words

def read(words):
    "What is wrong with a line that is read instead of run; '' when nothing is"
    prog, *rest = [w for w in words if w!='sudo']
    ini = ConfigParser(delimiters=['=']); ini.read(ROOT/'settings.ini', encoding='utf-8')
    extras = {k.removesuffix('_requirements') for k in ini['DEFAULT'] if k.endswith('_requirements')} | {'all'}
    if prog=='pip':
        asked = {e for w in rest for m in [re.search(r'\[(.+)\]', w)] if m for e in m[1].split(',')}
        files = [rest[i+1] for i,w in enumerate(rest) if w in ('-c', '-r')]
        pinned = [w for w in rest if '==' in w and w not in (ROOT/'Makefile').read_text()]
        wrong = [*(f'no extra {e}' for e in asked-extras), *(f'no file {f}' for f in files if not (ROOT/f).exists()), *(f'the Makefile has no {w}' for w in pinned)]
        return ', '.join(wrong) or ('' if rest[0]=='install' else 'only pip install is known')
    if prog=='apt': return ', '.join(f'{w} is in no list of ours' for w in rest[1:] if w[0]!='-' and w not in SYSTEM and w not in (ROOT/'.ci/apt.txt').read_text().split())
    if prog=='make':
        targets = re.findall(r'^([\w.-]+):', (ROOT/'Makefile').read_text(), re.M)
        names = [n for w in rest if w.startswith('TEST=') for n in w[5:].split() if n[0]!='-']
        have = [f.name for d in ('nbs/*.ipynb', '.ci/checks/*.py') for f in ROOT.glob(d)]
        return ', '.join([*(f'no target {w}' for w in rest if '=' not in w and w not in targets), *(f'no notebook or check {n}' for n in names if not any(n in h for h in have))])
    if prog in ('python', 'python3') and rest[0]!='-m': return '' if (ROOT/rest[0]).exists() else f'no file {rest[0]}'
    if prog in ('python', 'python3'): return '' if rest[1] in ('venv', 'pip') else f'-m {rest[1]} is not known'
    if prog=='jupyter' and rest[0]=='lab': return '' if (ROOT/rest[1]).exists() else f'no file {rest[1]}'
    if prog.startswith('nbdev_') or prog in ('pre-commit', 'tensorboard'): return '' if shutil.which(prog) else f'no program {prog}'
    if prog in ('.', 'cd', 'git'): return ''
    return f'nobody here knows what {prog} does: mark the block as not run, with the reason'

def free(): return str(free_port())

def reached(port):
    "Whether somebody listens there"
    with socket.socket() as s: return s.connect_ex(('127.0.0.1', int(port)))==0

def inshort(words):
    "A koemorph command as it is run here"
    cmd, *rest = words
    def given(*names): return any(w==n or w.startswith(n+'=') for w in rest for n in names)
    if cmd=='stream' and not given('--input_audio', '--camera', '--video'): rest += ['--input_audio', EN]
    if cmd=='stream' and not given('--seconds'): rest += ['--seconds', '1']
    if cmd=='stream' and 'websocket' in rest and not given('--port'): rest += ['--port', free()]
    if cmd=='serve' and not given('--port'): rest += ['--port', free()]
    if cmd=='train' and not given('--help'): rest += ['--config-dir', 'mine', 'model=tiny', 'training.max_steps=1', *([] if count['onnx'] else ['training.onnx=never'])]
    if cmd=='dataset' and not given('--min_clip'): rest += ['--min_clip', '1']
    return [cmd, *rest]

def serve(words):
    "Start the page, fetch it, stop it as Ctrl-C does"
    from urllib.request import urlopen
    p = subprocess.Popen([sys.executable, '-m', 'koemorph', *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    threading.Timer(30, p.kill).start()
    address = next((m[0] for l in p.stdout if (m := re.search(r'http://\S+', l))), None)
    page = urlopen(address.replace('0.0.0.0', '127.0.0.1'), timeout=10).read() if address else b''
    p.send_signal(signal.SIGINT); said = p.stdout.read(); p.wait()
    return (0 if b'koemorph' in page and p.returncode in (0, 130) else 1), f'{address}: {len(page)} bytes; {said}'

def koemorph(words):
    "Exit code of a koemorph command, and what it said"
    if words[0]=='serve' and '--help' not in words: return serve(words)
    from koemorph.io import main
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said): code = main(words)
    return code, said.getvalue()

done = {}                                                   # words of a command: the files it made, and where
def once(words):
    "Run a command in this folder, or copy what it made where it ran before"
    key, here = tuple(words), Path.cwd()
    def there(): return {p.relative_to(here): p.stat().st_mtime_ns for p in here.rglob('*') if p.is_file() and not any(q.is_symlink() for q in p.parents)}
    if key in done:
        for folder, name in done[key]:
            (here/name).parent.mkdir(parents=True, exist_ok=True); shutil.copy(folder/name, here/name)
        return 0, ''
    if key[0]=='sample': making.wait()                      # it was begun at the start, in the folder `made`
    if key[0]=='sample' and len(key)==2 and not making.returncode: shutil.copytree(made/'data', here/key[1]); return 0, ''
    was, start = there(), time.process_time(); code, said = koemorph(inshort(words))
    if '-v' in sys.argv: print(f"{time.process_time()-start:5.1f} s  koemorph {' '.join(words)}", flush=True)
    done[key] = [(here, n) for n,t in there().items() if was.get(n)!=t]
    return code, said

def shell(code):
    "The commands of a block; what went wrong"
    for words in lines(code):
        words = [words[0].removeprefix('.venv/bin/'), *words[1:]]
        if words[0]=='koemorph':
            rc, said = once(words[1:])
            if 'vts' in words and 'nothing reached vts' in said: rc = 0             # no VTube Studio is running here, and it says so
        elif words[0]=='ruff': r = subprocess.run(words, cwd=ROOT, capture_output=True, text=True); rc, said = r.returncode, r.stdout+r.stderr
        else: said = read(words); rc = bool(said)
        count['read' if words[0] not in ('koemorph', 'ruff') else 'run'] += 1
        if rc: return f"{' '.join(words)}: exit code {int(rc)}: {said.strip()[-600:]}"

def python(code, names):
    "Run code as a notebook would"
    try:
        with contextlib.redirect_stdout(io.StringIO()): exec(compile(code, 'block', 'exec'), names)
    except Exception as e: return f'{type(e).__name__}: {e}\n{code}'
    count['run'] += 1

def page(code):
    "Open an HTML block in a browser while `koemorph stream` speaks to it; it must have shown more than it was born with"
    from playwright.sync_api import sync_playwright
    port, at, running = free(), free(), []
    def started(port, *words): # a program that listens, once it does
        running.append(p := subprocess.Popen([sys.executable, '-m', *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        while not reached(port):
            if p.poll() is not None: raise OSError(f"{' '.join(words)} ended before anybody could listen to it")
            time.sleep(.05)
    try:
        Path('page.html').write_text(code.replace('8765', port), encoding='utf-8')
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            tab, errors = browser.new_page(), []
            tab.on('pageerror', lambda e: errors.append(str(e)))
            started(at, 'http.server', '--bind', '127.0.0.1', at)
            started(port, 'koemorph', 'stream', '--input_audio', EN, '--output_mode', 'websocket', '--port', port, '--realtime')   # last: it speaks for six seconds
            tab.goto(f'http://127.0.0.1:{at}/page.html'); born = tab.evaluate('document.body.innerHTML')
            tab.wait_for_function('born => document.body.innerHTML!=born', arg=born, timeout=20_000)
            browser.close()
        count['run'] += 1
        return '; '.join(errors)
    except Exception as e: return f'{type(e).__name__}: {str(e).splitlines()[0]}'
    finally:
        for p in running: p.kill()

def settled(d, folder):
    "A folder as a reader has it before him: the clone's samples, and films, a wave and an avatar of his own"
    d.mkdir()
    for name in 'koemorph', 'constraints.txt', 'benchmarks': (d/name).symlink_to(ROOT/name)
    for name in 'talk.mp4', 'talks', 'my.vrm':
        if (folder/name).is_dir(): shutil.copytree(folder/name, d/name)
        elif (folder/name).exists(): shutil.copy(folder/name, d)
    shutil.copy(EN, d/'speech.wav'); (d/'mine/model').mkdir(parents=True)
    (d/'mine/model/tiny.yaml').write_text('defaults: [dual_stream]\nd_model: 16\nn_heads: 2\nd_read: 8\nwindow_frames: 4\ndilations: [1]\nemotion_dim: 8\nemotion_tokens: 2\n')

def films(folder):
    "Three speakers of two and a half seconds each, drawn, and an avatar of one morph target"
    import numpy as np
    from koemorph.dataset_pipeline import talking_face
    from koemorph.features import load_wave
    wave = load_wave(EN)[:40_960]; jaw = (np.abs(wave).reshape(-1, 640).mean(1)*6).clip(0, .6)
    (folder/'talks').mkdir()
    for who in 'ann', 'bob', 'eve': talking_face(jaw, 25, wave, folder/f'talks/{who}_1.mp4')
    shutil.copy(folder/'talks/ann_1.mp4', folder/'talk.mp4')

count = dict(run=0, read=0, marked=0, onnx=0)               # onnx: whether this document uses what it trained
if __name__=='__main__':
    if os.name=='nt': print('not run: links between folders, and a Ctrl-C, as Unix has them'); sys.exit(77)
    if not CHROMIUM: not_run('apt install chromium')
    os.environ['PATH'] = os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']])       # as after `activate`, which nobody has typed
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    asked = [a for a in sys.argv[1:] if a!='-v']
    chosen = [p for p in pages() if not asked or any(a in str(p) for a in asked)]
    texts, wrong = {p: p.read_text(encoding='utf-8') for p in chosen}, []
    texts = dict(sorted(texts.items(), key=lambda x: 'koemorph sample' in x[1]))      # the sample data are made meanwhile
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp); made = tmp/'made'; made.mkdir(); os.environ['XDG_CACHE_HOME'] = str(tmp/'cache')
        making = subprocess.Popen([sys.executable, '-m', 'koemorph', 'sample', 'data'], cwd=made, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            if any(re.search('koemorph (capture|dataset|stream --video)', t) for t in texts.values()): films(made)
            (made/'my.vrm').write_bytes(b'glTF')
            for path, text in texts.items():
                names, folder, start = {}, tmp/path.relative_to(ROOT).as_posix().replace('/', '_'), time.time()
                settled(folder, made); os.chdir(folder); count['onnx'] = 'best_model' in text
                for line, lang, code, why in blocks(text):
                    say = None
                    if why is not None:
                        count['marked'] += 1
                        say = '' if len(why.strip())>9 else 'a mark must say why'
                    elif lang in ('sh', 'console'): say = shell(code)
                    elif lang=='python': say = python(code, names)
                    elif lang=='html': say = page(code)
                    elif lang in ('json', 'jsonl'):
                        try: [json.loads(l) for l in code.splitlines()] if lang=='jsonl' else json.loads(code)
                        except ValueError as e: say = str(e)
                    elif lang not in SHOWN: say = f'a block of {lang or "no language"}: run it or mark it'
                    if say: wrong.append(f'{path.relative_to(ROOT)}:{line}: {say}')
                print(f'{path.relative_to(ROOT)}: {time.time()-start:.0f} s', flush=True)
        finally: making.kill(); os.chdir(ROOT)
    if wrong: sys.exit('\n'.join(wrong))
    print(f"{count['run']} commands and blocks run, {count['read']} lines read, {count['marked']} blocks marked as not run, in {len(chosen)} documents")
