// The frame clock on the picture of a sound: what one row is made from, and what a look-ahead buys. No dependencies, no network.

const MAGMA = '000004 120d31 331067 59157e 7e2482 a3307e c83e73 e95462 fa7d5e fea973 fed395 fcfdbf'.split(' ').map(c => [0, 2, 4].map(i => parseInt(c.slice(i, i + 2), 16)))
const STYLE = `
:host { display: block; max-width: 1000px; margin: 0 auto; color: var(--ink); font: 14px/1.4 system-ui, sans-serif;
  --ink: #33272b; --rule: #e6d9d2; --card: #fffdfb; --accent: #c2542f; --long: #0072b2; --short: #c2542f; --mood: #00795a }
:host([data-theme=dark]) { --ink: #ece6ea; --rule: #3b3f4c; --card: #1d2029; --accent: #ff9d6e; --long: #6cb8ec; --short: #ff9d6e; --mood: #4fd0a5 }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 16px; overflow: hidden; container-type: inline-size }
h3 { margin: 0; padding: 10px 14px 0; font-size: 14px; font-weight: 600 }
.plot { position: relative; margin: 6px 14px 0 6px } canvas { position: absolute } .row { image-rendering: pixelated }
.over { position: relative; display: block; width: 100%; cursor: ew-resize; touch-action: pan-y; user-select: none; -webkit-user-select: none }
text { fill: currentColor; font-size: 12px; paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round } .bare { stroke: none }
.long { color: var(--long) } .short { color: var(--short) } .mood { color: var(--mood) } .white { color: #fff } .frame-end { color: #4de3ff }
.bar { display: flex; flex-wrap: wrap; gap: 6px 20px; padding: 8px 14px 0 } label { flex: 1 1 220px; min-width: 0; font-size: 13px } b { font-weight: 600 }
input { display: block; width: 100%; height: 26px; margin: 0; accent-color: var(--accent); cursor: pointer; border-radius: 8px } :focus-visible { outline: 2px solid var(--accent) }
.stops { display: flex; justify-content: space-between; padding: 0 8px; font-size: 11px } .stops span { display: flex; justify-content: center; width: 0 }
button { flex: none; width: 44px; height: 44px; border: 0; border-radius: 50%; background: var(--accent); color: var(--card); cursor: pointer; padding: 0; outline-offset: 2px }
button svg { display: block; margin: auto; fill: currentColor }
.said { display: block; padding: 8px 14px 12px; min-height: 2.8em; font-variant-numeric: tabular-nums } @container (max-width: 560px) { .said { min-height: 4.2em } }`
const PLAY = '<svg width="18" height="18" viewBox="0 0 18 18"><path d="M4 2l12 7-12 7z"/></svg>'
const PAUSE = '<svg width="18" height="18" viewBox="0 0 18 18"><path d="M3 2h4v14H3zM11 2h4v14h-4z"/></svg>'
const TOP = 22, LOW = 232, LANES = [262, 292, 317, 345], AXIS = 354           // y of the picture, of what lies below it, and of the seconds

const clamp = (x, a, b) => Math.min(b, Math.max(a, x))
const bytes = text => Uint8Array.from(atob(text), ch => ch.charCodeAt(0))
const magma = v => { const x = v/255*(MAGMA.length - 1), i = Math.min(Math.floor(x), MAGMA.length - 2); return MAGMA[i].map((a, c) => a + (MAGMA[i + 1][c] - a)*(x - i)) }
const line = (a, b, c, d, rest) => `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="currentColor" ${rest || ''}/>`
const text = (a, b, words, anchor, kind) => `<text x="${a}" y="${b}" text-anchor="${anchor}" class="${kind || ''}">${words}</text>`

/** Paint `values`, column after column of `bands` bytes, one pixel each, low bands at the bottom */
function heat(canvas, values, bands) {
  const ctx = Object.assign(canvas, {width: values.length/bands, height: bands}).getContext('2d'), image = ctx.createImageData(canvas.width, bands)
  values.forEach((v, i) => image.data.set([...magma(v), 255], 4*((bands - 1 - i % bands)*canvas.width + Math.floor(i/bands))))
  ctx.putImageData(image, 0, 0)
}

/** 'light' or 'dark', as in face.js: as wanted, else as the page behind is painted, else as the system prefers */
function pageTheme(wanted, node) {
  if (wanted === 'light' || wanted === 'dark') return wanted
  for (; node; node = node.parentElement) {
    const [, r, g, b, a = 1] = getComputedStyle(node).backgroundColor.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?/) || [0, 0, 0, 0, 0]
    if (a > .5) return .3*r + .6*g + .1*b > 128 ? 'light' : 'dark'
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

/** anywidget's shape; `ears_payload` in Python says what `model.get` gives. Adds `el.ears` (frame, ahead, row, spans, x, play, pause). */
export function render({model, el}) {
  const host = el.appendChild(document.createElement('div')), root = host.attachShadow({mode: 'open'}), listen = new AbortController()
  const [sr, start, span, bands, first, ends, ticks, stops, ahead, lengths, title] =
    'sr start span bands first ends ticks stops ahead lengths title'.split(' ').map(key => model.get(key))
  const rows = bytes(model.get('rows')), size = rows.length/stops.length/ticks.length, audio = new Audio(model.get('audio'))
  host.dataset.lmSuppressShortcuts = 'true'                     // JupyterLab: the keys belong to the sliders
  root.innerHTML = `<style>${STYLE}</style><div class="card" role="group"><h3></h3><div class="plot"><canvas></canvas><canvas class="row"></canvas><canvas class="row"></canvas><canvas></canvas>
    <svg class="over" height="${AXIS + 38}" role="img" aria-label="Spectrogram with the end of every frame, the windows of one frame, and the row made from them"><g></g><g></g></svg></div>
    <div class="bar"><button title="play at half speed">${PLAY}</button><label>frame <b></b><input type="range" min="0" max="${ticks.length - 1}"></label>
    <label>look-ahead <b></b><input type="range" min="0" max="${stops.length - 1}" list="stops"><span class="stops" aria-hidden="true">${stops.map(ms => `<span>${ms}</span>`).join('')}</span></label>
    <datalist id="stops">${stops.map((_, i) => `<option value="${i}"></option>`).join('')}</datalist></div><output class="said"></output></div>`
  const all = selector => root.querySelectorAll(selector), [picture, long, short, scale] = all('canvas'), [over, button, said, heading] = ['.over', 'button', '.said', 'h3'].map(s => all(s)[0])
  const [still, moving] = all('g'), [frame, stop] = all('input'), named = all('b')
  if (title) heading.textContent = title; else heading.remove()
  all('.card')[0].setAttribute('aria-label', title || 'what one frame hears')
  heat(picture, bytes(model.get('picture')), bands); heat(scale, Uint8Array.from({length: 256}, (_, i) => i), 1)

  let k = model.get('frame') - first, j = model.get('stop'), playing = false, left, width, right, panel
  const x = seconds => left + (seconds - start)/span*width, y = band => LOW - band/bands*(LOW - TOP)
  const end = () => ticks[k].at(-1), ready = () => (end() + ahead[j])/sr
  const row = () => rows.subarray((j*ticks.length + k)*size, (j*ticks.length + k + 1)*size)
  const spans = () => [[end(), lengths[0]], ...ticks[k].map(tick => [tick, lengths[1]])].map(([e, n]) => [(e + ahead[j] - n)/sr, (e + ahead[j])/sr])
  const bell = ([a, b], base, kind) => `<path class="${kind} window" fill="currentColor" fill-opacity=".5" stroke="currentColor" d="M${Array.from({length: 33}, (_, i) =>
    `${x(a + (b - a)*i/32)},${base - 22*(.5 - .5*Math.cos(Math.PI*i/16))}`).join('L')}Z"/>`

  function layout() {                            // what only a new width moves
    const total = over.clientWidth || 600, tenths = Array.from({length: Math.floor(span*10 + 1e-6) + 1}, (_, i) => (Math.ceil(start*10 - 1e-6) + i)/10).filter(t => t < start + span + 1e-6)
    panel = total < 560 ? 76 : 120; left = 32; right = total - panel; width = right - left - 14
    const third = panel/3, put = (canvas, a, b, w, h) => Object.assign(canvas.style, {left: a + 'px', top: b + 'px', width: w + 'px', height: h + 'px'})
    put(picture, left, TOP, width, LOW - TOP); put(long, right, TOP, third - 3, LOW - TOP); put(short, right + third, TOP, 2*third, LOW - TOP); put(scale, right, LANES[0] - 8, panel, 8)
    still.innerHTML = text(left - 7, TOP - 8, 'Hz', 'end') + model.get('hz').map(([hz, band]) => line(left - 4, y(band), left, y(band)) + text(left - 6, y(band) + 4, hz < 1000 ? hz : hz/1000 + 'k', 'end')).join('')
      + ends.map(e => line(x(e/sr), TOP, x(e/sr), LOW, 'class="white" stroke-width=".8" stroke-opacity=".75"') + line(x(e/sr), LOW, x(e/sr), AXIS, 'stroke-width=".8" stroke-opacity=".16"')).join('')
      + line(left, AXIS, left + width, AXIS) + tenths.map(t => line(x(t), AXIS, x(t), AXIS + 4) + text(x(t), AXIS + 18, t.toFixed(1), 'middle')).join('') + text(left + width/2, AXIS + 34, 'seconds', 'middle')
      + text(right + third/2 - 1.5, TOP - 8, 'long', 'middle', 'long') + line(right, TOP - 2, right + third - 3, TOP - 2, 'class="long" stroke-width="2"')
      + text(right + 2*third, TOP - 8, '4 short', 'middle', 'short') + line(right + third, TOP - 2, right + panel, TOP - 2, 'class="short" stroke-width="2"')
      + text(right, LANES[0] + 15, 'quiet', 'start') + text(right + panel, LANES[0] + 15, 'loud', 'end') + text(right + panel/2, LANES[1] + 12, 'the row:', 'middle') + text(right + panel/2, LANES[1] + 28, `${size} values`, 'middle')
    show()
  }
  function show() {                              // what the frame and the look-ahead move
    const e = x(end()/sr), begin = x((ends[ends.indexOf(end()) - 1] ?? start*sr)/sr), heard = x(ready()), edge = left + width, room = edge - heard, [whole, ...four] = spans(), ms = stops[j], mid = LANES[2] - 6
    const label = (a, at, words, kind) => room < 118 ? text(a - 8, at, words, 'end', kind) : text(heard + 8, at, words, 'start', kind)
    moving.innerHTML = `<rect x="${heard}" y="${TOP}" width="${room}" height="${LOW - TOP}" fill-opacity=".6"/>` + (room > 104 ? text(edge - 8, TOP + 18, 'not heard yet', 'end', 'white bare') : '')
      + `<rect class="frame-end" x="${begin}" y="${TOP}" width="${e - begin}" height="${LOW - TOP}" fill="currentColor" fill-opacity=".22"/>`
      + line(e, TOP - 3, e, LOW, 'class="frame-end" stroke-width="2.5"') + line(e, LOW, e, AXIS, 'stroke-width="2"') + text(clamp(e, left + 26, edge - 26), TOP - 8, `frame ${first + k}`, 'middle')
      + line(heard, TOP, heard, LOW, 'class="white" stroke-width="1.5" stroke-dasharray="5 4"') + line(heard, LOW, heard, AXIS, 'stroke-width="1.2" stroke-dasharray="5 4"')
      + `<path class="mood" fill="currentColor" fill-opacity=".35" d="M${left},${LANES[3] - 8} l8,-8 H${heard} v16 H${left + 8}Z"/>` + label(heard, LANES[3] - 4, 'mood: 20 s of past', room < 118 ? 'bare' : 'mood')
      + bell(whole, LANES[0], 'long') + label(x(whole[0]), LANES[0] - 4, `long, ${1000*lengths[0]/sr} ms`, 'long') + four.map(s => bell(s, LANES[1], 'short')).join('') + label(x(four[0][0]), LANES[1] - 4, `4 short, ${1000*lengths[1]/sr} ms`, 'short')
      + (ms ? line(e, mid, heard - 6, mid, 'stroke-width="2"') + `<path fill="currentColor" d="M${heard},${mid} l-${Math.min(8, heard - e)},-5 v10Z"/>` : '') + label(e, mid + 4, ms ? `${ms} ms ahead` : 'nothing ahead')
    heat(long, row().subarray(0, bands), bands); heat(short, row().subarray(bands), bands)
    const s = seconds => seconds.toFixed(3) + ' s', n = Math.round(1000*lengths[0]/sr), after = Math.min(n, Math.round(1000*ahead[j]/sr))
    frame.value = k; named[0].textContent = first + k; frame.setAttribute('aria-valuetext', `frame ${first + k}, ends at ${s(end()/sr)}`)
    stop.value = j; named[1].textContent = `${ms} ms`; stop.setAttribute('aria-valuetext', `${ms} milliseconds`)
    said.textContent = `Frame ${first + k} ends at ${s(end()/sr)}; its row is ready at ${s(ready())}. Its long window has heard ${whole[0].toFixed(3)} to ${s(whole[1])}, `
      + `${after === 0 ? 'none' : after < n ? `${after} of its ${n} ms` : 'all of it'} after the frame.`
  }
  const choose = (frame, stop = j) => { k = clamp(frame, 0, ticks.length - 1); j = stop; show() }

  const pause = () => { playing = false; audio.pause(); button.innerHTML = PLAY; button.setAttribute('aria-label', 'play at half speed') }
  const tick = () => {                           // the newest row that is ready, as time goes by
    if (!playing || audio.ended || !host.isConnected) return pause()
    choose(ticks.filter(t => t.at(-1) + ahead[j] <= (start + audio.currentTime)*sr).length - 1); requestAnimationFrame(tick)
  }
  const play = () => {
    document.dispatchEvent(new CustomEvent('koemorph-play', {detail: host}))
    playing = true; button.innerHTML = PAUSE; button.setAttribute('aria-label', 'pause'); audio.playbackRate = .5; audio.currentTime = 0
    return audio.play().then(tick, pause)
  }
  const far = (t, px) => Math.abs(x(t.at(-1)/sr) - px), point = e => { const px = e.clientX - over.getBoundingClientRect().left; choose(ticks.reduce((best, t, i) => far(t, px) < far(ticks[best], px) ? i : best, 0)) }
  button.addEventListener('click', () => playing ? pause() : play())
  document.addEventListener('koemorph-play', e => { if (e.detail !== host && playing) pause() }, {signal: listen.signal})
  over.addEventListener('pointerdown', e => { pause(); over.setPointerCapture(e.pointerId); point(e); frame.focus({preventScroll: true}); e.preventDefault() })   // from here on the arrow keys work
  over.addEventListener('pointermove', e => { if (e.buttons) point(e) })
  frame.addEventListener('input', () => { pause(); choose(+frame.value) }); stop.addEventListener('input', () => choose(k, +stop.value))

  const refresh = () => { host.dataset.theme = pageTheme(model.get('theme'), el); layout() }, resize = new ResizeObserver(refresh), skin = new MutationObserver(refresh)
  resize.observe(host); skin.observe(document.body, {attributes: true, attributeFilter: ['class', 'data-jp-theme-light']})
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', refresh, {signal: listen.signal})
  el.ears = {frame: () => first + k, ahead: () => stops[j], row, spans, x, play, pause}
  pause(); refresh()
  return () => { listen.abort(); resize.disconnect(); skin.disconnect(); pause() }
}

export default {render}
