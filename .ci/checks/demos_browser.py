#!/usr/bin/env python3
"""The demos of the pages, driven: each control of each demo on the HTML of the committed notebooks, with no network, changes what it is there to change

usage: .ci/checks/demos_browser.py [a page or a demo, to try only that] [folder for pictures]

A demo more is a row for each of its controls: page, demo (its module), the label of the control, what has to look different after it was used
(a CSS selector inside the demo; canvases are compared by their pixels, the rest by their markup, and the demo as a whole by its picture).
Sliders and lists are moved from the keyboard, buttons are pressed. A control that has no row is a fault.
"""
import json, re, sys, tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from browser import CHROMIUM, QUIET, ROOT, demand, noted
demand('playwright')
from nbconvert import HTMLExporter
from playwright.sync_api import sync_playwright
from koemorph.io import module_text

ROWS = [
    ('00_io', 'face', 'play', 'canvas.face, .curves canvas, output'),
    ('00_io', 'face', 'time, seconds', 'canvas.face, .curves canvas, output'),
    ('00_io', 'face', 'speed', 'pace'),
    ('00_io', 'clock', 'frame rate', 'svg, output'),
    ('00_io', 'clock', 'into the film', 'svg, output'),
    ('01_dataset_pipeline', 'faults', 'what goes wrong', '.over, canvas.scene, .score, output'),            # first: where playing ends, two faults may look alike
    ('01_dataset_pipeline', 'faults', 'play', '.over, canvas.scene'),
    ('01_dataset_pipeline', 'faults', 'frame', '.over, canvas.scene'),
    ('02_features', 'ears', 'play at half speed', '.over, canvas.row, output'),
    ('02_features', 'ears', 'frame', '.over, canvas.row, output'),
    ('02_features', 'ears', 'look-ahead', '.over, canvas.row, output'),
    ('03_model', 'attention', 'play at half speed', 'svg.over, canvas.face, output'),
    ('03_model', 'attention', 'frame', 'svg.over, canvas.face, output'),
    ('03_model', 'attention', 'question', 'svg.over, output'),
    ('04_train', 'strides', 'mode', 'svg, output'),
    ('04_train', 'strides', 'stride', 'svg, output'),
    ('04_train', 'strides', 'epoch', 'svg, output'),
    ('04_train', 'strides', 'frame', 'svg, output'),
    ('05_realtime', 'chunks', 'let it listen', 'svg, output'),
    ('05_realtime', 'chunks', 'heard until', 'svg, output'),
    ('05_realtime', 'chunks', 'chunk', 'svg, output'),
    ('05_realtime', 'chunks', 'between two chunks', 'svg, output'),
    ('05b_live', 'budget', 'look-ahead', 'svg, table, output'),
    ('05b_live', 'budget', 'frames out', 'svg, table, output'),
    ('05b_live', 'budget', 'sound comes in chunks of', 'svg, table, output'),
    ('05b_live', 'budget', 'sound at', 'svg, table, output'),
    ('05b_live', 'budget', 'microphone’s driver', 'svg, table, output'),
    ('05b_live', 'budget', 'avatar’s program', 'svg, table, output'),
    ('05a_sinks', 'packets', 'moved to', '.bytes, output'),
    ('05a_sinks', 'packets', 'coefficient', '.bytes, output'),
    ('05a_sinks', 'packets', 'field', '.bytes, output'),
    ('05a_sinks', 'packets', 'protocol', '.bytes, output'),
    ('07_pretrained', 'coarticulation', 'moment', 'canvas, svg, output'),
    ('07_pretrained', 'coarticulation', 'phone', 'canvas, svg, output'),
    ('07_pretrained', 'coarticulation', 'spoken as', 'canvas, svg, output'),
    ('07_pretrained', 'coarticulation', 'a say in', 'svg, output'),
    ('07_pretrained', 'coarticulation', 'anticipation', 'canvas, svg, output'),
    ('07_pretrained', 'coarticulation', 'takes', 'canvas, svg, output'),
    ('07_pretrained', 'coarticulation', 'play at half speed', 'canvas, svg, output'),
    ('07_pretrained', 'gallery', 'play', 'canvas, svg, output'),
    ('07_pretrained', 'gallery', 'speech', 'canvas, svg, output'),
    ('07_pretrained', 'gallery', 'speed', 'output'),
    ('07_pretrained', 'gallery', 'moment', 'canvas, svg, output'),
]
LOOK = '''(el, selector) => [...el.querySelectorAll(':scope > div')].flatMap(host => [...host.shadowRoot.querySelectorAll(selector)])
  .map(node => node.tagName === 'CANVAS' ? node.toDataURL() : node.outerHTML)'''
CONTROLS = '''el => [...el.querySelector(':scope > div').shadowRoot.querySelectorAll('button, input, select')].map(node => node.ariaLabel || node.closest('label')?.textContent || '')'''
PACE = 'async el => { el.face.seek(0); const from = performance.now(); el.face.play(); await new Promise(f => setTimeout(f, 900)); const s = el.face.seconds(); el.face.pause(); return s/(performance.now() - from)*1000 }'

def page_of(name, folder):
    "The committed notebook as a page that links to nothing outside: nbconvert's body without the frame that calls CDNs"
    body = HTMLExporter(template_name='basic', exclude_input=True).from_filename(str(ROOT/f'nbs/{name}.ipynb'))[0]
    html = folder/f'{name}.html'
    html.write_text(f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title><link rel="icon" href="data:,">'
        f'<style>:root {{ color-scheme: light dark }} body {{ font: 16px system-ui; margin: 0 auto; padding: 8px; max-width: 860px; background: Canvas }} pre, img, .output_area > * {{ max-width: 100%; overflow-x: auto }} div.cell {{ min-width: 0 }}</style>{body}</html>', encoding='utf-8')
    for d in 'images', 'files':
        if (ROOT/'nbs'/d).is_dir() and not (folder/d).exists(): (folder/d).symlink_to(ROOT/'nbs'/d)
    return html

LIVE = '''async ([code, payload]) => {            // as anywidget does it: the module is imported, its model tells and is told
  const {default: {render}} = await import(URL.createObjectURL(new Blob([code], {type: 'text/javascript'}))), heard = {}, told = {}
  const model = {get: key => key in told ? told[key] : payload[key], set: (key, v) => { told[key] = v }, save_changes: () => { model.saved = true }, on: (what, f) => { heard[what] = f }, off: what => { delete heard[what] }}
  const el = document.body.appendChild(document.createElement('div')), end = render({model, el}), input = el.firstChild.shadowRoot.querySelector('input[type=range]')
  input.value = +input.value ? 0 : 1; input.dispatchEvent(new Event('input', {bubbles: true}))
  const [key] = Object.keys(told), by_hand = model.saved && told[key] === +input.value
  told[key] = 2; heard['change:' + key](); const by_python = +input.value === 2
  end(); el.remove(); return [by_hand, by_python, Object.keys(heard).length]
}'''

def find(el, label):
    "The control of that label; `play` is a button by its title or label"
    for how in (f'button[title^="{label}"]', f'[aria-label="{label}"]', f'label:has-text("{label}") >> input, select'):
        if (found := el.locator(how)).count(): return found.first
    raise AssertionError(f'no control {label!r}')

def both_hosts(page, demo, text):
    "What is wrong with a demo on its page beside its module: an older text in the page, or values that do not travel in a widget"
    code = module_text(f'{demo}.js')
    if code not in text: return [f'{demo}: the page has an older {demo}.js, run its notebook again']
    if "from './demo.js'" not in (ROOT/f'koemorph/{demo}.js').read_text(encoding='utf-8'): return []
    payload = json.loads(re.search(rf'class="koemorph-{demo}".*?\nconst payload = (.*?)\n', text, re.S)[1])
    got = page.evaluate(LIVE, [code, payload])
    return [] if got == [True, True, 0] else [f'{demo}: as a widget, (told by hand, moved from Python, listeners left) are {got}']

def use(page, el, label):
    "Use a control as a keyboard would"
    control = find(el, label); kind = control.evaluate('x => x.tagName')
    control.scroll_into_view_if_needed(); control.focus()
    if kind == 'BUTTON': page.keyboard.press('Space')
    elif kind == 'SELECT': page.keyboard.press('ArrowUp' if control.evaluate('x => x.selectedIndex === x.options.length - 1') else 'ArrowDown')
    else:
        at_end = control.evaluate('x => +x.value >= +x.max - 3*(+x.step || 1) && +x.value > +x.min')
        for _ in range(3): page.keyboard.press('ArrowLeft' if at_end else 'ArrowRight')
    page.wait_for_timeout(60)
    return control

def drive(page, demo, rows):
    "What is wrong with one demo of a page, after each of its controls was used"
    wrong,el = [], page.locator(f'.koemorph-{demo}').filter(has=page.locator('input, select, button')).first
    el.scroll_into_view_if_needed(); page.wait_for_timeout(150)
    labels = el.evaluate(CONTROLS)
    for label in labels:
        if not any(label.strip().startswith(r) for r,_ in rows): wrong.append(f'{demo}: the control {label!r} has no row in the table')
    for label,changes in rows:
        pace = el.evaluate(PACE) if changes == 'pace' else None
        before = {s: el.evaluate(LOOK, s) for s in changes.split(', ')} if pace is None else {}
        picture = el.screenshot()
        control = use(page, el, label)
        if pace is None:
            for s,was in before.items():
                for _ in range(20):                                      # a button sets something going
                    if (now := el.evaluate(LOOK, s)) != was: break
                    page.wait_for_timeout(100)
                if not was: wrong.append(f'{demo}: {s} is not there')
                if now == was: wrong.append(f'{demo}: {label!r} leaves {s} as it was')
        elif not 1.2*pace < (faster := el.evaluate(PACE)): wrong.append(f'{demo}: {label!r} plays at {faster:.2f}, {pace:.2f} before')
        if el.screenshot() == picture: wrong.append(f'{demo}: {label!r} changes no pixel')
        if control.evaluate('x => x.tagName') == 'BUTTON': page.keyboard.press('Space')     # and stop
    return wrong

def main(only='', out=''):
    faults,rows = [], [r for r in ROWS if only in (r[0], r[1], '')]
    if not rows: sys.exit(f'no page and no demo {only!r}')
    with tempfile.TemporaryDirectory() as tmp, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name in dict.fromkeys(r[0] for r in rows):
            html,demos = page_of(name, Path(tmp)), dict.fromkeys(r[1] for r in rows if r[0] == name)
            for theme,width in (('light', 1000), ('dark', 390)):
                page = noted(browser.new_context(offline=True, viewport=dict(width=width, height=900), color_scheme=theme, device_scale_factor=2 if out else 1).new_page(), faults, where=f'{name}: ')
                page.goto(html.as_uri()); page.wait_for_timeout(300)
                for demo in demos:
                    if not page.locator(f'.koemorph-{demo}').count(): faults.append(f'{name}: {demo} is not on the page'); continue
                    if theme == 'light': faults += [f'{name}: {w}' for w in both_hosts(page, demo, html.read_text(encoding='utf-8'))]
                    if theme == 'light': faults += [f'{name}: {w}' for w in drive(page, demo, [r[2:] for r in rows if r[:2] == (name, demo)])]
                    for el in page.locator(f'.koemorph-{demo}').all():
                        card = el.locator(':scope > div').first
                        if card.get_attribute('data-theme') != theme: faults.append(f'{name}: {demo} is not {theme}')
                        if el.evaluate('e => { const b = e.firstElementChild; return b.scrollWidth > b.clientWidth + 1 || b.getBoundingClientRect().right > innerWidth }'): faults.append(f'{name}: {demo} is wider than {width} pixels')
                    if out: page.locator(f'.koemorph-{demo}').first.screenshot(path=f'{out}/{name}_{demo}_{theme}_{width}.png')
                page.context.close()
        browser.close()
    if faults: sys.exit('\n'.join(dict.fromkeys(faults)))
    print(f'{len(rows)} controls of {len({r[:2] for r in rows})} demos on {len({r[0] for r in rows})} pages, each changes what it should; light and dark, 1000 and 390 pixels wide; 0 outside or failed requests, 0 console errors')

main(*sys.argv[1:])
