#!/usr/bin/env python3
"The network leaves in every form and is still itself over half a minute, state carried along; the reader needs nothing of ours; wrong wishes get one line and leave nothing behind"
import contextlib, io, json, os, shutil, subprocess, sys, tempfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
import numpy as np
from koemorph.export import FORMATS, Exported, fingerprint
from koemorph.features import SR, ears_of, load_wave, run
from koemorph.io import main
from koemorph.realtime import WEIGHTS, animate

lacking = [m for m in ('torch', 'onnxscript', 'safetensors', 'executorch', 'coremltools') if not find_spec(m)]
if lacking: print(f"{', '.join(lacking)}: pip install 'koemorph[export]'"); sys.exit(77)
from koemorph.export import _spelled
from koemorph.model import NetworkStage, load_checkpoint, save_checkpoint

SOUND = files('koemorph')/'samples'
HERE = [f for f in FORMATS if f!='executorch-int8' or os.environ.get('KOEMORPH_SLOW')]   # which takes minutes to make: every night
MOST = {'onnx': 1e-4, 'torchscript': 1e-4, 'executorch': 1e-4}                # of any coefficient in any frame
ALONE = '''import json, sys
class Shut:
    def find_spec(self, name, *_):
        if name.split('.')[0] in ('koemorph', 'torch', 'scipy', 'librosa', 'soundfile'): raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Shut())
import numpy as np, reader
paper, vectors, wave = sys.argv[1:]
v = np.load(vectors)
rows, face = reader.rows(v['wave'], json.load(open(paper, encoding='utf-8'))), reader.face(v['wave'], paper)[0]
m = json.load(open(paper, encoding='utf-8'))
def off(**change): c = json.loads(json.dumps(m)); [c['features'][k].update(x) for k, x in change.items()]; return float(np.abs(reader.rows(v['wave'], c)-v['rows']).max())
print(json.dumps(dict(mel=float(np.abs(rows-v['rows'])[:,:400].max()), prosody=float(np.abs(rows-v['rows'])[:,400:].max()), face=float(np.abs(face-v['coefficients']).max()), frames=len(face),
    wrong=[off(mel=dict(floor=1e-4)), off(mel=dict(lookahead=0)), off(prosody=dict(moments=[0, 8, 18])), off(prosody=dict(quick=dict(seconds=[.1, .3], little=.05)))], ours=[k for k in sys.modules if k.startswith('koemorph')])))'''

def said(*words):
    "Exit code, and what the command said on stdout and stderr"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err): code = main(['export', *map(str, words)])
    return code, out.getvalue(), err.getvalue()

def making(formats): return [f'making {f} …' for f in formats]

def refused(what, folder, words, *expected, code=1, begun=()):
    "One line with the `expected` words in it, after a line for each form `begun`, and not a file more than before"
    before = sorted(folder.rglob('*')); got, out, err = said(*words)
    lines = err.strip().splitlines(); *told, err = lines
    assert got==code and not out and told==making(begun) and err.startswith('koemorph: '), (what, got, out, lines)
    assert 'KOEMORPH_DEBUG' not in err, f'{what}: an error nobody foresaw: {err}'
    for word in expected: assert word in err, (what, word, err)
    assert sorted(folder.rglob('*'))==before, (what, set(folder.rglob('*'))-set(before))
    cases.append(what)

@contextlib.contextmanager
def without(*modules):
    "As if `modules` were not installed"
    was = {k: sys.modules.pop(k) for k in list(sys.modules) if k.split('.')[0] in modules}
    sys.modules.update({m: None for m in modules})
    try: yield
    finally:
        for m in modules: del sys.modules[m]
        sys.modules.update(was)

cases = []
with tempfile.TemporaryDirectory() as tmp:
    d = Path(tmp)
    # Parity
    code, out, err = said('--formats', *HERE, '--mobile_optimize', '--vectors', '--output_dir', d/'out')
    assert code==0 and len(out.splitlines())==len(HERE)+2 and err.splitlines()==making(HERE), (code, out, err)
    paper = d/'out/live.json'; m = json.loads(paper.read_text(encoding='utf-8'))
    net, about = load_checkpoint(WEIGHTS/'live')
    speech = np.concatenate([load_wave(SOUND/f'{x}.wav') for x in ('en', 'loud_quiet_silent', 'ja')])
    rows = run(ears_of(about['features']), np.resize(speech, 30*SR))
    truth = run(NetworkStage(net), rows)
    for f in HERE:
        if f=='coreml': continue
        gap = np.abs(run(Exported(paper, f), rows)-truth)
        print(f"{f}: {len(gap)} frames, max {gap.max():.1e}, mean {gap.mean():.1e}", flush=True)
        assert gap.max()<=MOST[f] if f in MOST else gap.mean()<=.02 and 0<gap.max(), f
    still = run(Exported(paper), rows[:1].repeat(len(rows), 0)); assert np.abs(still-truth).max()>.1, 'parity would not notice another input'
    assert np.abs(np.stack([Exported(paper).step(Exported(paper).init(), r[None])[1][0] for r in rows[:40]])-truth[:40]).max()>1e-2, 'parity would not notice a lost state'
    # Core ML: what can be seen without a Mac
    import coremltools as ct
    spec = ct.utils.load_spec(str(d/'out/live.mlpackage'))
    for kind, mine in (('input', m['inputs']), ('output', m['outputs'])):
        theirs = {x.name: tuple(x.type.multiArrayType.shape) for x in getattr(spec.description, kind)}
        assert theirs=={x['name']: tuple(x['shape']) for x in mine}, (kind, theirs)
    assert json.loads(spec.description.metadata.userDefined['koemorph'])==json.loads(json.dumps(about)) and spec.WhichOneof('Type')=='mlProgram'
    spelled, inputs = _spelled(net, 1).module(), (net.mean[None,None], *net.init_state())
    far = max(float((a-b).abs().max()) for a, b in zip(spelled(*inputs), (lambda y, s: (y, *s))(*net(inputs[0], inputs[1:])))); assert far<1e-5, far
    print(f"coreml: program for version {spec.specificationVersion}, names and shapes as the manifest has them, its graph within {far:.0e} of torch before conversion; parity needs a Mac")
    # Hashes, as anyone would take them
    for f in [*m['files'], m['vectors']]:
        path = d/'out'/f['file']; assert fingerprint(path)==f['sha256'] and Path(f['file']).name==f['file']
    theirs = shutil.which('sha256sum') and subprocess.run("find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum", shell=True, cwd=d/'out/live.mlpackage', capture_output=True, text=True).stdout.split()[0]
    assert theirs in (None, fingerprint(d/'out/live.mlpackage')), theirs
    # The reader, on its own
    shutil.copy(files('koemorph')/'reader.py', d)
    alone = subprocess.run([sys.executable, '-c', ALONE, paper, d/'out/live-vectors.npz', SOUND/'en.wav'], cwd=d, capture_output=True, text=True, env={k: v for k, v in os.environ.items() if k!='PYTHONPATH'})
    assert alone.returncode==0, alone.stderr[-2000:]
    got = json.loads(alone.stdout); print(f"reader: {got}")
    assert got['mel']<1e-3 and got['prosody']<1e-3 and got['face']<1e-4 and got['frames']==180 and not got['ours'] and min(got['wrong'])>1e-2, got
    lines = subprocess.run([sys.executable, 'reader.py', paper, SOUND/'en.wav'], cwd=d, capture_output=True, text=True, check=True).stdout.splitlines()
    face = np.array([json.loads(l)['blendshapes'] for l in lines]); assert np.abs(face-animate(str(SOUND/'en.wav')).values).max()<1e-3
    assert np.abs(animate(str(SOUND/'en.wav'), model_path=d/'out/live.onnx').values-animate(str(SOUND/'en.wav')).values).max()<1e-4, 'koemorph run with an exported file'
    # Again into the same folder, and with the number of frames open
    assert said('--formats', 'onnx', 'torchscript', '--dynamic_axes', '--output_dir', d/'out')[0]==0
    wide = json.loads(paper.read_text(encoding='utf-8')); assert wide['inputs'][0]['shape'][1] is None and len(wide['files'])==2
    for f in ('onnx', 'torchscript'): assert np.abs(run(Exported(paper, f), rows)-truth).max()<1e-4, f
    # Wrong wishes
    o = ['--output_dir', d/'never']; (d/'file').write_text('here first')
    save_checkpoint(d/'old', net, licence='MIT', name='old')
    def bent(name, change):
        "The checkpoint as another koemorph might have written it"
        shutil.copytree(d/'old', d/name); c = json.loads((d/name/'config.json').read_text()); change(c); (d/name/'config.json').write_text(json.dumps(c)); return d/name
    refused('an unknown format', d, ['--formats', 'onx', *o], "'onx'", 'onnx-int8')
    refused('a shape of other ears', d, ['--input_shape', '1,80,100', *o], '1,FRAMES,508')
    refused('a shape and any shape', d, ['--input_shape', '1,4,508', '--dynamic_axes', *o], 'one of them')
    refused('any number of frames for a phone', d, ['--formats', 'executorch', '--dynamic_axes', *o], 'fixed number')
    refused('a mobile form of TorchScript', d, ['--formats', 'torchscript', '--mobile_optimize', *o], 'retired', 'executorch')
    refused('an unknown checkpoint', d, ['--model_path', 'lief', *o], 'lief')
    refused('a network without its checkpoint', d, ['--model_path', d/'out/live.onnx', *o], 'config.json')
    refused('the 8-bit file', d, ['--model_path', WEIGHTS/'live/model-int8.onnx', *o], 'checkpoint')
    refused('a config with another word in it', d, ['--model_path', bent('word', lambda c: c['model'].update(d_modle=3)), *o], 'another version', 'd_modle')
    refused('weights of another size', d, ['--model_path', bent('size', lambda c: c['model'].update(d_model=96)), *o], 'another version')
    for name in ('../../../evil', str(d/'evil'), '..', '', 'a\\b', None): refused(f'the name {name!r}', d, ['--model_path', bent(f'name{len(cases)}', lambda c: c.update(name=name)), '--output_dir', d/'a/b/c'], 'one plain file name')
    def damaged(name, file, change):
        "The checkpoint as a bad copy left it"
        shutil.copytree(d/'old', d/name); (d/name/file).write_bytes(change((d/name/file).read_bytes())); return d/name
    for k, x in enumerate((b'{', b'[]', b'null', b'', b'\xff')): refused(f'{x!r} for a config', d, ['--model_path', damaged(f'json{k}', 'config.json', lambda _: x), *o], f'json{k}/config.json is damaged', 'copy the checkpoint again')
    for k in (0, 1000, -1): refused(f'weights cut at {k}', d, ['--model_path', damaged(f'cut{k}', 'model.safetensors', lambda b: b[:k]), *o], f'cut{k}/model.safetensors is damaged', 'copy the checkpoint again')
    refused('ears that changed', d, ['--model_path', bent('ears', lambda c: c['features']['heard'].__setitem__(0, 9.)), *o], 'another number')
    for f, package in (('executorch', 'executorch'), ('coreml', 'coremltools'), ('onnx', 'onnxscript'), ('torchscript', 'torch')):
        with without(package): refused(f'{f} without {package}', d, ['--formats', f, *o], package, "koemorph[export]")
    with without('torch', 'onnxscript'):         # what costs nothing is looked at before torch is loaded
        refused('an unknown format, at once', d, ['--formats', 'onix', *o], 'onix'); refused('a file for a folder, at once', d, ['--output_dir', d/'file'], 'cannot write')
    refused('a folder below a file', d, ['--output_dir', d/'file/there'], 'cannot write', 'file')
    refused('a file for a folder', d, ['--output_dir', d/'file'], 'cannot write', 'file')
    (d/'locked').mkdir(); (d/'locked').chmod(0o555)
    if os.access(d/'locked', os.W_OK): print('not tried: a locked folder (this user may write anywhere)')
    else: refused('a locked folder', d, ['--output_dir', d/'locked'], 'cannot write')
    import koemorph.export as e
    was = e.test_vectors; e.test_vectors = lambda *_: (_ for _ in ()).throw(OSError(28, 'No space left on device'))
    before = {p: p.read_bytes() for p in (d/'out').iterdir() if p.is_file()}
    refused('a disk that fills up', d, ['--vectors', '--output_dir', d/'out'], 'No space left', begun=['onnx']); refused('… in a folder that was not there', d, ['--vectors', '--output_dir', d/'a/b/c'], 'No space left', begun=['onnx'])
    e.test_vectors = was
    assert {p: p.read_bytes() for p in before}==before, 'a failed export changed what was there'
print(f"{len(cases)} refusals: {', '.join(cases)}")
