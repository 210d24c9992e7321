// What goes wrong with a film, one fault at a time: what the tracker hands on, and what the quality control says of it. No dependencies, no network.
import {box, bytes, clamp, curve, demo, line, sized, text} from './demo.js'
import {drawFace} from './face.js'

const SOUND = [4, 44], CURVES = 52, HIGH = 40, CSS = `.top { display: flex; flex-wrap: wrap; gap: 0 14px; padding: 6px 14px 0 } .top svg.over { flex: 1 1 320px; width: auto; min-width: 0; margin: 0 }
  .side { flex: 0 0 250px; align-self: center } .score { display: flex; align-items: baseline; gap: 8px; padding-top: 6px } .score b { font-size: 28px } .rail { height: 10px; border-radius: 5px; background: var(--rule); overflow: hidden } .rail i { display: block; height: 100%; background: var(--green) }
  .low .rail i { background: var(--orange) } .low b { color: var(--orange) } @container (max-width: 620px) { .side { flex: 1 1 100% } .side canvas { width: 250px; margin: 0 auto } }`
const OTHER = {hair: '#3d3b4f', hairDark: '#2a2938', hairLight: '#5f5d78', brow: '#333142', cloth: '#7a5a2c', clothDark: '#60461f', clothLight: '#977440', iris: '#6b4a2f', irisLight: '#b08a5e'}

/** anywidget's shape; `faults_payload` in Python says what `model.get` gives */
export function render({model, el}) {
  const faults = model.get('faults'), names = model.get('names'), shown = model.get('shown'), reasons = model.get('reasons'), fps = model.get('fps')[0]/model.get('fps')[1], frames = model.get('frames'), seconds = frames/fps, sound = new Audio(model.get('audio')), peaks = bytes(model.get('peaks'))
  const tracks = Object.fromEntries(Object.entries(model.get('tracks')).map(([k, v]) => [k, bytes(v)])), kept = CURVES + shown.length*(HIGH + 6) + 8, rows = kept + 30, axis = rows + 15*reasons.length + 4
  const value = (track, k, j) => { const v = tracks[track][k*names.length + j]; return v === 255 ? NaN : v/254 }, pose = (track, k) => Object.fromEntries(names.map((name, j) => [name, value(track, k, j)]))
  const d = demo({model, el, css: CSS, draw, html: `<div class="top"><div class="side"><canvas class="scene" role="img" aria-label="the picture, and a box around the face that the tracker follows"></canvas>
    <div class="score"><b></b><span></span></div><div class="rail"><i></i></div></div>
    <svg class="over" height="${axis + 24}" role="img" aria-label="Sound, curves, which frames are kept, and what speaks against the others"></svg></div>`})
  const fault = d.choice('fault', 'what goes wrong', Object.keys(faults)), frame = d.slider('frame', 'frame', {max: frames - 1, say: k => `${k}, ${((k + 1)/fps).toFixed(2)} s`})
  d.player(frame, fps, {audio: () => sound, late: () => faults[fault.value()].late})
  const over = d.$('svg.over'), left = 84
  let width
  const x = t => left + t/seconds*(width - left - 4)
  d.pointing(over, frame, px => (px - left)/(width - left - 4)*frames - .5)

  function scene(f, k, theme) {
    const [ctx, w, h] = sized(d.$('.scene'), .75), [cx, cy, size, faces] = f.where.map(list => list[k]), unit = .54*h/200, room = theme === 'dark' ? '#2c3240' : '#f7e4d4', plain = {backdrop: room, backdropEdge: room, halo: room}, aside = faces > 1 ? 110 : 0
    const paint = (coefficients, x, y, size, colors) => {
      const one = Object.assign(document.createElement('canvas'), {width: Math.ceil(size*unit*1.55*2), height: Math.ceil(size*unit*1.78*2)})
      drawFace(one.getContext('2d'), coefficients, {width: one.width, height: one.height, theme, colors: {...plain, ...colors}})
      ctx.drawImage(one, x - one.width/4, y - one.height/4, one.width/2, one.height/2)
    }
    ctx.fillStyle = room; ctx.fillRect(0, 0, w, h)
    const at = (cx, cy, size) => [w/2 + (cx*size - 240 - aside)*unit, h/2 + (cy*size - 143)*unit]
    const here = isNaN(size ?? NaN) ? null : at(cx, cy, size)
    if (faces > 1) paint(pose(model.get('plain'), k), ...at(model.get('home')[0], model.get('home')[1], 200), 200)
    ctx.save()
    if (faces > 1) { ctx.beginPath(); ctx.rect(w/2, 0, w/2, h); ctx.clip() }       // each in a half of the picture
    if (here) paint(pose(f.track, k), ...here, size, faces > 1 ? OTHER : {})
    ctx.restore()
    ctx.font = '600 13px system-ui, sans-serif'; ctx.textAlign = 'center'; ctx.lineWidth = 2.5
    ctx.strokeStyle = ctx.fillStyle = theme === 'dark' ? '#6cb8ec' : '#0072b2'
    if (here) ctx.strokeRect(here[0] - size*unit*.46, here[1] - size*unit*.56, size*unit*.92, size*unit*1.12); else ctx.fillText('nobody here', w/2, h/2)
  }
  function draw(theme) {
    width = over.clientWidth || 400
    const name = fault.value(), f = faults[name], k = frame.value(), now = (k + 1)/fps, span = ([a, b]) => [x(a/fps), x(b/fps) - x(a/fps)]
    const out = f.crossed.map(span), planted = f.planted && [x(f.planted[0]), x(f.planted[1]) - x(f.planted[0])], n = peaks.length
    over.innerHTML = `<defs><pattern id="no" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="var(--orange)" fill-opacity=".13"/><rect width="2" height="6" fill="var(--orange)" fill-opacity=".45"/></pattern></defs>`
      + out.map(([a, w]) => `<rect x="${a}" y="${SOUND[0]}" width="${w}" height="${kept - 8 - SOUND[0]}" fill="url(#no)"/>`).join('')
      + Array.from(peaks, (v, i) => { const t = i/n*seconds + f.late, h = Math.max(1, v/255*(SOUND[1] - SOUND[0])); return t < seconds ? box(x(t), (SOUND[0] + SOUND[1] - h)/2, Math.max(.7, (width - left)/n - .3), h, `class="${f.late ? 'orange' : 'grey'}"`) : '' }).join('')
      + text(left - 6, (SOUND[0] + SOUND[1])/2 + 4, 'sound', 'text-anchor="end" class="small"')
      + shown.map((channel, i) => {
        const top = CURVES + i*(HIGH + 6), j = names.indexOf(channel), y = v => top + HIGH - clamp(v/.6)*HIGH
        return line(left, top + HIGH, width - 4, top + HIGH, 'stroke-opacity=".25"') + text(left - 6, top + HIGH/2 + 4, channel.length > 12 ? `<tspan x="${left - 6}" dy="-6">${channel.replace(/([a-z]+)(.*)/, `$1</tspan><tspan x="${left - 6}" dy="12">$2`)}</tspan>` : channel, 'text-anchor="end" class="small"')
          + (f.track === model.get('plain') ? '' : curve(Array.from({length: frames}, (_, i) => [x((i + 1)/fps), y(value(model.get('plain'), i, j))]), 'class="grey" stroke-opacity=".6" stroke-width="3"'))
          + curve(Array.from({length: frames}, (_, i) => [x((i + 1)/fps), y(value(f.track, i, j))]), 'class="blue" stroke-width="1.6"')
      }).join('')
      + box(left, kept, width - left - 4, 12, 'class="green"') + out.map(([a, w]) => `<rect x="${a}" y="${kept}" width="${w}" height="12" fill="var(--card)"/><rect x="${a}" y="${kept}" width="${w}" height="12" fill="url(#no)"/>`).join('') + text(left - 6, kept + 10, 'kept', 'text-anchor="end" class="small green"')
      + reasons.map((reason, i) => { const y = rows + 15*i, runs = f.found[reason] || []
        return (planted && f.reasons.includes(reason) ? box(planted[0], y - 1, planted[1], 12, 'class="grey" fill-opacity=".4"') : '') + line(left, y + 5, width - 4, y + 5, 'stroke-opacity=".12"')
          + runs.map(span).map(([a, w]) => box(a, y + 1, Math.max(2, w), 8, 'class="orange"')).join('') + text(left - 6, y + 9, reason, `text-anchor="end" class="small ${runs.length ? 'orange' : 'soft'}"`) }).join('')
      + line(x(now), SOUND[0], x(now), axis, 'stroke-width="1.5"') + line(left, axis, width - 4, axis) + Array.from({length: Math.floor(seconds) + 1}, (_, t) => line(x(t), axis, x(t), axis + 4) + text(x(t), axis + 17, t, 'text-anchor="middle" class="small"')).join('') + text(left - 6, axis + 17, 'seconds', 'text-anchor="end" class="small"')
    scene(f, k, theme)
    d.$('.score b').textContent = Math.round(f.score); d.$('.score span').textContent = 'of 100'; d.$('.rail i').style.width = `${f.score}%`; d.$('.side').classList.toggle('low', f.score < model.get('least'))
    d.say(`${name[0].toUpperCase() + name.slice(1)}. Quality control says: ${f.notes.length ? f.notes.join('; ') : 'nothing against it'}.${f.score < model.get('least') ? ' Not for training.' : ''}`)
  }
  return d.begin()
}

export default {render}
