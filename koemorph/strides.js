// Where the windows of a file begin: which frames each of them teaches, and how often each frame is taught. No dependencies, no network.
import {box, bytes, clamp, demo, line, text} from './demo.js'

const TOP = 20, HIGH = 210, HILL = 84, BASE = TOP + HIGH + 26 + HILL, EDGE = 8      // pixels: the windows, the hill below them, where it stands

/** anywidget's shape; `strides_payload` in Python says what `model.get` gives. Adds `el.strides` (starts, often). */
export function render({model, el}) {
  const [n, window, fps, stops, modes, epochs] = 'frames window fps stops modes epochs'.split(' ').map(key => model.get(key))
  const d = demo({model, el, draw, html: `<svg class="over" height="${BASE + 36}" role="img" aria-label="Each window a line from its first frame to its last; below, in how many windows each frame is"></svg>`})
  const mode = d.choice('mode', 'mode', Object.keys(modes)), stop = d.slider('stop', 'stride', {stops, say: v => `${stops[v]} frame${stops[v] > 1 ? 's' : ''}`})
  const epoch = d.slider('epoch', 'epoch', {max: epochs - 1, say: v => `${v + 1} of ${epochs}`}), frame = d.slider('frame', 'frame', {max: n - 1, say: String}), over = d.$('svg.over')
  d.pointing(over, frame, px => (px - EDGE)/(over.clientWidth - 2*EDGE)*n - .5)

  const chosen = () => { const of = modes[mode.value()][stop.value()]; return of[Math.min(epoch.value(), of.length - 1)] }   // [bits, stride]
  const starts = () => { const bits = bytes(chosen()[0]); return Array.from({length: n}, (_, k) => k).filter(k => bits[k >> 3] >> 7 - k%8 & 1) }
  const often = at => { const many = new Array(n).fill(0); for (const a of at) for (let k = a; k < Math.min(a + window, n); k++) many[k]++; return many }

  function draw() {
    const width = over.clientWidth || 600, all = starts(), many = often(all), most = Math.max(...many), k = frame.value(), row = HIGH/all.length, thick = row > 3 ? Math.min(row - 1, 22) : row
    const x = k => EDGE + (width - 2*EDGE)*k/n, y = v => BASE - v/most*HILL, covers = a => a <= k && k < a + window
    const bars = which => all.map((a, i) => which(a) ? `M${x(a)},${TOP + i*row}H${x(Math.min(a + window, n))}v${thick}H${x(a)}Z` : '').join('')
    over.innerHTML = text(EDGE, 13, `${all.length} window${all.length > 1 ? 's' : ''}, the first on top`)
      + `<path class="blue" fill="currentColor" d="${bars(a => !covers(a))}"/><path class="orange covering" fill="currentColor" d="${bars(covers)}"/>`
      + text(EDGE, TOP + HIGH + 19, `how often a frame is taught, up to ${most}`)
      + `<path class="green hill" fill="currentColor" d="M${EDGE},${BASE}${many.map((v, i) => v === many[i - 1] ? '' : `H${x(i)}V${y(v)}`).join('')}H${x(n)}V${BASE}Z"/>` + line(EDGE, BASE, width - EDGE, BASE)
      + Array.from({length: Math.floor(n/fps/5 + 1e-9) + 1}, (_, i) => 5*i).map(s => line(x(s*fps), BASE, x(s*fps), BASE + 4) + text(clamp(x(s*fps), EDGE, width - 14), BASE + 17, s, 'text-anchor="middle"')).join('')
      + text(width/2, BASE + 33, 'seconds into the file', 'text-anchor="middle"') + line(x(k + .5), TOP - 4, x(k + .5), BASE, 'stroke-width="1.5"')
    const step = chosen()[1], taught = many.reduce((a, b) => a + b, 0), missed = many.filter(v => !v).length
    d.say(`${mode.value()}, a window ${step > 1 ? `every ${step} frames` : 'from every frame'}${mode.value() === 'mixed' ? ' and a tenth of all others' : ''}${modes[mode.value()][stop.value()].length > 1 ? '' : ', in every epoch'}: `
      + `${all.length} window${all.length > 1 ? 's teach' : ' teaches'} ${taught} frames, ${(taught/n).toFixed(1)} times the file. Frame ${k} is in ${many[k]} of them, the orange ones. ${missed ? `${missed} frames are heard and never taught.` : 'No frame is left out.'}`)
  }
  el.strides = {starts, often: () => often(starts())}
  return d.begin()
}

export default {render}
