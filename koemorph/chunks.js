// The same sound whole and cut into chunks: the curves, when each frame came out, and how far apart the two are. No dependencies, no network.
import {box, bytes, clamp, curve, demo, line, text} from './demo.js'

const TOP = 20, SOUND = 40, LANE = 62, LEFT = 4

/** anywidget's shape; `chunks_payload` in Python says what `model.get` gives. Adds `el.chunks` (heard, out, apart). */
export function render({model, el}) {
  const [sr, fps, seconds, names, peaks, cuts, frames, top] = 'sr fps seconds names peaks cuts frames top'.split(' ').map(key => model.get(key)), AXIS = TOP + SOUND + 22 + LANE*names.length + 6
  const d = demo({model, el, draw, html: `<svg class="over" height="${AXIS + 36}" role="img" aria-label="The sound in its chunks; below, the curves of ${names.join(', ')} made from the whole and from the chunks"></svg>`})
  const long = samples => samples < sr/10 ? `${+(1000*samples/sr).toPrecision(3)} ms` : `${+(samples/sr).toPrecision(3)} s`
  const now = d.slider('now', 'heard until', {max: frames, say: k => `${(k/fps).toFixed(2)} s`}), cut = d.slider('cut', 'chunk', {stops: cuts.map(c => long(c.samples)), say: v => `${cuts[v].samples} sample${cuts[v].samples > 1 ? 's' : ''}, ${long(cuts[v].samples)}`})
  const memory = d.choice('memory', 'between two chunks', ['it remembers', 'it forgets'])
  const columns = code => { const v = new Uint16Array(bytes(code).buffer); return names.map((_, j) => Array.from({length: v.length/names.length}, (_, k) => v[k*names.length + j]/65535)) }
  const whole = columns(model.get('whole')), streamed = cuts.map(c => columns(c.rows)), alone = cuts.map(c => columns(c.alone))
  const forgets = () => memory.value() === 'it forgets', done = () => now.value() === frames
  const heard = () => done() ? seconds : Math.floor(now.value()/fps*sr/cuts[cut.value()].samples + 1e-9)*cuts[cut.value()].samples/sr         // whole chunks only
  const out = () => forgets() ? cuts[cut.value()].when.filter(t => t <= heard() + 1e-9).length : done() ? frames : cuts[cut.value()].out.filter(n => n/sr <= heard() + 1e-9).length
  const apart = () => forgets() ? cuts[cut.value()].lost : cuts[cut.value()].apart
  const picture = d.$('svg.over'); d.pointing(picture, now, px => (px - LEFT)/(picture.clientWidth - 2*LEFT)*seconds*fps)
  d.player(now, fps, {name: 'let it listen'})

  function draw() {
    const c = cuts[cut.value()], width = picture.clientWidth || 600, x = t => LEFT + (width - 2*LEFT)*t/seconds, n = out(), h = heard(), color = forgets() ? 'orange' : 'blue', wide = x(c.samples/sr) - LEFT, many = Math.ceil(seconds*sr/c.samples)
    const rows = forgets() ? alone[cut.value()] : streamed[cut.value()], when = forgets() ? c.when : Array.from({length: frames}, (_, k) => (k + 1)/fps)
    picture.innerHTML = text(LEFT, 13, `the sound, in ${many} chunk${many > 1 ? 's' : ''}`)
      + (wide > 3 ? Array.from({length: many}, (_, i) => i % 2 ? '' : box(x(i*c.samples/sr), TOP, x(Math.min(seconds, (i + 1)*c.samples/sr)) - x(i*c.samples/sr), SOUND, 'fill-opacity=".13"')).join('') : box(LEFT, TOP, width - 2*LEFT, SOUND, 'fill-opacity=".07"'))
      + peaks.map((p, i) => (i + .5)/peaks.length*seconds <= h ? box(x(i/peaks.length*seconds), TOP + SOUND/2 - p*SOUND/2, (width - 2*LEFT)/peaks.length*.8, Math.max(1, p*SOUND), `class="${color}"`) : box(x(i/peaks.length*seconds), TOP + SOUND/2 - p*SOUND/2, (width - 2*LEFT)/peaks.length*.8, Math.max(1, p*SOUND), 'class="grey" fill-opacity=".5"')).join('')
      + names.map((name, j) => {
        const base = TOP + SOUND + 22 + LANE*(j + 1), y = v => base - (LANE - 22)*v/top, points = Array.from({length: n}, (_, k) => [x(when[k]), y(rows[j][k])])
        const broken = forgets() ? points.flatMap((p, k) => k && Math.floor((when[k] - 1e-6)*sr/c.samples) !== Math.floor((when[k - 1] - 1e-6)*sr/c.samples) ? [[p[0], NaN], p] : [p]) : points
        return curve(whole[j].map((v, k) => [x((k + 1)/fps), y(v)]), 'class="grey whole" stroke-width="7" stroke-opacity=".45" stroke-linecap="round"') + curve(broken, `class="${color} cut" stroke-width="2"`)
          + (forgets() ? points.map(([a, b]) => `<circle cx="${a}" cy="${b}" r="2.2" class="orange" fill="currentColor"/>`).join('') : '') + line(LEFT, base, width - LEFT, base, 'stroke-opacity=".3"') + text(LEFT, base - LANE + 18, name) + text(width - LEFT, base - LANE + 18, `up to ${+top.toFixed(1)}`, 'text-anchor="end" class="small soft"')
      }).join('') + line(x(h), TOP - 4, x(h), AXIS, 'stroke-width="1.5" stroke-dasharray="4 3"')
      + line(LEFT, AXIS, width - LEFT, AXIS) + Array.from({length: Math.floor(seconds*2 + 1e-9) + 1}, (_, i) => i/2).map(t => line(x(t), AXIS, x(t), AXIS + 4) + text(clamp(x(t), 10, width - 12), AXIS + 17, t.toFixed(1), 'text-anchor="middle"')).join('') + text(width/2, AXIS + 33, 'seconds', 'text-anchor="middle"')
    const far = apart(), size = far === null ? '' : far === 0 ? '0, to the last bit' : far < .001 ? `${(far*1e7).toPrecision(2)} ten-millionths` : far.toFixed(2)
    const sample = `${c.samples} sample${c.samples > 1 ? 's' : ''}`
    d.say(forgets() ? (far === null ? `A face that forgot everything after ${sample} would never see a whole frame: not one comes out.` : `A face that begins anew every ${sample}: the grey curve is what it should do. Largest difference over 52 channels: ${size}.`)
      : `${n} of ${frames} frames are out when ${h.toFixed(2)} s were heard. Grey, wide: the whole sound at once. Blue: in chunks of ${sample}. Largest difference over 52 channels and ${frames} frames: ${size}.`)
  }
  el.chunks = {heard, out, apart}
  return d.begin()
}

export default {render}
