// How neighbours shape a sound: who has a say at each moment, the coefficients that come of it, and the face. No dependencies, no network.
import {box, bytes, clamp, curve, demo, line, text} from './demo.js'
import {drawFace} from './face.js'

const LEFT = 4, TOP = 18, PHONE = 28, SAY = 74, LANE = 56, SHOWN = ['jawOpen', 'mouthPucker', 'mouthPressLeft'], FACE = 400/460
const CSS = `.both { display: flex; flex-wrap: wrap; align-items: flex-start; padding: 0 14px 0 14px; gap: 0 10px } .both canvas { flex: 0 0 220px; width: 220px; height: 253px; border-radius: 12px; margin: 8px auto 0 } .both svg.over { flex: 1 1 300px; min-width: 0; width: 300px; margin: 6px 0 0 }
g.phone { cursor: pointer } g.phone text { stroke: none }`

/** anywidget's shape; `coarticulation_payload` in Python says what `model.get` gives. Adds `el.coarticulation` (value, say, coefficients). */
export function render({model, el}) {
  const [fps, phones, slots, swaps, aheads, rates, frames, names, tops] = 'fps phones slots swaps aheads rates frames names tops'.split(' ').map(key => model.get(key))
  const AXIS = TOP + PHONE + 22 + SAY + LANE*SHOWN.length + 8, rowsOf = names.length + 2*phones.length, variants = 1 + slots.length*swaps.length
  let all = null, theme = 'light', shape = {}
  const d = demo({model, el, css: CSS, draw: t => { theme = t; if (all) draw() }, html: `<div class="both"><canvas role="img" aria-label="the face at this moment"></canvas>
    <svg class="over" height="${AXIS + 36}" role="img" aria-label="The phones; how much say each of them has; and the curves of ${SHOWN.join(', ')}"></svg></div>`})
  const now = d.slider('now', 'moment', {max: Math.max(...frames) - 1, say: k => `${((k + 1)/fps).toFixed(2)} s`}), slot = d.choice('slot', 'phone', slots.map((i, k) => `${k + 1}: ${phones[i][2]}`))
  const swap = d.choice('swap', 'spoken as', ['itself', ...swaps]), pull = d.choice('pull', 'a say in', ['the jaw', 'rounding'])
  const ahead = d.slider('ahead', 'anticipation', {stops: aheads, say: v => aheads[v] === 1 ? 'as measured' : `${aheads[v]} times as long`}), rate = d.slider('rate', 'takes', {stops: rates, say: v => rates[v] === 1 ? 'its time' : `${rates[v]} times as long`})
  d.player(now, fps, {rate: .5, name: 'play at half speed'})
  const canvas = d.$('canvas'), over = d.$('svg.over')

  const n = () => frames[rate.value()], where = () => slots[Number(slot.value().split(':')[0]) - 1], which = () => { const s = swaps.indexOf(swap.value()); return s < 0 ? 0 : 1 + slots.indexOf(where())*swaps.length + s }
  /** A row (`names`, then every phone's say in the jaw, then in rounding) of one variant: 0 as spoken, else what is chosen; over time */
  function row(j, variant = which()) {
    const before = frames.slice(0, rate.value()).reduce((sum, f) => sum + f, 0)*variants*rowsOf, group = ahead.value()*frames.reduce((sum, f) => sum + f, 0)*variants*rowsOf + before
    const read = v => all.subarray(group + (v*rowsOf + j)*n(), group + (v*rowsOf + j + 1)*n()), base = read(0), change = read(variant)
    return Array.from(base, (b, k) => (variant ? b + change[k] & 255 : b)/255)
  }
  const value = (name, k, variant) => row(names.indexOf(name), variant)[k], say = i => row(names.length + (pull.value() === 'rounding' ? phones.length : 0) + i)
  const coefficients = k => Object.fromEntries(names.flatMap(name => { const v = row(names.indexOf(name))[k]; return name.endsWith('Left') ? [[name, v], [name.replace('Left', 'Right'), v]] : [[name, v]] }))

  function draw() {
    now.input.max = n() - 1
    const k = Math.min(now.value(), n() - 1), width = over.clientWidth || 400, r = rates[rate.value()], seconds = n()/fps, x = t => LEFT + (width - 2*LEFT)*t/seconds, i = where(), spoken = phones.map((p, j) => j === i && which() ? swap.value() : p[2])
    const dpr = Math.min(devicePixelRatio || 1, 3), w = canvas.clientWidth || 220, h = Math.round(w/FACE); Object.assign(canvas, {width: w*dpr, height: h*dpr}); const ctx = canvas.getContext('2d'); ctx.scale(dpr, dpr)
    shape = drawFace(ctx, coefficients(k), {width: w, height: h, theme, zoom: 1.35})
    const base = TOP + PHONE + 22 + SAY, hill = (values, y0, high, rest) => `<path fill="currentColor" stroke="currentColor" d="M${x(1/fps)},${y0}${values.map((v, q) => `L${x((q + 1)/fps)},${y0 - v*high}`).join('')}V${y0}Z" ${rest}/>`
    over.innerHTML = phones.map(([a, b], j) => `<g class="phone ${j === i ? 'orange' : 'blue'}" data-slot="${slots.indexOf(j)}">${box(x(a*r) + .5, TOP, x(b*r) - x(a*r) - 1, PHONE, `fill-opacity="${j === i ? .85 : slots.includes(j) ? .3 : .12}" rx="3"`)}`
        + text((x(a*r) + x(b*r))/2, TOP + 19, spoken[j].trim() || '', `text-anchor="middle" ${j === i ? 'style="fill:var(--card);font-weight:600"' : 'style="fill:var(--ink)"'}`) + '</g>').join('') + text(LEFT, 12, 'what is said', 'class="small soft"')
      + text(LEFT, base - SAY + 1, `who has a say in ${pull.value()}`, 'class="small soft"') + phones.map((p, j) => j === i ? '' : hill(say(j), base, SAY - 8, 'class="blue say" fill-opacity=".1" stroke-opacity=".7"')).join('') + hill(say(i), base, SAY - 8, 'class="orange say" fill-opacity=".45" stroke-width="2"') + line(LEFT, base, width - LEFT, base, 'stroke-opacity=".4"')
      + SHOWN.map((name, c) => {
        const y0 = base + LANE*(c + 1), points = v => row(names.indexOf(name), v).map((u, q) => [x((q + 1)/fps), y0 - u/tops[names.indexOf(name)]*(LANE - 18)])
        return curve(points(0), 'class="grey" stroke-width="5" stroke-opacity=".5"') + curve(points(which()), 'class="green" stroke-width="2.2"') + line(LEFT, y0, width - LEFT, y0, 'stroke-opacity=".3"') + text(LEFT, y0 - LANE + 16, name.replace('Left', ''), 'class="small"') + text(width - LEFT, y0 - LANE + 16, `up to ${tops[names.indexOf(name)].toFixed(2)}`, 'text-anchor="end" class="small soft"')
      }).join('') + line(LEFT, AXIS, width - LEFT, AXIS) + Array.from({length: Math.floor(seconds/.2 + 1e-9) + 1}, (_, q) => q/5).map(t => line(x(t), AXIS, x(t), AXIS + 4) + text(clamp(x(t), 10, width - 12), AXIS + 17, t.toFixed(1), 'text-anchor="middle"')).join('')
      + text(width/2, AXIS + 33, 'seconds', 'text-anchor="middle"') + line(x((k + 1)/fps), TOP, x((k + 1)/fps), AXIS, 'stroke-width="1.5"')
    const percent = j => `${Math.round(100*say(j)[k])} %`, [most] = phones.map((p, j) => [j, say(j)[k]]).reduce((best, p) => p[1] > best[1] ? p : best), called = j => spoken[j].trim() ? `“${spoken[j]}”` : 'the pause'
    d.say(`At ${((k + 1)/fps).toFixed(2)} s ${called(i)}, orange, has ${percent(i)} of the say in ${pull.value()}${most === i ? '' : `, and ${called(most)} the most, ${percent(most)}`}. The jaw is at ${value('jawOpen', k).toFixed(2)}, the pucker at ${value('mouthPucker', k).toFixed(2)}.`
      + (which() ? ` Grey: what “${phones[i][2]}” did.` : ''))
  }
  over.addEventListener('click', e => { const g = e.target.closest('g.phone'); if (g && +g.dataset.slot >= 0) { slot.put(slot.input.options[+g.dataset.slot].value) } })
  el.coarticulation = {ready: () => !!all, value, say, coefficients, gap: () => shape.lipGap}
  const end = d.begin(); let gone = false
  new Response(new Blob([bytes(model.get('values'))]).stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer().then(b => { all = new Uint8Array(b); if (!gone) draw() })
  return () => { gone = true; end() }
}

export default {render}
