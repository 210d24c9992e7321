#!/usr/bin/env python3
"""`koemorph dataset` where things go wrong: a cluster's worker killed in mid-clip, the whole run killed, a rerun, a clip that kills
its process, and videos, disks and folders that cannot be used. Nothing is made twice, nothing is left half-written. And where they go
right: every option of the command line, a network trained by the words the command ends with, and `koemorph capture` of one film into
each kind of file."""
import json, os, shlex, shutil, signal, subprocess, sys, tempfile, time
from pathlib import Path

try:
    import numpy as np
    from koemorph.dataset_pipeline import BLENDSHAPES, Clips, CutCfg, DatasetCfg, build, face_model_path, mediapipe_tracker, pitch, talking_face
    from koemorph.io import ARKIT, find_pairs, read_track, read_wave
    with mediapipe_tracker(): pass
    import distributed, webrtcvad, librosa, pyworld, torch, hydra
except (ImportError, OSError) as e: print(f'not run: {e}'); sys.exit(77)

ROOT = Path(__file__).resolve().parents[2]
ENV = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]), 'OMP_NUM_THREADS': '1', 'PYTHONFAULTHANDLER': '1'}
FILES = 'audio.wav audio_features.npz blendshapes.csv metadata.json quality_mask.npy'.split()
said, skipped, ours = [], [], []

def start(*words, **kw):
    "A process of our own, in a group of its own"
    p = subprocess.Popen([sys.executable, *map(str, words)], env=ENV, text=True, start_new_session=True, **kw)
    ours.append(p)
    return p

def dataset(*words, cwd): return start('-m', 'koemorph', 'dataset', *words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

def finish(p, limit=600):
    try: out, err = p.communicate(timeout=limit)
    except subprocess.TimeoutExpired: os.killpg(p.pid, signal.SIGABRT); raise AssertionError(f'{p.args}: not within {limit} s\n{p.communicate()}') from None
    assert 'Traceback' not in err+out, err
    return p.returncode, out, err

class Over(AssertionError): "What was waited for did not come before the end: on a machine with other things to do this happens"

def wait_for(what, ready, p, limit=300):
    "What `ready` says as soon as it says something, while `p` runs"
    end = time.monotonic()+limit
    while time.monotonic() < end:
        if got := ready(): return got
        if p.poll() is not None: raise Over(f'{what}: it was over first\n{p.communicate()}')
        time.sleep(.01)
    raise AssertionError(f'{what}: not within {limit} s')

def caught(f, d, n, times=3):
    "`f(d, n, folder)`, with another folder when the moment to kill was missed"
    for k in range(times):
        try: return f(d, n, f'{f.__name__}{k}')
        except Over:
            if k == times-1: raise

def state(folder): return {str(f.relative_to(folder)): (f.stat().st_mtime_ns, f.stat().st_ino) for f in folder.rglob('*') if f.is_file()}
def finished(folder): return sorted(f.name[:9] for f in (folder/'data').glob('clip_*_metadata.json'))
def notes(folder):
    for f in (folder/'data').glob('.clip_*.try'):
        try: tries, pid, _ = f.read_text().split()
        except (OSError, ValueError): continue
        yield f.name[1:10], int(pid)

def whole(folder, n):
    "Every clip once, every file of it, and nothing else"
    assert sorted(f.name for f in (folder/'data').iterdir()) == sorted(f'clip_{k:04d}_{x}' for k in range(n) for x in FILES), sorted(os.listdir(folder/'data'))
    pairs = [w.stem for s in ('train', 'val', 'test') for w, _ in find_pairs(folder/s)]
    assert sorted(int(p.split('_')[1]) for p in pairs) == list(range(n)), pairs
    assert not [f for f in folder.rglob('.*')], 'left behind: ' + ', '.join(map(str, folder.rglob('.*')))
    report = json.loads((folder/'dataset_report.json').read_text())
    assert report['clips'] == report['planned'] == n and not report['failed'], report['failed']

def films(folder, n):
    "`n` speakers of one film"
    wave, sr = read_wave(ROOT/'koemorph/samples/en.wav')
    jaw = .6*np.sqrt([(x**2).mean() for x in np.split(wave[:150*640], 150)])/.2
    folder.mkdir()
    talking_face(jaw.clip(0, .6), 25, wave, folder/'a_1.mp4')
    for k in range(1, n): shutil.copy(folder/'a_1.mp4', folder/f'{chr(97+k)}_1.mp4')

def worker_killed(d, n, out_):
    "Two workers on localhost, one killed while it is at work on a clip"
    where = d/f'{out_}.json'
    scheduler = start('-m', 'distributed.cli.dask_scheduler', '--host', '127.0.0.1', '--port', '0', '--no-dashboard', '--scheduler-file', where, cwd=d, stderr=subprocess.DEVNULL)
    def address_there():
        try: return json.loads(where.read_text())['address']
        except (OSError, ValueError, KeyError): return None                  # not there, or half of it
    address = wait_for('scheduler', address_there, scheduler)
    workers = [start('-m', 'distributed.cli.dask_worker', address, '--nthreads', '1', '--no-nanny', '--no-dashboard', '--local-directory', d/'dask', cwd=d, stderr=subprocess.DEVNULL) for _ in range(2)]
    with distributed.Client(address, timeout=120) as client: client.wait_for_workers(2, 120)
    p = dataset('films', '-o', out_, '--min_clip', '1', '--cluster', address, cwd=d)
    pids = {w.pid: w for w in workers}
    clip, pid = wait_for('a worker at work', lambda: next(((c, i) for c, i in notes(d/out_) if i in pids and finished(d/out_)), None), p)
    os.kill(pid, signal.SIGKILL)
    code, out, err = finish(p)
    assert code == 0, err
    whole(d/out_, n)
    pids.pop(pid); assert all(w.poll() is None for w in pids.values()), 'the other worker died too'
    for q in (*pids.values(), scheduler): q.terminate(); q.wait(120)
    said.append(f'worker killed at {clip}: {n} clips, each once')
    return out_

def again_nothing(d, folder):
    "The same command a second time"
    before = state(d/folder)
    code, out, err = finish(dataset('films', '-o', folder, '--min_clip', '1', cwd=d))
    assert code == 0 and '(0 of them new)' in out and state(d/folder) == before, err+out
    said.append('a rerun changes nothing')
    return out

def trains(d, printed):
    "The words the command ends with, typed as they stand, and a very small network"
    words = shlex.split(next(l for l in printed.splitlines() if l.startswith('koemorph train')), comments=True)
    small = 'model.d_model=16 model.n_heads=2 model.d_read=8 model.window_frames=4 model.dilations=[1] model.emotion_dim=8 model.emotion_tokens=2'.split()
    code, out, err = finish(start('-m', *words, *small, 'data.window_frames=32', 'data.batch_size=2', 'data.cache_dir=rows', 'training.max_steps=2', 'training.onnx=never',
                                  'hydra.run.dir=trained', cwd=d, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    assert code == 0 and (d/'trained/checkpoints/last_model/model.safetensors').is_file(), out+err
    assert ('val_data_dir=null' in printed) == (not any('val_data_dir' in w and 'null' not in w for w in words)), words
    shutil.rmtree(d/'trained')

def run_killed(d, n, folder):
    "Everything killed at once, in the middle"
    p = dataset('films', '-o', folder, '--min_clip', '1', '--jobs', '2', cwd=d)
    wait_for('the middle', lambda: len(finished(d/folder)) >= 2 and list(notes(d/folder)), p)
    os.killpg(p.pid, signal.SIGKILL); p.wait(30); time.sleep(.5)
    done, before = finished(d/folder), state(d/folder)
    if len(done) == n: raise Over(f'all {n} clips were finished')
    assert 2 <= len(done) < n, f'{len(done)} of {n} clips were finished'
    (d/folder/'data/.clip_0003_audio.wav.1.part').write_text('half a file')
    code, out, err = finish(dataset('films', '-o', folder, '--min_clip', '1', '--jobs', '2', cwd=d))
    assert code == 0 and f'({n-len(done)} of them new)' in out, err+out
    after = state(d/folder)
    assert all(after[k] == v for k, v in before.items() if Path(k).name[:9] in done), 'a finished clip was made again'
    whole(d/folder, n)
    said.append(f'run killed after {len(done)} clips: the other {n-len(done)} made by the next')
    return folder

def clip_that_kills(d, n):
    "A clip whose decoder takes the process with it: three tries, and everybody else is served"
    (d/'deadly.py').write_text("""import math, os
from koemorph.dataset_pipeline import BLENDSHAPES, Face
def see(rgb, t):
    if rgb.shape[0] < 100: os._exit(11)
    face = Face((n, .3+.2*math.sin(5*t+k)) for k, n in enumerate(BLENDSHAPES))
    face.box, face.yaw = (60, 60, 260, 280), 0
    return face
""")
    src = '''import sys; sys.path.insert(0, sys.argv[1])
import deadly
from koemorph.dataset_pipeline import *
if __name__ == '__main__':
    r = build(['few'], 'deadly', DatasetCfg(CutCfg(min_clip=1.), min_score=0), jobs=2, tracker=deadly.see)
    print(r['clips'], r['failed'][0]['error'])'''
    (d/'few').mkdir()
    for k in range(3): shutil.copy(d/'films/a_1.mp4', d/f'few/{"prq"[k]}_1.mp4')
    wave, sr = read_wave(ROOT/'koemorph/samples/en.wav')
    tiny(d/'few/q_1.mp4', wave)
    ENV['PYTHONPATH'] = os.pathsep.join([str(d), ENV['PYTHONPATH']])
    (d/'run.py').write_text(src)
    code, out, err = finish(start(d/'run.py', d, cwd=d, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    assert code == 0 and out.startswith('2 ') and 'three processes died' in out and 'q_1.mp4' in out, err+out
    said.append('a clip that kills its process is given up after three')

def tiny(path, wave):
    "A film 64 pixels high"
    import av
    with av.open(str(path), 'w') as box:
        video, sound = box.add_stream('libx264', rate=25, width=64, height=64, pix_fmt='yuv420p'), box.add_stream('aac', rate=16_000, layout='mono')
        for k in range(150): box.mux(video.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), k, np.uint8), format='rgb24')))
        box.mux(video.encode())
        f = av.AudioFrame.from_ndarray(wave[None], format='fltp', layout='mono'); f.sample_rate, f.pts = 16_000, 0
        box.mux(sound.encode(f)); box.mux(sound.encode())

def bad_videos(d):
    "One line for each, and the good one among them is made"
    import av
    bad = d/'bad'; bad.mkdir()
    good = d/'films/a_1.mp4'
    (bad/'text_1.mp4').write_text('Dear diary, this is not a film.'); (bad/'nothing_1.mp4').touch()
    (bad/'header_1.mp4').write_bytes(good.read_bytes()[:600])
    talking_face(np.zeros(40), 25, None, bad/'silent_1.mp4')
    talking_face(np.zeros(40), 25, np.zeros(32_000, np.float32), bad/'mute_1.mp4')
    with av.open(str(bad/'radio_1.mp4'), 'w') as box:
        s = box.add_stream('aac', rate=16_000, layout='mono')
        f = av.AudioFrame.from_ndarray(np.zeros((1, 32_000), np.float32), format='fltp', layout='mono'); f.sample_rate = 16_000
        box.mux(s.encode(f)); box.mux(s.encode())
    with av.open(str(bad/'zero_1.mp4'), 'w') as box:
        v = box.add_stream('libx264', rate=25, width=64, height=64, pix_fmt='yuv420p'); box.start_encoding()
    shutil.copy(good, bad/'good_1.mp4'); (d/'hollow').mkdir()
    code, out, err = finish(dataset('bad', 'gone.mp4', 'hollow', '-o', 'mixed', '--min_clip', '1', '--jobs', '1', cwd=d))
    lines = err.strip().splitlines()
    want = dict(text_1='not a video', nothing_1='empty', header_1='cut short', silent_1='no sound', mute_1='nobody speaks', radio_1='no pictures', zero_1='has no pictures', gone='no such file', hollow='no video in this folder')
    assert code == 1 and len(lines) == len(want)+1, f'exit code {code}\n{err}'
    for name, words in want.items():
        line = [l for l in lines if name in l]
        assert len(line) == 1 and words in line[0] and 'Error' not in line[0], f'{name}: {line}\n{err}'
    assert '1 clip (' in out and '1 speaker,' in out and finished(d/'mixed') == ['clip_0000'], out+err
    said.append(f'{len(want)} videos that are none, one line each')
    shutil.copy(good, bad/'text_1.mp4')                                     # mended; asked for again only when told to
    first = state(d/'mixed/data')
    code, out, err = finish(dataset('bad', '-o', 'mixed', '--min_clip', '1', '--jobs', '1', cwd=d))
    assert code == 1 and '(0 of them new)' in out and 'text_1' in err, out+err
    code, out, err = finish(dataset('bad', '-o', 'mixed', '--min_clip', '1', '--jobs', '1', '--retry-failed', cwd=d))
    assert code == 1 and '2 clips (1 of them new)' in out and 'text_1' not in err and 'radio_1' in err, out+err
    assert {k: v for k, v in state(d/'mixed/data').items() if k in first} == first, 'a clip was made again'
    said.append('a mended film retried')

def options(d):
    "What the other options do, each seen in what is written"
    cut, hurt = d/'cut_1.mp4', d/'hurt_1.mp4'
    damaged(d/'films/a_1.mp4', hurt)
    faststart(d/'films/a_1.mp4', cut); cut.write_bytes(cut.read_bytes()[:cut.stat().st_size*6//10])
    code, out, err = finish(dataset(hurt, cut, '-o', 'plain', '--min_clip', '1', '--jobs', '1', '--min_score', '100', cwd=d))
    assert code == 0 and 'koemorph train' not in out and '2 not for training, below --min_score 100' in out and 'cut_1.mp4 says it is 6.' in err and 'hurt_1.mp4 is damaged' in err, out+err
    assert not list((d/'plain').rglob('*.jsonl')) and not (d/'plain/clips').exists(), 'a clip below min_score became a pair'
    code, out, err = finish(dataset('films/a_1.mp4', '-o', 'rich', '--min_clip', '1', '--jobs', '1', '--speaker', 'zoe', '--smooth', '--f0', 'harvest', '--write_clips', '--fps', '30', cwd=d))
    assert code == 0, err
    plain, rich = next(iter(Clips(d/'plain'))), next(iter(Clips(d/'rich')))
    assert [p.name for p in (d/'rich/train').glob('*.wav')] == ['zoe_0000.wav'] and rich.about['speaker'] == 'zoe'
    assert (d/'rich'/rich.about['clip_path']).stat().st_size > 10_000 and rich.track.fps == 30 and plain.about['clip_path'] is None
    def bends(clip): return np.abs(np.diff(clip.track.resample(25)['jawOpen'], 2)).mean()
    assert bends(rich) < bends(plain), 'not smoother'
    dio, harvest = ((np.abs(rich.features['f0']-pitch(rich.wave, 16_000, 30, len(rich.mask), f0)) < 1).mean() for f0 in ('dio', 'harvest'))
    assert harvest > dio+.2, f'not the pitch that was asked for: {harvest:.2f} of the rows are harvest, {dio:.2f} dio'    # a file of 16 bits moves some
    trains(d, out)
    lost = next((d/'rich/train').glob('*.jsonl')); lost.unlink()
    code, again, err = finish(dataset('films/a_1.mp4', '-o', 'rich', '--min_clip', '1', '--jobs', '1', '--speaker', 'zoe', '--smooth', '--f0', 'harvest', '--write_clips', '--fps', '30', cwd=d))
    assert code == 0 and '(1 of them new)' in again and lost.is_file(), again+err
    cutting(d)
    said.append('every option, one speaker trained on')

def cutting(d):
    "Where clips begin and end, which model, and sound put back in its place"
    wave, sr = read_wave(ROOT/'koemorph/samples/en.wav')
    jaw = .6*np.sqrt([(x**2).mean() for x in np.split(wave[:150*640], 150)])/.2
    late = d/'late_1.mp4'
    talking_face(jaw.clip(0, .6), 25, wave, late, late=.12)
    words = [late, '-o', 'fine', '--min_clip', '.5', '--jobs', '1', '--max_clip', '3', '--max_gap', '.1', '--min_speech', '.2', '--vad_mode', '3', '--frame_ms', '10', '--model', face_model_path(), '--min_score', '0']
    code, out, err = finish(dataset(*words, cwd=d))
    assert code == 0, err
    fine, asked = list(Clips(d/'fine')), json.loads((d/'fine/manifest.json').read_text())['options']
    assert asked['cut'] == dict(min_speech=.2, max_gap=.1, min_clip=.5, max_clip=3, vad_mode=3, frame_ms=10, pad=.2) and asked['model'] == face_model_path(), asked
    assert len(fine) > 1 and all(.5 <= len(c.wave)/16_000 <= 3 for c in fine), [len(c.wave)/16_000 for c in fine]
    code, out, err = finish(dataset(late, '-o', 'mended', '--min_clip', '1', '--jobs', '1', '--fix_lag', cwd=d))
    moved = [c.about['quality_report']['sound_shifted_seconds'] for c in Clips(d/'mended')]
    assert code == 0 and np.allclose(moved, .12, atol=.02), f'{moved} {err}'

def captured(d):
    "`koemorph capture` of one film, a face gone in the middle: three kinds of file, the same numbers in each"
    film = d/'capture.mp4'
    talking_face(np.tile([0, .2, .4, .2], 10), 25, None, film, nobody=(.6, 1), gap=(1.2, 1.4))
    for kind in ('csv', 'json', 'jsonl'):
        code, out, err = finish(start('-m', 'koemorph', 'capture', '--video', film.name, '--output', f'face.{kind}', cwd=d, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        assert code == 0 and not err and out.startswith(f'face.{kind}: 40 frames at 25 fps') and 'no face in' in out and 'no picture in' in out, out+err
    csv, jsonl, rows = read_track(d/'face.csv'), read_track(d/'face.jsonl', gaps='nan'), json.loads((d/'face.json').read_text())
    json_ = np.array([[np.nan if r[n] is None else r[n] for n in ARKIT] for r in rows])
    seen = ~np.isnan(csv['jawOpen'])
    assert set(rows[0]) == {'frame', 'timestamp', 'tongueOut', *BLENDSHAPES} and 20 < seen.sum() < 35, (seen.sum(), list(rows[0]))
    for v in (jsonl.select(ARKIT).values, json_): assert np.allclose(csv.select(ARKIT).values, v, atol=1e-4, equal_nan=True), 'another file, other numbers'
    said.append('captured as csv, json and jsonl')

def damaged(path, out):
    "The same film, one of its pictures without its second half"
    import av
    with av.open(str(path)) as box: packets = [(p.pos, p.size) for p in box.demux(box.streams.video[0]) if p.size]
    b = bytearray(path.read_bytes())
    at, size = packets[30]; b[at+size//2:at+size] = bytes(size-size//2)
    out.write_bytes(b)

def faststart(path, out):
    "The same film with its index at the beginning"
    import av
    with av.open(str(path)) as old, av.open(str(out), 'w', options=dict(movflags='faststart')) as new:
        to = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for p in old.demux():
            if p.dts is not None: p.stream = to[p.stream.index]; new.mux(p)

def refused(what, d, words, *expected):
    "One line, exit code 1"
    code, out, err = finish(dataset(*words, cwd=d))
    lines = err.strip().splitlines()
    assert code == 1 and len(lines) == 1 and lines[0].startswith('koemorph: '), f'{what}: exit code {code}\n{err}'
    for w in expected: assert w in err, f'{what}: no {w!r} in {err}'
    assert 'KOEMORPH_DEBUG' not in err, f'{what}: an error nobody foresaw\n{err}'
    said.append(what)

def mounted(d, name, options):
    "A small file system at `d/name`, where the system lets us have one"
    (d/name).mkdir()
    r = shutil.which('mount') and subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', str(d/name)], capture_output=True)
    return bool(r) and not r.returncode

def bad_folders(d, killed):
    few = ['films/a_1.mp4', '--min_clip', '1', '--jobs', '1']
    refused('no -o', d, few, '-o')
    (d/'file').write_text('here first')
    refused('a folder below a file', d, [*few, '-o', 'file/faces'], 'cannot write')
    refused('a missing model', d, [*few, '-o', 'x1', '--model', 'nowhere.task'], 'nowhere.task', 'no such file')
    (d/'broken.task').write_text('not a model')
    refused('vad_mode 7', d, [*few, '-o', 'x3', '--vad_mode', '7'], 'vad_mode=7')
    refused('min_clip over max_clip', d, ['films', '-o', 'x4', '--min_clip', '300'], 'min_clip')
    refused('a score nobody can reach', d, [*few, '-o', 'x8', '--min_score', '101'], 'min_score=101')
    refused('a rate that is none', d, [*few, '-o', 'x5', '--fps', 'fast'], 'fast')
    refused('a pitch that is none', d, [*few, '-o', 'x6', '--f0', 'harvst'], 'harvest')
    refused('no such cluster', d, [*few, '-o', 'x7', '--cluster', 'tcp://127.0.0.1:9'], '127.0.0.1:9')
    refused('other options in the same folder', d, ['films/a_1.mp4', '-o', killed, '--min_clip', '2'], 'min_clip=1.0', '2.0')
    for what, options, words in (('disk full', 'size=200k', 'No space left'), ('read-only', 'ro', 'Read-only')):
        name = what.replace(' ', '_')
        if not mounted(d, name, options): skipped.append(f'{what} (no right to mount a small tmpfs)'); continue
        try:
            refused(what, d, [*few, '-o', f'{name}/faces'], words)
            assert not finished(d/name/'faces') and not list((d/name).rglob('.*.part')), 'half a clip was left'
        finally: subprocess.run(['umount', str(d/name)])

with tempfile.TemporaryDirectory() as tmp:
    d, n = Path(tmp), 6
    try:
        films(d/'films', n)
        trains(d, again_nothing(d, caught(worker_killed, d, n))); said.append('trained on with nothing between')
        killed = caught(run_killed, d, n)
        captured(d); options(d); clip_that_kills(d, n); bad_videos(d); bad_folders(d, killed)
    finally:
        for p in ours:
            if p.poll() is None: os.killpg(p.pid, signal.SIGKILL); p.wait(30)
if skipped: print('not run:', '; '.join(skipped))
print('; '.join(said))
