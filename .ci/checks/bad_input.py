#!/usr/bin/env python3
"Bad input and bad output paths: `koemorph run` says one line and leaves nothing half-written, or does the right thing"
import json, os, shutil, subprocess, sys, tempfile
from pathlib import Path
import numpy as np
import soundfile as sf

TALK = np.random.default_rng(0).normal(0, .05, 16_000).astype(np.float32)   # a second of something
said, skipped = [], []

def run(folder, *words):
    "Exit code, stdout and stderr of `koemorph run`"
    r = subprocess.run([sys.executable, '-m', 'koemorph', 'run', *map(str, words)], cwd=folder, capture_output=True, text=True, encoding='utf-8', errors='replace', timeout=300)
    return r.returncode, r.stdout, r.stderr

def tree(folder): return sorted(str(p.relative_to(folder)) for p in folder.rglob('*'))

def refused(what, folder, words, *expected):
    "One line on stderr with the `expected` words in it, exit code 1, and not a file more than before"
    before = tree(folder)
    code, out, err = run(folder, *words)
    assert code == 1, f'{what}: exit code {code}, expected 1\n{out}{err}'
    assert len(err.strip().splitlines()) == 1 and err.startswith('koemorph: '), f'{what}: not one line\n{err}'
    assert 'Traceback' not in err+out and 'KOEMORPH_DEBUG' not in err, f'{what}: an error nobody foresaw\n{err}'
    assert not out.strip(), f'{what}: it printed {out!r}'
    for word in expected: assert word in err, f'{what}: no {word!r} in {err}'
    assert tree(folder) == before, f'{what}: it left {sorted(set(tree(folder))-set(before))}'
    said.append(what)

def works(what, folder, wav, seconds, fps=30, words=()):
    "52 numbers in [0, 1] a frame, as many frames as the sound is long"
    code, out, err = run(folder, wav, '-o', 'face.jsonl', *words)
    assert code == 0 and not err, f'{what}: exit code {code}\n{err}'
    rows = [json.loads(l)['blendshapes'] for l in (folder/'face.jsonl').read_text().splitlines()]
    assert abs(len(rows)-round(seconds*fps)) <= 1, f'{what}: {len(rows)} frames for {seconds} s at {fps} fps'
    assert all(len(r) == 52 and 0 <= min(r) and max(r) <= 1 for r in rows), f'{what}: not 52 coefficients in [0, 1]'
    (folder/'face.jsonl').unlink()
    said.append(what)

def full_disk(folder, wav):
    "A file system of 64 kB, where the system lets us have one"
    small = folder/'small'; small.mkdir()
    mount = shutil.which('mount') and subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', str(small)], capture_output=True)
    if not mount or mount.returncode: skipped.append('disk full (no right to mount a small tmpfs)'); return
    try: refused('disk full', folder, [wav, '-o', small/'face.jsonl'], 'No space left')
    finally: subprocess.run(['umount', str(small)])

def read_only(folder, wav):
    "A folder nobody may write to"
    locked = folder/'locked'; locked.mkdir(); locked.chmod(0o555)
    if os.access(locked, os.W_OK): skipped.append('read-only folder (this user may write anywhere)'); return
    refused('read-only folder', folder, [wav, '-o', locked/'face.jsonl'], 'cannot write')

with tempfile.TemporaryDirectory() as tmp:
    d = Path(tmp)
    def wav(name, x, sr=16_000, **kw): sf.write(d/name, x, sr, **kw); return name
    talk = wav('talk.wav', TALK)
    (d/'text.wav').write_text('Dear diary, this is not a sound.\n'); (d/'nothing.wav').touch()
    wav('header.wav', TALK[:0]); wav('cut.wav', TALK); (d/'cut.wav').write_bytes((d/'cut.wav').read_bytes()[:30])
    x = np.tile(TALK, 5); x[70_000] = np.nan
    wav('nan.wav', x, subtype='FLOAT')
    (d/'folder.wav').mkdir(); (d/'file').write_text('here first'); (d/'face.csv').write_text('here first')
    (d/'broken.onnx').write_bytes(b'\x08\x07 not a network'); (d/'hollow').mkdir()

    o = ['-o', 'out.jsonl']
    refused('a text file named .wav', d, ['text.wav', *o], 'text.wav', 'not audio')
    refused('an empty file', d, ['nothing.wav', *o], 'nothing.wav', 'empty')
    refused('a wav that is all header', d, ['header.wav', *o], 'header.wav', 'no samples')
    refused('half a header', d, ['cut.wav', *o], 'cut.wav')
    refused('a sample that is not a number', d, ['nan.wav', *o], 'nan.wav', 'not numbers')
    refused('one sample', d, [wav('one.wav', TALK[:1]), *o], 'one.wav', 'shorter than one frame')
    refused('a missing file', d, ['missing.wav', *o], 'missing.wav', 'no such file')
    refused('a folder named .wav', d, ['folder.wav', *o], 'folder.wav', 'is a folder')
    refused('no -o', d, [talk], '-o')
    refused('a missing folder', d, [talk, '-o', 'no/such/face.jsonl'], 'no/such' if os.sep == '/' else 'such', 'no folder')
    refused('a path below a file', d, [talk, '-o', 'file/face.jsonl'], 'cannot write')
    refused('an unknown suffix', d, [talk, '-o', 'face.docx'], '.docx', '.jsonl')
    refused('no suffix', d, [talk, '-o', 'face'], 'cannot write', '.jsonl')
    refused('an unknown checkpoint', d, [talk, *o, '--model_path', 'lief'], 'lief', 'live')
    refused('a checkpoint folder with nothing in it', d, [talk, *o, '--model_path', 'hollow'], 'hollow', 'model.onnx')
    refused('a broken checkpoint', d, [talk, *o, '--model_path', 'broken.onnx'], 'broken.onnx')
    refused('a lookahead nobody trained', d, [talk, *o, '--lookahead', '777'], '777')
    refused('a frame rate that is none', d, [talk, *o, '--fps', 'fast'], 'fast')
    refused('an old file in the way of a failure', d, ['nan.wav', '-o', 'face.csv'], 'not numbers')
    assert (d/'face.csv').read_text() == 'here first', 'a failed run replaced the file that was there'
    works('eight channels at 192 kHz', d, wav('studio.wav', np.repeat(np.repeat(TALK, 12)[:,None], 8, 1), 192_000, subtype='FLOAT'), 1)
    works('one video frame', d, wav('frame.wav', TALK[:534]), 1/30)
    works('a second at 60 fps', d, talk, 1, 60, ['--fps', '60'])
    works('a voice that clips', d, wav('loud.wav', np.clip(TALK*100, -1, 1)), 1)
    full_disk(d, wav('long.wav', np.tile(TALK, 10)))
    read_only(d, talk)
    assert not list(Path(tempfile.gettempdir()).glob('.*.part')), 'a temporary file was left behind'

if skipped: print('not run:', '; '.join(skipped))
print(f'{len(said)} cases: {", ".join(said)}')
