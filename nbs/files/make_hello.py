"""Makes hello.wav and hello.jsonl: a synthetic voice, and a face keyed by hand to its phones. Needs flite 2.2.

The curves are an illustration, not a capture: a target for each phone, reached at its middle, eased in between.
"""
import json, subprocess
import numpy as np

said = subprocess.run(['flite', '-voice', 'slt', '-t', 'Hello! My name is Koh way.', '-psdur', '-o', 'hello.wav'], capture_output=True, text=True, check=True).stdout
ends = [(p, float(t)) for p,t in (x.split(':') for x in said.split())]

wide = dict(mouthSmileLeft=.25, mouthSmileRight=.25, mouthStretchLeft=.2, mouthStretchRight=.2)
closed = dict(jawOpen=.05, mouthClose=.05, mouthPressLeft=.35, mouthPressRight=.35, mouthRollLower=.2, mouthRollUpper=.15)
mouth = dict(
    pau={}, hh=dict(jawOpen=.15), ax=dict(jawOpen=.3), l=dict(jawOpen=.22, mouthUpperUpLeft=.1, mouthUpperUpRight=.1),
    ow=dict(jawOpen=.28, mouthFunnel=.35, mouthPucker=.4), m=closed, ay=dict(jawOpen=.5, mouthLowerDownLeft=.2, mouthLowerDownRight=.2, **wide),
    n=dict(jawOpen=.1, mouthUpperUpLeft=.1, mouthUpperUpRight=.1), ey=dict(jawOpen=.3, **wide), ih=dict(jawOpen=.18, **wide),
    z=dict(jawOpen=.06, **wide), k=dict(jawOpen=.2), w=dict(jawOpen=.1, mouthFunnel=.2, mouthPucker=.7))
keys = {}                                            # channel -> [(seconds, value)]
starts = [0.] + [t for _,t in ends]
channels = sorted({c for m in mouth.values() for c in m})
for (p,b),a in zip(ends, starts):
    for c in channels: keys.setdefault(c, []).append(((a+b)/2, mouth[p].get(c, 0.)))
for c in ('eyeBlinkLeft', 'eyeBlinkRight'): keys[c] = [(0,0), (.68,0), (.75,1), (.90,0), (2.2,0), (2.27,.9), (2.4,0)]
for c in ('browInnerUp', 'browOuterUpLeft', 'browOuterUpRight'): keys[c] = [(0,0), (.16,0), (.30,.5), (.6,.1), (1.6,0), (1.8,.3), (2.2,0)]
for c in ('mouthSmileLeft', 'mouthSmileRight'): keys[c] += [(2.6,.5)]
for c in ('cheekSquintLeft', 'cheekSquintRight'): keys[c] = [(0,0), (2.1,0), (2.6,.4)]

def ease(t, pairs):
    x,y = np.array(pairs, float).T
    i = np.clip(np.searchsorted(x, t)-1, 0, len(x)-2)
    w = np.clip((t-x[i])/(x[i+1]-x[i]), 0, 1)
    return y[i] + (y[i+1]-y[i])*(1-np.cos(np.pi*w))/2

names = '''eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft eyeBlinkRight
    eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight jawForward jawLeft jawRight
    jawOpen mouthClose mouthFunnel mouthPucker mouthLeft mouthRight mouthSmileLeft mouthSmileRight mouthFrownLeft
    mouthFrownRight mouthDimpleLeft mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper
    mouthShrugLower mouthShrugUpper mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft
    mouthUpperUpRight browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
    cheekSquintRight noseSneerLeft noseSneerRight tongueOut'''.split()
times = [(k+1)/30 for k in range(int(ends[-1][1]*30))]
with open('hello.jsonl', 'w') as f:
    for t in times:
        row = [round(float(ease(t, keys[n])), 3) if n in keys else 0. for n in names]
        f.write(json.dumps(dict(timestamp=round(t, 4), blendshapes=row))+'\n')
