// Where the time between a sound and its face goes, part by part, for the choices one has. No dependencies, no network.
import {box, clamp, demo, line, text} from './demo.js'

const BARS = [['on average', 26], ['at most', 84]], HIGH = 30, AXIS = 138
const COLORS = {frame: 'blue', lookahead: 'orange', resampler: 'grey', interpolation: 'green', chunk: 'plum', computing: 'olive', sending: 'ink', microphone: 'grey', screen: 'blue'}
const WORDS = {frame: 'from the sound to the end of its frame', lookahead: 'listening ahead', resampler: 'resampling', interpolation: 'the second of two rows to go between', chunk: 'the chunk that completes it',
  computing: 'computing', sending: 'sending', microphone: 'the microphone’s driver', screen: 'the next picture of the avatar’s program'}
const CSS = `:host { --plum: #a2487d; --olive: #7a6200 } :host([data-theme=dark]) { --plum: #e79bc5; --olive: #e2c95c } .plum { color: var(--plum) } .olive { color: var(--olive) }
.on { fill: var(--card); stroke: none; font-weight: 600 } .on.out { fill: var(--ink) } .outside { fill-opacity: .45 }
table { border-collapse: collapse; margin: 8px 14px 0; font-size: 13px; font-variant-numeric: tabular-nums; width: calc(100% - 28px) } td, th { padding: 1px 0 1px 10px; text-align: right; font-weight: 400; border: 0 }
th:first-child, td:first-child { text-align: left; padding-left: 0 } tr { background: none !important } i { display: inline-block; width: 11px; height: 11px; margin-right: 7px; background: currentColor; border-radius: 3px } tr.none { opacity: .45 }`

/** anywidget's shape; `budget_payload` in Python says what `model.get` gives. Adds `el.budget` (parts, total). */
export function render({model, el}) {
  const [khz, rates, lookaheads, chunks, mics, screens, delays, measured, marks] = 'khz rates lookaheads chunks mics screens delays measured marks'.split(' ').map(key => model.get(key))
  const d = demo({model, el, draw, css: CSS, html: `<svg class="over" height="${AXIS + 40}" role="img" aria-label="Two stacked bars, one part after the other: on average and at most"></svg><table></table>`})
  const ahead = d.slider('lookahead', 'look-ahead', {stops: lookaheads, say: v => `${lookaheads[v]} ms`}), rate = d.slider('rate', 'frames out', {stops: rates, say: v => `${rates[v]} fps`})
  const chunk = d.slider('chunk', 'sound comes in chunks of', {stops: chunks, say: v => `${chunks[v]} ms`}), source = d.slider('source', 'sound at', {stops: khz, say: v => `${khz[v]} kHz`})
  const mic = d.slider('mic', 'microphone’s driver', {stops: mics, say: v => `${mics[v]} ms`}), screen = d.slider('screen', 'avatar’s program', {stops: screens.map(f => f || 'none'), say: v => screens[v] ? `${screens[v]} fps` : 'not counted'})

  /** [part, on average, at most, whether koemorph decides it], milliseconds: what is waited for by chance is half as long on average */
  function parts() {
    const by = delays[source.value()][rate.value()][ahead.value()], half = (part, ms, ours) => [part, ms/2, ms, ours], whole = (part, ms, ours) => [part, ms, ms, ours]
    return [whole('microphone', mics[mic.value()], false), half('frame', by.frame, true), whole('lookahead', by.lookahead, true), whole('resampler', by.resampler || 0, true), whole('interpolation', by.interpolation || 0, true),
      half('chunk', chunks[chunk.value()], true), ...Object.entries(measured).map(([part, [middle, high]]) => [part, middle, high, true]), half('screen', screens[screen.value()] ? 1000/screens[screen.value()] : 0, false)]
  }
  const total = i => parts().reduce((sum, p) => sum + p[i], 0)

  function draw() {
    const all = parts(), over = d.$('svg.over'), width = over.clientWidth || 600, most = Math.max(160, total(2)*1.04), x = ms => 1 + ms/most*(width - 2), step = most > 320 ? 100 : 50
    over.innerHTML = marks.map(([ms, words]) => line(x(ms), BARS[0][1] - 4, x(ms), AXIS, 'stroke-width="1.5" stroke-dasharray="3 4"') + text(x(ms), AXIS + 34, words, 'text-anchor="middle" class="small"')).join('')
      + BARS.map(([name, y], i) => {
      let at = 0
      return text(0, y - 6, `${name} <tspan font-weight="600">${total(i + 1).toFixed(0)} ms</tspan>`) + all.filter(p => p[i + 1] > 0).map(p => {
        const a = at, b = at += p[i + 1], wide = x(b) - x(a)
        return box(x(a), y, wide - 1, HIGH, `class="part ${COLORS[p[0]]} ${p[3] ? '' : 'outside'}"`) + (wide > 24 ? text((x(a) + x(b) - 1)/2, y + 20, p[i + 1].toFixed(0), `text-anchor="middle" class="on ${p[3] ? '' : 'out'}"`) : '')
      }).join('')
    }).join('') + line(0, AXIS, width, AXIS) + Array.from({length: Math.floor(most/step) + 1}, (_, i) => step*i).map(ms => line(x(ms), AXIS, x(ms), AXIS + 4) + text(clamp(x(ms), 4, width - 14), AXIS + 17, ms, 'text-anchor="middle"')).join('') + text(width, AXIS + 34, 'ms', 'text-anchor="end"')
    d.$('table').innerHTML = '<tr><th class="soft">waiting for …</th><th class="soft">average</th><th class="soft">at most, ms</th></tr>' + all.map(([part, a, b]) =>
      `<tr class="${b ? '' : 'none'}"><td><i class="${COLORS[part]}"></i>${WORDS[part]}</td><td>${a.toFixed(1)}</td><td>${b.toFixed(1)}</td></tr>`).join('')
    const computing = measured.computing[0], biggest = [...all].sort((a, b) => b[1] - a[1])[0][0]
    d.say(`On average the face is ${total(1).toFixed(0)} ms behind its sound, at most ${total(2).toFixed(0)} ms. Computing is ${computing} ms of it, ${Math.round(100*computing/total(1))} %; the longest wait is ${WORDS[biggest]}.`)
  }
  el.budget = {parts, total}
  return d.begin()
}

export default {render}
