#!/usr/bin/env python3
"""The card of a set of weights, written from what was measured: README.md beside model.onnx, with the hash of every file

usage: benchmarks/card.py FOLDER pretrained.json peers.json --run 'koemorph pretrain …' --commit HASH --cpu_hours H [--speech_hours H]

FOLDER is a checkpoint; the two reports are those of benchmarks/pretrained.py and benchmarks/peers.py. Written last: a file that changes afterwards has another hash.
"""
import argparse, hashlib, json
from pathlib import Path
from koemorph.io import atomic_write

FOR = dict(live='streams: it listens 33 ms ahead', studio='files, where the future can be listened to')

def size(n): return f'{n/1e6:.1f} MB' if n > 1e6 else f'{n/1e3:.0f} kB'
def with_interval(v): return f'{v[0]:.2f} ({v[1]:.2f} to {v[2]:.2f})' if isinstance(v, list) else f'{v:.2f}'

def card(folder, held, peers, run, commit, cpu_hours, speech_hours):
    "Markdown, from the checkpoint's own config and two reports"
    about = json.loads((folder/'config.json').read_text(encoding='utf-8')); name, last = about['name'], about['log'][-1]
    m, real, loud = held['models'][name], peers['systems'][f'koemorph-{name}'], peers['systems']['loudness']
    parameters = (folder/'model.safetensors').stat().st_size/2e6          # 16 bits each
    hashes = '\n'.join(f'| `{f.name}` | {size(f.stat().st_size)} | `{hashlib.sha256(f.read_bytes()).hexdigest()}` |' for f in sorted(folder.iterdir()) if f.name != 'README.md' and f.name[0] != '.')
    asked = dict(lips='lips shut at *p b m* where a tenth of other consonants are', teeth='teeth on the lip at *f v*', viseme='the right mouth of five', funnel='`mouthFunnel` *r*',
                 pucker='`mouthPucker` *r*', aperture='lip gap *r* in speech', closed='lips shut, by the face\'s own scale', vowels_shut='vowels shut by mistake', jitter='restlessness (1 is right)')
    voices = '\n'.join(f'| {text} | {with_interval(m["val"][k])} | {with_interval(m["seen"][k])} | {with_interval(held["loudness"]["val"][k])} |' for k, text in asked.items())
    faces = dict(aperture_r='lip gap *r* in speech', mouth_r='mouth channels *r* in speech', jaw_r='`jawOpen` *r*, whole take', bilabials_closed='bilabials closed', vowels_shut='vowels shut',
                 dip_recall='short closures met', open_shut='open mouths shut', best_lag_ms='best lag, ms', jitter='restlessness', amplitude='amplitude')
    sets = [s for s in real if isinstance(real[s], dict) and 'aperture_r' in real[s]]
    def cell(of, s, k): v = of[s].get(k); return '' if v is None or v != v else f'{v:.0f}' if k == 'best_lag_ms' else f'{v:.2f}'
    takes = '\n'.join(f'| {text} | ' + ' | '.join(f'{cell(real, s, k)} | {cell(loud, s, k)}' for s in sets)+' |' for k, text in faces.items())
    noise = ', '.join(f"{k} {v['mean']:.3f} (at most {v['max']:.2f})" for k, v in real['noise'].items())
    return f"""# {name}

Weights for {FOR[name]}. Speech in, 52 ARKit coefficients out, {about['features']['fps']} times a second, on one CPU core.

| | |
|---|---|
| what | {parameters:.2f} M parameters: causal convolutions over mel, prosody beside it, 52 queries (`nbs/03_model.ipynb`) |
| listens to | 16 kHz mono, {about['features']['lookahead_ms']} ms ahead of what it shows, with koemorph's own ears (`nbs/02_features.ipynb`); nothing of openSMILE |
| cost | {', '.join(f'{f} {us} µs a frame, one at a time' for f, us in m['us_per_frame'].items())} (one thread of an {held['machine']}) |
| int8 | mean change of a coefficient {m['int8']['mean_abs_delta']:.4f}; no correlation falls by more than {max(0, m['int8']['worst_fall_of_r']):.3f} |
| licence | {about['licence']} |
| made by | `koemorph corpus clips --hours 9 --jobs 2`, stopped at {speech_hours} h, then `{run}`, at commit `{commit}`; packed by `koemorph.pretrained.ship`; `model-int8.onnx` by `koemorph export --model_path {name} --formats onnx-int8 --dynamic_axes` |
| used by | `--model_path {name}`; in 8 bits `--model_path …/weights/{name}/model-int8.onnx` |
| heard | {about['minutes']['voices']/60:.1f} h of speech in other rooms (every clip {round(about['minutes']['voices']/60/speech_hours) or 1} ×), {about['minutes']['not_speech']:.0f} min of other sounds, {about['training']['max_steps']} steps of 16 × 128 frames, best on the voices kept apart at step {last['step']} |
| CPU | {cpu_hours} h for these weights on one core; the speech took about 7 h more, nearly all of it Kokoro's |

## What it learned from

Speech synthesised from sentences of our own, by 111 voices (about a dozen people; the rest are styles, mixtures and variants of them) of seven free engines, in fifteen languages (41 % Japanese, 41 % English, 18 % others), heard through random rooms,
microphones and noises; and sounds that are not speech, with a resting mouth. The faces were worked out from the times of the phones by a hand-set viseme table and
coarticulation (`nbs/07_pretrained.ipynb`). **No recording of a face was used**, and no recording of a person other than those the voices were built from.

| voice | whose | terms |
|---|---|---|
| Open JTalk "mei" | HTS voice "Mei", © 2009–2013 Nagoya Institute of Technology (MMDAgent project team); her pitch, speed and vocal tract were varied | [CC BY 3.0](https://creativecommons.org/licenses/by/3.0/) |
| flite and festival slt, rms, kal, ked | © 1999–2003 Carnegie Mellon University; © 1998 Alan W Black and Kevin Lenzo; © 1997 CSTR, University of Edinburgh | free for any use |
| festival "nsh" | © 2005 Nickolay V. Shmyrev | free for any use |
| Hibari "heart" | © 2026 Maureese Williams, distilled from Kokoro-82M *af_heart* | Apache-2.0 |
| Kokoro-82M, styles and mixtures of them | hexgrad; nobody says whose recordings the styles were made from | Apache-2.0 |
| espeak-ng, formants | the program is GPL-3.0-or-later; there are no terms of its own for what it says | – |
| *judged only, never taught:* Piper "joe", flite awb, one Mei, one Kokoro style, one Spaniard of espeak-ng | Piper "joe": recordings CC0, fine-tuned from *lessac*, whose own terms we could not clear | – |

## What it is for, and what it is not

For lips that follow a voice: avatars, games, VTubers, previews. Japanese and English first; other languages by what their sounds have in common. Not for judging how somebody
speaks, and not for passing a face off as somebody's.

**Procedural.** Brows, cheeks and squints follow loudness accents by rule. Blinks, gaze, head and smiles that mean something are not predicted: they rest at zero, and `--idle` invents them.

**Known failures.** Emotions are unknown to it, for no voice had any. Shouting does not open the mouth wider than loud speech. In Japanese one real person (Mei) taught, with Kokoro's styles beside her;
no real Japanese face was at hand to check with. `mouthFunnel` follows one studio rig's hardly at all. Dimples rest. Crowds and singing were not trained; held music can part the lips a little.
Through a poor codec a twentieth to a fifth fewer bilabials are told apart, and up to three tenths fewer *f* and *v* (asked on fewer voices: `nbs/files/codecs.json`).

## Voices that never taught

{m['val']['bilabials'][0]:.0f} bilabials; value (95 % interval, takes drawn again). *Known* are voices that taught, with sentences that did not.

| | strangers | known | loudness |
|---|---|---|---|
{voices}

Lips, engine by engine, each by its own line: {', '.join(f"{e} {x['lips']:.2f} of {x['bilabials']:.0f}" for e, x in m['val, by engine'].items())}. Only flite's Scot (awb) and Piper's *joe* are people of whom nothing taught; the others
are another style of Kokoro, another variant of espeak-ng, and Mei with another larynx and vocal tract. The step that was kept was the best on these same voices.

## Real faces, never trained on

Facegood: three takes of a Mandarin speaker, 334 s, a studio's tracker. Grid: four English speakers, 12 s, MediaPipe. Small sets: an *r* is good to ±.03 on the first, ±.15 on the second.
They confirm and do not select; but the amplitudes of the viseme table were set with such recordings in view.

| | {' | '.join(f'{s} | {s}, loudness' for s in sets)} |
|---|{'---|'*2*len(sets)}
{takes}

How far the lips part, in the mean, on sounds that are no speech, without the gate: {noise}.

## Files

| file | size | SHA-256 |
|---|---|---|
{hashes}
"""

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('folder', type=Path); p.add_argument('pretrained', type=Path); p.add_argument('peers', type=Path)
    p.add_argument('--run', required=True); p.add_argument('--commit', required=True); p.add_argument('--cpu_hours', required=True); p.add_argument('--speech_hours', type=float, default=8.6)
    a = p.parse_args(); held, peers = (json.loads(f.read_text()) for f in (a.pretrained, a.peers))
    with atomic_write(a.folder/'README.md') as f: f.write(card(a.folder, held, peers, a.run, a.commit, a.cpu_hours, a.speech_hours))

if __name__ == '__main__': main()
