#!/usr/bin/env python3
"""Motion files opened by programs that are not ours: Khronos' glTF validator, three.js, three-vrm, pandas. One track with a value of its own
in every cell goes out in every format; what the others read is held to it within 1e-4, and what we read back to the format's own precision."""
import json, os, shutil, subprocess, sys, tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
node, npm = shutil.which('node'), shutil.which('npm')
if not (node and npm): print('not run: apt install nodejs npm'); sys.exit(77)
import pandas as pd

from koemorph.io import ARKIT, READERS, WRITERS, Track, read_track, write_track
from koemorph.sinks import mapped

NPM = {'gltf-validator': '2.0.0-dev.3.10', 'three': '0.187.0', '@pixiv/three-vrm': '3.5.5', '@pixiv/three-vrm-animation': '3.5.5'}
rng = np.random.default_rng(8)
TRACK = Track(rng.uniform(0, 1, (90, 52)).astype(np.float32).round(5), 30)
LATE = Track(rng.uniform(0, 1, (40, 52)).astype(np.float32).round(5), 60, t0=2.5)

# What three.js makes of a file: the values of its own mixer at the times asked for, not the arrays in the file
SAMPLE = r'''
import fs from 'node:fs'
globalThis.self = globalThis
globalThis.ProgressEvent = class { constructor(type) { this.type = type } }
const {AnimationMixer, Euler, Quaternion} = await import('three')
const {GLTFLoader} = await import('three/addons/loaders/GLTFLoader.js')
const {VRMAnimationLoaderPlugin} = await import('@pixiv/three-vrm-animation')
const validator = (await import('gltf-validator')).default
const [, , folder] = process.argv, out = {}
for (const name of fs.readdirSync(folder).filter(f => /\.(glb|vrma)$/.test(f))) {
  const bytes = new Uint8Array(fs.readFileSync(folder + '/' + name)), said = await validator.validateBytes(bytes)
  const got = out[name] = {issues: {...said.issues, messages: said.issues.messages.slice(0, 5)}, resources: said.info}
  const loader = new GLTFLoader()
  loader.register(parser => new VRMAnimationLoaderPlugin(parser))
  const gltf = await loader.parseAsync(bytes.buffer.slice(0), '')
  if (name.endsWith('.vrma')) {
    const [a] = gltf.userData.vrmAnimations, all = tracks => Object.fromEntries([...tracks].map(([n, t]) => [n, {times: [...t.times], values: [...t.values]}]))
    Object.assign(got, {duration: a.duration, preset: all(a.expressionTracks.preset), custom: all(a.expressionTracks.custom), 
      look: a.lookAtTrack?.times && [...a.lookAtTrack.times].map((_, k) => { const e = new Euler().setFromQuaternion(new Quaternion().fromArray(a.lookAtTrack.values, 4*k), 'YXZ'); return [e.y, e.x] })})
    continue
  }
  const [clip] = gltf.animations, mixer = new AnimationMixer(gltf.scene)
  let mesh; gltf.scene.traverse(o => { if (o.isMesh) mesh = o })
  mixer.clipAction(clip).play()
  const sampled = t => { mixer.setTime(t); return [...mesh.morphTargetInfluences] }
  const keys = [...clip.tracks[0].times]
  Object.assign(got, {dictionary: mesh.morphTargetDictionary, duration: clip.duration, keys, rows: keys.map((t, k) => k < keys.length - 1 ? sampled(t) : sampled(t - 1e-9)),
    between: sampled((keys[0] + keys[1])/2), points: mesh.geometry.attributes.position.count, moved: mesh.geometry.morphAttributes.position.map(a => Math.max(...a.array.map(Math.abs)))})
}
fs.writeFileSync(folder + '/said.json', JSON.stringify(out))
'''

def near(what, a, b, eps=1e-4):
    a, b = np.asarray(a, float), np.asarray(b, float)
    assert a.shape==b.shape and np.abs(a-b).max()<=eps, f'{what}: {a.shape} and {b.shape}, off by {np.abs(a-b).max() if a.shape==b.shape else "shape"}'

def round_trips(tmp):
    "Every format that is read back: the values within its digits, the clock and its beginning exactly, where the format has one"
    for suffix in sorted(WRITERS):
        for track in (TRACK, LATE):
            path = tmp/f'trip{suffix}'
            write_track(track, path)
            back = read_track(path)
            want = mapped(track, 'vrm') if suffix=='.vrma' else track
            names = [n for n in want.names if not n.startswith('look')]
            exact = suffix in ('.glb', '.vrma', '.arkit.vrma')
            near(f'{suffix} values', back.select(names).values, want.select(names).values, 0 if exact else 5.1e-6)
            assert back.fps==track.fps and len(back)==len(track), (suffix, back)
            assert suffix in ('.a2f.json', '.livelink.csv') or abs(back.t0-track.t0)<2e-5, (suffix, back.t0, track.t0)
    assert set(WRITERS)-set(READERS)=={'.livelink.csv'}                          # which .csv reads

def by_others(tmp):
    for name, track in (('a', TRACK), ('late', LATE)):
        for suffix in ('.glb', '.vrma', '.arkit.vrma'): write_track(track, tmp/f'{name}{suffix}')
    (tmp/'sample.mjs').write_text(SAMPLE); (tmp/'package.json').write_text('{"private": true}')
    r = subprocess.run([npm, 'install', '--no-audit', '--no-fund', '--ignore-scripts', *(f'{k}@{v}' for k, v in NPM.items())], cwd=tmp, capture_output=True, text=True)
    if r.returncode: print('not run: npm cannot reach its registry: '+r.stderr.strip()[-200:].replace('\n', ' ')); sys.exit(77)
    r = subprocess.run([node, 'sample.mjs', str(tmp)], cwd=tmp, capture_output=True, text=True, timeout=120)
    assert r.returncode==0, r.stderr[-2000:]
    said = json.loads((tmp/'said.json').read_text())
    for name, s in said.items(): assert s['issues']['numErrors']==s['issues']['numWarnings']==0, (name, s['issues'])
    for name, track in (('a', TRACK), ('late', LATE)):
        s = said[f'{name}.glb']
        order = [s['dictionary'][n] for n in ARKIT]
        near('times', s['keys'], track.times, 1e-4); near('rows', np.array(s['rows'])[:, order], track.values)
        near('between two keys', np.array(s['between'])[order], track.values[:2].mean(0)); near('duration', s['duration'], track.times[-1], 1e-4)
        assert len(s['moved'])==52 and min(s['moved'])>5e-4, 'a target that moves nothing'
        few, all52 = said[f'{name}.vrma'], said[f'{name}.arkit.vrma']
        want = mapped(track, 'vrm')
        assert not few['custom'] and not all52['preset'] and set(all52['custom'])==set(ARKIT)
        assert set(few['preset'])=={n for n in want.names if not n.startswith('look')} and {'aa', 'ih', 'ou', 'ee', 'oh', 'blinkLeft'}<=set(few['preset'])
        for n, t in few['preset'].items(): near(n, t['values'], want[n]); near(n, t['times'], track.times)
        for n, t in all52['custom'].items(): near(n, t['values'], track[n])
        yaw, pitch = np.degrees(np.array(few['look'])).T                        # turned as the specification says; 30 degrees for both eyes at 1
        near('gaze to the left', yaw, 15*(track['eyeLookOutLeft']+track['eyeLookInRight']-track['eyeLookInLeft']-track['eyeLookOutRight']), 1e-3)
        near('gaze down', pitch, 15*(track['eyeLookDownLeft']+track['eyeLookDownRight']-track['eyeLookUpLeft']-track['eyeLookUpRight']), 1e-3)
    return said['a.glb']

def by_pandas(tmp):
    write_track(TRACK, tmp/'a.unity.csv'); write_track(TRACK, tmp/'a.livelink.csv')
    table, live = pd.read_csv(tmp/'a.unity.csv'), pd.read_csv(tmp/'a.livelink.csv')
    near('time', table['time'], TRACK.times, 1e-6); near('smile', table['mouthSmile_R'], 100*TRACK['mouthSmileRight'], 6e-4); near('jaw', live['JawOpen'], TRACK['jawOpen'], 1e-5)
    assert table.shape==(90, 53) and table.iloc[:, 1:].to_numpy().max()>90
    unity = json.loads((write_track(TRACK, tmp/'a.unity.json'), (tmp/'a.unity.json').read_text())[1])
    assert all(set(f)=={'time', 'weights'} and len(f['weights'])==52 for f in unity['frames']) and unity['names'][17]=='jawOpen'

def refusals(tmp):
    "What cannot be said is refused by name, on the command line too, and leaves nothing behind; without pygltflib the other formats go on"
    v = TRACK.values.copy(); v[3, ARKIT.index('tongueOut')] = np.nan
    write_track(Track(v), tmp/'seen.jsonl')
    for suffix in WRITERS:
        if suffix in ('.csv', '.jsonl', '.vrma'): continue                      # VRM's expressions need no tongue
        r = subprocess.run([sys.executable, '-m', 'koemorph', 'convert', 'seen.jsonl', '-o', f'no{suffix}'], cwd=tmp, env=ENV, capture_output=True, text=True) if suffix=='.glb' else None
        if r: assert r.returncode==1 and 'tongueOut (1 of 90 frames)' in r.stderr and r.stderr.count('\n')==1, r.stderr
        try: write_track(Track(v), tmp/f'no{suffix}')
        except ValueError as e: assert 'tongueOut' in str(e), e
        else: raise AssertionError(f'{suffix} wrote what was unseen')
    assert not [*tmp.glob('no.*')]
    (tmp/'bare').mkdir(); (tmp/'bare/pygltflib.py').write_text("raise ModuleNotFoundError(\"No module named 'pygltflib'\", name='pygltflib')")
    write_track(TRACK, tmp/'all.jsonl')
    bare = {**ENV, 'PYTHONPATH': f"{tmp/'bare'}{os.pathsep}{ROOT}"}
    def run(*words): return subprocess.run([sys.executable, '-m', 'koemorph', *words], cwd=tmp, env=bare, capture_output=True, text=True)
    r = run('run', str(ROOT/'koemorph/samples/en.wav'), '-o', 'x.glb')
    assert r.returncode==1 and "pip install 'koemorph[motion]'" in r.stderr and not (tmp/'x.glb').exists(), r.stderr
    r = run('convert', 'all.jsonl', '-o', 'x.unity.json'); assert r.returncode==0, r.stderr
    loaded = subprocess.run([sys.executable, '-c', "import sys; from koemorph.io import write_track,read_track; write_track(read_track('all.jsonl'), 'y.lam.json'); print('pygltflib' in sys.modules, 'torch' in sys.modules)"], cwd=tmp, env=ENV, capture_output=True, text=True)
    assert loaded.stdout.strip()=='False False', loaded

ENV = {**os.environ, 'PYTHONPATH': str(ROOT)}
with tempfile.TemporaryDirectory() as tmp:
    tmp = Path(tmp)
    round_trips(tmp); by_pandas(tmp); refusals(tmp)
    seen = by_others(tmp)
print(f"{len(WRITERS)} formats out and back; glTF and VRM valid, read by three.js and three-vrm: {len(seen['keys'])} keys, 52 targets of {seen['points']} points")
