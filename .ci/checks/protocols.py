#!/usr/bin/env python3
"""Every way out, over a real socket on this machine, read by something that is not ours: python-osc's server, pylivelinkface, a VTube Studio by its
documented rules that pyvts accepts, plain sockets. Every channel has a value of its own. Then what goes wrong: receivers that die and return,
clients that do not read, strangers' pages, garbage, a hundred megabytes, ports in use."""
import asyncio, contextlib, faulthandler, io, json, os, re, socket, struct, sys, tempfile, threading, time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import ThreadingOSCUDPServer
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

try: import pyvts
except ImportError as e: print(f'not run: apt install libgl1 ({e})'); sys.exit(77)
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

from koemorph.io import ARKIT, POSE, Track
from koemorph.sinks import OUTPUTS, mapped, outlet, sender

faulthandler.dump_traceback_later(180, exit=True)       # nothing here may hang
HOST = '127.0.0.1'
ODD = Track(np.arange(1, 62, dtype=np.float32)[None]/100, 30, ARKIT+POSE, t0=2.)
WORTH = {n: (k+1)/100 for k,n in enumerate(ARKIT+POSE)}
said = []

def check(what): said.append(what)
def resident(): return int(Path('/proc/self/statm').read_text().split()[1])*os.sysconf('SC_PAGE_SIZE')>>20 if Path('/proc/self/statm').exists() else 0   # MB
def pascal(n): return n[0].upper()+n[1:]
def near(a, b, eps=1e-5): assert np.allclose(a, b, atol=eps, rtol=0), f'{a} is not {b}'
def until(what, ready, seconds=10):
    end = time.monotonic()+seconds
    while not ready():
        assert time.monotonic()<end, f'waited {seconds} s for {what}'
        time.sleep(.002)
@contextlib.contextmanager
def raises(kind, *words):
    try: yield
    except kind as e:
        for w in words: assert w in str(e), f'no {w!r} in: {e}'
    else: raise AssertionError(f'expected {kind.__name__} about {words}')

@contextlib.contextmanager
def ear(port=0):
    "A socket that hears datagrams"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((HOST, port)); s.settimeout(10)
        yield s

def sent_by(mode, n, track=ODD, **options):
    "The first `n` datagrams of a frame, as a receiver gets them"
    with ear() as s, sender(mode, port=s.getsockname()[1], **options) as sink:
        sink(track)
        assert sink.sent==len(track) and sink.packets==n, (mode, sink.sent, sink.packets)
        return [s.recv(65536) for _ in range(n)]

@contextlib.contextmanager
def osc_server():
    "python-osc's server; (address, values) in the order they came"
    got, heard = [], Dispatcher()
    heard.set_default_handler(lambda address, *values: got.append((address, *values)))
    server = ThreadingOSCUDPServer((HOST, 0), heard)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(.01,), daemon=True); thread.start()
    try: yield server.server_address[1], got
    finally: server.shutdown(); server.server_close()

def osc_by(mode, count, track=ODD, **options):
    with osc_server() as (port, got), sender(mode, port=port, **options) as sink:
        sink(track)
        until(f'{count} messages of {mode}', lambda: len(got)>=count)
        time.sleep(.02); assert len(got)==count, f'{mode}: {len(got)} messages, expected {count}'
        return got

def by_udp():
    got = json.loads(sent_by('udp', 1)[0])
    assert got['names']==[*ARKIT] and got['frame']==60
    near(got['blendshapes'], [WORTH[n] for n in got['names']]); near(got['timestamp'], 61/30)
    assert got['pose']=={n: WORTH[n] for n in POSE}
    assert [json.loads(p)['frame'] for p in sent_by('udp', 3, Track(np.zeros((3, 52), np.float32), 60, t0=.5))]==[30, 31, 32]
    check('JSON')

def by_osc():
    got = osc_by('osc', 62)
    first = next(v for a,*v in got if a=='/blendshapes')
    near(first, [WORTH[n] for n in ARKIT])
    near([dict((a, v) for a,v,*_ in got if a!='/blendshapes')['/face/'+n] for n in ARKIT+POSE], [*WORTH.values()])
    assert [a for a,*_ in osc_by('osc', 1, prefix='')]==['/blendshapes']
    assert {a for a,*_ in osc_by('osc', 5, mapped(ODD, 'vrm').select(['aa','ih','ou','ee','oh']), prefix='/v/')}=={'/v/aa', '/v/ih', '/v/ou', '/v/ee', '/v/oh'}
    check('OSC by python-osc')

def by_livelink():
    packet, = sent_by('livelink', 1, subject='iPhone')
    hand = b'\x06' + b'\0\0\0\x24' + b'6b6f656d-6f72-7068-0000-000000000000' + b'\0\0\0\x06iPhone' + b'\0\0\0\x3c' + b'\0\0\0\0' + b'\0\0\0\x1e' + b'\0\0\0\x01' + b'\x3d'
    assert packet==hand+b''.join(struct.pack('>f', WORTH[n]) for n in ARKIT+POSE), 'not the packet written by hand'
    assert packet[len(hand):len(hand)+4]==b'\x3c\x23\xd7\x0a' and len(packet)==312, len(packet)
    there, face = PyLiveLinkFace.decode(packet)
    assert there and face._frames==60 and (face.fps, face._denominator)==(30, 1)
    for s in FaceBlendShape: near(face.get_blendshape(s), {pascal(n): x for n,x in WORTH.items()}[s.name])
    check('Live Link Face by pylivelinkface and by hand')

def by_ifacialmocap():
    text = sent_by('ifacialmocap', 1)[0].decode()
    face, _, angles = text.partition('=')
    got = dict(re.fullmatch(r'(\w+)-(\d+)', x).groups() for x in face.strip('|').split('|'))
    listed = '''mouthSmile_R eyeLookOut_L mouthUpperUp_L eyeWide_R mouthClose mouthPucker mouthRollLower eyeBlink_R eyeLookDown_L cheekSquint_R eyeBlink_L tongueOut
        jawRight eyeLookIn_R cheekSquint_L mouthDimple_L mouthPress_L eyeSquint_L mouthRight mouthShrugLower eyeLookUp_R eyeLookOut_R mouthPress_R cheekPuff jawForward
        mouthLowerDown_L mouthFrown_L mouthShrugUpper browOuterUp_L browInnerUp mouthDimple_R browDown_R mouthUpperUp_R mouthRollUpper mouthFunnel mouthStretch_R
        mouthFrown_R eyeLookDown_R jawOpen jawLeft browDown_L mouthSmile_L noseSneer_R mouthLowerDown_R noseSneer_L eyeWide_L mouthStretch_L browOuterUp_R eyeLookIn_L
        eyeSquint_R eyeLookUp_L mouthLeft'''.split()                          # as its makers list them
    assert {*got}=={*listed}, {*got}^{*listed}
    for n in listed: assert int(got[n])==round(100*WORTH[re.sub('_L$', 'Left', re.sub('_R$', 'Right', n))]), n
    turns = {k: [float(x) for x in v.split(',')] for k,v in (x.split('#') for x in angles.strip('|').split('|'))}
    assert [*turns]==['head', 'rightEye', 'leftEye'] and len(turns['head'])==6
    for part,row in turns.items(): near(np.radians(row[:3]), [WORTH[part+t] for t in ('Pitch','Yaw','Roll')])
    with ear() as app, ear() as ours:
        port = ours.getsockname()[1]; ours.close()
        with sender('ifacialmocap', None, app.getsockname()[1], listen=port) as sink:
            sink(ODD); assert not sink.packets
            app.sendto(os.urandom(60_000), (HOST, port)); app.sendto(b'', (HOST, port)); app.sendto(b'iFacialMocap', (HOST, port))
            sink(ODD); assert not sink.packets                                # garbage is not a hello
            app.sendto(b'iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719', (HOST, port))
            sink(ODD); assert app.recv(8192).decode()==text and sink.packets==1
            with raises(OSError, f'{HOST}:{port}', 'in use'), sender('ifacialmocap', None, 1, listen=port): pass
    check('iFacialMocap, and its hello')

def by_vmc():
    packets = sent_by('vmc', 2)
    assert all(len(p)<=1500 for p in packets)
    got = osc_by('vmc', 58)
    values = {n: v for a,n,v,*_ in (x for x in got if x[0]=='/VMC/Ext/Blend/Val')}
    assert {*values}=={pascal(n) for n in ARKIT}
    for n in ARKIT: near(values[pascal(n)], WORTH[n])
    assert ('/VMC/Ext/OK', 1) in got and ('/VMC/Ext/Blend/Apply',) in got
    near(next(x[1] for x in got if x[0]=='/VMC/Ext/T'), 61/30)
    bones = {x[1]: x[2:] for x in got if x[0]=='/VMC/Ext/Bone/Pos'}
    assert {*bones}=={'Head', 'LeftEye', 'RightEye'}
    for q in bones.values(): near(np.square(q[3:]).sum(), 1)
    assert packets[-1].endswith(b'/VMC/Ext/Blend/Apply\0\0\0\0,\0\0\0')
    still = osc_by('vmc', 3+14, mapped(ODD.select(ARKIT), 'vrm0'))
    assert {x[1] for x in still if x[0]=='/VMC/Ext/Blend/Val'}>={*'AIUEO', 'Blink_L', 'Blink_R', 'Joy'}
    check('VMC by python-osc')

def by_vrchat():
    got = {a.removeprefix('/avatar/parameters/'): v for a,v in osc_by('vrchat', 103)}
    w = WORTH
    for to,x in dict(JawOpen=w['jawOpen'], JawX=w['jawRight']-w['jawLeft'], JawZ=w['jawForward'], MouthClosed=w['mouthClose'], MouthX=w['mouthRight']-w['mouthLeft'], TongueOut=w['tongueOut'],
        EyeLeftX=w['eyeLookInLeft']-w['eyeLookOutLeft'], EyeRightX=w['eyeLookOutRight']-w['eyeLookInRight'], EyeRightY=w['eyeLookUpRight']-w['eyeLookDownRight'],
        EyeLidRight=.75*(1-w['eyeBlinkRight'])+.25*w['eyeWideRight'], SmileFrownLeft=w['mouthSmileLeft']-w['mouthFrownLeft'], LipPuckerUpperLeft=w['mouthPucker'],
        MouthCornerPullRight=w['mouthSmileRight'], NoseSneerLeft=w['noseSneerLeft'], CheekPuffSuckRight=w['cheekPuff'], MouthRaiserLower=w['mouthShrugLower']).items(): near(got['v2/'+to], x)
    assert got['ExpressionTrackingActive'] is got['EyeTrackingActive'] is True
    got = dict(osc_by('vrchat', 88+3, ODD.select(ARKIT), prefix='/avatar/parameters/FT/v2/'))
    assert got['/avatar/parameters/EyeTrackingActive'] is False and not any('/Eye' in a for a in got if '/v2/' in a)
    check('VRChat by python-osc')

class Studio:
    "VTube Studio as its documentation has it: a user who allows plugins or not, tokens, parameters, and what is wrong said by number"
    def __init__(self, allow=True): self.allow, self.tokens, self.made, self.values, self.asked, self.frames = allow, set(), {}, {}, 0, 0
    @contextlib.contextmanager
    def on(self, port=0):
        with serve(self.talk, HOST, port) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.lines = []
            try: yield server.socket.getsockname()[1]
            finally:
                server.shutdown()
                for line in self.lines:
                    with contextlib.suppress(OSError): line.socket.shutdown(socket.SHUT_RDWR)
    def talk(self, line):
        self.lines.append(line)
        me = [None]
        with contextlib.suppress(ConnectionClosed, OSError):
            for text in line:
                q = json.loads(text)
                kind, data = self.answer(q, me) if (q['apiName'], q['apiVersion'])==('VTubeStudioPublicAPI', '1.0') else self.wrong(1, 'API')
                line.send(json.dumps(dict(apiName='VTubeStudioPublicAPI', apiVersion='1.0', timestamp=0, messageType=kind, requestID=q['requestID'], data=data)))
    def wrong(self, number, why): return 'APIError', dict(errorID=number, message=why)
    def answer(self, q, me):
        kind, d = q['messageType'], q.get('data') or {}
        if kind=='AuthenticationTokenRequest':
            self.asked += 1
            assert all(3<=len(d[k])<=32 for k in ('pluginName', 'pluginDeveloper'))
            if not self.allow: return self.wrong(50, 'User has denied API access for your plugin.')
            token = os.urandom(16).hex(); self.tokens.add((token, d['pluginName'], d['pluginDeveloper']))
            return 'AuthenticationTokenResponse', dict(authenticationToken=token)
        if kind=='AuthenticationRequest':
            ok = (d['authenticationToken'], d['pluginName'], d['pluginDeveloper']) in self.tokens
            me[0] = d['pluginName'] if ok else None
            return 'AuthenticationResponse', dict(authenticated=ok, reason='')
        if me[0] is None: return self.wrong(8, 'This request requires authentication.')
        if kind=='ParameterCreationRequest':
            name = d['parameterName']
            if not re.fullmatch('[A-Za-z0-9]{4,32}', name) or name in ('JawOpen', 'MouthOpen') or self.made.get(name, me[0])!=me[0]: return self.wrong(352, name)
            if sum(p==me[0] for p in self.made.values())>=100 and name not in self.made: return self.wrong(355, 'too many')
            self.made[name] = me[0]
            return 'ParameterCreationResponse', dict(parameterName=name)
        if kind=='InjectParameterDataRequest':
            values = {p['id']: p['value'] for p in d['parameterValues']}
            if odd := [n for n in values if n not in self.made and n not in ('MouthOpen', 'FaceAngleX')]: return self.wrong(453, f'no parameter {odd[0]}')
            if d['mode']!='set' or not d['faceFound']: return self.wrong(450, 'mode')
            self.values, self.frames = values, self.frames+1
            return 'InjectParameterDataResponse', {}
        return self.wrong(7, kind)

def by_vts(tmp):
    async def stranger(port):                                 # what a plugin that is not ours makes of our Studio
        it = pyvts.vts(plugin_info=dict(plugin_name='stranger', developer='somebody', authentication_token_path=str(tmp/'pyvts')), vts_api_info=dict(version='1.0', name='VTubeStudioPublicAPI', host=HOST, port=port))
        await it.connect()
        with contextlib.redirect_stdout(io.StringIO()): await it.request_authenticate_token()
        assert await it.request_authenticate(), 'pyvts was not let in'
        made = await it.request(it.vts_request.requestCustomParameter('strangerMouth'))
        assert made['messageType']=='ParameterCreationResponse', made
        given = await it.request(it.vts_request.requestSetMultiParameterValue(['strangerMouth', 'MouthOpen'], [.25, .5], face_found=True))
        assert given['messageType']=='InjectParameterDataResponse', given
        lost = await it.request(it.vts_request.requestSetParameterValue('nobodysMouth', 1, face_found=True))
        assert lost['messageType']=='APIError', lost
        await it.close()
    studio = Studio()
    with studio.on() as port:
        asyncio.run(stranger(port))
        assert studio.values=={'strangerMouth': .25, 'MouthOpen': .5} and studio.asked==1
    token = tmp/'token'
    with studio.on() as port:
        with sender('vts', port=port, token=token) as sink:
            sink(ODD); until('a frame', lambda: studio.frames==2)
            for n in ARKIT: near(studio.values['koe'+pascal(n)], WORTH[n])
            for n in POSE: near(studio.values['koe'+pascal(n)], np.degrees(WORTH[n]), 1e-4)
            assert studio.asked==2 and (os.name=='nt' or token.stat().st_mode&0o777==0o600)
        with sender('vts', port=port, token=token) as sink: sink(ODD.select(ARKIT)); until('a frame', lambda: studio.frames==3)
        assert studio.asked==2, 'asked the user again, though the token is known'
        token.write_text('a token of another year')
        with sender('vts', port=port, token=token) as sink: sink(ODD); until('a frame', lambda: studio.frames==4)
        assert studio.asked==3, 'an old token must be asked for anew'
    told = io.StringIO()
    with contextlib.redirect_stderr(told), sender('vts', port=port, token=token) as raw, outlet(raw, 'vts', again=.02) as sink:
        sink(ODD); until('a failure', lambda: sink.failed)
        with studio.on(port):
            until('a frame after it came up', lambda: (sink(ODD), time.sleep(.02), studio.frames>5)[-1])
        before = sink.failed
        until('a failure when it went', lambda: (sink(ODD), time.sleep(.02), sink.failed>before)[-1])
        now = studio.frames
        with studio.on(port): until('a frame after it came back', lambda: (sink(ODD), time.sleep(.02), studio.frames>now+1)[-1])
    assert told.getvalue().count('\n')==1 and 'plugins allowed' in told.getvalue(), told.getvalue()
    denied = Studio(allow=False)
    with denied.on() as port, contextlib.redirect_stderr(told), sender('vts', port=port, token=tmp/'none') as raw, outlet(raw, 'vts', again=.01) as sink:
        for _ in range(5): sink(ODD)
        until('five refusals', lambda: sink.failed==5)
        assert denied.asked==1 and 'denied' in str(sink.fault) and not (tmp/'none').exists(), 'a user who said no is left in peace'
    with socket.socket() as mute:                             # something listens there, and never says a word
        mute.bind((HOST, 0)); mute.listen()
        start = time.monotonic()
        with contextlib.redirect_stderr(told), sender('vts', port=mute.getsockname()[1], token=token) as raw, outlet(raw, 'vts') as sink: sink(ODD); time.sleep(.1)
        assert time.monotonic()-start<3, 'stuck at the end'
    check('VTube Studio, by a Studio that pyvts accepts')

def handshake(port, origin=None):
    "A websocket made by hand, which reads nothing it is not told to"
    s = socket.create_connection((HOST, port)); s.settimeout(10)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(f'GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{f"Origin: {origin}" + chr(13)+chr(10) if origin else ""}\r\n'.encode())
    assert b' 101 ' in s.recv(300), 'no handshake'
    return s

def by_websocket():
    with sender('websocket', port=0) as sink:
        at = f'ws://{HOST}:{sink.port}'
        def visit(**k): return connect(at, proxy=None, **k)
        with visit() as a, visit(origin='http://localhost:8000') as b:
            until('two clients', lambda: len(sink.clients)==2)
            sink(ODD)
            for got in (json.loads(a.recv(5)), json.loads(b.recv(5))): near(got['blendshapes'], [WORTH[n] for n in got['names']]); assert got['frame']==60 and got['pose']['headYaw']==.53
            for origin in ('https://evil.example', 'http://localhost.evil.example', 'null', f'http://{HOST}.evil.example:80', 'http://192.168.0.7'):
                with raises(InvalidStatus, '403'), visit(origin=origin): pass
            huge, before = handshake(sink.port), resident()                   # a hundred megabytes: refused at its heading, and not kept
            huge.sendall(b'\x82\xff'+struct.pack('>Q', 100_000_000)+b'mask')
            goodbye = huge.recv(4)
            while goodbye[0]==0x81: huge.recv(70_000); goodbye = huge.recv(4)  # a frame that was under way
            assert goodbye[0]==0x88 and goodbye[2:]==struct.pack('>H', 1009), goodbye
            with contextlib.suppress(OSError):
                for _ in range(100): huge.sendall(bytes(1_000_000))
            until('it to be forgotten', lambda: (sink(ODD), a.recv(5), b.recv(5), len(sink.clients)==2)[-1])
            def cut():
                with contextlib.suppress(TimeoutError): return huge.recv(9)==b''
            huge.settimeout(.01)
            with contextlib.suppress(ConnectionError): until('its line to be cut', cut)
            assert resident()-before<20, f'it kept {resident()-before} MB'
            rubbish = socket.create_connection((HOST, sink.port)); rubbish.sendall(os.urandom(100_000)[:90_000]+b'\r\n\r\n')
            half = socket.create_connection((HOST, sink.port)); half.sendall(b'GET / HTTP/1.1\r\n')
            wrong = handshake(sink.port); wrong.sendall(os.urandom(5000))    # frames that are none
            with visit() as chatty:
                chatty.send('x'*9000)
                with raises(ConnectionClosed, '1009'): chatty.recv(5)
            sink(ODD)
            assert json.loads(a.recv(5))['frame']==json.loads(b.recv(5))['frame']==60   # and nobody else was harmed
            with raises(OSError, f'{HOST}:{sink.port}', 'in use'), sender('websocket', port=sink.port): pass
        until('the clients gone', lambda: not sink.clients)
    with sender('websocket', port=0, behind=20_000, clients=2) as sink:
        slow = handshake(sink.port)
        with connect(f'ws://{HOST}:{sink.port}', proxy=None) as good:
            until('two clients', lambda: len(sink.clients)==2)
            with connect(f'ws://{HOST}:{sink.port}', proxy=None) as third, raises(ConnectionClosed, '1013'): third.recv(5)
            frames, until_then = 0, time.monotonic()+30
            while not sink.dropped and time.monotonic()<until_then: sink(ODD); frames += 1; assert json.loads(good.recv(5))['frame']==60
            assert sink.dropped==1 and len(sink.clients)==1, 'the slow one was not dropped'
        start = time.monotonic(); other = handshake(sink.port); sink(ODD)
    assert time.monotonic()-start<3, 'a client that does not read held up the end'
    check(f'a websocket for pages: slow client dropped after {frames} frames, strangers refused')

def dead_and_back():
    with ear() as s: port = s.getsockname()[1]
    with sender('udp', port=port) as sink:
        for k in range(30): sink(Track(ODD.values, 30, ODD.names, t0=k/30))                 # nobody there
        with ear(port) as s:
            for k in range(30, 33): sink(Track(ODD.values, 30, ODD.names, t0=k/30))
            assert [json.loads(s.recv(9999))['frame'] for _ in range(3)]==[30, 31, 32]
        assert sink.sent==33
    with ear() as s:
        for _ in range(2):                                      # ours dies and returns: it counts from 0 again, and the receiver sees it
            with sender('udp', port=s.getsockname()[1]) as sink: sink(Track(ODD.values, 30, ODD.names)); assert json.loads(s.recv(9999))['frame']==0
    check('a receiver that dies and returns, and a sender that does')

def none_waits():
    gate, got, calls = threading.Event(), [], []
    with ear() as s, sender('udp', port=s.getsockname()[1]) as raw, outlet(raw) as good, outlet(lambda t: gate.wait(), 'stuck', room=4, patience=.1) as stuck:
        for k in range(150):
            frame, start = Track(ODD.values, 30, ODD.names, t0=k/30), time.monotonic()
            stuck(frame); good(frame)
            calls.append(time.monotonic()-start)
            got.append(json.loads(s.recv(9999))['frame'])
        until('the last to be counted', lambda: good.sent==150)
        assert got==[*range(150)] and not good.dropped
        assert stuck.sent==0 and stuck.dropped==150-5, (stuck.sent, stuck.dropped)
        assert np.percentile(calls, 99)<.05, f'handing over a frame took {max(calls)*1000:.0f} ms'
        start = time.monotonic()
    assert time.monotonic()-start<2, 'a stuck sink held up the end'
    gate.set()
    check('a stuck sink beside a healthy one')

def refusals():
    unseen = Track(ODD.values.copy(), 30, ODD.names); unseen.values[0, ARKIT.index('mouthSmileLeft')] = np.nan
    with tempfile.TemporaryDirectory() as tmp:
        for mode in OUTPUTS:
            with Studio().on() as port, sender(mode, port=0 if mode=='websocket' else port, **(dict(token=Path(tmp)/'t') if mode=='vts' else {})) as sink:
                with raises(ValueError, 'mouthSmileLeft'): sink(unseen)
                sink(ODD)                                       # and goes on
            if mode not in ('udp', 'osc', 'vmc', 'websocket'):
                with sender(mode, port=port) as sink, raises((ValueError, ConnectionError), *(['missing'] if mode!='vts' else [])): sink(ODD.select(['jawLeft']))
    with raises(ValueError, 'no host'), sender('udp', 'no.such.host.invalid'): pass
    with raises(ValueError, 'port=99999'), sender('udp', port=99999): pass
    with raises(TypeError, "mean 'prefix'"), sender('osc', prefx='/x/'): pass
    check('NaN, wrong channels, wrong words: refused by name')

with tempfile.TemporaryDirectory() as tmp:
    for part in (by_udp, by_osc, by_livelink, by_ifacialmocap, by_vmc, by_vrchat, lambda: by_vts(Path(tmp)), by_websocket, dead_and_back, none_waits, refusals): part()
print('; '.join(said))
