"""Makes face.png, the README's picture: frames of a track, drawn by face.js in a browser. Needs playwright and chromium.

usage: make_face.py TRACK.jsonl SECONDS…
face.png is 0.32 0.42 2.75 3.32 5.32 (m, a, o, ai, i) of what `koemorph run koemorph/samples/en.wav -o en.jsonl` writes
"""
import io, shutil, sys
from pathlib import Path
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from koemorph.io import read_track

HERE = Path(__file__).resolve().parent
track, seconds = read_track(sys.argv[1]), [float(s) for s in sys.argv[2:]]
poses = [dict(zip(track.names, map(float, track.values[np.abs(track.times-s).argmin()]))) for s in seconds]
js = (HERE.parents[1]/'koemorph/face.js').read_text(encoding='utf-8')
draw = '''([poses, w, h]) => {
  const all = Object.assign(document.createElement('canvas'), {width: w*poses.length, height: h})
  for (const [i, c] of poses.entries()) {
    const one = Object.assign(document.createElement('canvas'), {width: w, height: h})
    koe.drawFace(one.getContext('2d'), c, {width: w, height: h, zoom: 1.08})
    all.getContext('2d').drawImage(one, w*i, 0)
  }
  all.style.display = 'block'; document.body.style.margin = 0; document.body.append(all)
}'''
with sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=shutil.which('chromium'), args=['--no-sandbox', '--disable-gpu'])
    page = browser.new_page()
    page.set_content(f'<script type="module">{js}\nwindow.koe = {{drawFace}}</script>')
    page.wait_for_function('!!window.koe')
    page.evaluate(draw, [poses, 260, 290])
    picture = Image.open(io.BytesIO(page.locator('canvas').screenshot())).convert('RGB')
    browser.close()
picture.save(HERE/'face.png', optimize=True)
print(picture.size, (HERE/'face.png').stat().st_size//1000, 'kB')
