// Which moments of sound each of the 52 questions looks at, and whom it believes. No dependencies, no network.
import {box, bytes, clamp, curve, demo, line, sized, text} from './demo.js'
import {drawFace} from './face.js'

const WAVE = [18, 74], BARS = [96, 148], HEAT = [190, 262], SAID = [286, 362], AXIS = 366, GATE = 414
const CSS = `.top { display: flex; flex-wrap: wrap; gap: 0 14px; padding: 6px 14px 0 } .top svg.over { flex: 1 1 300px; width: auto; min-width: 0; margin: 0 } .top .face { flex: 0 0 200px; width: 200px; align-self: center }
  @container (max-width: 560px) { .top .face { width: 150px; flex-basis: 150px; margin: 0 auto } .top svg.over { flex-basis: 100% } }`

/** anywidget's shape; `attention_payload` in Python says what `model.get` gives */
export function render({model, el}) {
  const names = model.get('names'), groups = model.get('groups'), fps = model.get('fps')[0]/model.get('fps')[1], gate = model.get('gate'), phones = model.get('phones'), span = model.get('window'), sound = new Audio(model.get('audio'))
  const weights = bytes(model.get('weights')), full = bytes(model.get('face')), [mel, mood] = ['mel', 'mood'].map(key => model.get(key) ? bytes(model.get(key)) : null), peaks = bytes(model.get('peaks'))
  const n = full.length/names.length, seconds = n/fps, at = (values, k, j) => values[k*names.length + j]/255
  const d = demo({model, el, css: CSS, draw, html: `<div class="top"><canvas class="face" role="img" aria-label="the face at this frame"></canvas>
    <svg class="over" height="${GATE + 24}" role="img" aria-label="The sound, how much attention each moment of it gets, the same for every frame, and what each stream alone would say"></svg></div>`})
  const frame = d.slider('frame', 'frame', {max: n - 1, say: k => `${k}, ends at ${((k + 1)/fps).toFixed(2)} s`}), channel = d.choice('channel', 'question', groups)
  d.player(frame, fps, {audio: () => sound, rate: .5, name: 'play at half speed'})
  const over = d.$('svg.over'), left = 34, right = 76
  const weight = (k, j, age) => weights[(k*names.length + j)*span + span - 1 - age]/255
  let width
  const x = t => left + t/seconds*(width - left - right)
  d.pointing(over, frame, px => (px - left)/(width - left - right)*n - .5)

  function draw(theme) {
    width = over.clientWidth || 400
    const k = frame.value(), j = names.indexOf(channel.value()), look = Array.from({length: Math.min(span, k + 1)}, (_, age) => weight(k, j, age)), best = look.indexOf(Math.max(...look)), now = (k + 1)/fps
    const slot = 1/fps, heard = t => phones.find(([a, b]) => a <= t && t < b)?.[2], column = x(slot) - x(0)
    const top = [.1, .2, .4, .6, 1].find(v => v*255 >= Math.max(...Array.from({length: n}, (_, i) => Math.max(full[i*names.length + j], mel ? mel[i*names.length + j] : 0, mood ? mood[i*names.length + j] : 0)))) ?? 1
    const y = v => SAID[1] - v/top*(SAID[1] - SAID[0]), row = (values, kind) => curve(Array.from({length: n}, (_, i) => [x((i + 1)/fps), y(at(values, i, j))]), kind)
    const labels = [[full, 'the face', ''], mel && [mel, 'mel alone', 'blue'], mood && [mood, 'mood alone', 'green']].filter(Boolean).map(([values, words, kind]) => ({y: y(at(values, n - 1, j)), words, kind})).sort((a, b) => a.y - b.y)
    labels.forEach((l, i) => { if (i) l.y = Math.max(l.y, labels[i - 1].y + 13) }); const low = labels.at(-1).y - SAID[1]; if (low > 0) labels.forEach(l => { l.y -= low })
    const bar = (w, age) => { const t = (k - age)/fps, h = clamp(w/.7)*(BARS[1] - BARS[0]); return box(x(t) + .5, WAVE[0], column - 1, WAVE[1] - WAVE[0], `class="orange" fill-opacity="${(.75*Math.sqrt(w)).toFixed(2)}"`) + box(x(t) + 1, BARS[1] - h, column - 2, h, 'class="orange"') }
    let free = 0                                                // phones that would stand in one another are left out
    const spoken = phones.filter(([a, b, p]) => { const at = x((a + b)/2), fits = at - 4*p.length > free; if (fits) free = at + 4*p.length; return fits })
    over.innerHTML = spoken.map(([a, b, p]) => text(x((a + b)/2), 12, p, 'text-anchor="middle" class="small"')).join('')
      + look.map(bar).join('')
      + Array.from(peaks, (v, i) => { const h = Math.max(1, v/255*(WAVE[1] - WAVE[0])); return box(x(i/peaks.length*seconds), (WAVE[0] + WAVE[1] - h)/2, Math.max(.7, (width - left - right)/peaks.length - .4), h, `fill-opacity="${i/peaks.length*seconds < now ? .8 : .25}"`) }).join('')
      + line(x(now), WAVE[0] - 4, x(now), AXIS, 'stroke-width="1.5"')
      + text(x(now) + 5, BARS[0] + 10, 'not heard yet', k < n - 12 ? 'class="small soft"' : 'display="none"') + line(left, BARS[1], width - right, BARS[1], 'stroke-opacity=".3"')
      + text(x((k - best + .5)/fps), BARS[1] - clamp(look[best]/.7)*(BARS[1] - BARS[0]) - 4, `${Math.round(100*look[best])} %`, 'text-anchor="middle" class="orange small"')
      + text(left, BARS[1] + 16, 'now: how much each moment counts', 'class="orange small"')
      + text(left, HEAT[0] - 6, 'every frame: how old is what it looks at', 'class="blue small"')
      + Array.from({length: n}, (_, i) => Array.from({length: Math.min(span, i + 1)}, (_, age) => { const w = weight(i, j, age); return w < .01 ? '' : box(x(i/fps), HEAT[0] + age*(HEAT[1] - HEAT[0])/span, column + .3, (HEAT[1] - HEAT[0])/span + .3, `class="blue" fill-opacity="${clamp(1.2*Math.sqrt(w)).toFixed(2)}"`) }).join('')).join('')
      + `<rect x="${x(k/fps)}" y="${HEAT[0]}" width="${column}" height="${HEAT[1] - HEAT[0]}" fill="none" stroke="var(--orange)" stroke-width="2"/>`
      + [[0, 'now'], [span - 1, `${Math.round((span - 1)*1000/fps)}`]].map(([age, words]) => text(left - 4, HEAT[0] + (age + .8)*(HEAT[1] - HEAT[0])/span, words, 'text-anchor="end" class="small"')).join('') + text(left - 4, (HEAT[0] + HEAT[1])/2 + 4, 'ms', 'text-anchor="end" class="small"')
      + line(left, SAID[1], width - right, SAID[1], 'stroke-opacity=".3"') + line(left, SAID[0], width - right, SAID[0], 'stroke-opacity=".15"') + text(left - 4, SAID[1] + 4, '0', 'text-anchor="end" class="small"') + text(left - 4, SAID[0] + 4, top, 'text-anchor="end" class="small"')
      + text(left, SAID[0] - 6, 'what comes of it, 0 to 1', 'class="small soft"') + (mood ? row(mood, 'class="green" stroke-width="1.5"') : '') + (mel ? row(mel, 'class="blue" stroke-width="1.5"') : '') + row(full, 'stroke-width="2.5"')
      + labels.map(l => text(width - right + 4, l.y + 4, l.words, `class="small ${l.kind}"`)).join('')
      + Array.from({length: Math.floor(seconds/.2 + 1e-9) + 1}, (_, i) => i/5).map(t => line(x(t), AXIS, x(t), AXIS + 4) + text(x(t), AXIS + 17, t.toFixed(1), 'text-anchor="middle" class="small"')).join('') + text(width - right + 14, AXIS + 17, 'seconds', 'class="small"')
      + (mood ? box(left, GATE, gate[j]*(width - left - right), 16, 'class="blue" fill-opacity=".85"') + box(left + gate[j]*(width - left - right), GATE, (1 - gate[j])*(width - left - right), 16, 'class="green" fill-opacity=".85"')
        + text(left, GATE - 6, `gate: the mel ${Math.round(100*gate[j])} %`, 'class="blue small"') + text(width - right, GATE - 6, `the mood ${Math.round(100 - 100*gate[j])} %`, 'text-anchor="end" class="green small"') : '')
    const [ctx, w, h] = sized(d.$('.face'), 1.15), old = Math.round(best*1000/fps), p = heard((k - best + .5)/fps)
    drawFace(ctx, Object.fromEntries(names.map((name, i) => [name, at(full, k, i)])), {width: w, height: h, theme})
    d.say(`At ${now.toFixed(2)} s ${names[j]} looks most at the sound ${old ? `of ${old} ms before` : 'of this very moment'}${p && p.trim() ? `, the ${p}` : ''} (${Math.round(100*look[best])} % of its attention), and comes to ${at(full, k, j).toFixed(2)}.`)
  }
  return d.begin()
}

export default {render}
