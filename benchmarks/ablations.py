#!/usr/bin/env python3
"""What each choice in a recipe is worth, as JSON: short trainings, one thing changed at a time, judged on voices that never taught

usage: benchmarks/ablations.py CLIPS OUT.json [--steps 500] [--seeds 0 1] [--every 3] [--only NAME …] [--short]

CLIPS is what `koemorph corpus` filled. Every run hears one in `--every` of its sessions once. OUT.json grows by a row after every training and is
read again at the start, so that a stopped sweep goes on. Scores are those of `koemorph.pretrained.held_out`, on held-out voices (`val`) and on known voices
with other sentences (`seen`), and on `val` once more, each take through one of four codecs (`squeezed`); `quiet` is the mean opening on sounds that are not speech and were not learnt. No real face is looked at: nothing is chosen by it.
"""
import argparse, itertools, json, shutil, tempfile, time
from dataclasses import replace
from pathlib import Path
import machine

def variants():
    "Name → a recipe that differs from `live` in one thing"
    from koemorph.pretrained import RECIPES
    live = replace(RECIPES['live'], copies=1, negative=200)
    def model(**k): return replace(live, model=live.model | k)
    def loss(**k): return replace(live, loss=live.loss | k)
    return {'live': live,                                                     # what one pair of ears hears stands together: it is heard once
            'no closure weight': loss(closure=0.), 'closure weight 8': loss(closure=8.), 'no aperture term': loss(aperture=0.), 'no movement term': loss(temporal_weight=0.),
            'absolute errors': loss(l1_weight=.3, mse_weight=.3), 'no negatives': replace(live, negative=0),
            'wider and deeper': model(d_model=256, dilations=(1,2,4,8,1,2,4,8)), 'half the window': model(window_frames=8),
            'look-ahead 0 ms': model(lookahead_ms=0), 'look-ahead 66 ms': model(lookahead_ms=66), 'look-ahead 133 ms': model(lookahead_ms=133), 'no mood': model(emotion='none'),
            'as spoken': replace(live, elsewhere=False), 'heavy noise': replace(live, place=dict(snr=(5, 30))), 'codecs': replace(live, place=dict(codec=.25)),
            'frequency tokens': model(mel_encoder='frequency', window_frames=256)}

def rows_of(takes, recipe):
    "Takes as the ears of `recipe` hear them"
    from koemorph import model, train
    cfg = model.ModelCfg(**recipe.model)
    return [train.recording(t.wave, t.face, cfg, t.voice) for t in takes]

def judged(net, takes, rows):
    "`held_out` of a network, from rows already heard"
    from koemorph.io import Track
    from koemorph.pretrained import held_out
    from koemorph.train import predict
    return held_out(takes, [Track(predict(net, r), net.cfg.fps) for r in rows])

def quiet(net):
    "Mean opening on sixteen sounds that are not speech"
    import numpy as np
    from koemorph.features import chain, run
    from koemorph.io import aperture
    from koemorph.model import NetworkStage, ears_for
    from koemorph.pretrained import negatives
    return float(np.mean([np.maximum(0, aperture(run(chain(ears_for(net.cfg), NetworkStage(net)), negatives(10_000+i, 4.)[0]))).mean() for i in range(16)]))

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('clips', nargs='?'); p.add_argument('out', nargs='?'); p.add_argument('--steps', type=int, default=500); p.add_argument('--seeds', type=int, nargs='+', default=[0, 1])
    p.add_argument('--every', type=int, default=3); p.add_argument('--only', nargs='+'); p.add_argument('--short', action='store_true', help='two steps on two sentences')
    a = p.parse_args()
    from koemorph.io import atomic_write
    from koemorph.pretrained import CODECS, fit_recipe, hear, sessions, squeezed
    import koemorph, torch
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as tmp:
        if a.short:
            a.clips, a.out, a.steps, a.seeds, a.every, a.only = tmp, str(Path(tmp)/'short.out'), 2, [0], 1, ['live', 'as spoken']
            for name, split, number in (('en', 'train', 0), ('en', 'train', 19), ('ja', 'val', 0)):
                at = Path(tmp)/f'{name}_{number:04d}'; source = Path(koemorph.__file__).parent/'samples'/name
                shutil.copy(source.with_suffix('.wav'), at.with_suffix('.wav'))
                at.with_suffix('.json').write_text(json.dumps(json.loads(source.with_suffix('.json').read_text(encoding='utf-8')) | dict(split=split)), encoding='utf-8')
        if not a.clips or not a.out: p.error('say where the clips are and where the report goes')
        out, all_of = Path(a.out), variants()
        if odd := set(a.only or []) - set(all_of): p.error(f"no variant {', '.join(odd)}: there are {', '.join(all_of)}")
        report = json.loads(out.read_text()) if out.exists() else dict(steps=a.steps, every=a.every, rows=[])
        if (report['steps'], report['every']) != (a.steps, a.every): p.error(f"{out} holds runs of {report['steps']} steps on one session in {report['every']}: ask for the same, or for another file")
        takes = {s: list(sessions(a.clips, s, seed=0)) for s in ('val', 'seen')}
        takes['squeezed'] = [replace(t, wave=squeezed(t.wave, c)) for t, c in zip(takes['val'], itertools.cycle(CODECS))]
        ears = None
        for name, recipe in all_of.items():
            for seed in a.seeds:
                if a.only and name not in a.only or [name, seed] in [[r['name'], r['seed']] for r in report['rows']]: continue
                key = recipe.model.get('lookahead_ms'), recipe.model.get('emotion'), recipe.elsewhere, str(recipe.place)
                if key != ears:
                    ears, rows = key, {s: rows_of(takes[s], recipe) for s in ('seen', 'squeezed')}
                    heard = hear(replace(recipe, negative=200 if not a.short else 2), a.clips, 0, 2, a.every)
                report['hours'] = round(sum(map(len, heard['voices']))/108_000, 1)
                start = time.process_time(); used = heard | dict(not_speech=heard['not_speech'][:recipe.negative])
                with tempfile.TemporaryDirectory() as run:
                    net = fit_recipe(recipe, used, run, name, a.steps, seed).kept()
                took = time.process_time()-start
                scores = {s: judged(net, takes[s], r) for s, r in dict(val=heard['held_out'], **rows).items()}
                report['rows'].append(dict(name=name, seed=seed, cpu_minutes=round(took/60, 1), quiet=round(quiet(net), 4),
                                           **{s: {k: round(float(v), 4) for k, v in x.items()} for s, x in scores.items()}))
                with atomic_write(out) as f: json.dump(report, f, indent=1)
        print(json.dumps(report | machine.about(), indent=1))

if __name__ == '__main__': main()
