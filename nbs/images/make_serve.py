"""Makes serve.png, the picture of `koemorph serve` in its notebook: the page in a browser, in the middle of our sentence. Needs playwright and chromium.

usage: make_serve.py
"""
import io, shutil
from pathlib import Path
from PIL import Image
from playwright.sync_api import sync_playwright
from koemorph.serve import served

HERE = Path(__file__).resolve().parent
with served(port=0) as url, sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=shutil.which('chromium'), args=['--no-sandbox', '--disable-gpu', '--disable-audio-output', '--autoplay-policy=no-user-gesture-required'])
    page = browser.new_page(viewport=dict(width=1000, height=632), color_scheme='light')
    page.goto(url)
    page.wait_for_timeout(1000)
    page.evaluate('''async () => {
      const sound = await (await fetch('sample.wav')).blob(), t = new DataTransfer()
      t.items.add(new File([sound], 'en.wav'))
      for (const kind of ['dragover', 'drop']) dispatchEvent(new DragEvent(kind, {dataTransfer: t, cancelable: true}))
    }''')
    page.evaluate('''() => new Promise(still => {                      // on an open vowel, three seconds into the sentence, no frame is painted any more
      const face = document.querySelector('#face'), next = requestAnimationFrame.bind(window)
      const look = () => { if (face.live.tally().frames > 90 && +face.dataset.lipGap > 12) { window.requestAnimationFrame = () => 0; still() } else next(look) }
      next(look)
    })''')
    page.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(page.screenshot())).convert('RGB').quantize(128)
    browser.close()
picture.save(HERE/'serve.png', optimize=True)
print(picture.size, (HERE/'serve.png').stat().st_size//1000, 'kB')
