// One frame as it travels: a packet's bytes, what each stretch of them is called and says, and which of them a coefficient moves. No dependencies, no network.
import {bytes, clamp, demo} from './demo.js'

const CSS = `
.bytes { display: grid; grid-template-columns: repeat(auto-fill, 25px); gap: 2px 0; max-height: 330px; overflow-y: auto; margin: 8px 14px 0; font: 12px/1.15 ui-monospace, Menlo, Consolas, monospace; cursor: pointer; scrollbar-width: thin; justify-content: center }
.bytes span { padding: 2px 0; text-align: center; border-top: 2px solid transparent; border-bottom: 2px solid transparent } .bytes small { display: block; font-size: 11px; min-height: 1.15em; opacity: .75 }
.bytes .value { color: var(--orange) } .bytes .name { color: var(--blue) } .bytes .frame { color: var(--soft) } .bytes .even { background: color-mix(in srgb, currentColor 9%, transparent) }
.bytes .moved { background: var(--green); color: var(--card) } .bytes .chosen { border-color: var(--ink) } .bytes p { grid-column: 1/-1; margin: 6px 0 0; color: var(--soft); font: 12px system-ui, sans-serif }
.key { margin: 8px 14px 0; font-size: 12px } .key b { margin-right: 12px } .key .moved { background: var(--green); color: var(--card); padding: 0 4px; border-radius: 3px }`

/** anywidget's shape; `packets_payload` in Python says what `model.get` gives. Adds `el.packets` (fields, hex, moved). */
export function render({model, el}) {
  const [protocols, to, spoken, moves] = 'protocols to spoken moves'.split(' ').map(key => model.get(key))
  const d = demo({model, el, draw, css: CSS, html: `<div class="key"><b class="blue">names</b><b class="orange">values</b><b class="soft">what holds them together</b><b class="moved">moved</b></div><div class="bytes" role="group" aria-label="the bytes of the packets"></div>`})
  const protocol = d.choice('protocol', 'protocol', Object.keys(protocols)), move = d.choice('move', 'coefficient', moves), grid = d.$('.bytes')
  const place = v => v ? String(to[v - 1]) : `as spoken, ${spoken[moves.indexOf(move.value())]}`, value = d.slider('value', 'moved to', {stops: ['said', ...to], say: place})
  const moved = () => value.value() ? protocols[protocol.value()].moved[move.value()][value.value() - 1] : []                // [field, bytes, what it says]
  const fields = () => { const all = protocols[protocol.value()].fields.slice(); for (const [i, b, says] of moved()) all[i] = [all[i][0], all[i][1], b, says, all[i][4]]; return all }   // [packet, name, bytes, what it says, kind]
  const field = d.slider('field', 'field', {max: 9999, say: v => `${v + 1} of ${fields().length}`}), hex = b => Array.from(bytes(b), c => c.toString(16).padStart(2, '0')), readable = b => String.fromCharCode(...bytes(b)).replace(/^"|"$|\0+$/g, '')
  const print = h => { const c = parseInt(h, 16); return c > 32 && c < 127 ? String.fromCharCode(c).replace(/[&<]/, x => x === '&' ? '&amp;' : '&lt;') : c === 32 ? '␣' : '' }
  let shown = ''

  function draw() {
    const all = fields(), changed = new Set(moved().map(m => m[0])), i = clamp(field.value(), 0, all.length - 1), [packet, name, b, says, kind] = all[i], before = protocols[protocol.value()].fields, state = `${protocol.value()} ${move.value()} ${value.value()}`
    field.input.max = all.length - 1; if (field.value() !== i) field.input.value = i
    field.input.parentElement.querySelector('b').textContent = `${i + 1} of ${all.length}`; value.input.parentElement.querySelector('b').textContent = place(value.value())
    const news = state !== shown
    if (news) {
      const lengths = []; for (const f of all) lengths[f[0]] = (lengths[f[0]] || 0) + bytes(f[2]).length
      grid.innerHTML = all.map((f, k) => (k && all[k - 1][0] === f[0] ? '' : `<p>packet ${f[0] + 1} of ${lengths.length}, ${lengths[f[0]]} bytes</p>`)
        + hex(f[2]).map(h => `<span data-k="${k}" class="${f[4]} ${k % 2 ? '' : 'even'} ${changed.has(k) ? 'moved' : ''}">${h}<small>${print(h)}</small></span>`).join('')).join('')
      shown = state
    }
    for (const s of grid.querySelectorAll('.chosen')) s.classList.remove('chosen')
    const mine = grid.querySelectorAll(`[data-k="${i}"]`), see = news && grid.querySelector('.moved') || mine[0]; for (const s of mine) s.classList.add('chosen')
    if (see) { const a = see.offsetTop - grid.offsetTop; if (a < grid.scrollTop || a > grid.scrollTop + grid.clientHeight - 30) grid.scrollTop = a - 90 }
    const at = all.slice(0, i).filter(f => f[0] === packet).reduce((n, f) => n + bytes(f[2]).length, 0), n = bytes(b).length, words = says || readable(b)
    const places = [...changed].reduce((sum, k) => { const was = hex(before[k][2]); return sum + hex(all[k][2]).filter((h, j) => h !== was[j]).length }, 0)
    d.say(`${n === 1 ? `Byte ${at}` : `Bytes ${at} to ${at + n - 1}`}: ${name}${kind === 'value' ? ' = ' : name === words ? '' : ', '}${kind !== 'value' && name === words ? '' : words.length > 60 ? words.slice(0, 60) + '…' : words}. `
      + (!value.value() ? 'Move a coefficient, and what knows of it lights up.' : changed.size ? `${move.value()} at ${place(value.value())} changes ${places} byte${places === 1 ? '' : 's'}, of ${[...new Set([...changed].map(k => all[k][1]))].slice(0, 6).join(', ')}.`
        : `${move.value()} at ${place(value.value())} changes no byte of it.`))
  }
  grid.addEventListener('click', e => { const cell = e.target.closest('[data-k]'); if (cell) field.put(+cell.dataset.k) })
  el.packets = {fields, moved, hex: () => fields().map(f => hex(f[2]).join('')).join('')}
  return d.begin()
}

export default {render}
