// The page of `koemorph serve`: sound goes up a websocket as float32, frames come back as JSON, face.js draws them. No dependencies, nothing from outside.
// Below: line (the conversation with the server) -> sources (microphone, file) -> what is shown (face, curves, meter) -> buttons.
import {drawFace} from './face.js'
import {loadAvatar} from './avatar.js'
import {REFUSED, decode} from './sound.js'

const $ = id => document.getElementById(id)
const clamp = (x, a = 0, b = 1) => Math.min(b, Math.max(a, x)), lerp = (a, b, t) => a + (b - a)*t
const dark = matchMedia('(prefers-color-scheme: dark)'), theme = () => dark.matches ? 'dark' : 'light'
const token = new URLSearchParams(location.search).get('token')
const here = path => path + (token ? '?token=' + encodeURIComponent(token) : '')

function say(words, bad = false) { if ($('say').textContent !== words) $('say').textContent = words; $('say').classList.toggle('bad', bad) }

// ---------------------------------------------------------------- line

/** What the meter shows of one performance, and the last ten seconds of its frames */
const newTally = () => ({frames: 0, late: 0, dropped: 0, computing: [], back: [], queue: 0, sound: 0, delays: null, fps: 30, names: [], history: []})
let tally = newTally()
const keep = (list, x, n) => { list.push(x); if (list.length > n) list.splice(0, list.length - n) }

/** One conversation: what is wanted, then float32 up and frames down. `origin`: seconds of sound before its first sample. */
class Line {
  constructor(sr, origin, on) {
    Object.assign(this, {sr, origin, on, sent: 0, heard: 0, marks: [], open: false, over: false})
    const ws = this.ws = new WebSocket(location.origin.replace(/^http/, 'ws') + here('/live'))
    ws.onopen = () => ws.send(JSON.stringify({sr, gate: $('gate').checked, idle: $('idle').checked}))
    ws.onmessage = e => this.take(JSON.parse(e.data))
    ws.onclose = e => { this.open = false; if (!this.over) this.fail(e.reason || `The connection to koemorph was lost (${e.code}). Is it still running? Start it again, then try again.`) }
    this.ready = new Promise((yes, no) => Object.assign(this, {yes, no}))
    this.ready.catch(() => {})
  }
  take(m) {
    if (this.over) return
    if (m.error) return this.fail(m.error)
    if (m.ready) {
      Object.assign(tally, {names: m.ready.names, fps: m.ready.fps, delays: m.ready.delays})
      this.open = true; this.yes(); return
    }
    const now = performance.now()
    let back = 0
    while (this.marks.length && this.marks[0][0] <= m.heard) back = now - this.marks.shift()[1]
    this.heard = Math.min(m.heard, this.sent)
    tally.queue = 1000*(this.sent - this.heard)/this.sr
    keep(tally.back, back, 300); keep(tally.computing, m.ms, 300)
    m.values.forEach((values, k) => {
      const t = this.origin + (m.frame + k + 1)/tally.fps
      if (this.on.heard ? t < this.on.heard() : back > 1000/tally.fps) tally.late++   // after its sound was heard; of a microphone: a frame's time after it could have been there
      keep(tally.history, {t, values}, 10*tally.fps)
    })
    tally.frames += m.values.length
    this.on.frames?.()
    if (m.done) { this.close(); this.on.done?.() }
  }
  /** false when so much is waiting already that this chunk is left out */
  send(chunk) {
    if (!this.open || this.ws.readyState !== 1 || this.sent - this.heard > 2*this.sr) { tally.dropped += chunk.length/this.sr; return false }
    this.ws.send(chunk); this.sent += chunk.length; tally.sound += chunk.length/this.sr
    this.marks.push([this.sent, performance.now()]); return true
  }
  end() { if (this.open && this.ws.readyState === 1) this.ws.send('end') }
  fail(words) { this.close(); this.no(new Error(words)); this.on.failed?.(words) }
  close() { this.over = true; this.open = false; this.ws.close() }
}

// ---------------------------------------------------------------- sources

let playing = null, muted = false                // what is being performed: {stop, position?, again}

function loudness(chunk) {
  let top = 0
  for (const x of chunk) top = Math.max(top, Math.abs(x))
  level = Math.max(level, top)
}

/** Fill the list of microphones; their names are known once one was allowed */
async function listDevices() {
  const wanted = $('device').value, all = (await navigator.mediaDevices?.enumerateDevices() || []).filter(d => d.kind === 'audioinput' && d.deviceId && d.deviceId !== 'default')
  $('device').replaceChildren(new Option("the system's own choice", ''), ...all.map((d, i) => new Option(d.label || `microphone ${i + 1}`, d.deviceId)))
  if (all.some(d => d.deviceId === wanted)) $('device').value = wanted
}

async function microphone() {
  stop()
  if (!navigator.mediaDevices) return say(`Browsers give the microphone only to pages of this computer or over https. On the computer that runs koemorph, open http://localhost:${location.port}; here, drop a sound file.`, true)
  const me = playing = {live: true, stop: () => {}}
  say('The browser asks whether this page may listen …')
  const raw = $('browser').checked, asked = {echoCancellation: raw, noiseSuppression: raw, autoGainControl: raw, ...($('device').value && {deviceId: {exact: $('device').value}})}
  let media, context
  me.stop = () => { media?.getTracks().forEach(t => t.stop()); context?.close(); me.line?.close() }
  try {
    media = await navigator.mediaDevices.getUserMedia({audio: asked})
    if (playing !== me) return me.stop()
    context = new AudioContext({latencyHint: 'interactive'})
    await context.audioWorklet.addModule('microphone.js')
    begin(me)
    me.again = async () => {
      me.line?.close()
      me.line = new Line(context.sampleRate, tally.sound, {failed: words => stop(words)})
      await me.line.ready
    }
    await me.again()
    const size = 128*Math.ceil(.01*context.sampleRate/128), node = new AudioWorkletNode(context, 'koemorph-microphone', {numberOfOutputs: 0, processorOptions: {size}})
    node.port.onmessage = ({data}) => { if (muted) data.fill(0); loudness(data); if (me.line.open) me.line.send(data) }
    context.createMediaStreamSource(media).connect(node)
    media.getAudioTracks()[0].onended = () => stop('The microphone was unplugged. Plug it in or choose another, then start again.')
    await context.resume(); listDevices()
    if (playing === me && document.activeElement === $('mic')) $('mute').focus()      // space mutes from here on, and does not stop
    if (playing === me) say(`Listening to ${media.getAudioTracks()[0].label || 'the microphone'} at ${context.sampleRate/1000} kHz.`)
  } catch (e) { if (playing === me) stop(REFUSED[e.name] || e.message) }
}

const LEAD = .4                                  // seconds of the file sent before they are heard: the frames are there in time for their sound
async function perform(name, buffer) {
  stop()
  const me = playing = {stop: () => {}}
  let context, timer, start = null, from = 0, finished = false
  me.stop = () => { clearInterval(timer); context?.close(); me.line?.close() }
  try {
    const {wave, sr} = await decode(buffer, name), seconds = wave.length/sr
    if (playing !== me) return
    if (!wave.length) throw new Error(`${name} has no sound in it.`)
    context = new AudioContext()
    const node = context.createBufferSource(), sound = context.createBuffer(1, wave.length, sr)
    sound.copyToChannel(wave, 0); node.buffer = sound; node.connect(context.destination)
    begin(me)
    let stamp = 0, since = 0, furthest = 0
    me.position = () => {                          // the sound is the clock; where it stands still, as without any loudspeaker, the face goes on
      if (start === null) return 0
      const now = performance.now()/1000, silent = context.currentTime === stamp && now - since > .5 ? now - since : 0
      if (context.currentTime !== stamp) { stamp = context.currentTime; since = now }
      if (silent) say(`Playing ${name} without sound: no loudspeaker answers.`)
      return furthest = Math.max(furthest, clamp(stamp + silent - start - (context.outputLatency || 0), 0, seconds))
    }
    const play = () => { if (start === null && playing === me) { stamp = context.currentTime; since = performance.now()/1000; start = stamp + .05; node.start(start); say(`Playing ${name}.`) } }
    me.again = async () => {
      const at = Math.max(from - Math.round((LEAD + .1)*sr), Math.round(me.position()*sr))
      me.line?.close(); finished = false; from = start === null ? 0 : at
      tally.history = tally.history.filter(f => f.t <= from/sr)
      me.line = new Line(sr, from/sr, {failed: words => stop(words), frames: play, done: play, heard: () => start === null ? -1 : me.position()})
      await me.line.ready
    }
    await me.again(); await context.resume()
    const step = Math.round(.02*sr)
    timer = setInterval(() => {
      const due = Math.min(wave.length, Math.round((me.position() + LEAD)*sr)), line = me.line
      while (line.open && from < due) { const chunk = wave.subarray(from, Math.min(from + step, wave.length)); if (!line.send(chunk.slice())) { tally.dropped -= chunk.length/sr; break } from += chunk.length }
      if (line.open && from === wave.length && !finished) { finished = true; line.end() }
      const now = Math.round(me.position()*sr)
      if (start !== null) loudness(wave.subarray(Math.max(0, now - step), now))
      if (start !== null && me.position() >= seconds) stop(`${name} is over.`, false)
    }, 10)
  } catch (e) { if (playing === me) stop(e.message) }
}

/** Stop whatever is performed; `words` say why */
function stop(words, bad = true) {
  const was = playing
  playing = null; was?.stop()
  if (words) say(words, bad); else if (was) say('Stopped.')
  buttons()
}
function begin() { tally = newTally(); shown = []; setMute(false); buttons() }

// ---------------------------------------------------------------- what is shown

const STRIPS = {light: ['#0072b2', '#b84a26', '#00795a', '#a2487d', '#7a6200'], dark: ['#6cb8ec', '#ff9d6e', '#4fd0a5', '#e79bc5', '#e2c95c']}
const SPAN = 6                                   // seconds of curves
let level = 0, face = {}, shown = [], avatar = null

function sized(canvas, height) {
  const width = canvas.clientWidth || 1, dpr = Math.min(devicePixelRatio || 1, 3), [w, h] = [width, height].map(x => Math.round(x*dpr))
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, {width: w, height: h})
  const ctx = canvas.getContext('2d')
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0)
  return [ctx, width, height]
}

/** Coefficients by name: the newest frame of a microphone; of a file those at the moment that is heard, between two frames */
function current() {
  const {history, names} = tally
  if (!playing?.line || !history.length) {       // back to rest
    for (const name in face) face[name] = Math.abs(face[name]) < .004 ? 0 : .82*face[name]
    return face
  }
  if (!playing.position) return Object.fromEntries(names.map((name, j) => [name, history.at(-1).values[j]]))
  const t = playing.position(), b = history.find(f => f.t >= t) || history.at(-1), a = history[history.indexOf(b) - 1] || b, x = b === a ? 0 : clamp((t - a.t)/(b.t - a.t))
  return Object.fromEntries(names.map((name, j) => [name, lerp(a.values[j], b.values[j], x)]))
}

/** Show the avatar in `buffer` instead of the drawn face; null: the drawn face again */
async function wear(name, buffer) {
  try {
    const canvas = Object.assign(document.createElement('canvas'), {id: 'avatar'})
    let next = null
    if (buffer) {
      say(`Reading ${name} …`)
      canvas.setAttribute('role', 'img'); canvas.setAttribute('aria-label', `avatar: ${name}`)
      next = await loadAvatar(buffer, canvas, name)
    }
    $('avatar')?.remove(); avatar?.free(); avatar = next && {...next, canvas}
    if (avatar) { $('frame').append(canvas); say(`${name}: ${avatar.names.length} of the 52 coefficients move it.`) } else say('The drawn face again.')
    $('face').hidden = !!avatar; $('undress').hidden = !avatar
  } catch (e) { say(e.constructor === Error ? e.message : `${name} cannot be read as an avatar (${e.message}).`, true) }
}

function drawNow() {
  const canvas = $('face'), turn = name => face[name] || 0
  if (avatar) {
    const dpr = Math.min(devicePixelRatio || 1, 2), [w, h] = [avatar.canvas.clientWidth, avatar.canvas.clientHeight].map(x => Math.max(1, Math.round(x*dpr)))
    if (avatar.canvas.width !== w || avatar.canvas.height !== h) Object.assign(avatar.canvas, {width: w, height: h})
    return avatar.draw(face)
  }
  const [ctx, width, height] = sized(canvas, canvas.clientHeight || 1), zoom = Math.max(1, .87*width/height*460/400)
  const shape = drawFace(ctx, face, {width, height, zoom, theme: theme()})
  canvas.dataset.lipGap = shape.lipGap.toFixed(3)
  const shift = name => clamp(120*turn(name), -8, 8).toFixed(2) + 'px'
  canvas.style.transform = turn('headYaw') || turn('headPitch') || turn('headRoll')    // a little closer, so that no edge shows
    ? `scale(1.04) translate(${shift('headYaw')}, ${shift('headPitch')}) rotate(${clamp(-turn('headRoll'), -.02, .02).toFixed(4)}rad)` : ''
}

/** Five channels that move most, the mouth before the rest, one of each Left/Right pair; one that is shown stays unless another moves far more */
function liveliest() {
  const {names, history} = tally, recent = history.slice(-SPAN*tally.fps)
  const move = Object.fromEntries(names.map((name, j) => {
    let sum = 0, square = 0
    for (const {values} of recent) { sum += values[j]; square += values[j]**2 }
    return [name, (square/recent.length - (sum/recent.length)**2)*(/^(jaw|mouth)/.test(name) ? 5 : 1)*(shown.includes(name) ? 3 : 1)]
  }))
  const best = names.filter(n => !/Right$|Yaw$|Pitch$|Roll$/.test(n)).sort((a, b) => move[b] - move[a]).slice(0, 5)
  shown = names.filter(n => best.includes(n))
}

function drawCurves() {
  const rows = 5, high = 38, [ctx, w] = sized($('curves'), rows*high), {history, names} = tally
  const now = playing?.position ? playing.position() : history.at(-1)?.t ?? 0, colors = STRIPS[theme()], ink = getComputedStyle(document.body).color
  $('curves').style.height = rows*high + 'px'
  ctx.clearRect(0, 0, w, rows*high); ctx.font = '12px system-ui, sans-serif'; ctx.textBaseline = 'top'
  for (let i = 0; i < rows; i++) {
    const y = (i + 1)*high - 4, name = shown[i], j = names.indexOf(name)
    ctx.globalAlpha = .2; ctx.fillStyle = ink; ctx.fillRect(0, y, w, 1); ctx.globalAlpha = 1
    if (!name) continue
    const line = new Path2D(), past = history.filter(f => f.t <= now + 1e-6 && f.t > now - SPAN)
    past.forEach((f, k) => line[k ? 'lineTo' : 'moveTo']((1 - (now - f.t)/SPAN)*w, y - (high - 8)*clamp(f.values[j])))
    ctx.strokeStyle = ctx.fillStyle = colors[i % 5]; ctx.lineWidth = 1.6; ctx.lineJoin = 'round'; ctx.stroke(line)
    ctx.fillText(name, 1, y - high + 6)
  }
  $('curves').setAttribute('aria-label', shown.length ? `curves of ${shown.join(', ')}` : 'curves of the channels that move most')
}

const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q*list.length))]
const ms = x => x < 10 ? x.toFixed(1) : x.toFixed(0)
const WORDS = {frame: 'frame', lookahead: 'ahead', resampler: 'resampler', interpolation: 'interpolation'}

function showMeter() {
  const t = tally, put = (id, words) => { if ($(id).textContent !== words) $(id).textContent = words }
  const both = (list, what) => list.length ? `${ms(quantile(list, .5))} ms${what}, 95 % within ${ms(quantile(list, .95))}` : '–'
  put('design', t.delays ? `at most ${ms(Object.values(t.delays).reduce((a, b) => a + b, 0))} ms: ${Object.entries(t.delays).map(([k, v]) => `${+v.toFixed(1)} ${WORDS[k] || k}`).join(' + ')}` : '–')
  put('computing', both(t.computing, ' a frame')); put('back', both(t.back, ''))
  put('queue', t.frames ? `${ms(t.queue)} ms of sound` : '–')
  put('frames', `${t.frames} for ${t.sound.toFixed(2)} s of sound`)
  put('lost', `${t.late} late, ${t.dropped > .005 ? t.dropped.toFixed(2) + ' s dropped' : 'none dropped'}`)
  $('lost').classList.toggle('bad', t.dropped > .005)
  const db = clamp(20*Math.log10(level + 1e-6), -60, 0)
  $('level').firstChild.style.transform = `scaleX(${(1 + db/60).toFixed(3)})`; $('level').setAttribute('aria-valuenow', db.toFixed(0))
}

let beat = 0
function tick() {
  face = current(); drawNow(); drawCurves()
  if (beat % 6 === 0) showMeter()
  if (beat % 60 === 0 && tally.history.length > 15 && playing) liveliest()
  level *= .9; beat++
  requestAnimationFrame(tick)
}

// ---------------------------------------------------------------- buttons

function buttons() {
  const live = !!playing?.live
  $('mic').setAttribute('aria-pressed', !!playing)
  $('mic').lastChild.textContent = playing ? (live ? 'Stop the microphone' : 'Stop') : 'Start the microphone'
  $('mute').hidden = !live
}
function setMute(on) { muted = on; $('mute').setAttribute('aria-pressed', on); $('mute').textContent = on ? 'Muted' : 'Mute' }

$('mic').onclick = () => playing ? stop() : microphone()
$('mute').onclick = () => setMute(!muted)
$('open').onclick = () => $('file').click()
$('sample').onclick = async () => perform('the sample', await (await fetch('sample.wav')).arrayBuffer())
$('undress').onclick = () => wear()
$('file').onchange = () => { if ($('file').files.length) take($('file').files[0]); $('file').value = '' }
for (const id of ['gate', 'idle']) $(id).onchange = () => playing?.again?.().catch(() => {})
for (const id of ['device', 'browser']) $(id).onchange = () => { if (playing?.live) microphone() }

async function take(file) {
  if (/\.(glb|vrm)$/i.test(file.name)) return wear(file.name, await file.arrayBuffer())
  if (file.size > 5e8) return say(`${file.name} has ${Math.round(file.size/1e6)} MB, at most 500 fit here: koemorph run takes files of any length.`, true)
  perform(file.name, await file.arrayBuffer())
}
const drag = on => e => { e.preventDefault(); document.body.classList.toggle('drop', on) }
addEventListener('dragover', drag(true)); addEventListener('dragleave', drag(false))
addEventListener('drop', e => { drag(false)(e); if (e.dataTransfer.files.length) take(e.dataTransfer.files[0]) })

const elsewhere = e => e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.('select, input, button:not(#mute)')
addEventListener('keydown', e => {
  if (e.key === 'Escape' && playing) return stop()
  if (!playing?.live || e.ctrlKey || e.metaKey || e.altKey) return
  if (e.key.toLowerCase() === 'm' && !e.repeat && e.target.id !== 'device') setMute(!muted)
  if (e.key === ' ' && !elsewhere(e)) { e.preventDefault(); setMute(true) }
})
addEventListener('keyup', e => { if (e.key === ' ' && playing?.live && !elsewhere(e)) { e.preventDefault(); setMute(false) } })
navigator.mediaDevices?.addEventListener?.('devicechange', listDevices)

const settings = await (await fetch(here('settings.json'))).json()
for (const id of ['gate', 'idle']) $(id).checked = settings[id]
$('face').live = {tally: () => tally, playing: () => playing, coefficients: () => face}
if (settings.avatar) { const r = await fetch(here('/avatar')); await wear(settings.avatar, await r.arrayBuffer()) }
buttons(); listDevices(); tick()
