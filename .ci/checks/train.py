#!/usr/bin/env python3
"Every training command line of the original design runs, renamed `koemorph train …`; a killed run arrives where an unbroken one does; two processes equal one"
import contextlib, io, json, os, shlex, signal, subprocess, sys, tempfile, time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from unittest import mock
import torch
from koemorph.io import main, write_jsonl, write_wave
from koemorph.pretrained import read_clip, targets

# The lines of the design document, left as they stand there; right what is typed today, where that is not the same words.
SEQUENTIAL, CONVENTIONAL = 'python src/train_sequential.py', 'python src/train.py'
LINES = [l.strip() for l in f'''
    {SEQUENTIAL}
    {SEQUENTIAL} frame_rate=60
    {SEQUENTIAL} data.train_data_dir=/absolute/path/to/data/train data.val_data_dir=/absolute/path/to/data/val data.stride_mode=progressive data.initial_stride=32 data.final_stride=1
    {SEQUENTIAL} data.train_data_dir=data/train data.val_data_dir=data/val training.max_epochs=100 training.optimizer.lr=3e-4 data.batch_size=4 model.d_model=256 model.dual_stream_attention.temperature=0.1
    {SEQUENTIAL} data.stride_mode=dense data.window_frames=256 data.stride_frames=1
    {SEQUENTIAL} data.stride_mode=mixed data.dense_sampling_ratio=0.1
    {SEQUENTIAL} debug=true data.max_files=5
    {CONVENTIONAL}
    {SEQUENTIAL} checkpoint_path=checkpoints/last_model.pth training.max_epochs=150
    {SEQUENTIAL} checkpoint_path=checkpoints/last_model.pth data.stride_mode=dense training.max_epochs=120
    {SEQUENTIAL} model.d_model=512 model.dual_stream_attention.temperature=0.05
    {SEQUENTIAL} data.batch_size=8 data.window_frames=128 data.stride_mode=progressive
    {SEQUENTIAL} training.optimizer.lr=5e-4 training.max_epochs=120 loss.temporal_weight=0.3
    {SEQUENTIAL} data.batch_size=2
    {SEQUENTIAL} model.d_model=128
    {SEQUENTIAL} data.window_frames=128
    {SEQUENTIAL} training.accumulate_grad_batches=4
    {SEQUENTIAL} data.train_data_dir=/full/path/to/data/train
    {SEQUENTIAL} model.dual_stream_attention.temperature=0.05
    {SEQUENTIAL} data.stride_mode=sparse data.initial_stride=16
    {SEQUENTIAL} data.num_workers=2
    {SEQUENTIAL} data.stride_mode=progressive
    {SEQUENTIAL} data.pin_memory=true
    {SEQUENTIAL} training.optimizer.lr=5e-4
    {SEQUENTIAL} debug=true data.max_files=3
    {SEQUENTIAL} data.stride_mode=mixed data.dense_sampling_ratio=0.2
    {SEQUENTIAL} data.final_stride=1
    {SEQUENTIAL} data.initial_stride=32
    {SEQUENTIAL} data.stride_mode=mixed data.dense_sampling_ratio=0.1 data.num_workers=2
    {SEQUENTIAL} loss.temporal_weight=0.3
    {SEQUENTIAL} features.emotion.backend=opensmile features.emotion.update_interval=0.5 features.emotion.context_window=30.0
'''.strip().splitlines()]
REFUSED = {   # what is typed, and what must be said
    'model/dual_stream_attention/temperature=0.05': "did you mean 'model.dual_stream_attention.temperature'",   # marked wrong in the document too
    'features.emotion.update_interval=0.5': 'opensmile lets you choose',
    'features.emotion.context_window=30.0': 'prosody has 20 s',
    'features.emotion.backend=emotion2vec': 'neither streams nor fits',
    'features.mel.hop_length=533': 'exact clock',
    'data.stride_mod=dense': "did you mean 'data.stride_mode'",
    'data.stride_mode=dens': "did you mean 'dense'",
    'data.batch_size=four': 'could not be converted to Integer',
    'data.train_data_dir=nowhere': 'nowhere',
    'checkpoint_path=nowhere': 'no such folder',
}
TINY = dict(model='d_model: 16\nn_heads: 2\nd_read: 8\nwindow_frames: 4\ndilations: [1]\nemotion_dim: 8\nemotion_tokens: 2\n',
            training='warmup_steps: 3\nonnx: never\n')
SMALL = ['--config-dir', 'mine', 'model=tiny', 'training=tiny']

def toy(folder):
    "Three short clips of two speakers to learn from, one of a third to be judged on, and settings of the user's own"
    def clip(split, name, lang, a, b):
        wave, about = read_clip(files('koemorph')/f'samples/{lang}.json')
        t = replace(targets(about['phones'], wave, about['alphabet']).slice(a, b), t0=0.)
        d = folder/'data'/split; d.mkdir(parents=True, exist_ok=True)
        write_wave(wave[a*16_000//30:b*16_000//30], d/f'{name}.wav'); write_jsonl(t, d/f'{name}.jsonl')
    clip('train', 'ann_001', 'en', 0, 90); clip('train', 'ann_002', 'en', 60, 150); clip('train', 'bob_001', 'ja', 0, 70)
    clip('val', 'eve_001', 'ja', 60, 120)
    for group, text in TINY.items():
        d = folder/'mine'/group; d.mkdir(parents=True)
        (d/'tiny.yaml').write_text(f"defaults: [{'dual_stream' if group=='model' else 'default'}]\n{text}")

def typed(line):
    "The words after `koemorph train` for a line of the document"
    words = shlex.split(line.removeprefix(SEQUENTIAL).removeprefix(CONVENTIONAL))
    if line.startswith(CONVENTIONAL): words.append('training.mode=conventional')
    for was, now in {'/absolute/path/to/': f'{os.getcwd()}/', '/full/path/to/': f'{os.getcwd()}/', 'checkpoints/last_model.pth': 'first/checkpoints/last_model'}.items():
        words = [w.replace(was, now) for w in words]
    return words

def train(*words, pictures=False):
    "Exit code and all that was said. TensorBoard's pictures are most of so short a run: `layout` has them drawn"
    out, drawn = io.StringIO(), contextlib.nullcontext() if pictures else mock.patch('koemorph.train._board', lambda folder, valid: None)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), drawn: code = main(['train', *SMALL, *words])
    return code, out.getvalue()

def log(run): return json.loads(Path(run, 'checkpoints/last_model/config.json').read_text())['log']
def weights(run): return torch.load(Path(run, 'checkpoints/last_model/trainer/last.pt'), weights_only=True)
def differ(a, b): return max((a['net'][k]-b['net'][k]).abs().max().item() for k in a['net'])
def cli(*words): return [sys.executable, '-m', 'koemorph', *words]

def every_line():
    code, said = train('training.max_steps=3', 'hydra.run.dir=first')
    assert code==0, said
    for k, line in enumerate(LINES):
        code, said = train(*typed(line), f"training.max_steps={5 if 'checkpoint_path' in line else 2}", f'hydra.run.dir=line{k}')
        assert code==0, f'{line}\n{said}'
        made = {p.name for p in Path(f'line{k}/checkpoints/best_model').iterdir()}
        assert {'model.safetensors', 'config.json'}<=made and log(f'line{k}')[-1]['step']==(5 if 'checkpoint_path' in line else 2), (line, made)
    for words, why in REFUSED.items():
        code, said = train(words, 'hydra.run.dir=refused')
        assert code==1 and why in said and said.count('koemorph: ')==1 and 'Traceback' not in said, f'{words}: exit code {code}\n{said}'
    return f'{len(LINES)} command lines, {len(REFUSED)} refusals'

def layout():
    "outputs/DATE/TIME, twice in a second; a sweep; TensorBoard finds the curves"
    for _ in range(2):
        code, said = train('training.max_epochs=2', 'training.keep_every_epochs=1', pictures=True); assert code==0, said
    code, said = train('--multirun', 'training.max_steps=1', 'training.optimizer.lr=1e-3,3e-3', 'data.stride_mode=dense,sparse', pictures=True); assert code==0, said
    runs = sorted(p.parent for p in Path('outputs').glob('*/*/.hydra')); jobs = sorted(Path('outputs').glob('*/*/[0-3]'))
    assert len(runs)==2 and len(jobs)==4, (runs, jobs)
    for r in [*runs, *jobs]: assert (r/'logs').is_dir() and (r/'checkpoints/best_model/config.json').exists() and (r/'checkpoints/last_model/trainer/last.pt').exists(), r
    assert (runs[0]/'checkpoints/checkpoint_epoch_1/model.safetensors').exists() and (runs[0]/'checkpoints/checkpoint_epoch_2').exists()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    e = EventAccumulator(str(runs[0]/'logs')); e.Reload()
    assert {'train', 'valid', 'lr'}<=set(e.Tags()['scalars']) and {'gate', 'time', 'tokens', 'face'}<=set(e.Tags()['images']), e.Tags()
    return f'{len(runs)} runs and a sweep of {len(jobs)} in place'

LONG = ['training.max_epochs=4', 'data.batch_size=2', 'data.window_frames=32', 'data.initial_stride=6', 'data.final_stride=3']
def killed():
    "Four epochs straight, and four that were killed in the third and taken up"
    code, said = train(*LONG, 'hydra.run.dir=straight'); assert code==0, said
    p = subprocess.Popen(cli('train', *SMALL, *LONG, 'training.save_every_steps=3', 'hydra.run.dir=cut'), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    last, end = Path('cut/checkpoints/last_model/trainer/last.pt'), time.time()+240
    while True:
        assert p.poll() is None and time.time()<end, 'the run ended before it was killed'
        kept = torch.load(last, weights_only=True)['kept'] if last.exists() else dict(epoch=0, at=0)
        if kept['epoch']==2 and kept['at']>3: break
        time.sleep(.02)
    p.send_signal(signal.SIGKILL) if hasattr(signal, 'SIGKILL') else p.kill()
    p.wait(); kept = weights('cut')['kept']
    assert kept['at']>0, f"killed between epochs: {kept['epoch'], kept['at']}"
    code, said = train(*LONG, 'checkpoint_path=cut', 'hydra.run.dir=resumed'); assert code==0, said
    a, b = log('straight')[-1], log('resumed')[-1]
    off = max(abs(a[k]-b[k]) for k in ('train', 'valid')); assert off<=1e-6 and a['step']==b['step'], (a, b)
    far = differ(weights('straight'), weights('resumed')); assert far==0, f'weights differ by {far}'
    return f"killed in epoch {kept['epoch']+1} after step {kept['at']}, resumed: final losses {off:.1g} apart, weights equal"

def two_processes():
    code, said = train(*LONG, 'training.accumulate_grad_batches=2', 'hydra.run.dir=one'); assert code==0, said
    r = subprocess.run([sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2', '-m', 'koemorph', 'train', *SMALL, *LONG, 'hydra.run.dir=two'],
                       capture_output=True, text=True, timeout=240)
    assert r.returncode==0, r.stdout+r.stderr
    a, b = log('one'), log('two')
    off = max(abs(x[k]-y[k]) for x, y in zip(a, b) for k in ('train', 'valid'))
    assert len(a)==len(b)==4 and off<1e-6, (off, a, b)
    assert weights('two')['kept']['mark']==weights('one')['kept']['mark'], 'two processes did not split the same groups'
    return f'two processes: loss curves of {len(a)} epochs {off:.1g} apart'

def bad_data():
    "Good recordings among bad ones are used; the bad are named with the reason; only bad ones are an error"
    good, bad = Path('data/train'), Path('bad'); bad.mkdir()
    for p in good.iterdir(): (bad/p.name).write_bytes(p.read_bytes())
    wav, track = (good/'ann_001.wav').read_bytes(), (good/'ann_001.jsonl').read_text()
    accidents = {'zed_alone': (wav, None), 'zed_cut': (wav[:20], track), 'zed_long': (wav, ''.join(track.splitlines(True)[:20])),
                 'zed_nan': (wav, track.replace('0.0,', 'NaN,', 1)), 'zed_empty': (wav, '')}
    reasons = {'zed_alone': 'no .jsonl', 'zed_cut': 'zed_cut.wav', 'zed_long': 'more than max_mismatch', 'zed_nan': 'NaN is not JSON', 'zed_empty': '0 bytes'}
    for name, (w, t) in accidents.items():
        (bad/f'{name}.wav').write_bytes(w)
        if t is not None: (bad/f'{name}.jsonl').write_text(t)
    code, said = train('data.train_data_dir=bad', 'training.max_steps=2', 'hydra.run.dir=withbad'); assert code==0, said
    for name, why in reasons.items():
        assert any(f'left out {name}.wav' in l and why in l for l in said.splitlines()), f'{name}: {why}\n{said}'
    assert '3 recordings' in said and 'left out ann' not in said, said
    for p in bad.glob('[ab]*'): p.unlink()
    code, said = train('data.train_data_dir=bad', 'hydra.run.dir=onlybad')
    assert code==1 and 'none of 4 recordings can be used' in said and 'Traceback' not in said, said
    return f'{len(reasons)} accidents named'

def stops_early():
    "A validation loss that stands still ends the run; a finished run says so and does nothing"
    code, said = train('training.optimizer.lr=0', 'training.early_stopping_patience=2', 'training.max_epochs=50', 'hydra.run.dir=early'); assert code==0, said
    assert [l['epoch'] for l in log('early')]==[1, 2, 3], log('early')
    code, said = train('checkpoint_path=first', 'training.max_steps=3', 'hydra.run.dir=done')
    assert code==0 and 'nothing left to do' in said and log('done')==log('first'), said
    code, said = train('checkpoint_path=first', 'model.d_model=32', 'hydra.run.dir=refused')
    assert code==1 and 'd_model 16, not 32' in said, said
    return 'early stopping, finished runs, other networks'

def other_rates():
    "60 fps data in a 30 fps network and 30 in 60"
    wave, about = read_clip(files('koemorph')/'samples/en.json'); d = Path('data60'); d.mkdir()
    write_wave(wave, d/'a_1.wav'); write_jsonl(targets(about['phones'], wave, about['alphabet'], fps=60), d/'a_1.jsonl')
    for rate in 30, 60:
        code, said = train('data.train_data_dir=data60', f'frame_rate={rate}', 'training.max_steps=2', f'hydra.run.dir=rate{rate}'); assert code==0, said
    return '60 fps data at 30 and at 60'

def without_torch():
    "A checkpoint made here runs where there is no torch"
    code, said = train('training.max_steps=2', 'training.onnx=end', 'hydra.run.dir=whole'); assert code==0, said
    run = "import sys; sys.modules['torch'] = None; from koemorph.io import main; sys.exit(main(sys.argv[1:]))"
    r = subprocess.run([sys.executable, '-c', run, 'run', 'data/val/eve_001.wav', '-o', 'face.jsonl', '--model_path', 'whole/checkpoints/best_model'], capture_output=True, text=True)
    assert r.returncode==0 and len(Path('face.jsonl').read_text().splitlines())==60, r.stdout+r.stderr
    return 'koemorph run on the new checkpoint, without torch'

if __name__=='__main__':
    torch.set_num_threads(1); root = Path(__file__).resolve().parents[2]
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [str(root), os.environ.get('PYTHONPATH')]))
    with tempfile.TemporaryDirectory() as tmp:
        os.environ['XDG_CACHE_HOME'] = str(Path(tmp)/'cache'); os.chdir(tmp); toy(Path(tmp))
        for part in (every_line, stops_early, layout, killed, two_processes, bad_data, other_rates, without_torch):
            start = time.time(); said = part()
            print(f'{said} ({time.time()-start:.0f} s)', flush=True)
        os.chdir(root)
