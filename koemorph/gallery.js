// Faces side by side that say the same: what was asked for and what a network heard, with the sound, and the gap between the lips. No dependencies, no network.
import {box, bytes, clamp, curve, demo, line, text} from './demo.js'
import {drawFace} from './face.js'

const LEFT = 4, TOP = 20, GAP = 96, AXIS = TOP + GAP, COLORS = ['grey', 'blue', 'orange', 'green'], SPEEDS = {'as spoken': 1, 'half': .5, 'a quarter': .25, 'an eighth': .125}
const CSS = `.faces { display: grid; grid-template-columns: repeat(auto-fit, minmax(96px, 1fr)); gap: 8px; margin: 8px 14px 0 } figure { margin: 0; max-width: 270px; width: 100%; justify-self: center } figure canvas { border-radius: 10px } figcaption { font-size: 12px; text-align: center; padding-top: 2px; font-weight: 600 }`

/** anywidget's shape; `gallery_payload` in Python says what `model.get` gives. Adds `el.gallery` (gap, clip). */
export function render({model, el}) {
  const clips = model.get('clips'), names = model.get('names'), fps = model.get('fps'), sounds = new Map()
  const d = demo({model, el, css: CSS, draw, html: `<div class="faces"></div><svg class="over" height="${AXIS + 36}" role="img" aria-label="The gap between the lips of each face over time; shaded where the lips should meet"></svg>`})
  const clip = d.choice('clip', 'speech', clips.map(c => c.name)), speed = d.choice('speed', 'speed', Object.keys(SPEEDS)), current = () => clips.find(c => c.name === clip.value()) || clips[0]
  const now = d.slider('now', 'moment', {max: Math.max(...clips.map(c => c.frames)) - 1, say: k => `${((k + 1)/fps).toFixed(2)} s`}), faces = d.$('.faces'), over = d.$('svg.over')
  const sound = () => { const c = current(); if (!sounds.has(c)) sounds.set(c, new Audio(c.audio)); return sounds.get(c) }
  d.player(now, fps, {audio: sound, rate: () => SPEEDS[speed.value()]})
  d.pointing(over, now, px => (px - LEFT)/(over.clientWidth - 2*LEFT)*current().frames - 1)
  let made = null, shapes = []

  function draw(theme) {
    const c = current(), width = over.clientWidth || 600, k = Math.min(now.value(), c.frames - 1), x = t => LEFT + (width - 2*LEFT)*t*fps/c.frames, y = v => AXIS - clamp(v)*(GAP - 14)
    now.input.max = c.frames - 1
    if (made !== c) {
      faces.innerHTML = c.whose.map((who, i) => `<figure><canvas role="img" aria-label="face: ${who}"></canvas><figcaption class="${COLORS[i]}">${who}</figcaption></figure>`).join('')
      made = c
    }
    shapes = [...faces.querySelectorAll('canvas')].map((canvas, i) => {
      const dpr = Math.min(devicePixelRatio || 1, 3), w = canvas.clientWidth || 200, h = Math.round(w*1.15), v = bytes(c.values[i]); Object.assign(canvas, {width: Math.round(w*dpr), height: Math.round(h*dpr)})
      const ctx = canvas.getContext('2d'); ctx.scale(dpr, dpr)
      return drawFace(ctx, Object.fromEntries(names.map((name, j) => [name, v[k*names.length + j]/255])), {width: w, height: h, theme, zoom: 1.25})
    })
    over.innerHTML = text(LEFT, 13, 'the gap between the lips; shaded where they should meet', 'class="small soft"') + c.lips.map(([a, b]) => box(x(a), TOP, Math.max(2, x(b) - x(a)), GAP, 'fill-opacity=".13"')).join('')
      + c.gap.map((g, i) => curve(Array.from(bytes(g), (v, q) => [x((q + 1)/fps), y(v/255)]), `class="${COLORS[i]}" stroke-width="${i ? 2 : 4}" ${i ? '' : 'stroke-opacity=".6"'}`)).join('')
      + line(LEFT, AXIS, width - LEFT, AXIS) + Array.from({length: Math.floor(c.frames/fps/.5) + 1}, (_, q) => q/2).map(t => line(x(t), AXIS, x(t), AXIS + 4) + (c.frames/fps > 3 && width < 560 && t % 1 ? '' : text(clamp(x(t), 10, width - 12), AXIS + 17, t.toFixed(1), 'text-anchor="middle"'))).join('') + text(width/2, AXIS + 33, 'seconds', 'text-anchor="middle"')
      + line(x((k + 1)/fps), TOP - 4, x((k + 1)/fps), AXIS, 'stroke-width="1.5"')
    const t = (k + 1)/fps, meet = c.lips.some(([a, b]) => a <= t && t <= b + 1/fps)
    d.say(`${t.toFixed(2)} s${meet ? ', and the lips should meet' : ''}. Of ${c.lips.length} moments with the lips together, ${c.whose.map((who, i) => `“${who}” meets ${c.met[i]}`).join(', ')}.${speed.value() === 'as spoken' ? '' : ` Played at ${speed.value()} of the speed.`}`)
  }
  el.gallery = {gap: () => shapes.map(s => s.lipGap/s.mouthWidth), clip: () => current().name}
  return d.begin()
}

export default {render}
