#!/usr/bin/env python3
"The report of a data set in a real browser, with no network: nothing asked for, no error, faces that play, as wide as a phone"
import shutil, sys, tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from browser import CHROMIUM, QUIET, ROOT, demand, not_run, noted
demand('playwright')
try:
    import numpy as np
    from playwright.sync_api import sync_playwright
    from koemorph.dataset_pipeline import BLENDSHAPES, CutCfg, DatasetCfg, Face, build, talking_face
    from koemorph.io import read_wave
    import av, librosa, pyworld, webrtcvad
except (ImportError, OSError) as e: not_run(e)

def see(rgb, t):
    "A face whose every coefficient sways, and which is away for half a second"
    if 2 < t < 2.5: return None
    face = Face((n, .3+.25*np.sin(6*t+k)) for k, n in enumerate(BLENDSHAPES))
    face.box, face.yaw = (60, 60, 260, 280), 0
    return face

def look(page, width, scheme):
    page.set_viewport_size(dict(width=width, height=900)); page.emulate_media(color_scheme=scheme); page.wait_for_timeout(200)
    assert page.evaluate('document.documentElement.scrollWidth') <= width, f'wider than {width} px'
    return page.evaluate("getComputedStyle(document.body).backgroundColor")

with tempfile.TemporaryDirectory() as tmp, sync_playwright() as driver:
    d, faults = Path(tmp), []
    wave, sr = read_wave(ROOT/'koemorph/samples/en.wav')
    (d/'films').mkdir()
    talking_face(np.zeros(150), 25, wave, d/'films/a_1.mp4'); shutil.copy(d/'films/a_1.mp4', d/'films/<b>_1.mp4' if sys.platform != 'win32' else d/'films/b_1.mp4')
    (d/'films/c_1.mp4').write_text('not a film')
    r = build(d/'films', d/'faces', DatasetCfg(CutCfg(min_clip=1.), min_score=0), jobs=1, tracker=see)
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    page = noted(browser.new_context(offline=True).new_page(), faults, kinds=('error', 'warning'))
    page.goto((d/'faces/dataset_report.html').as_uri())
    page.wait_for_function("document.querySelectorAll('.koemorph-face').length == 2 && [...document.querySelectorAll('.koemorph-face')].every(el => el.face?.seek)")
    t = page.evaluate("async () => { const f = document.querySelector('.koemorph-face').face; f.seek(0); f.play(); await new Promise(r => setTimeout(r, 900)); f.pause(); return f.seconds() }")
    assert .3 < t < 2, f'the face played {t:.2f} s in 0.9 s'
    assert page.locator('article.clip').count() == 2 and page.locator('.stills img').count() == 10
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)"), 'a picture that does not show'
    text = page.locator('main').inner_text()
    for word in ('no face', 'not a video that can be read', 'c_1.mp4', 'clip_0001', 'jawOpen'): assert word in text, f'no {word!r} on the page'
    colours = {look(page, w, s) for w in (390, 1200) for s in ('light', 'dark')}
    assert len(colours) == 2, f'light and dark look the same: {colours}'
    browser.close()
assert not faults, '\n'.join(faults)
print(f'2 clips, 2 faces that play ({t:.1f} s in 0.9), 10 pictures; light and dark, 390 and 1200 px; 0 outside requests, 0 console errors')
