#!/usr/bin/env python3
"""`koemorph serve --wasm` in a real browser: rows and coefficients are Python's, on one thread faster than the sound; a file and a microphone move the face; nothing comes from elsewhere

usage: .ci/checks/wasm_browser.py [--write]    (writes nbs/files/browser.json, which 06_export shows)
"""
import json, platform, re, shutil, signal, subprocess, sys, tempfile, time
from base64 import b64decode, b64encode
from contextlib import contextmanager
from functools import partial
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import browser as shared
from browser import CHROMIUM, ENV, FAKE, QUIET, ROOT, SAMPLE, drop, free_port, not_run
shared.demand('playwright')
if not shutil.which('npm'): not_run('apt install nodejs npm')
import numpy as np
from playwright.sync_api import sync_playwright
sys.path.insert(0, str(ROOT))
from koemorph.features import Resampler, chain, run
from koemorph.io import atomic_write, read_wave
from koemorph.realtime import Network

until = partial(shared.until, seconds=30)
opened = partial(shared.opened, seconds=30, viewport=dict(width=520, height=900))
koemorph = [sys.executable, '-m', 'koemorph', 'serve', '--wasm']
wave,sr = read_wave(SAMPLE)

def npm(folder):
    "onnxruntime-web as npm has it: its dist folder and version"
    said = subprocess.run(['npm', 'install', 'onnxruntime-web@1', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder], capture_output=True, text=True)
    if said.returncode: not_run(f'npm cannot fetch onnxruntime-web: {said.stderr.strip().splitlines()[-1][:120] if said.stderr.strip() else said.returncode}')
    package = Path(folder)/'node_modules/onnxruntime-web'
    return package/'dist', json.loads((package/'package.json').read_text())['version']

@contextmanager
def running(*words, first):
    "A program that serves, from its first line to Ctrl-C; its address"
    p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV, cwd=ROOT)
    try:
        line = p.stdout.readline()
        assert (found := re.search(first, line)), f'it said {line!r} {p.stderr.read() if p.poll() is not None else ""}'
        yield found[0]
        p.send_signal(signal.SIGINT); code = p.wait(5)
        assert code in (0, 130) and 'Traceback' not in p.stderr.read(), f'Ctrl-C: exit code {code}'
    finally:
        if p.poll() is None: p.kill()
        p.wait()

def serving(*words): return running(*koemorph, '--port', str(free_port()), *words, first=r'http://\S+/')

# Streamed, a chunk of `size` samples at a time through resampler, ears and network: rows and coefficients as base64, and how long ears and network took
FOLLOW = '''async ([sound, sr, size, told]) => {
  const {net, constants, ears, resampler} = document.querySelector('#face').live
  const wave = new Float32Array(Uint8Array.from(atob(sound), c => c.charCodeAt(0)).buffer), base64 = parts => { let s = ''; for (const p of parts) for (const b of new Uint8Array(p.buffer)) s += String.fromCharCode(b); return btoa(s) }
  const r = resampler(sr, constants.sr, constants.resampler), e = ears(constants), took = [0, 0], all = [], faces = []
  let a = r.init(), b = e.init(), state = net.init()
  const feed = async chunk => {
    let x, rows, some, t = performance.now();
    [a, x] = r.step(a, chunk); [b, rows] = e.step(b, x); took[0] += performance.now() - t
    if (!rows.length) return
    t = performance.now(); [state, some] = await net.step(state, rows); took[1] += performance.now() - t
    all.push(...rows); faces.push(...some)
  }
  for (let i = 0; i < wave.length; i += size) await feed(wave.subarray(i, i + size))
  await feed(new Float32Array(r.lookahead + Math.ceil(constants.lookahead*sr/constants.sr)))
  return [told ? base64(all) : '', told ? base64(faces) : '', took.map(ms => ms/(took[0] + took[1])), faces.length]
}'''

def followed(page, wave, sr=16_000, size=533):
    rows,faces,_,_ = page.evaluate(FOLLOW, [b64encode(wave.astype('<f4').tobytes()).decode(), sr, size, True])
    return [np.frombuffer(b64decode(x), '<f4').reshape(-1, n) for x,n in ((rows, 508), (faces, 52))]

def spent(page):
    "Seconds of processor time that the browser's pages have taken so far: on a busy machine the clock on the wall says little"
    session = page.context.browser.new_browser_cdp_session(); said = session.send('SystemInfo.getProcessInfo'); session.detach()
    return sum(p['cpuTime'] for p in said['processInfo'] if p['type']=='renderer')

def cost(page):
    "Milliseconds of processor time for a frame: ears, network. The best of three, for the first also compiles"
    tries = []
    for _ in range(3):
        before = spent(page)
        *_,shares,n = page.evaluate(FOLLOW, [b64encode(wave.astype('<f4').tobytes()).decode(), 16_000, 533, False])
        tries.append([1000*(spent(page)-before)*share/n for share in shares])
    return min(tries, key=sum)

def check_numbers(page, net, name, least=3):
    "Rows and coefficients against Python's, and what they cost: the best of three"
    want = run(net.ears, wave); face = net.step(net.init(), want)[1]
    rows,got = followed(page, wave)
    assert rows.shape==want.shape and got.shape==face.shape, (rows.shape, want.shape)
    mel,mood = np.abs(rows-want)[:,:400].max(), np.abs(rows-want)[:,400:].max(1)
    same = mood<=1e-3
    far = np.abs(got-face)[same].max()
    assert mel<=1e-3, f'{name}: log-mel is {mel:.1e} off'
    assert same.mean()>=.995, f'{name}: prosody is off on {(~same).sum()} of {len(same)} frames'
    assert far<=1e-2, f'{name}: coefficients are {far:.1e} off'
    best = cost(page)
    faster = 1000/float(net.fps)/sum(best)
    assert faster>=least, f'{name}: only {faster:.1f} × faster than the sound ({best[0]:.1f} ms ears, {best[1]:.1f} ms network a frame)'
    return dict(model=name, frames=len(got), log_mel=f'{mel:.0e}', prosody_same=round(100*float(same.mean()), 1), coefficients=f'{far:.0e}', ears_ms=round(best[0], 1), network_ms=round(best[1], 1), faster=round(faster, 1))

def check_rates(page, net):
    "A file of another rate goes through the same filter"
    x = run(Resampler(sr, 48_000), wave[:2*sr]); x += 1e-5*np.random.default_rng(0).standard_normal(len(x)).astype('f')   # of digital silence it leaves rounding errors, whose zero crossings are anybody's
    rows,_ = followed(page, x, 48_000, 480)
    want = run(chain(Resampler(48_000), net.ears), x)
    off = np.abs(rows-want); assert rows.shape==want.shape and off[:,:400].max()<=1e-3 and (off[:,400:].max(1)<=1e-3).mean()>=.98, (off[:,:400].max(), np.flatnonzero(off[:,400:].max(1)>1e-3))

TALLY = "() => { const t = document.querySelector('#face').live.tally(); return {...t, history: t.history.map(f => f.values ? [...f.values] : [])} }"

def check_file(browser, url, faults, net):
    "A dropped file: its frames are Python's, and the face moves with the sound"
    page = opened(browser, url, faults)
    drop(page, SAMPLE.read_bytes(), 'en.wav')
    gaps,end = [], time.monotonic()+40
    while not (said := page.locator('#say').inner_text()).endswith('is over.'):
        gaps.append(float(page.locator('#face').get_attribute('data-lip-gap') or 0)); page.wait_for_timeout(40)
        assert time.monotonic()<end and 'bad' not in (page.locator('#say').get_attribute('class') or ''), said
    t = page.evaluate(TALLY); got,want = np.array(t['history']), net.step(net.init(), run(net.ears, wave))[1]
    assert got.shape==want.shape and np.abs(got-want).max()<=1e-2, (got.shape, want.shape)
    assert max(gaps)>8 and len({round(g, 1) for g in gaps})>5, f'the face hardly moves: {max(gaps)}'
    drop(page, b'no sound', 'letter.docx'); until(page, "document.querySelector('#say').className=='bad'")
    assert 'letter.docx is not a sound' in page.locator('#say').inner_text()
    page.context.close()
    return f"file: {len(got)} frames, {t['late']} late, lips up to {max(gaps):.0f} apart"

def check_microphone(browser, url, faults, net):
    "A pretended microphone moves the face, Esc ends it"
    page = opened(browser, url, faults, permissions=['microphone'])
    page.locator('#mic').click(); until(page, "document.querySelector('#face').live.tally().frames > 100")
    t = page.evaluate(TALLY); jaw = np.array(t['history'])[:, net.names.index('jawOpen')]
    own = net.step(net.init(), run(net.ears, wave))[1][:, net.names.index('jawOpen')].max()
    assert jaw.max()>.4*own, f'the jaw opens {jaw.max():.2f} at most, {own:.2f} when the file is heard'
    page.keyboard.press('Escape'); assert page.locator('#say').inner_text()=='Stopped.'
    page.context.close()
    return f"microphone: {t['frames']} frames, {t['dropped']:.2f} s dropped, jaw {jaw.max():.2f}"

def machine():
    try: cpu = re.search(r'model name\s*:\s*(.*)', Path('/proc/cpuinfo').read_text())[1]
    except (OSError, TypeError): cpu = platform.processor()
    return cpu

write,faults,table = '--write' in sys.argv, [], []
with tempfile.TemporaryDirectory() as tmp, sync_playwright() as driver:
    ort,version = npm(tmp)
    bad = subprocess.run([*koemorph, '--ort', tmp], capture_output=True, text=True, env=ENV)
    assert bad.returncode==1 and 'npm install onnxruntime-web' in bad.stderr and len(bad.stderr.splitlines())==1, bad.stderr
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET+FAKE)
    live = Network('live')
    with serving('--ort', ort) as url:
        page = opened(browser, url, faults)
        table.append(check_numbers(page, live, 'live')); check_rates(page, live)
        assert 'does not run in a browser' in page.evaluate("() => { const {ears, constants} = document.querySelector('#face').live; try { ears({...constants, emotion: 'opensmile'}) } catch (e) { return e.message } return '' }")
        page.context.close()
        small = Network(live.path.with_name('model-int8.onnx'))
        page = opened(browser, url+'?model=model-int8', faults)
        table.append(check_numbers(page, small, 'live, 8 bits')); page.context.close()
        said = [check_file(browser, url, faults, live), check_microphone(browser, url, faults, live)]
        page = opened(browser, url+'?model=none', faults, "document.querySelector('#say').className=='bad'")
        assert 'no model none here, expected model or model-int8' in page.locator('#say').inner_text(); page.context.close()
    out = Path(tmp)/'site/live'; out.parent.mkdir()
    subprocess.run([*koemorph, '--ort', ort, '-o', out, *(['--model_path', 'studio'] if write else [])], check=True, capture_output=True, env=ENV)
    port = free_port()                                             # the folder on any server, below any path
    with running(sys.executable, '-u', '-m', 'http.server', str(port), '--bind', '127.0.0.1', '--directory', str(out.parent), first='Serving'):
        page = opened(browser, f'http://127.0.0.1:{port}/live/', faults)
        if write: table.append(check_numbers(page, Network('studio'), 'studio', least=1))
        page.context.close()
    made = dict(seconds=round(len(wave)/sr, 2), chromium=browser.version, onnxruntime_web=version, machine=machine(), command='.ci/checks/wasm_browser.py --write', models=table)
    browser.close()
assert not faults, '\n'.join(dict.fromkeys(faults))
if write:
    with atomic_write(ROOT/'nbs/files/browser.json') as f: json.dump(made, f, indent=1); f.write('\n')
print('\n'.join([*map(str, table), *said, f"Chromium {made['chromium']}, onnxruntime-web {version}"]))
