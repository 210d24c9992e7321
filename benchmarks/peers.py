#!/usr/bin/env python3
"""Public peers from npm beside ours in one run, as JSON: how well each follows real lips, what it does with sounds that are no voice, what it costs

usage: benchmarks/peers.py FOLDER [--out peers] [--models live …] [--peers wlipsync headaudio] [--rate 48000] [--profile FILE …] [--cache DIR]

FOLDER holds takes/NAME/audio.wav with truth.npz (`values` (frames, 52) in ARKit order, row i at i/30 s; `channel_mask` (52,), `frame_mask` (frames,)),
phones.json ([start, end, ARPAbet, …]) where the words are known, and noise/*.wav. Takes whose names begin alike, up to the first `_`, are a set.
It needs npm, which brings the peers at the versions below into --cache, Chromium and playwright; with `--peers` and no name, none of them.

Each peer runs in headless Chromium as its README says (peers.js), with its own defaults, at the rate of a sound card (--rate), to which the browser
resamples the file as for everybody. Their visemes become 52 coefficients by SHAPES. HeadAudio's README delays the sound that one hears by 100 ms, for
its latency, so its face is held against the sound of 100 ms before. wLipSync comes without the profile it needs: --profile takes some (uLipSync's
JSON or the binary form, such as example/profile.bin of its repository). Without, two are made of the package's Japanese sample, measured as uLipSync's
calibration does: its vowels, and its vowels with an S, which moves no lips and takes to itself what is noise. Each profile is a system of its own.

Scores are of a set, the mean over its frames: `aperture_r` (lip gap in speech, r), `best_r` and `best_lag_ms` (the same where a constant delay is
forgiven; positive: late), `mouth_r` (r in speech, mean of the channels that move), `jaw_r` (jawOpen over the whole take, which mostly tells speech from
silence), `jitter` and `amplitude` (over the truth's, 1 is right), `bilabials_closed` (B P M) beside `vowels_shut` (false ones), `dip_recall` (the
truth's own short closures met), `open_shut` (open mouths that are shut). `noise` is how far a sound opens the lips. `rtf` is CPU time ÷ sound
on the longest take; a peer's is the browser's, less the same without the peer: a hint beside ours, no more. The faces are OUT/SYSTEM/TAKE.jsonl.
"""
import argparse, base64, functools, http.server, json, os, shutil, subprocess, sys, tempfile, threading
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MKL_NUM_THREADS='1')   # before numpy loads
from importlib.resources import files
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]/'.ci'))
import numpy as np
import machine
from browser import CHROMIUM, QUIET
from koemorph.dataset_pipeline import runs
from koemorph.features import load_wave, loudness_face
from koemorph.io import APERTURE, ARKIT, Track, aperture, closures, lips_shut, write_jsonl
from koemorph.realtime import animate, pipeline
from koemorph.train import lip_scores, motion, speaking

HERE = Path(__file__).resolve().parent
NPM = {'wlipsync': '1.3.1', '@met4citizen/headaudio': '0.1.0'}
DELAY = dict(wlipsync=0., headaudio=.1)                              # seconds by which its README has the sound delayed
LOOP = 60                                                            # frames a second of the animation loop in peers.js

# Oculus visemes in ARKit shapes: met4citizen/TalkingHead (MIT), blender/build-visemes-from-arkit.py, whose author wrote HeadAudio.
# A shape without a side is both sides. That wLipSync's letters are five of these visemes is our reading; its own example moves a VRM's aa ih ou ee oh.
SHAPES = dict(
    aa='jawOpen .6', E='mouthPress .8 mouthDimple 1 jawOpen .3', I='mouthPress .6 mouthDimple .6 jawOpen .2',
    O='mouthPucker 1 jawForward .6 jawOpen .2', U='mouthFunnel 1', PP='mouthRollLower .8 mouthRollUpper .8 mouthUpperUp .3',
    FF='mouthPucker 1 mouthShrugUpper 1 mouthLowerDown .2 mouthDimple 1 mouthRollLower 1', DD='mouthPress .8 mouthFunnel .5 jawOpen .2',
    SS='mouthPress .8 mouthLowerDown .5 jawOpen .1', TH='mouthRollUpper .6 jawOpen .2 tongueOut .4', CH='mouthPucker .5 jawOpen .2', RR='mouthPucker .5 jawOpen .2',
    kk='mouthLowerDown .4 mouthDimple .3 mouthFunnel .3 mouthPucker .3 jawOpen .15', nn='mouthLowerDown .4 mouthDimple .3 mouthFunnel .3 mouthPucker .3 jawOpen .15 tongueOut .2',
    sil='')
LETTERS = dict(A='aa', I='I', U='U', E='E', O='O')                  # other names of a profile ('S', '-') leave the mouth as it is
VOWELS = 'AA AE AH AO AW AY EH EY IH IY OY'.split()                  # unrounded ones, which no lips close for

def mixed(rows):
    "Viseme weights, a dict a row, as (rows, 52) coefficients"
    out = np.zeros((len(rows), 52), np.float32)
    for name in {n for r in rows for n in r}:
        w = np.array([r.get(name, 0) for r in rows], np.float32)
        words = SHAPES.get(LETTERS.get(name, name.removeprefix('viseme_')), '').split()
        for shape, much in zip(words[::2], words[1::2]):
            for side in ('',) if shape in ARKIT else ('Left', 'Right'): out[:, ARKIT.index(shape+side)] += w*float(much)
    return out.clip(0, 1)

def mfcc(x):
    "(1024,) samples at 16 kHz to uLipSync's 12 coefficients: 30 triangles of even mel, each of area one, over magnitudes"
    x = np.hamming(1024)*np.r_[x[0], x[1:]-.97*x[:-1]]
    power = np.abs(np.fft.rfft(x/max(np.abs(x).max(), 1e-9), 2048))[1:]
    hz, edge = np.arange(1, 1025)*8000/1024, 700*np.expm1(np.linspace(0, np.log1p(8000/700), 32))
    a, b, c = (edge[i:i+30, None] for i in range(3))
    mel = (np.minimum((hz-a)/(b-a), (c-hz)/(c-b)).clip(0)*2/(c-a)) @ power
    return np.cos(np.pi/30*np.outer(np.arange(1, 13), np.arange(30)+.5)) @ (10*np.log10(np.maximum(mel, 1e-10)))

def calibrated(entries, many=12):
    "A profile for wLipSync from the Japanese sample: the middles of the sounds that `entries` spell, under the settings of uLipSync's own sample profile"
    sample = files('koemorph')/'samples'
    wave, phones = load_wave(str(sample/'ja.wav')), json.loads((sample/'ja.json').read_text(encoding='utf-8'))['phones']
    def heard(sound):
        at = [round((a+b)/2*16_000) for a, b, p in phones if p == sound.lower()]
        return np.resize(np.array([mfcc(wave[k-512:k+512]) for k in at]), (many, 12)).tolist()
    mfccs = [dict(name=e, mfccCalibrationDataList=[dict(array=x) for x in heard(e)]) for e in entries]
    return dict(targetSampleRate=16_000, sampleCount=1024, melFilterBankChannels=30, compareMethod=2, mfccNum=12, mfccDataCount=many, useStandardization=False, mfccs=mfccs)

def entrants(peers, paths):
    "System → peer and, for wLipSync, its profile: JSON, or the binary form as text"
    read = lambda p: json.loads(p.read_text()) if p.suffix == '.json' else base64.b64encode(p.read_bytes()).decode()
    profiles = {p.stem: read(p) for p in paths} or {e: calibrated(e) for e in ('AIUEO', 'AIUEOS')}
    every = {f'wlipsync-{k}': ('wlipsync', p) for k, p in profiles.items()} | dict(headaudio=('headaudio', None))
    return {k: v for k, v in every.items() if v[0] in peers}

def install(cache):
    "The folder `cache`, with the peers' packages and what their page needs"
    if not (npm := shutil.which('npm')): sys.exit('npm is missing, which brings the peers: apt install npm, or --peers without a name')
    cache = Path(cache).resolve(); cache.mkdir(parents=True, exist_ok=True)
    r = subprocess.run([npm, 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', str(cache), *(f'{k}@{v}' for k, v in NPM.items())], capture_output=True, text=True)
    if r.returncode: sys.exit(f"npm could not install {', '.join(NPM)}: {r.stderr.strip()[-400:]}")
    shutil.copy(HERE/'peers.js', cache); (cache/'index.html').write_text('<!doctype html><link rel="icon" href="data:,">')
    return cache

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass

class Browser:
    "Headless Chromium on a page of the folder `cache`"
    def __init__(self, cache):
        if not CHROMIUM: sys.exit('Chromium is missing, in which the peers run: apt install chromium, or --peers without a name')
        try: from playwright.sync_api import sync_playwright
        except ModuleNotFoundError: sys.exit('playwright is missing, which drives the browser: pip install playwright')
        self.server, self.driver = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(cache))), sync_playwright()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
    def __enter__(self):
        self.browser = self.driver.__enter__().chromium.launch(executable_path=CHROMIUM, args=QUIET)
        self.page = self.browser.new_page(); self.page.set_default_timeout(0)
        self.page.goto(f'http://127.0.0.1:{self.server.server_port}/')
        return self
    def __exit__(self, *e): self.browser.close(); self.driver.__exit__(*e); self.server.shutdown()
    def cpu(self): return sum(p['cpuTime'] for p in self.browser.new_browser_cdp_session().send('SystemInfo.getProcessInfo')['processInfo'])
    def faces(self, peer, path, rate, profile):
        "Viseme weights, a dict a frame of the animation loop"
        sound = base64.b64encode(Path(path).read_bytes()).decode()
        return self.page.evaluate('async a => (await import("/peers.js")).faces(...a)', [peer, sound, rate, profile])
    def rtf(self, peer, path, seconds, rate, profile):
        took = []
        for who in (peer, ''):
            start = self.cpu(); self.faces(who, path, rate, profile); took.append(self.cpu()-start)
        return round(max(0, took[0]-took[1])/seconds, 4)

def read_take(folder):
    "A take: name, sound, truth with NaN where it was not seen, speech mask, phones"
    z, wave = np.load(folder/'truth.npz'), load_wave(folder/'audio.wav')
    truth, seen = np.array(z['values'], np.float32), np.array(z['channel_mask'], bool) | np.isin(ARKIT, list(APERTURE))   # a channel the rig has not is 0 in a gap
    truth[:, ~seen] = np.nan; truth[~np.array(z['frame_mask'], bool)] = np.nan
    phones = json.loads((folder/'phones.json').read_text(encoding='utf-8')) if (folder/'phones.json').exists() else []
    talk = speaking(np.r_[np.zeros(round(16_000/30), np.float32), wave], len(truth))                                       # row i is of i/30 s, a frame's end is one later
    return dict(name=folder.name, wave=wave, path=folder/'audio.wav', truth=truth, moves=seen & np.array(z['channel_mask'], bool), talk=talk, phones=[p for p in phones if p[0] >= .1])

def at(track, times):
    "The coefficients of `track` at `times`, the ends held"
    return np.stack([np.interp(times, track.times, c) for c in track.values.T], 1)

def dips(gap, wide):
    "(start, end) of the truth's own closures of a quarter second at most, between open mouths, seconds"
    opens = lambda x: x.max(initial=0) > .5*wide
    return [(s/30, (e-1)/30) for s, e in runs(gap < .25*wide) if e-s <= 7 and opens(gap[max(0, s-6):s]) and opens(gap[e:e+6])]

def judge(take, track):
    "What is said of one face, and how often each closure was met and asked for"
    truth, talk = take['truth'], take['talk']
    clock = np.arange(len(truth))/30
    y, jaw = at(track, clock), ARKIT.index('jawOpen')
    gap, real, seen = aperture(y), aperture(truth), ~np.isnan(aperture(truth))
    mouth = [i for i, n in enumerate(ARKIT) if n.startswith(('jaw', 'mouth')) and take['moves'][i] and np.nanstd(truth[:, i]) > .02]
    lag = {l: lip_scores(at(track, clock+l/1000), truth, talk)['r'] for l in range(-300, 301, 20)}
    r = lambda i, rows: np.nan_to_num(np.corrcoef(y[rows, i], truth[rows, i])[0, 1]) if y[rows, i].std() > 1e-5 else 0.
    now, own = Track(y.astype(np.float32), 30, t0=-1/30), np.percentile(gap[seen], 90)
    open_ = seen & (real > .6*np.percentile(real[seen], 90))
    short, middle = dips(real, np.percentile(real[seen], 90)), [((a+b)/2,)*2 for a, b, p, *_ in take['phones'] if p in VOWELS and b-a >= .06]
    met = dict(bilabials_closed=closures(now, [(max(a, b-.1), b) for a, b, p, *_ in take['phones'] if p in ('B', 'P', 'M')]), vowels_shut=closures(now, middle, slack=0.),
               dip_recall=closures(now, short), open_shut=(0 if lips_shut(own, own) else int(lips_shut(gap[open_], own).sum()), int(open_.sum())))
    return dict(frames=int(seen.sum()), aperture_r=lag[0], lags=lag, mouth_r=float(np.mean([r(i, talk & seen) for i in mouth])), jaw_r=float(r(jaw, seen)),
                jitter=motion(y[:, mouth], truth[:, mouth])['jitter'], amplitude=float(gap[seen].std()/real[seen].std()), met=met)

def pooled(rows):
    "The scores of a set: means over frames, closures counted over all"
    w = [r['frames'] for r in rows]
    mean = lambda k: round(float(np.average([r[k] for r in rows], weights=w)), 3)
    lag = {l: np.average([r['lags'][l] for r in rows], weights=w) for l in rows[0]['lags']}
    best = max(lag, key=lag.get)
    out = {k: mean(k) for k in ('aperture_r', 'mouth_r', 'jaw_r', 'jitter', 'amplitude')} | dict(best_r=round(float(lag[best]), 3), best_lag_ms=best)
    for k in rows[0]['met']:
        hit, of = np.sum([r['met'][k] for r in rows], 0)
        if of: out[k] = round(float(hit/of), 3)
    return out

def opening(track):
    "How far a sound that is no voice opens the lips: mean and most"
    gap = np.maximum(0, aperture(track))
    return dict(mean=round(float(gap.mean()), 3), max=round(float(gap.max()), 3))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder', type=Path); p.add_argument('--out', type=Path, default=Path('peers'))
    p.add_argument('--models', nargs='*', default=['live']); p.add_argument('--peers', nargs='*', choices=[*DELAY], default=[*DELAY])
    p.add_argument('--rate', type=int, default=48_000); p.add_argument('--profile', type=Path, nargs='*', default=[]); p.add_argument('--cache', type=Path)
    a = p.parse_args()
    takes, noises = sorted((a.folder/'takes').glob('*/truth.npz')), sorted((a.folder/'noise').glob('*.wav'))
    if not takes: sys.exit(f"{a.folder} has no takes/NAME/truth.npz: see {Path(__file__).name} --help")
    takes = [read_take(t.parent) for t in takes]
    sounds = {t['name']: t['path'] for t in takes} | {f'noise_{n.stem}': n for n in noises}
    longest = max(takes, key=lambda t: len(t['wave'])); seconds = len(longest['wave'])/16_000
    tracks, rtf, versions = {}, {}, {}
    if a.peers:
        with tempfile.TemporaryDirectory() as tmp, Browser(install(a.cache or Path(tmp))) as browser:
            for name, (peer, profile) in entrants(a.peers, a.profile).items():
                tracks[name] = {k: Track(mixed(browser.faces(peer, path, a.rate, profile)), LOOP, t0=-DELAY[peer]) for k, path in sounds.items()}
                rtf[name] = browser.rtf(peer, longest['path'], seconds, a.rate, profile)
            versions = NPM | dict(chromium=browser.browser.version)
    for model in a.models:
        name = f'koemorph-{Path(model).name}'
        if name in tracks: sys.exit(f'two --models are called {Path(model).name}: rename one')
        tracks[name] = {k: animate(load_wave(path), model) for k, path in sounds.items()}
        rtf[name] = machine.rtf(pipeline(model), np.array_split(longest['wave'], max(1, round(seconds/2))), seconds, 3)['median']
    tracks['loudness'] = {k: loudness_face(load_wave(path)) for k, path in sounds.items()}
    systems = {}
    for name, faces in tracks.items():
        (a.out/name).mkdir(parents=True, exist_ok=True)
        for k, track in faces.items(): write_jsonl(track, a.out/name/f'{k}.jsonl')
        judged = {}
        for t in takes: judged.setdefault(t['name'].split('_')[0], []).append(judge(t, faces[t['name']]))
        systems[name] = dict(**{s: pooled(rows) for s, rows in judged.items()}, noise={n.stem: opening(faces[f'noise_{n.stem}']) for n in noises}, rtf=rtf.get(name))
    report = dict(systems=systems, takes={s: len(rows) for s, rows in judged.items()}, versions=versions, rate=a.rate, delay_s={k: DELAY[k] for k in a.peers},
        elsewhere='score_takes.py '+' '.join(f'--pred {k}={a.out/k}' for k in tracks),
        **machine.about(), numpy=np.__version__)
    print(json.dumps(report, indent=1))

if __name__ == '__main__': main()
