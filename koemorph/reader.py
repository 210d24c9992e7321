"""What `koemorph export` wrote, run with numpy and onnxruntime alone: sound in, 52 coefficients a frame out. Nothing of koemorph is used

python reader.py live.json talk.wav > face.jsonl      (16 kHz, mono, 16 bits)"""
import json, sys, wave
from pathlib import Path
import numpy as np
import onnxruntime

def spectra(x, c, length, n_fft, parts=1, which=(1,)):
    "Power spectra of Hann windows of `x` that end at the given `parts` of each frame: (frames, which, n_fft//2+1)"
    num, den, sr = c['num'], c['den'], c['sr']
    n = (num*(2*len(x)+1) - 1)//(2*sr*den)                                       # whole frames
    k = parts*np.arange(n)[:,None] + which
    end = (2*k*sr*den + parts*num)//(2*parts*num) + c['lookahead']
    x = np.concatenate([np.zeros(length), x, np.zeros(c['lookahead'])])
    w = x[(end + length)[...,None] + np.arange(-length, 0)]
    return w, np.abs(np.fft.rfft(w*(.5 - .5*np.cos(2*np.pi*np.arange(length)/length)), n_fft))**2

def mel(x, c):
    "(frames, 400): the mouth's ear"
    a, b, z = (np.array(c['hz'])[i:80+i] for i in range(3))                      # where triangles begin, peak and end
    rows = []
    for w in c['windows']:
        f = np.arange(w['n_fft']//2+1)[:,None]*c['sr']/w['n_fft']
        bank = np.maximum(0, np.minimum((f-a)/(b-a), (z-f)/(z-b)))*2/(z-a)
        p = spectra(x, c, w['length'], w['n_fft'], 4, w['quarters'])[1]
        rows.append(np.log(np.maximum(p@bank, c['floor'])).reshape(len(p), -1))
    return np.concatenate(rows, 1)

def prosody(x, c):
    "(frames, 108): the mood's ear"
    p, q, s, fps, N, n_fft = c['pitch'], c['quick'], c['slow'], c['num']/c['den'], c['length'], c['n_fft']
    w, power = (y[:,0] for y in spectra(x, c, N, n_fft))
    hz = np.arange(n_fft//2+1)*c['sr']/n_fft
    loud = lambda v: np.log10(v + c['loudness']['floor'])/c['loudness']['decades'] + c['loudness']['full']
    low = c['bands_hz']
    sums = np.stack([(a<=hz)&(hz<b) for a, b in zip(low, low[1:])] + [hz*(hz>low[0])/1000], 1)
    bands = power@sums + c['rest']
    total = bands[:,:3].sum(1); mean = total/(.375*N*N)                          # .375: the mean square of a Hann window
    now = np.c_[loud(mean), np.log10(bands/total[:,None])*c['scale'], ((w[:,1:]<0)!=(w[:,:-1]<0)).sum(1)/(N-1)]
    # Pitch: the autocorrelation of what lies below p['sr']/2, the window's own divided out
    half, (lag0, lag1), (hp, lp) = n_fft*p['sr']//c['sr']//2+1, p['lags'], p['voice_hz']
    voice = 1/(1+(hz[:half]/lp)**4)/(1+(hp/np.maximum(hz[:half], 1))**4)
    own = np.fft.irfft((np.abs(np.fft.rfft(.5-.5*np.cos(2*np.pi*np.arange(N)/N), n_fft))**2)[:half])[:lag1+2]
    r = np.fft.irfft(power[:,:half]*voice)[:,:lag1+2]
    r = r/(r[:,:1] + p['quiet']**2*own[0])*own[0]/own
    lag = np.arange(lag0, lag1+1); octave = np.log2(p['sr']/lag/p['middle_hz'])
    l, m, h = r[:,lag0-1:-2], r[:,lag0:-1], r[:,lag0+1:]
    score = np.where((m>l)&(m>=h), m - p['bonus']*np.log2(2*lag), -9)
    # Frame by frame, for what follows remembers
    near = trust = 0.; fast, slow, out = np.array([[0., -1, 0, 0]]*2), np.zeros((3, 9)), []
    way = lambda seconds: 1-np.exp(-1/(np.array(seconds)*fps))[:,None]
    for k in range(len(score)):
        i = (score[k] - p['leap']*trust*np.minimum(np.abs(octave-near), 1)).argmax()
        if score[k,i]>p['sure']: near, trust = octave[i], 1.
        else: trust *= np.exp(-1/(p['forget']*fps))
        a, b, d = r[k, lag[i]-1:lag[i]+2]
        shift = np.clip((a-d)/min(2*(a-2*b+d), -1e-9), -.5, .5)
        sure = np.clip(b-(a-d)*shift/4, 0, 1)*(score[k].max()>-9)
        f, v = np.log2(p['sr']/(lag[i]+shift)/p['middle_hz']), np.clip((sure-c['voiced']['above'])/c['voiced']['over'], 0, 1)
        fast = fast + way(q['seconds'])*([mean[k], now[k,0], v, v*f] - fast)
        rise = now[k,0]-fast[0,1]
        x9 = np.array([now[k,0], now[k,4], f*v, now[k,0]**2, now[k,4]**2, f*f*v, v, max(0, rise), 1])
        slow = slow + way(s['seconds'])*(x9 - slow)
        each = slow[:,:8]/slow[:,8:]
        each[:,2:6:3] = slow[:,2:6:3]/(slow[:,6:7] + s['little'])
        each[:,3:6] = np.sqrt(np.maximum(0, each[:,3:6]-each[:,:3]**2) + s['least'])
        out.append(np.r_[now[k], sure, v*f, loud(fast[1,0]), rise, v*(f - fast[0,3]/(fast[0,2]+q['little'])), each.ravel(), slow[2,8]])
    out = np.array(out)
    return np.concatenate([out[np.maximum(0, np.arange(len(out))-ago)] for ago in c['moments']], 1)

def rows(x, manifest):
    "(frames, features) of a wave (samples,) at 16 kHz"
    c = manifest['features']
    if c['emotion'] not in ('prosody', 'none'): raise ValueError(f"these weights listen with {c['emotion']}, which is not written here")
    ears = [mel(x, c['mel'])] + ([prosody(x, c['prosody'])] if c['emotion']=='prosody' else [])
    return np.concatenate(ears, 1).astype(np.float32)

def face(x, path):
    "(frames, 52) of a wave (samples,) at 16 kHz, and its clock in seconds, by the manifest at `path` and the ONNX file beside it"
    manifest = json.loads(Path(path).read_text(encoding='utf-8'))
    onnx = next(f['file'] for f in manifest['files'] if f['format'].startswith('onnx'))
    net = onnxruntime.InferenceSession(str(Path(path).with_name(onnx)), providers=['CPUExecutionProvider'])
    state, out, (num, den) = {i['name']: np.full(i['shape'], i['fill'], np.float32) for i in manifest['inputs'][1:]}, [], manifest['fps']
    x = rows(x, manifest); each = manifest['inputs'][0]['shape'][1] or 1         # rows a call; the last call is filled up
    for some in np.pad(x, ((0, -len(x)%each), (0, 0)), 'edge').reshape(-1, 1, each, x.shape[1]):
        y, *after = net.run(None, dict(rows=some, **state))
        out.extend(y[0]); state = dict(zip(state, after))
    return np.array(out[:len(x)]), np.arange(1, len(x)+1)*den/num

if __name__=='__main__':
    if len(sys.argv)!=3: sys.exit(__doc__)
    with wave.open(sys.argv[2]) as f:
        if f.getparams()[:3]!=(1, 2, 16000): sys.exit("{}: {} channel(s), {} byte(s) a sample, {} Hz; expected 1, 2 and 16000".format(sys.argv[2], *f.getparams()))
        sound = np.frombuffer(f.readframes(f.getnframes()), '<i2')/32768
    for y, t in zip(*face(sound, sys.argv[1])): print(json.dumps(dict(timestamp=round(t, 4), blendshapes=np.round(y, 5).tolist())))
