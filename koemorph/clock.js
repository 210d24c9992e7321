// Two clocks side by side: every frame on its rounded sample, and frames a rounded hop apart. No dependencies, no network.
import {box, clamp, curve, demo, line, text} from './demo.js'

const LANES = [[44, 'blue'], [98, 'orange']], HIGH = 26, AXIS = 136, PLOT = [182, 312], RANGE = [-3, 5]    // y of the lanes, of the seconds, of the drift; its seconds

/** anywidget's shape; `clock_payload` in Python says what `model.get` gives */
export function render({model, el}) {
  const rates = model.get('rates'), sr = model.get('sr'), span = model.get('span'), last = rates[0].first.length - 1
  const d = demo({model, el, draw, html: `<svg class="over" height="${PLOT[1] + 36}" role="img" aria-label="Frames on rounded samples above frames a rounded hop apart, and how far apart they are after every minute"></svg>`})
  const rate = d.slider('rate', 'frame rate', {stops: rates.map(r => r.name), say: v => `${rates[v].name} fps`})
  const minute = d.slider('minute', 'into the film', {max: last, say: m => `${m} min`})

  function lane(r, width, at, ends, first, color) {             // boxes of frames, each with its number
    const x = n => (n - at)/sr/span*width, widest = 7*String(first).length + 8, every = Math.ceil(widest/(r.hop/sr/span*width))
    return ends.slice(1).map((e, i) => {
      const a = clamp(x(ends[i]), 0, width), b = clamp(x(e), 0, width), k = first + i
      return `<g class="${color}">${box(a + .75, 0, b - a - 1.5, HIGH, `fill-opacity="${k % 2 ? .16 : .34}"`)}${line(b, 0, b, HIGH, b < width ? 'stroke-width="1.5"' : 'stroke-opacity="0"')}</g>`
        + (k % every === 0 && b - a > (every > 1 ? 6 : widest - 4) ? text((a + b)/2, 17, k, 'text-anchor="middle" class="small bare"') : '')
    }).join('')
  }
  function draw() {
    const r = rates[rate.value()], m = minute.value(), over = d.$('svg.over'), width = over.clientWidth || 600, at = 60*m*sr, ends = r.ends[m].map(e => e + at)
    const x = n => (n - at)/sr/span*width, k0 = Math.floor(at/r.hop), hops = Array.from({length: Math.ceil(span*sr/r.hop) + 2}, (_, i) => (k0 + i)*r.hop)
    const late = r.late[m], ms = Math.abs(late)*1000, way = late < 0 ? 'early' : 'late'
    const tell = (k, n) => n >= at && n <= at + span*sr ? text(clamp(x(n), 60, width - 60), LANES[1][0] - 7, `frame ${k} begins here`, 'text-anchor="middle" class="orange small"')
      + line(x(n), LANES[1][0] - 4, x(n), LANES[1][0] + HIGH, 'class="orange" stroke-width="3"')
      : n < at ? text(2, LANES[1][0] - 7, `◀ frame ${k} began ${far(ms)} ago`, 'class="orange small"') : text(width - 2, LANES[1][0] - 7, `frame ${k} begins in ${far(ms)} ▶`, 'text-anchor="end" class="orange small"')
    const far = ms => ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms/1000).toFixed(2)} s`
    const lanes = [lane(r, width, at, ends, r.first[m], 'blue'), lane(r, width, at, hops, k0, 'orange')]
    const clock = s => `${Math.floor(s/60 + 1e-9)}:${(s - 60*Math.floor(s/60 + 1e-9)).toFixed(2).padStart(5, '0')}`
    const [low, high] = PLOT, left = 34, px = m => left + m/last*(width - left - 58), py = s => high - (s - RANGE[0])/(RANGE[1] - RANGE[0])*(high - low)
    d.$('svg.over').innerHTML = text(0, 14, `The sound from ${clock(60*m)} on, and its frames by number`, 'class="small soft"')
      + text(0, LANES[0][0] - 7, 'each frame ends on a rounded sample', 'class="blue small"') + (m ? tell(r.first[m], r.first[m]*r.hop) : text(0, LANES[1][0] - 7, `each frame is ${r.hop} samples long`, 'class="orange small"'))
      + LANES.map(([y], i) => `<g transform="translate(0,${y})">${lanes[i]}</g>`).join('')
      + line(0, AXIS, width, AXIS) + [0, .05, .1, .15, .2].filter(t => t <= span + 1e-9).map(t => line(clamp(t/span*width, .5, width - .5), AXIS, clamp(t/span*width, .5, width - .5), AXIS + 4) + text(clamp(t/span*width, 0, width), AXIS + 17, clock(60*m + t), `text-anchor="${t === 0 ? 'start' : t > span - 1e-9 ? 'end' : 'middle'}" class="small"`)).join('')
      + [-2, 0, 2, 4].map(s => line(left, py(s), width - 56, py(s), 'stroke-opacity=".2"') + text(left - 6, py(s) + 4, `${s} s`, 'text-anchor="end" class="small"')).join('')
      + text(left + 4, low + 2, 'by the hop, frames come late', 'class="small soft"') + text(left + 4, high - 4, '… early', 'class="small soft"')
      + rates.map((q, i) => i === rate.value() ? '' : curve(q.late.map((s, m) => [px(m), py(s)]), 'class="grey" stroke-opacity=".55"')).join('')
      + curve(r.late.map((s, m) => [px(m), py(s)]), 'class="orange" stroke-width="3"') + text(px(last) + 6, py(r.late[last]) + 4, r.name, 'class="orange"')
      + line(left, py(0), width - 56, py(0), 'class="blue" stroke-width="2"')
      + `<circle cx="${px(m)}" cy="${py(late)}" r="6" class="orange" fill="currentColor" stroke="var(--card)" stroke-width="2"/>`
      + [0, 10, 20, 30, 40, 50, 60].filter(v => v <= last).map(v => text(px(v), high + 16, v, 'text-anchor="middle" class="small"')).join('') + text((left + width - 56)/2, high + 32, 'minutes', 'text-anchor="middle" class="small"')
    const length = Number.isInteger(sr*r.den/r.num) ? `exactly ${r.hop}` : (sr*r.den/r.num).toFixed(2)
    d.say(m === 0 ? `At ${r.name} fps a frame is ${length} samples. At the beginning nobody sees a difference: move the second slider.`
      : `At ${r.name} fps a frame is ${length} samples. After ${m} min the sound is in frame ${r.first[m]}; ` + (ms < .01 ? `a hop of ${r.hop} says so too: here, and only here, the hop is exact.`
        : `by a hop of ${r.hop} that frame begins ${far(ms)} too ${way}: ${(ms/1000*r.num/r.den).toFixed(1)} frames.`))
  }
  return d.begin()
}

export default {render}
