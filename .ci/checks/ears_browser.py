#!/usr/bin/env python3
"""The ears in a real browser, with no network: every stop of the slider shows the row LogMel gives, and windows that end at frame end + look-ahead

usage: .ci/checks/ears_browser.py [folder for pictures]
"""
import re, sys, tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from browser import CHROMIUM, QUIET, ROOT, demand, noted
demand('playwright')
import numpy as np
from playwright.sync_api import sync_playwright
from koemorph.io import frame_ends, read_wave
from koemorph.features import LogMel, ears_payload, run, show_ears

wave,_ = read_wave(ROOT/'koemorph/samples/en.wav')
STOPS,out = (0, 33, 66, 100, 200), Path(sys.argv[1]) if len(sys.argv)>1 else None
kw = dict(start=.5, seconds=.8, frame=23, title='What one frame hears: “opened”')
view,model = show_ears(wave, **kw), ears_payload(wave, **kw)
assert view.html==show_ears(wave, **kw).html, 'not deterministic'
assert 'http' not in re.sub(r'[A-Za-z0-9+/=]{200,}', '', view.html), 'an address'
truth = {ms: run(LogMel(30, ms), wave) for ms in STOPS}
low,high = model['range']
MAGMA = np.array([[int(c[i:i+2], 16) for i in (0, 2, 4)] for c in '000004 120d31 331067 59157e 7e2482 a3307e c83e73 e95462 fa7d5e fea973 fed395 fcfdbf'.split()], float)
MAP = np.stack([np.interp(np.arange(256)/255*11, range(12), MAGMA[:,c]) for c in range(3)], 1)

def page_of(body, bg='#fff'): return f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>ears</title><link rel="icon" href="data:,"><body style="margin:12px;background:{bg}">{body}</body></html>'

def main():
    faults = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        b = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        def opened(body, width=860, height=600, bg='#fff', scale=1, **kw):
            page = noted(b.new_context(viewport=dict(width=width, height=height), offline=True, device_scale_factor=scale, **kw).new_page(), faults)
            f = Path(folder)/'ears.html'; f.write_text(page_of(body, bg), encoding='utf-8'); page.goto(f.as_uri())
            page.wait_for_function("[...document.querySelectorAll('.koemorph-ears')].every(e => e.ears)"); page.wait_for_timeout(100)
            return page
        def shown(ears):
            "The row as the canvases hold it: nearest colour of the map, (400,) bytes"
            png = ears.evaluate("e => [...e.firstChild.shadowRoot.querySelectorAll('canvas.row')].map(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data])")
            long,short = (np.array(x).reshape(80, -1, 4)[::-1,:,:3] for x in png)
            return np.abs(np.concatenate([long, short], 1).transpose(1, 0, 2).reshape(400, 1, 3)-MAP).sum(2).argmin(1)
        def agree(ears, k, ms, worst=[0]):
            want = (truth[ms][k]-low)/(high-low)
            assert ears.evaluate('e => [e.ears.frame(), e.ears.ahead()]')==[k, ms]
            far = max(np.abs(np.array(ears.evaluate('e => [...e.ears.row()]'))/255-want).max(), np.abs(shown(ears)/255-want).max())
            assert far<=1/255, (k, ms, far*255); worst[0] = max(worst[0], far)
            box = ears.evaluate("e => { const s = e.firstChild.shadowRoot, o = s.querySelector('svg.over').getBoundingClientRect().left; return [[...s.querySelectorAll('path.window')].map(w => [w.getBBox().x, w.getBBox().x + w.getBBox().width]), e.ears.x(0), e.ears.x(1), s.querySelector('canvas').getBoundingClientRect().left - o, s.querySelector('canvas').getBoundingClientRect().width] }")
            (windows,x0,x1,left,width) = box
            x = lambda sample: x0+(x1-x0)*sample/16000
            assert abs(x(8000)-left)<.02 and abs(x(20800)-left-width)<.02            # the picture lies on the same axis
            ahead = LogMel(30, ms).lookahead
            for i,(a,z) in enumerate(windows):
                e = frame_ends(k+1)[-1] if i==0 else frame_ends(4*k+i, 120)[-1]
                assert abs(z-x(e+ahead))<.05 and abs(a-x(e+ahead-(1024 if i==0 else 400)))<.05, (k, ms, i)
            assert max(z for _,z in windows)==windows[0][1] and abs(windows[0][1]-windows[4][1])<.01   # the newest thing it hears
            return worst[0]

        page = opened(view.html); ears = page.locator('.koemorph-ears'); frame,stop = ears.locator('input').all()
        agree(ears, 23, 66)
        for i,ms in enumerate(STOPS):
            stop.fill(str(i)); worst = agree(ears, 23, ms)
            said = ears.locator('.said').inner_text(); assert f'Frame 23 ends at 0.800 s; its row is ready at {.8+ms/1000:.3f} s.' in said, said
            for k in range(len(model['ticks'])): frame.fill(str(k)); agree(ears, model['first']+k, ms)
            frame.fill(str(23-model['first']))
        stop.fill('2')
        # by hand: a click chooses the nearest frame end, arrows go on from there, a drag follows, Tab reaches everything
        over = ears.locator('svg.over').bounding_box(); px = lambda t: over['x']+ears.evaluate(f'e => e.ears.x({t})')
        page.mouse.click(px(.705), over['y']+100); agree(ears, 20, 66)
        page.keyboard.press('ArrowRight'); agree(ears, 21, 66); page.keyboard.press('End'); agree(ears, model['first']+len(model['ticks'])-1, 66)
        page.mouse.move(px(.6), over['y']+100); page.mouse.down(); page.mouse.move(px(.8), over['y']+120); page.mouse.move(px(.9), over['y']+120); page.mouse.up(); agree(ears, 26, 66)
        page.keyboard.press('Tab'); page.keyboard.press('ArrowLeft'); agree(ears, 26, 33); page.keyboard.press('Shift+Tab'); page.keyboard.press('Shift+Tab')
        page.keyboard.press('Space'); page.wait_for_timeout(500); assert 0<ears.evaluate('e => e.ears.frame()')<33 and ears.locator('button').get_attribute('aria-label')=='pause'
        page.wait_for_function("document.querySelector('.koemorph-ears').firstChild.shadowRoot.querySelector('button').ariaLabel != 'pause'", timeout=5000)
        assert ears.evaluate('e => e.ears.frame()')==model['first']+len(model['ticks'])-1      # played to the end: the last row that got ready
        # two on a page, and the same one twice: each moves alone
        other = show_ears(wave, .7, .5, fps=60)
        page = opened(view.html+other.html+view.html, height=1900); three = page.locator('.koemorph-ears'); assert three.count()==3
        three.nth(0).locator('input').nth(1).fill('4'); three.nth(2).locator('input').nth(0).fill('0')
        assert [three.nth(i).evaluate('e => [e.ears.frame(), e.ears.ahead()]')[::1] for i in (0, 2)]==[[23, 200], [model['first'], 66]] and three.nth(1).evaluate('e => e.ears.ahead()')==66
        # pictures, and nothing wider than its page
        for name,width,bg,i,k in (('light', 860, '#fff', 2, 23), ('dark', 1000, '#16181d', 3, 23), ('narrow', 400, '#fff', 2, 23), ('narrow_last', 400, '#16181d', 4, 32), ('first', 700, '#fff', 0, 17), ('ahead200', 700, '#fff', 4, 23)):
            page = opened(view.html, width=width, bg=bg, scale=2); ears = page.locator('.koemorph-ears')
            if i!=2: ears.locator('input').nth(1).fill(str(i))
            if k!=23: ears.locator('input').nth(0).fill(str(max(0, k-model['first'])))
            page.evaluate("document.querySelector('.koemorph-ears').firstChild.shadowRoot.activeElement?.blur()")
            assert page.evaluate('document.documentElement.scrollWidth')<=width, name
            assert page.locator('.koemorph-ears > div').get_attribute('data-theme')==('dark' if bg=='#16181d' else 'light')
            if out: ears.screenshot(path=out/f'{name}.png')
        page = opened(view.html, scale=2, bg='transparent', color_scheme='dark'); assert page.locator('.koemorph-ears > div').get_attribute('data-theme')=='dark'
        page.evaluate("document.body.style.background = '#fff'; document.body.className = 'quarto-light'"); page.wait_for_timeout(50); assert page.locator('.koemorph-ears > div').get_attribute('data-theme')=='light'
        b.close()
    assert not faults, faults
    print(f"ok: {len(STOPS)} stops × {len(model['ticks'])} frames, worst value off by {worst*255:.2f}/255 of the range; html {len(view.html)/1024:.0f} KiB; 0 outside requests, 0 console errors")

main()
