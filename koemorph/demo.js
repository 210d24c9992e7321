// What the demos on the pages share: the card they stand in, light and dark, labelled controls, a clock with sound. No dependencies, no network.

const STYLE = `
:host { display: block; max-width: 1000px; margin: 0 auto; color: var(--ink); font: 14px/1.4 system-ui, sans-serif;
  --ink: #33272b; --soft: #75676c; --rule: #e6d9d2; --card: #fffdfb; --accent: #c2542f; --blue: #0072b2; --orange: #c2542f; --green: #00795a; --grey: #8a7b80 }
:host([data-theme=dark]) { --ink: #ece6ea; --soft: #a39ba6; --rule: #3b3f4c; --card: #1d2029; --accent: #ff9d6e; --blue: #6cb8ec; --orange: #ff9d6e; --green: #4fd0a5; --grey: #a39ba6 }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 16px; overflow: hidden; container-type: inline-size }
h3 { margin: 0; padding: 10px 14px 0; font-size: 14px; font-weight: 600 }
svg.over { display: block; width: calc(100% - 28px); margin: 6px 14px 0 } canvas { display: block; width: 100% }
text { fill: currentColor; font-size: 12px; paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round } .small { font-size: 11px } .bare { stroke: none }
.soft { color: var(--soft) } .blue { color: var(--blue) } .orange { color: var(--orange) } .green { color: var(--green) } .grey { color: var(--grey) }
.bar { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 6px 20px; padding: 8px 14px 0 } label { flex: 1 1 220px; min-width: 0; font-size: 13px } b { font-weight: 600 }
input { display: block; width: 100%; height: 26px; margin: 0; accent-color: var(--accent); cursor: pointer; border-radius: 8px } :focus-visible { outline: 2px solid var(--accent) }
select { display: block; width: 100%; height: 34px; font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 0 6px; cursor: pointer }
.stops { display: flex; justify-content: space-between; padding: 0 8px; font-size: 11px } .stops span { display: flex; justify-content: center; width: 0; white-space: nowrap }
button { flex: none; width: 44px; height: 44px; border: 0; border-radius: 50%; background: var(--accent); color: var(--card); cursor: pointer; padding: 0; outline-offset: 2px }
button svg { display: block; margin: auto; fill: currentColor }
output { display: block; padding: 8px 14px 12px; min-height: 2.8em; font-variant-numeric: tabular-nums } @container (max-width: 560px) { output { min-height: 5.6em } }`
const PLAY = '<svg width="18" height="18" viewBox="0 0 18 18"><path d="M4 2l12 7-12 7z"/></svg>'
const PAUSE = '<svg width="18" height="18" viewBox="0 0 18 18"><path d="M3 2h4v14H3zM11 2h4v14h-4z"/></svg>'

export const clamp = (x, a = 0, b = 1) => Math.min(b, Math.max(a, x))
export const bytes = text => Uint8Array.from(atob(text), ch => ch.charCodeAt(0))
export const line = (a, b, c, d, rest = '') => `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="currentColor" ${rest}/>`
export const box = (x, y, w, h, rest = '') => `<rect x="${x}" y="${y}" width="${Math.max(0, w)}" height="${Math.max(0, h)}" fill="currentColor" ${rest}/>`
export const text = (x, y, words, rest = '') => `<text x="${x}" y="${y}" ${rest}>${words}</text>`
/** A curve through `[x, y]` points; it breaks where y is NaN */
export const curve = (points, rest = '') => `<path fill="none" stroke="currentColor" ${rest} d="${points.map(([x, y], i) => isNaN(y) ? '' : `${i && !isNaN(points[i - 1][1]) ? 'L' : 'M'}${x.toFixed(1)},${y.toFixed(1)}`).join('')}"/>`

/** 'light' or 'dark', as in face.js: as wanted, else as the page behind is painted, else as the system prefers */
function pageTheme(wanted, node) {
  if (wanted === 'light' || wanted === 'dark') return wanted
  for (; node; node = node.parentElement) {
    const [, r, g, b, a = 1] = getComputedStyle(node).backgroundColor.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?/) || [0, 0, 0, 0, 0]
    if (a > .5) return .3*r + .6*g + .1*b > 128 ? 'light' : 'dark'
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

/** Size a canvas for the screen's pixels, `ratio` of its width high, and hand back its context in CSS pixels */
export function sized(canvas, ratio) {
  const width = canvas.clientWidth || 1, height = Math.round(width*ratio), dpr = Math.min(devicePixelRatio || 1, 3)
  const [w, h] = [width, height].map(x => Math.round(x*dpr))
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, {width: w, height: h}).style.height = height + 'px'
  const ctx = canvas.getContext('2d')
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0)
  return [ctx, width, height]
}

/** The card of a demo. `html` is what stands above its controls, `draw(theme)` paints whenever a control, the width or the theme changes.
 *  A control is bound to a value of the model: set from Python it moves, moved by hand Python knows. */
export function demo({model, el, html, css = '', draw}) {
  const host = el.appendChild(document.createElement('div')), root = host.attachShadow({mode: 'open'}), listen = new AbortController(), title = model.get('title')
  host.dataset.lmSuppressShortcuts = 'true'                     // JupyterLab: the keys belong to the controls
  root.innerHTML = `<style>${STYLE}${css}</style><div class="card" role="group"><h3></h3>${html}<div class="bar"></div><output></output></div>`
  const $ = selector => root.querySelector(selector), card = $('.card'), bar = $('.bar')
  if (title) $('h3').textContent = title; else $('h3').remove()
  card.setAttribute('aria-label', title || 'demo')
  const redraw = () => { if (host.clientWidth) draw(host.dataset.theme) }
  const undo = []

  function bound(key, input, said) {                            // one control
    const value = () => input.tagName === 'SELECT' ? input.value : +input.value
    const put = v => { input.value = v; said(input.value) }
    const keep = () => { said(input.value); model.set?.(key, value()); model.save_changes?.() }
    const told = () => { put(model.get(key)); redraw() }
    put(model.get(key)); model.on(`change:${key}`, told); undo.push(() => model.off(`change:${key}`, told))
    input.addEventListener('input', () => { hush(); keep(); redraw() })
    return {value, input, put: v => { put(v); keep(); redraw() }}
  }
  function labelled(name, inside) {
    const label = bar.appendChild(document.createElement('label'))
    label.innerHTML = `${name} <b></b>${inside}`
    return label
  }
  /** A slider over 0 … max: `stops` are the texts of its stops, or `say(value)` puts its value into words */
  function slider(key, name, {max, stops, say = v => stops[v]}) {
    const label = labelled(name, `<input type="range" min="0" max="${max ?? stops.length - 1}">` + (stops ? `<span class="stops" aria-hidden="true">${stops.map(s => `<span>${s}</span>`).join('')}</span>` : ''))
    const input = label.querySelector('input'), words = label.querySelector('b')
    input.setAttribute('aria-label', name)
    return bound(key, input, v => { words.textContent = say(+v); input.setAttribute('aria-valuetext', say(+v)) })
  }
  /** A list to choose from: `groups` is {heading: [texts]}, or a plain list of texts */
  function choice(key, name, groups) {
    const options = list => list.map(x => `<option>${x}</option>`).join('')
    const label = labelled(name, `<select>${Array.isArray(groups) ? options(groups) : Object.entries(groups).map(([g, list]) => `<optgroup label="${g}">${options(list)}</optgroup>`).join('')}</select>`)
    label.querySelector('select').setAttribute('aria-label', name)
    return bound(key, label.querySelector('select'), () => {})
  }
  let hush = () => {}
  /** A play button that walks a frame `slider` at `fps`, `rate` times as fast (a number, or what tells it), with the sound `audio()` gives, which begins `late()` seconds after frame 0 does */
  function player(frames, fps, {audio, late = () => 0, rate: pace = 1, name = 'play'} = {}) {
    const button = document.createElement('button'); bar.prepend(button)
    let playing = false, heard = null, rate = 1, from, since
    const pause = () => { playing = false; heard?.pause(); button.innerHTML = PLAY; button.setAttribute('aria-label', name); button.title = name }
    const now = () => from + (performance.now() - since)/1000*rate
    const tick = () => {
      if (!playing || !host.isConnected) return pause()
      const wanted = now() - late()
      if (heard && heard.paused && wanted >= 0 && wanted < heard.duration) { heard.currentTime = wanted; heard.play().catch(() => { heard = null }) }
      const k = Math.floor(now()*fps)
      if (k > +frames.input.max) return pause()
      if (k !== frames.value()) frames.put(k)
      requestAnimationFrame(tick)
    }
    const play = () => {
      document.dispatchEvent(new CustomEvent('koemorph-play', {detail: host}))
      heard = audio?.() || null; rate = pace.call ? pace() : pace
      if (heard) { heard.playbackRate = rate; heard.pause() }
      from = frames.value() >= +frames.input.max ? 0 : frames.value()/fps; since = performance.now()
      playing = true; button.innerHTML = PAUSE; button.setAttribute('aria-label', 'pause'); button.title = 'pause'
      tick()
    }
    hush = pause; pause()
    button.addEventListener('click', () => playing ? pause() : play())
    document.addEventListener('koemorph-play', e => { if (e.detail !== host && playing) pause() }, {signal: listen.signal})
    undo.push(pause)
    return {play, pause, playing: () => playing}
  }
  /** Pointing at the picture chooses a frame: `at(x)` says which, x in pixels from the picture's left edge */
  function pointing(node, frames, at) {
    const point = e => { hush(); frames.put(clamp(Math.round(at(e.clientX - node.getBoundingClientRect().left)), 0, +frames.input.max)) }
    Object.assign(node.style, {cursor: 'ew-resize', touchAction: 'pan-y', userSelect: 'none', webkitUserSelect: 'none'})
    node.addEventListener('pointerdown', e => { node.setPointerCapture(e.pointerId); point(e); frames.input.focus({preventScroll: true}); e.preventDefault() })
    node.addEventListener('pointermove', e => { if (e.buttons) point(e) })
  }
  /** Call when all controls are made: paints, and keeps the picture to its width and theme. What it gives is what `render` returns */
  function begin() {
    const refresh = () => { host.dataset.theme = pageTheme(model.get('theme'), el); redraw() }, resize = new ResizeObserver(refresh), skin = new MutationObserver(refresh)
    resize.observe(host); skin.observe(document.body, {attributes: true, attributeFilter: ['class', 'data-jp-theme-light']})
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', refresh, {signal: listen.signal})
    refresh()
    return () => { listen.abort(); resize.disconnect(); skin.disconnect(); undo.forEach(f => f()) }
  }
  return {$, slider, choice, player, pointing, begin, say: words => { $('output').textContent = words }}
}
