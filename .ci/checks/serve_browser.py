#!/usr/bin/env python3
"""`koemorph serve` in a real browser: a dropped file and a microphone move the face, the frames are those of `animate`, strangers are turned away, Ctrl-C ends it

usage: .ci/checks/serve_browser.py [folder for pictures]
"""
import json, os, re, signal, socket, struct, subprocess, sys, tempfile, time, zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import browser as shared
from browser import CHROMIUM, ENV, FAKE, QUIET, ROOT, SAMPLE, drop, free_port, until
shared.demand('playwright', 'websockets')
import numpy as np
from playwright.sync_api import sync_playwright
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
sys.path.insert(0, str(ROOT))
from koemorph.io import read_wave
from koemorph.realtime import animate

out = Path(sys.argv[1]) if len(sys.argv)>1 else None
@contextmanager
def serving(*words):
    "A `koemorph serve` of its own: its address, its process"
    port = free_port()
    p = subprocess.Popen([sys.executable, '-m', 'koemorph', 'serve', '--port', str(port), '--no-gate', '--no-idle', *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV, cwd=ROOT)
    try:
        line = p.stdout.readline()
        assert line.startswith('http://'), f'koemorph serve said {line!r} {p.stderr.read() if p.poll() is not None else ""}'
        yield line.split()[0], p
    finally:
        if p.poll() is None: p.kill()
        p.wait()

def stopped(p):
    "Seconds from Ctrl-C to the end"
    start = time.monotonic(); p.send_signal(signal.SIGINT); code = p.wait(5); took = time.monotonic()-start
    rest = p.stdout.read()+p.stderr.read()
    assert code in (0, 130) and took<=1, f'Ctrl-C: exit code {code} after {took:.2f} s'
    assert 'Traceback' not in rest and 'Error' not in rest, rest
    return took

def opened(browser, url, faults, **kw): return shared.opened(browser, url, faults, websockets=True, **{'viewport': dict(width=1100, height=860), **kw})

def come(page, n):
    "Wait until `n` more frames have come"
    until(page, f"document.querySelector('#face').live.tally().frames >= {tally(page)['frames']+n}")

def tally(page): return page.evaluate("() => { const {tally} = document.querySelector('#face').live; return {...tally(), history: tally().history.map(f => f.values)} }")
def pixels(page): return hash(page.evaluate("() => document.querySelector('#face').toDataURL()"))
def picture(page, name):
    if out: page.screenshot(path=out/f'{name}.png', full_page=True)
def check_file(browser, url, faults):
    "A dropped file: every frame comes, as `animate` has it, and the face moves with the sound"
    wave,sr = read_wave(SAMPLE)
    want = animate(wave)
    page = opened(browser, url, faults, color_scheme='light')
    rest = pixels(page); picture(page, 'rest')
    drop(page, SAMPLE.read_bytes(), 'en.wav')
    seen,gaps = set(), []
    while not page.locator('#say').inner_text().endswith('is over.'):
        seen.add(pixels(page)); gaps.append(float(page.locator('#face').get_attribute('data-lip-gap')))
        if len(gaps)==40: picture(page, 'light')
        page.wait_for_timeout(25)
        assert len(gaps)<1000, page.locator('#say').inner_text()
    t = tally(page)
    got = np.array(t['history']); far = np.abs(got-want.values).max() if got.shape==want.values.shape else f'{got.shape}, expected {want.values.shape}'
    assert t['names']==list(want.names) and t['frames']==len(want) and got.shape==want.values.shape, (t['frames'], far)
    assert far<=1e-4, f'{far} from what animate says'
    assert got[:, t['names'].index('jawOpen')].max()>.2 and len(seen)>20 and max(gaps)>8, (len(seen), max(gaps))
    assert abs(t['sound']-len(wave)/sr)<.001 and t['dropped']<1e-9, t
    page.wait_for_timeout(200); assert page.locator('#frames').inner_text()==f'{len(want)} for {len(wave)/sr:.2f} s of sound'
    said = f"file: {t['frames']} frames in {t['sound']:.2f} s, {far:.0e} from animate, jaw {got[:, t['names'].index('jawOpen')].max():.2f}, {t['late']} late, compute p50 {np.median(t['computing']):.1f} p95 {np.quantile(t['computing'], .95):.1f} ms, back p50 {np.median(t['back']):.1f} p95 {np.quantile(t['back'], .95):.1f} ms"
    page.wait_for_timeout(1200); assert pixels(page)==rest or float(page.locator('#face').get_attribute('data-lip-gap'))<.2, 'it does not come to rest'
    drop(page, b'not a sound at all', 'letter.docx'); until(page, "document.querySelector('#say').className=='bad'")
    assert 'letter.docx is not a sound' in page.locator('#say').inner_text()
    page.context.close()
    page = opened(browser, url, faults); page.evaluate("() => Object.defineProperty(BaseAudioContext.prototype, 'currentTime', {get: () => 0})")   # a loudspeaker that stands still
    drop(page, SAMPLE.read_bytes()[:44+2*24_000], 'short.wav'); until(page, "document.querySelector('#say').textContent.includes('no loudspeaker')"); until(page, "document.querySelector('#say').textContent=='short.wav is over.'")
    page.context.close()
    return said

def check_microphone(browser, url, faults):
    "A pretended microphone: the face moves, mute shuts it, unmute opens it, Esc ends it; by keyboard alone"
    page = opened(browser, url, faults, color_scheme='dark', permissions=['microphone'])
    page.keyboard.press('Tab'); assert page.evaluate('document.activeElement.id')=='mic', 'Tab does not reach the microphone first'
    page.keyboard.press('Enter')
    until(page, "document.querySelector('#face').live.tally().frames > 90")
    jaw = lambda t: np.array(t['history'])[:, t['names'].index('jawOpen')]
    picture(page, 'dark')
    t = tally(page)
    own = animate(read_wave(SAMPLE)[0])['jawOpen'].max()                             # of the whole sentence, of which three seconds were heard
    assert jaw(t).max()>.4*own, f'the jaw opens {jaw(t).max():.2f} at most, {own:.2f} when the file is heard'
    until(page, "(({sound, frames, dropped}) => Math.abs(sound*30 - frames - 3) <= 3 && dropped === 0)(document.querySelector('#face').live.tally())")   # look-ahead, and what is on its way
    page.keyboard.down('Space'); page.keyboard.up('Space'); assert page.locator('#mute').get_attribute('aria-pressed')=='false' and page.locator('#say').inner_text()!='Stopped.'
    page.keyboard.press('m'); assert page.locator('#mute').get_attribute('aria-pressed')=='true'
    come(page, 75); quiet = tally(page)
    assert jaw(quiet)[-20:].max()<.06, f'muted, and the jaw opens {jaw(quiet)[-20:].max():.2f}'
    page.keyboard.press('m'); come(page, 75)
    again = jaw(tally(page))[-60:].max(); assert again>.1, f'unmuted, and the jaw opens {again:.2f}'
    page.keyboard.press('Escape'); assert page.locator('#say').inner_text()=='Stopped.'
    frames = tally(page)['frames']; page.wait_for_timeout(300); assert tally(page)['frames']==frames
    page.context.close()
    return f"microphone: {t['frames']} frames in {t['sound']:.2f} s of sound, jaw {jaw(t).max():.2f}, muted {jaw(quiet)[-20:].max():.3f}, back p95 {np.quantile(t['back'], .95):.1f} ms"

def check_refused(driver, url, faults):
    "No permission, and no microphone at all: a sentence, not silence"
    said = []
    for name,flags in (('refused', FAKE[:1]), ('missing', [])):
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET+flags)
        page = opened(browser, url, faults, viewport=dict(width=390, height=844), device_scale_factor=2)
        page.locator('#mic').click(); until(page, "document.querySelector('#say').className=='bad'")
        said.append(page.locator('#say').inner_text()); picture(page, f'phone_{name}')
        assert page.evaluate('document.documentElement.scrollWidth')<=390, 'wider than a phone'
        browser.close()
    assert 'was refused' in said[0] and ('refused' in said[1] or 'No microphone' in said[1]), said

def ball(y0, radius, n=24):
    "Vertices, normals and triangles of a ball, its front towards +z"
    a,b = np.meshgrid(np.linspace(0, np.pi, n), np.linspace(0, 2*np.pi, 2*n), indexing='ij')
    normal = np.stack([np.sin(a)*np.sin(b), np.cos(a), np.sin(a)*np.cos(b)], -1).reshape(-1, 3)
    k = (np.arange(n-1)[:,None]*2*n + np.arange(2*n-1)).ravel()
    return normal*radius+[0, y0, 0], normal, np.stack([k, k+2*n, k+1, k+1, k+2*n, k+2*n+1], 1).ravel()

def avatar(kind, names):
    "A head made here: a ball 1.5 m up whose front lower half drops with target 0 and whose upper front turns out with target 1 (kept sparse); skinned to a head bone"
    p,n,tri = ball(1.5, .1)
    uv = np.stack([p[:,0]*5+.5, p[:,1]*5-7], 1)
    jaw = np.where((p[:,1:2]<1.48) & (p[:,2:]>.03), [0, -.05, .02], [0, 0, 0]); lid = np.flatnonzero((p[:,1]>1.52) & (p[:,2]>.05))
    about = np.array([-1, 1, -1] if kind=='vrm0' else [1, 1, 1]); p,n,jaw = p*about, n*about, jaw*about                # a VRM 0 looks towards -z
    rows = [b'\0'+b''.join(bytes((255, 180, 150) if (x//4+y//4)%2 else (90, 120, 220)) for x in range(32)) for y in range(32)]
    chunk = lambda t,d: struct.pack('>I', len(d))+t+d+struct.pack('>I', zlib.crc32(t+d))
    png = b'\x89PNG\r\n\x1a\n'+chunk(b'IHDR', struct.pack('>IIBBBBB', 32, 32, 8, 2, 0, 0, 0))+chunk(b'IDAT', zlib.compress(b''.join(rows)))+chunk(b'IEND', b'')
    views,body = [], b''
    def view(raw):
        nonlocal body
        views.append(dict(buffer=0, byteOffset=len(body), byteLength=len(raw))); body += raw+b'\0'*(-len(raw)%4); return len(views)-1
    accessors = []
    def accessor(x, type, of, **more): accessors.append(dict(componentType=of, count=len(x), type=type, bufferView=view(x.astype({5126: '<f4', 5125: '<u4', 5123: '<u2', 5121: 'u1'}[of]).tobytes()), **more)); return len(accessors)-1
    inverse = np.tile(np.eye(4), (2, 1, 1)); inverse[0,3,1],inverse[1,3,1] = -1,-1.4                    # column by column, as glTF has them
    attributes = dict(POSITION=accessor(p, 'VEC3', 5126), NORMAL=accessor(n, 'VEC3', 5126), TEXCOORD_0=accessor(uv, 'VEC2', 5126),
                      JOINTS_0=accessor(np.tile([1, 0, 0, 0], (len(p), 1)), 'VEC4', 5121), WEIGHTS_0=accessor(np.tile([255, 0, 0, 0], (len(p), 1)), 'VEC4', 5121, normalized=True))
    targets = [dict(POSITION=accessor(jaw, 'VEC3', 5126))]
    accessors.append(dict(componentType=5126, count=len(p), type='VEC3', sparse=dict(count=len(lid), indices=dict(bufferView=view(lid.astype('<u2').tobytes()), componentType=5123),
                     values=dict(bufferView=view(np.tile([0, 0, .06]*about, (len(lid), 1)).astype('<f4').tobytes())))))
    targets.append(dict(POSITION=len(accessors)-1))
    mesh = dict(primitives=[dict(attributes=attributes, indices=accessor(tri, 'SCALAR', 5125), material=0, targets=targets)])
    gltf = dict(asset=dict(version='2.0'), scene=0, scenes=[dict(nodes=[0, 2])], meshes=[mesh], accessors=accessors, bufferViews=views, skins=[dict(joints=[0, 1], inverseBindMatrices=accessor(inverse.reshape(2, 16), 'MAT4', 5126))],
                nodes=[dict(name='Hips', translation=[0, 1, 0], children=[1]), dict(name='Head', translation=[0, .4, 0]), dict(name='Face', mesh=0, skin=0)],
                images=[dict(bufferView=view(png), mimeType='image/png')], textures=[dict(source=0)], materials=[dict(pbrMetallicRoughness=dict(baseColorTexture=dict(index=0)))])
    if kind=='glb': mesh['extras'] = dict(targetNames=names)
    if kind=='vrm1': gltf['extensions'] = dict(VRMC_vrm=dict(humanoid=dict(humanBones=dict(head=dict(node=1))), expressions=dict(preset={}, custom={name: dict(morphTargetBinds=[dict(node=2, index=k, weight=1)]) for k,name in enumerate(names)})))
    if kind=='vrm0': gltf['extensions'] = dict(VRM=dict(humanoid=dict(humanBones=[dict(bone='head', node=1)]), blendShapeMaster=dict(blendShapeGroups=[dict(name=name, presetName='unknown', binds=[dict(mesh=0, index=k, weight=100)]) for k,name in enumerate(names)])))
    gltf['buffers'] = [dict(byteLength=len(body))]
    text = json.dumps(gltf).encode(); text += b' '*(-len(text)%4)
    return struct.pack('<4sII', b'glTF', 2, 28+len(text)+len(body))+struct.pack('<I4s', len(text), b'JSON')+text+struct.pack('<I4s', len(body), b'BIN\0')+body

PAINT = '''() => { const v = document.querySelector('#avatar'), g = document.createElement('canvas').getContext('2d', {willReadFrequently: true}); Object.assign(g.canvas, {width: v.width, height: v.height}); g.drawImage(v, 0, 0)
  const d = g.getImageData(0, 0, v.width, v.height).data, low = []; let n = 0
  for (let i = 3, k = 0; i < d.length; i += 4, k++) if (d[i]) { n++; low.push(k) }
  return [n/(v.width*v.height), Math.floor(low.at(-1)/v.width)/v.height] }'''

def check_avatar(browser, url, faults, name):
    "Somebody's own head: worn from the command line and by dropping, in every spelling; its jaw drops with jawOpen; what is none is refused in words"
    page = opened(browser, url, faults, color_scheme='light')
    until(page, "document.querySelector('#avatar')")
    assert f'{name}: 2 of the 52' in page.locator('#say').inner_text(), page.locator('#say').inner_text()
    page.wait_for_timeout(200); covers,chin = page.evaluate(PAINT); assert .1<covers<.9 and .5<chin<.98, f'the head covers {covers:.0%}, its chin is at {chin:.0%}'
    page.locator('#sample').click(); chins = []
    for k in range(60): chins.append(page.evaluate(PAINT)[1]); page.wait_for_timeout(40); k==40 and picture(page, 'avatar')
    assert max(chins)>chin+.015, f'the chin stays at {chin:.3f} ({max(chins):.3f} at most)'
    page.keyboard.press('Escape')
    for kind,names in ('vrm1', ['JawOpen', 'eyeBlinkLeft']), ('vrm0', ['JAWOPEN', 'eyeBlink_L']), ('glb', ['blendShape1.jawOpen', 'Mouth Smile Left']):
        drop(page, avatar(kind, names), f'{kind}.vrm'); until(page, f"document.querySelector('#say').textContent.startsWith('{kind}.vrm: 2 of')"); page.wait_for_timeout(150)
        assert abs(page.evaluate(PAINT)[0]-covers)<.05, kind
    whole = avatar('glb', ['jawOpen', 'mouthSmileLeft'])
    for what,content,why in (('text', b'this is a letter', 'not a binary glTF'), ('half', whole[:300], 'ends in the middle'), ('names', avatar('glb', ['one', 'two']), 'none with an ARKit name'),
                             ('holes', whole.replace(b'"meshes"', b'"mashes"'), 'cannot be read')):
        drop(page, content, f'{what}.glb'); until(page, "document.querySelector('#say').className=='bad'"); said = page.locator('#say').inner_text()
        assert why in said, (what, said)
        assert page.locator('#avatar').count()==1, 'a bad file takes the good one off'
        drop(page, whole, 'good.glb'); until(page, "document.querySelector('#say').textContent.startsWith('good.glb: 2 of')")
    page.locator('#undress').click(); assert page.locator('#avatar').count()==0 and page.locator('#face').is_visible()
    page.context.close()
    return f'avatar: chin {chin:.2f} → {max(chins):.2f} of the picture, GLB, VRM 0 and 1'

def refused(url, origin):
    "A socket that is turned away at the door"
    try:
        with connect(url, origin=origin): pass
    except InvalidStatus as e: assert e.response.status_code==403, e
    else: raise AssertionError(f'{url} from {origin} was let in')

def strangers(url):
    "Who is turned away, with the server alive after each"
    socket_url,origin,(host,port) = url.replace('http', 'ws')+'live', url.rstrip('/'), re.match(r'http://([^:]+):(\d+)', url).groups()
    def alive():
        with connect(socket_url, origin=origin) as ws: ws.send('{"sr": 16000}'); assert 'ready' in json.loads(ws.recv(5))
    def status(request):
        with socket.create_connection((host, int(port)), 5) as s:
            s.sendall(request); got = b''
            try:
                while part := s.recv(4096): got += part
            except OSError: pass
            return got.split(b'\r\n')[0].decode()
    for stranger in 'https://elsewhere.example', 'http://localhost:1', f'http://{host}:1', None:
        refused(socket_url, stranger)
    assert '403' in status(b'GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n')
    assert '404' in status(f'GET /../settings.ini HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n'.encode())
    assert '200' in status(f'GET / HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n'.encode())
    for rubbish in (os.urandom(5000), b'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', b'POST / HTTP/1.1\r\n\r\n', b'GET http://[ HTTP/1.1\r\nHost: [\r\n\r\n', b'GET /'+b'a'*100_000+b' HTTP/1.1\r\n\r\n'):
        assert '200' not in status(rubbish)
    alive()
    def hears(*messages):
        "What a client that sends `messages` is told: the error, and the code it is shut with"
        with connect(socket_url, origin=origin, max_size=None) as ws:
            said = None
            try:
                for m in messages: ws.send(m)
            except ConnectionClosed: pass                                 # it may be shut before all is said
            try:
                while 'error' not in (said := json.loads(ws.recv(10))): pass
                ws.recv(5)
            except ConnectionClosed as e: return (said or {}).get('error', ''), e.rcvd and e.rcvd.code
        raise AssertionError('it was not shut')
    hi = '{"sr": 48000}'
    for messages,why,code in ((['hello'], 'expected JSON', 1008), ([b'\0'*100], 'expected JSON', 1008), (['{"sr": 12}'], 'sr is 12', 1008), ([hi, b'abc'], '3 bytes', 1008),
                              ([hi, np.full(64, np.nan, '<f4').tobytes()], 'not numbers', 1008), ([hi, 'hello'], 'neither sound', 1008)):
        said = hears(*messages); assert why in said[0] and said[1]==code, (messages, said)
    try: code = hears(hi, b'\0'*100_000_000)[1]
    except OSError: code = 1009                                           # cut off while still sending
    assert code in (1009, None), code
    alive()
    socks = [socket.create_connection((host, int(port))) for _ in range(40)]   # forty that never say a word
    with ExitStack() as pages:
        for _ in range(8): ws = pages.enter_context(connect(socket_url, origin=origin)); ws.send(hi); ws.recv(5)
        assert 'the most' in hears(hi)[0]
    alive()
    return socks                                                              # still open when Ctrl-C comes

def check_token(url):
    "Bound wider: an address without its token gives neither page nor socket"
    base,token = url.split('?token=')
    base = re.sub('//[^:]+', '//127.0.0.1', base)
    live,origin = base.replace('http', 'ws')+'live', base.rstrip('/')
    assert len(token)>=32
    for query in '', '?token=', '?token=sesame', f'?token={token}x':
        refused(live+query, origin)
    refused(f'{live}?token={token}', 'http://elsewhere.example')
    with connect(f'{live}?token={token}', origin=origin) as ws: ws.send('{"sr": 44100}'); assert 'ready' in json.loads(ws.recv(5))
    return f'{base}?token={token}'

def main():
    faults = []
    with serving() as (url, p), sync_playwright() as driver:
        taken = subprocess.run([sys.executable, '-m', 'koemorph', 'serve', '--port', re.search(r':(\d+)', url)[1]], capture_output=True, text=True, env=ENV, timeout=60)
        assert taken.returncode==1 and len(taken.stderr.strip().splitlines())==1 and 'choose another with --port' in taken.stderr, taken
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET+FAKE)
        said = [check_file(browser, url, faults), check_microphone(browser, url, faults)]
        check_refused(driver, url, faults)
        socks = strangers(url)
        page = opened(browser, url, faults, permissions=['microphone']); page.locator('#mic').click()
        until(page, "document.querySelector('#face').live.tally().frames > 10")
        took = stopped(p)
        until(page, "document.querySelector('#say').className=='bad'")
        assert 'connection to koemorph was lost' in page.locator('#say').inner_text(), page.locator('#say').inner_text()
        browser.close()
    with tempfile.TemporaryDirectory() as tmp:
        (Path(tmp)/'head.glb').write_bytes(avatar('glb', ['Jaw_Open', 'mouthSmile_L']))
        with serving('--avatar', f'{tmp}/head.glb') as (url, p), sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET[:1], *QUIET[2:], '--use-angle=swiftshader', '--enable-unsafe-swiftshader'])
            said.append(check_avatar(browser, url, faults, 'head.glb')); browser.close(); stopped(p)
    with serving('--host', '0.0.0.0') as (url, p), sync_playwright() as driver:
        here = check_token(url)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = opened(browser, here, faults, viewport=dict(width=390, height=844), device_scale_factor=2)
        page.locator('#sample').click(); until(page, "document.querySelector('#face').live.tally().frames > 90"); picture(page, 'phone')
        browser.close(); stopped(p)
    assert not faults, '\n'.join(faults)
    print('; '.join([*said, f'strangers turned away, Ctrl-C in {took:.2f} s; 0 outside requests, 0 console errors']))

main()
