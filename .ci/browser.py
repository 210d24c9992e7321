"What the checks that open a page in a browser share: the browser, a page that notes what it should not do, and patience"
import importlib.util, os, re, shutil, signal, socket, sys, time
from base64 import b64encode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT/'koemorph/samples/en.wav'
QUIET = '--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-audio-output --autoplay-policy=no-user-gesture-required'.split()
FAKE = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', f'--use-file-for-fake-audio-capture={SAMPLE}']
ENV = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))}
CHROMIUM = next(filter(None, map(shutil.which, ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'])), None)
signal.signal(signal.SIGINT, signal.default_int_handler)      # a shell in the background has it ignored, and children inherit that

def not_run(why): print(f'not run: {why}'); sys.exit(77)

def demand(*modules):
    "End as not run where a Python module or the browser is missing"
    for module in modules:
        if not importlib.util.find_spec(module): not_run(f'pip install {module}')
    if not CHROMIUM: not_run('apt install chromium')

def free_port():
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); return s.getsockname()[1]

def until(page, what, seconds=20):
    "Wait for a truth of the page; its policy forbids the eval that wait_for_function would use"
    end = time.monotonic()+seconds
    while not page.evaluate(f'() => !!({what})'):
        assert time.monotonic()<end, f"{what} did not come in {seconds} s; the page says {page.locator('#say').inner_text()!r}"
        page.wait_for_timeout(30)

def noted(page, faults, home=('file:', 'data:', 'blob:'), kinds=('error',), where=''):
    "`page`, which notes every request outside `home`, every failed one, every error, and what else its console says of `kinds`"
    page.on('request', lambda r: r.url.startswith(home) or faults.append(f'{where}asked for {r.url[:200]}'))
    page.on('requestfailed', lambda r: faults.append(f'{where}failed {r.url[:80]}'))
    page.on('console', lambda m: m.type in kinds and faults.append(f'{where}console: {m.text}'))
    page.on('pageerror', lambda e: faults.append(f'{where}error: {e}'))
    return page

def opened(browser, url, faults, ready="document.querySelector('#face').live", seconds=20, websockets=False, **kw):
    "A page that notes every request elsewhere, every error, and every websocket but its host's where `websockets` are allowed; open when it is `ready`"
    host = re.match(r'http://([^/]+)/', url)[1]
    page = noted(browser.new_context(**kw).new_page(), faults, ('data:', f'http://{host}/'), ('error', 'warning'))
    page.on('websocket', lambda w: websockets and w.url.startswith(f'ws://{host}/') or faults.append(f'socket to {w.url}'))
    page.goto(url); until(page, ready, seconds)
    return page

DROP = '''async ([bytes, name]) => { const t = new DataTransfer(); t.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], name))
  for (const kind of ['dragover', 'drop']) dispatchEvent(new DragEvent(kind, {dataTransfer: t, cancelable: true})) }'''
def drop(page, content, name):
    "Let a file of these bytes fall on the page"
    page.evaluate(DROP, [b64encode(content).decode(), name])
