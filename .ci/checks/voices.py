#!/usr/bin/env python3
"Every engine of the speech corpus says a sentence full of p, b and m: its phone times are where the wave dips, its labels close the lips"
import sys, tempfile
from pathlib import Path
import numpy as np
import onnxruntime
from koemorph.pretrained import ENGINES, cast, closures, corpus, lacking, read_clip, say, targets, visemes

SR = 16_000
onnxruntime.set_seed(3)          # Piper draws its noise from here: the same speech on every run
TEXT = dict(en='Bob, my puppy, bumped a big bamboo basket by the pump.', ja='ママもパパも、豆と梅干しを、ポケットいっぱいに運びました。')
ALPHABET = dict(openjtalk='openjtalk', flite='arpabet', festival='arpabet')   # all others spell in IPA

def dip(wave, spans):
    "Over the middles of all bilabials that follow a sound: seconds to the quietest instant within .12 s, and its depth in dB"
    f = np.fft.rfftfreq(len(wave), 1/SR)
    power = np.convolve(np.fft.irfft(np.fft.rfft(wave)*(f > 700), len(wave))**2, np.hanning(320)/160, 'same')   # 20 ms
    lags = np.arange(-.12, .121, .005)
    lips = [(a+b)/2 for (*_, before), (a, b, v) in zip(spans, spans[1:]) if v == 'PP' and before != 'sil']
    at = np.clip((np.add.outer(lips, lags)*SR).astype(int), 0, len(power)-1)
    db = 10*np.log10(power[at]+1e-9).mean(0)
    return lags[db.argmin()], db[[0, -1]].mean()-db.min()

def heard(voice):
    "Speak, and hold labels and wave to each other; one line of figures"
    alphabet = ALPHABET.get(voice.engine, 'ipa')
    wave, phones = say(voice, TEXT[voice.language], np.random.default_rng(1))
    spans = visemes(phones, alphabet)
    met, asked, shut, vowels = closures(targets(phones, wave, alphabet), spans)
    off, depth = dip(wave, spans)
    line = f'{voice.engine:10}{voice.name:16}{met} of {asked} closed, {shut} of {vowels} vowels shut, the wave dips {depth:.0f} dB at {1000*off:+.0f} ms'
    print(line, flush=True)
    assert asked >= 8 and met == asked and shut <= .1*vowels, line
    assert abs(off) <= .04 and depth >= 6, line
    assert np.isfinite(wave).all() and .01 < abs(wave).max() <= .95, f'{voice.name}: a wave between {wave.min()} and {wave.max()}'

missing = {e: lacking(e) for e in ENGINES if lacking(e)}
spoken = [e for e in ENGINES if e not in missing]
for e in spoken:
    for language in TEXT:
        for voice in [v for v in cast() if (v.engine, v.language) == (e, language)][:1]: heard(voice)

if 'flite' in spoken:                                                    # and the command, processes and all
    with tempfile.TemporaryDirectory() as tmp:
        def clips(): return {p.name: p.stat().st_mtime_ns for p in Path(tmp).iterdir()}
        corpus(tmp, hours=.005, jobs=2, engines='flite')
        made = clips(); wave, clip = read_clip(Path(tmp)/min(made))
        assert len({n.split('_')[0] for n in made}) >= 6 and len(wave) == round(clip['seconds']*SR), sorted(made)
        corpus(tmp, hours=.005, jobs=2, engines='flite')
        assert clips() == made, 'the second `koemorph corpus` did something over again'
if missing: print('not run: '+'; '.join(f'{e}: {what}' for e, what in missing.items())); sys.exit(77)
print('heard: '+', '.join(spoken))
