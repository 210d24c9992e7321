#!/usr/bin/env python3
"Every engine of the speech corpus says a sentence full of p, b and m in every language it has: its phone times are where the wave dips, its labels close the lips"
import sys, tempfile
from pathlib import Path
import numpy as np
import onnxruntime
from koemorph.pretrained import _SPELLING, ENGINES, STYLES, cast, corpus, lacking, lip_counts, read_clip, say, targets, visemes

SR = 16_000
onnxruntime.set_seed(3)          # Piper draws its noise from here: the same speech on every run
TEXT = {'en': 'Bob, my puppy, bumped a big bamboo basket by the pump.', 'ja': 'ママもパパも、豆と梅干しを、ポケットいっぱいに運びました。',
        'es': 'Mi mamá compró un barco pequeño, y Pepe un mapa de Pamplona.', 'de': 'Papa probiert am Abend Pfeffer, Paprika und Pflaumen mit Butter.',
        'fr-fr': 'Papa a mis une pomme et un ballon bleu au bout du pont.', 'it': 'La mamma compra il pane, e Beppe prepara una pappa buona.',
        'pt-br': 'Papai comprou um mapa, e o bebê abriu a porta da padaria.', 'cmn-latn-pinyin': 'ma1 ma5 mai3 mian4 bao1, ba4 ba5 ban1 bao1 zi5, wo3 pa4 ma2 fan5.',
        'ru': 'Мама мыла раму, а папа купил большой белый пирог и бубен.', 'ko': '엄마는 아빠와 밥을 먹고 바나나 배 빵을 사서 부모님과 나눕니다.',
        'hi': 'मम्मी और पापा बाहर बैठे हैं, बाबा ने बड़ी बस में भीड़ देखी।', 'nl': 'Papa koopt een paar blauwe broeken, en Bob blijft maar mopperen.',
        'pl': 'Mama kupiła piękne białe buty, a babcia piecze placek z jabłkami.', 'tr': 'Babam pazardan biber ve patlıcan aldı, bebek mavi battaniyede uyuyor.',
        'id': 'Bapak membawa payung berwarna biru, dan ibu membeli buah pepaya.'}

def dip(wave, spans):
    "Over the middles of all bilabials that follow a sound: seconds to the quietest instant within .12 s, and its depth in dB"
    f = np.fft.rfftfreq(len(wave), 1/SR)
    power = np.convolve(np.fft.irfft(np.fft.rfft(wave)*(f > 700), len(wave))**2, np.hanning(320)/160, 'same')   # 20 ms
    lags = np.arange(-.12, .121, .005)
    lips = [(a+b)/2 for (*_, before), (a, b, v) in zip(spans, spans[1:]) if v == 'PP' and before != 'sil']
    at = np.clip((np.add.outer(lips, lags)*SR).astype(int), 0, len(power)-1)
    db = 10*np.log10(power[at]+1e-9).mean(0)
    return lags[db.argmin()], db[[0, -1]].mean()-db.min()

def heard(voice, style='plain'):
    "Speak, and hold labels and wave to each other; one line of figures"
    alphabet = _SPELLING[voice.engine]
    wave, phones = say(voice, TEXT[voice.language], np.random.default_rng(1), style)
    spans = visemes(phones, alphabet)
    met, asked, shut, vowels = lip_counts(targets(phones, wave, alphabet), spans)
    off, depth = dip(wave, spans)
    line = f'{voice.engine:10}{voice.name:26}{style:8}{met} of {asked} closed, {shut} of {vowels} vowels shut, the wave dips {depth:.0f} dB at {1000*off:+.0f} ms'
    print(line, flush=True)
    assert asked >= 8 and met == asked and shut <= (.1 if style == 'plain' else .2)*vowels, line     # a hurried vowel is short
    if style == 'plain': assert abs(off) <= .02 and depth >= 5, line
    assert np.isfinite(wave).all() and .002 < abs(wave).max() <= .951, f'{voice.name}: a wave between {wave.min()} and {wave.max()}'

missing = {e: lacking(e) for e in ENGINES if lacking(e)}
spoken = [e for e in ENGINES if e not in missing]
first = {}                                                                # the first voice of every engine in every language
for voice in cast(): first.setdefault((voice.engine, voice.language), voice)
for (engine, language), voice in first.items():
    if engine in spoken: heard(voice)
for engine, language in (('openjtalk', 'ja'), ('hibari', 'en')):          # and every way of speaking
    for style in [s for s in STYLES if s != 'plain' and engine in spoken]: heard(first[engine, language], style)

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
