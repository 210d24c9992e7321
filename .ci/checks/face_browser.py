#!/usr/bin/env python3
"""The face in a real browser, with no network: it plays, it opens on /a/, it shuts on /m/, and all 52 coefficients show

usage: .ci/checks/face_browser.py [face.html]    (default demo/face.html; where there is none, `koemorph demo` makes one in a temporary folder)
"""
import importlib.util, io, json, statistics, subprocess, sys, tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from browser import CHROMIUM, QUIET, ROOT, not_run, noted
OPEN = {'a', 'aː', 'ɑ', 'ɑː', 'æ', 'aɪ', 'aʊ', 'ʌ', 'AA', 'AE', 'AY', 'AW', 'A'}      # unrounded open vowels: IPA, ARPAbet, Japanese
SHUT = {'m', 'b', 'p', 'M', 'B', 'P', 'my', 'by', 'py'}
A = dict(jawOpen=.26, mouthLowerDownLeft=.3, mouthLowerDownRight=.3, mouthUpperUpLeft=.2, mouthUpperUpRight=.2)      # the size of real speech
M = dict(jawOpen=.04, mouthClose=.04, mouthPressLeft=.1, mouthPressRight=.1)
INSIDE = dict.fromkeys(['cavity', 'cavityLow', 'teeth', 'teethLow', 'teethSide', 'teethShade', 'tongue', 'tongueShade'], '#ff00ff')

for module in 'playwright', 'numpy', 'PIL':
    if not importlib.util.find_spec(module): not_run(f"pip install {dict(PIL='pillow').get(module, module)}")
if not CHROMIUM: not_run('apt install chromium')
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

def magenta_run(png):
    "The tallest column of magenta in a picture, pixels: what is painted between the lips"
    r, g, b = np.moveaxis(np.asarray(Image.open(io.BytesIO(png)).convert('RGB')).astype(int), 2, 0)
    return float(np.clip((np.minimum(r, b) - g)/255, 0, 1).sum(0).max())

def watched(browser, faults): return noted(browser.new_context(viewport=dict(width=1280, height=900), offline=True).new_page(), faults)

class Player:
    "One player of a page: seek, and read the gap from the geometry or from the pixels"
    def __init__(self, page, k): self.page, self.el = page, page.locator('.koemorph-face').nth(k)
    def __call__(self, code): return self.el.evaluate(f'async el => {{ const face = el.face; {code} }}')
    def gap(self, seconds=None):
        if seconds is not None: self(f'face.pause(); face.seek({seconds})')
        return self('return [face.lipGap(), face.mouthWidth()]')
    def pixels(self):
        self(f'face.paint({json.dumps(INSIDE)})')
        run = magenta_run(self.el.locator('canvas.face').screenshot())
        self('face.paint()')
        return run

def check_drawing(browser, faults):
    "The drawing alone: every coefficient changes the picture in its own way, /a/ and /m/ at the size of real speech read as such"
    page = watched(browser, faults)
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder)/'drawing.html'
        js = (ROOT/'koemorph/face.js').read_text(encoding='utf-8')
        html.write_text(f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">{js}\nwindow.koe = {{drawFace}}</script>', encoding='utf-8')
        page.goto(html.as_uri()); page.wait_for_function('!!window.koe')
    names = [w for w in subprocess.run([sys.executable, '-c', 'from koemorph.io import ARKIT; print(*ARKIT)'], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()]
    assert len(names) == 52, names
    changed = page.evaluate('''names => {
      const width = 400, height = 460, v = Object.assign(document.createElement('canvas'), {width, height}), ctx = v.getContext('2d', {willReadFrequently: true})
      const draw = c => { koe.drawFace(ctx, c, {width}); return ctx.getImageData(0, 0, width, height).data }
      const differ = (a, b) => { let n = 0; for (let i = 0; i < a.length; i += 4) n += Math.max(Math.abs(a[i]-b[i]), Math.abs(a[i+1]-b[i+1]), Math.abs(a[i+2]-b[i+2])) > 16; return n }
      const rest = draw({}), all = names.map(name => draw({[name]: 1})), pairs = []
      for (let i = 0; i < all.length; i++) for (let j = 0; j < i; j++) pairs.push([differ(all[i], all[j]), names[j], names[i]])
      return [names.map((name, i) => [differ(all[i], rest), name]), pairs]
    }''', names)
    least, pair = min(changed[0]), min(changed[1])
    assert least[0] >= 150, f'{least[1]} at 1 changes only {least[0]} pixels of 400 × 460'
    assert pair[0] >= 150, f'{pair[1]} and {pair[2]} look the same: {pair[0]} pixels apart'
    sides = page.evaluate('''() => { const v = Object.assign(document.createElement('canvas'), {width: 400, height: 460}), ctx = v.getContext('2d')
      const half = c => { koe.drawFace(ctx, c, {width: 400}); return [0, 200].map(x => ctx.getImageData(x, 0, 200, 460).data) }
      const rest = half({}), wink = half({eyeBlinkLeft: 1}); return rest.map((d, i) => d.some((x, k) => x !== wink[i][k])) }''')
    assert sides == [False, True], f'eyeBlinkLeft belongs to the right of the screen only, changed (left, right): {sides}'
    draw = lambda pose: page.evaluate("c => { const r = koe.drawFace(document.createElement('canvas').getContext('2d'), c, {width: 440}); return [r.lipGap, r.mouthWidth] }", pose)
    (a, wide), (m, _) = draw(A), draw(M)
    assert a >= .08*wide and m <= 1, f'/a/ opens {a:.1f} of {wide:.0f} px (at least 8 %), /m/ {m:.1f} px (at most 1)'
    page.context.close()
    return f'52 coefficients, least {least[1]} {least[0]} px, closest {pair[1]}/{pair[2]} {pair[0]} px; poses a {a/wide:.0%} m {m:.1f} px'

def check_player(browser, faults, html, phones):
    "The page: plays in time, and its mouth follows the phones"
    page = watched(browser, faults)
    page.goto(html.as_uri()); page.wait_for_function("[...document.querySelectorAll('.koemorph-face')].some(el => el.face?.seek)")
    count = page.locator('.koemorph-face').count()
    players = [p for k in range(count) if (p := Player(page, k))('return !!face?.seek')]
    p = players[0]
    seen = p('''face.seek(0); face.play(); const seen = []                     // (time shown, clock) at every picture, for 1.5 s
      await new Promise(done => { const look = now => { seen.push([face.seconds(), performance.now()/1000]); seen.length > 1 && now/1000 > seen[0][1] + 1.5 ? done() : requestAnimationFrame(look) }; requestAnimationFrame(look) })
      face.pause(); return seen.filter(([t]) => t > 0)''')
    t1, lead = seen[-1][0], [t - at for t, at in seen]
    drift = statistics.median(lead[-len(lead)//4:]) - statistics.median(lead[:len(lead)//4+1])
    assert t1 > .7 and abs(drift) < .2, f'played {t1:.2f} s in 1.5 s, {drift*1000:+.0f} ms against the clock'
    p.el.locator('button').focus(); page.keyboard.press('ArrowRight')
    assert p('return face.seconds()') > t1, 'the right arrow does not step a frame'
    wide = [p.gap(k/30) for k in range(1, int(p('return face.total')*30)+1)]
    best = max(range(len(wide)), key=lambda k: wide[k][0])
    gap, width = p.gap((best+1)/30)
    painted = p.pixels()
    assert abs(painted - gap) <= 1.5, f'the most open frame: {gap:.1f} px by geometry, {painted:.1f} px painted'
    said = f'plays ({drift*1000:+.0f} ms in 1.5 s), widest {gap:.1f} px = {painted:.1f} painted, {gap/width:.0%} of the mouth'
    if phones:
        middle = lambda want: [(b+e)/2 for b, e, phone in phones if phone.strip('012ˈˌ') in want]
        spread = lambda t: [round(t*30)/30 + d/30 for d in (-1, 0, 1)]
        opened = [max(g/w for g, w in map(p.gap, spread(t))) for t in middle(OPEN)]
        closed = [min((p.gap(s)[0], s) for s in spread(t)) for t in middle(SHUT)]
        assert opened and closed, 'no open vowel or no bilabial among the phones'
        shut, when = min(closed); p.gap(when); painted = p.pixels()
        assert max(opened) >= .08, f'/a/ opens {max(opened):.1%} of the mouth at most, expected 8 %'
        assert shut <= 1 and painted <= 1.5, f'/m/ leaves {shut:.1f} px ({painted:.1f} painted), expected at most 1'
        said += (f'; /a/ {max(opened):.0%} at best, median {statistics.median(opened):.0%} of {len(opened)}'
                 f'; /m b p/ {shut:.1f} px at best, {sum(g <= 1 for g, _ in closed)} of {len(closed)} shut')
    for scheme in 'dark', 'light':
        page.emulate_media(color_scheme=scheme); page.wait_for_timeout(50)
    page.set_viewport_size(dict(width=390, height=844)); page.wait_for_timeout(100)
    assert page.evaluate('document.documentElement.scrollWidth') <= 390, 'wider than a phone'
    page.context.close()
    return said

def find_page(folder):
    "The page to look at: an argument, demo/face.html, or what `koemorph demo` makes; None while there is no demo"
    if len(sys.argv) > 1: return Path(sys.argv[1]).resolve()
    if (page := ROOT/'demo/face.html').exists(): return page
    made = subprocess.run([sys.executable, '-m', 'koemorph', 'demo'], cwd=folder, capture_output=True, text=True)
    assert made.returncode == 0, f'koemorph demo: {made.stderr.strip()}'
    return Path(folder)/'demo/face.html'

faults, samples = [], ROOT/'koemorph/samples/en.json'
with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
    html = find_page(folder)
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    phones = json.loads(samples.read_text(encoding='utf-8'))['phones'] if samples.exists() and len(sys.argv) < 2 else None
    drawing = check_drawing(browser, faults)
    player = check_player(browser, faults, html, phones)
    browser.close()
assert not faults, '\n'.join(faults)
print(f'{drawing}; {player}; 0 outside requests, 0 console errors')
