// The page of `koemorph serve --wasm`: the whole of koemorph inside the browser. Sound -> resampler and ears (features.js) -> the network (onnxruntime-web) -> face.js.
// Nothing leaves the page, nothing comes from elsewhere. Below: the ONNX file -> the network as a stage -> a voice followed -> what is shown -> buttons.
import {drawFace} from './face.js'
import {ears, resampler} from './features.js'
import {REFUSED, decode, listen, player} from './sound.js'

const $ = id => document.getElementById(id)
const clamp = (x, a = 0, b = 1) => Math.min(b, Math.max(a, x)), lerp = (a, b, t) => a + (b - a)*t
const pause = (ms = 0) => new Promise(r => setTimeout(r, ms))   // the face is painted meanwhile: a network that resolves at once never lets go by itself
const here = path => new URL(path, import.meta.url).href

async function get(path) {
  const r = await fetch(path)
  if (!r.ok) throw new Error(`${path} does not come (${r.status}): is this folder complete?`)
  return r
}

// ---------------------------------------------------------------- the ONNX file

/** Number and bytes of every field of a protobuf message that has a length; the rest is passed over */
function* fields(bytes) {
  let at = 0
  const varint = () => { for (let x = 0, place = 1; ; place *= 128) { const b = bytes[at++]; x += (b & 127)*place; if (b < 128) return x } }
  while (at < bytes.length) {
    const tag = varint(), kind = tag % 8
    if (kind === 0) varint()
    else if (kind === 1) at += 8
    else if (kind === 5) at += 4
    else if (kind === 2) { const n = varint(); yield [Math.floor(tag/8), bytes.subarray(at, at += n)] }
    else throw new Error('this is not an ONNX file')
  }
}

/** What koemorph wrote into an ONNX file about it: the pair named koemorph among ModelProto's metadata_props, field 14 */
function metadata(bytes) {
  const text = new TextDecoder()
  for (const [field, pair] of fields(bytes)) {
    if (field !== 14) continue
    const [key, value] = [...fields(pair)].map(([, b]) => b)
    if (text.decode(key) === 'koemorph') return JSON.parse(text.decode(value))
  }
  throw new Error('this ONNX file does not say what it must be fed: expected one that koemorph saved')
}

// ---------------------------------------------------------------- the network

/** The network at the address `model` as a stage, one wasm thread: rows -> arrays of 52 coefficients. Its state goes in and out as tensors. */
async function network(model, ort) {
  const [runtime, bytes] = await Promise.all([import(ort + 'ort.wasm.min.mjs'), get(model).then(r => r.arrayBuffer()).then(b => new Uint8Array(b))]), about = metadata(bytes)
  Object.assign(runtime.env.wasm, {numThreads: 1, proxy: false, wasmPaths: ort}); runtime.env.logLevel = 'error'
  const session = await runtime.InferenceSession.create(bytes, {executionProviders: ['wasm']})
  const tensor = (values, shape) => new runtime.Tensor('float32', values, shape), most = 64        // frames the file takes at once
  return {
    about, names: about.channels,
    init: () => about.state.map(({shape, fill}) => tensor(new Float32Array(shape.reduce((a, b) => a*b, 1)).fill(fill), shape)),
    async step(state, rows) {
      const faces = []
      for (let i = 0; i < rows.length; i += most) {
        const some = rows.slice(i, i + most), width = some[0].length, x = new Float32Array(some.length*width)
        some.forEach((row, k) => x.set(row, k*width))
        const out = await session.run({rows: tensor(x, [1, some.length, width]), ...Object.fromEntries(state.map((s, j) => [`state_${j}`, s]))})
        state = state.map((_, j) => out[`next_${j}`])
        some.forEach((_, k) => faces.push(out.blendshapes.data.slice(k*about.channels.length, (k + 1)*about.channels.length)))
      }
      return [state, faces]
    }
  }
}

// ---------------------------------------------------------------- a voice followed

/** One performance: `send` chunks at `sr`, take the frames as they come; `ended`: the look-ahead's worth of silence that pushes the last ones out */
class Voice {
  constructor(net, constants, sr, took) {
    const stages = [resampler(sr, constants.sr, constants.resampler), ears(constants), net]
    Object.assign(this, {stages, state: stages.map(s => s.init()), took, sr, waiting: [], busy: null, sent: 0, heard: 0, frame: 0})
    this.ahead = stages[0].lookahead + Math.ceil(constants.lookahead*sr/constants.sr)
  }
  send(chunk) { this.sent += chunk.length; this.waiting.push(chunk); return this.busy ??= this.work() }
  ended() { return this.send(new Float32Array(this.ahead)) }
  async work() {                                   // one chunk after another: a state is never used twice
    while (this.waiting.length) {
      const x = this.waiting.shift(), start = performance.now()
      let y = x
      for (let i = 0; i < 3; i++) [this.state[i], y] = await this.stages[i].step(this.state[i], y)
      this.heard += x.length
      if (y.length && !this.over) this.took(y, this.frame, performance.now() - start)
      this.frame += y.length
      if (this.waiting.length) await pause()
    }
    this.busy = null
  }
}

// ---------------------------------------------------------------- what is performed

const settings = await (await get(here('settings.json'))).json(), {constants, models} = settings, fps = constants.num/constants.den
let net, playing = null, level = 0, face = {}, tally
const newTally = () => ({frames: 0, sound: 0, computing: [], waiting: 0, late: 0, dropped: 0, history: []})
tally = newTally()

function say(words, bad = false) { if ($('say').textContent !== words) $('say').textContent = words; $('say').classList.toggle('bad', bad) }
function loudness(chunk) { for (const x of chunk) level = Math.max(level, Math.abs(x)) }

function take(frames, first, ms) {
  frames.forEach((values, k) => {
    const t = (first + k + 1)/fps
    if (playing?.position?.() > t) tally.late++      // of a file: after its sound was heard
    tally.history.push({t, values})
  })
  tally.history.splice(0, tally.history.length - 120*fps)
  tally.frames += frames.length; tally.computing.push(ms/frames.length); tally.computing.splice(0, tally.computing.length - 300)
}

function stop(words, bad = true) {
  const was = playing
  playing = null
  if (was) { was.stop?.(); if (was.voice) was.voice.over = true }
  if (words) say(words, bad); else if (was) say('Stopped.')
  buttons()
}

async function microphone() {
  stop()
  const me = playing = {live: true}
  tally = newTally(); buttons(); say('The browser asks whether this page may listen …')
  try {
    const mic = await listen({
      begin: sr => me.voice = new Voice(net, constants, sr, take),
      hear: chunk => {
        if (playing !== me) return
        tally.sound += chunk.length/me.voice.sr; loudness(chunk)
        if (me.voice.sent - me.voice.heard > me.voice.sr) tally.dropped += chunk.length/me.voice.sr   // a second behind: what cannot be caught up is left out, and counted
        else me.voice.send(chunk).catch(e => stop(e.message))
        tally.waiting = (me.voice.sent - me.voice.heard)/me.voice.sr
      },
      ended: () => stop('The microphone was unplugged. Plug it in, then start again.')})
    me.stop = mic.stop
    if (playing !== me) return mic.stop()
    say(`Listening to ${mic.label || 'the microphone'} at ${me.voice.sr/1000} kHz.`)
  } catch (e) { if (playing === me) stop(REFUSED[e.name] || e.message) }
}

const LEAD = .5                                      // seconds of a file that are computed before they are heard
async function perform(name, buffer) {
  stop()
  const me = playing = {}
  tally = newTally(); buttons(); say(`Reading ${name} …`)
  try {
    const {wave, sr} = await decode(buffer, name), step = Math.round(.1*sr)
    if (playing !== me) return
    if (!wave.length) throw new Error(`${name} has no sound in it.`)
    const voice = me.voice = new Voice(net, constants, sr, take), sound = player(wave, sr)
    Object.assign(me, {stop: sound.stop, position: sound.position})
    for (let at = 0; at < wave.length && playing === me;) {
      const due = (sound.position() + LEAD)*sr
      if (at >= due) { await pause(20); continue }
      await voice.send(wave.subarray(at, at += step)); at = Math.min(at, wave.length); tally.sound = at/sr
      await pause()
      if (at >= Math.min(due, wave.length)) { sound.start(); say(`Playing ${name}.`) }
    }
    if (playing === me) await voice.ended()
    while (playing === me && sound.position() < wave.length/sr) await pause(20)
    if (playing === me) stop(`${name} is over.`, false)
  } catch (e) { if (playing === me) stop(e.message) }
}

// ---------------------------------------------------------------- what is shown

/** Coefficients by name: the newest frame of a microphone; of a file those of the moment that is heard, between two frames */
function current() {
  const {history} = tally, named = f => Object.fromEntries(net.names.map((name, j) => [name, f(j)]))
  if (!playing || !history.length) { for (const name in face) face[name] = face[name] < .004 ? 0 : .82*face[name]; return face }   // back to rest
  if (!playing.position) return named(j => history.at(-1).values[j])
  const t = playing.position(), b = history.find(f => f.t >= t) || history.at(-1), a = history[history.indexOf(b) - 1] || b, x = a === b ? 0 : clamp((t - a.t)*fps)
  return named(j => lerp(a.values[j], b.values[j], x))
}

function drawNow() {
  const canvas = $('face'), dpr = Math.min(devicePixelRatio || 1, 3), width = canvas.clientWidth || 1, height = canvas.clientHeight || 1, [w, h] = [width, height].map(x => Math.round(x*dpr))
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, {width: w, height: h})
  const ctx = canvas.getContext('2d')
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0)
  const shape = drawFace(ctx, face, {width, height, zoom: Math.max(1, .87*width/height*460/400), theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'})
  canvas.dataset.lipGap = shape.lipGap.toFixed(3)
}

const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q*list.length))]
function showMeter() {
  const t = tally, put = (id, words) => { if ($(id).textContent !== words) $(id).textContent = words }
  if (t.computing.length) put('computing', `${quantile(t.computing, .5).toFixed(1)} ms a frame, 95 % within ${quantile(t.computing, .95).toFixed(1)}: ${(1000/fps/quantile(t.computing, .5)).toFixed(1)} × as fast as the sound`)
  put('frames', `${t.frames} for ${t.sound.toFixed(2)} s of sound`)
  put('lost', `${t.late} late, ${t.dropped > .005 ? t.dropped.toFixed(2) + ' s dropped' : 'none dropped'}`)
  const db = clamp(20*Math.log10(level + 1e-6), -60, 0)
  $('level').firstChild.style.transform = `scaleX(${(1 + db/60).toFixed(3)})`; $('level').setAttribute('aria-valuenow', db.toFixed(0))
}

let beat = 0
function tick() {
  face = current(); drawNow()
  if (beat++ % 6 === 0) showMeter()
  level *= .9
  requestAnimationFrame(tick)
}

// ---------------------------------------------------------------- buttons

function buttons() {
  $('mic').setAttribute('aria-pressed', !!playing)
  $('mic').lastChild.textContent = playing ? (playing.live ? 'Stop the microphone' : 'Stop') : 'Start the microphone'
}
const read = file => file.size > 1e8 ? say(`${file.name} has ${Math.round(file.size/1e6)} MB, at most 100 fit here: koemorph run takes files of any length.`, true) : file.arrayBuffer().then(b => perform(file.name, b))
$('mic').onclick = () => playing ? stop() : microphone()
$('open').onclick = () => $('file').click()
$('sample').onclick = async () => perform('the sample', await (await get(here('sample.wav'))).arrayBuffer())
$('file').onchange = () => { if ($('file').files.length) read($('file').files[0]); $('file').value = '' }
$('model').onchange = () => { location.search = '?model=' + $('model').value }
const drag = on => e => { e.preventDefault(); document.body.classList.toggle('drop', on) }
addEventListener('dragover', drag(true)); addEventListener('dragleave', drag(false))
addEventListener('drop', e => { drag(false)(e); if (net && e.dataTransfer.files.length) read(e.dataTransfer.files[0]) })
addEventListener('keydown', e => { if (e.key === 'Escape' && playing) stop() })

try {
  const asked = new URLSearchParams(location.search).get('model') || Object.keys(models)[0]
  $('model').replaceChildren(...Object.keys(models).map(name => new Option(name + (name.endsWith('int8') ? ': 8 bits, smaller' : ''), name, false, name === asked)))
  if (!Object.hasOwn(models, asked)) throw new Error(`There is no model ${asked.slice(0, 40)} here, expected ${Object.keys(models).join(' or ')}.`)
  ears(constants)                                    // what a browser cannot hear is said before anything is loaded
  say('The network is on its way …')
  net = await network(here(models[asked]), here('ort/'))
  $('design').textContent = `${Math.round(1000*constants.lookahead/constants.sr + 1000/fps)} ms: a frame and ${Math.round(1000*constants.lookahead/constants.sr)} of look-ahead`
  $('licence').textContent = `Network ${net.about.name || asked}: ${net.about.licence}.`
  say('Start the microphone, or drop a sound file anywhere on this page. Nothing you say leaves it.')
  for (const id of ['mic', 'open', 'sample']) $(id).disabled = false
  $('face').live = {tally: () => tally, playing: () => playing, coefficients: () => face, net, constants, ears, resampler, Voice}
  buttons(); tick()
} catch (e) { say(e.message, true) }
