// The rows koemorph's networks listen to, in a browser: written from the formulas of 02_features and its `constants()`, which come as JSON. No dependencies.
// Everything here is a stage, as there: {init() -> state, step(state, x) -> [state, rows], lookahead}. All sums are in double precision.
// Below: spectra -> mel (the mouth's ear) -> prosody (the mood's ear) -> ears (both, on the frame clock) -> resampler.

const clamp = (x, a = 0, b = 1) => Math.min(b, Math.max(a, x)), sum = list => list.reduce((a, b) => a + b, 0)
const range = (n, f) => Float64Array.from({length: n}, (_, i) => f(i))
const joined = (a, b) => { const both = new Float32Array(a.length + b.length); both.set(a); both.set(b, a.length); return both }

// ---------------------------------------------------------------- spectra

const hann = n => range(n, i => .5 - .5*Math.cos(2*Math.PI*i/n))       // periodic

const PLANS = new Map()
function plan(n) {
  if (!PLANS.has(n)) {
    const flip = new Uint32Array(n)
    for (let i = 1; i < n; i++) flip[i] = flip[i >> 1] >> 1 | (i & 1 ? n >> 1 : 0)
    PLANS.set(n, {flip, cos: range(n/2, k => Math.cos(2*Math.PI*k/n)), sin: range(n/2, k => -Math.sin(2*Math.PI*k/n))})
  }
  return PLANS.get(n)
}

/** Fourier transform in place; the length is a power of two */
function fft(re, im) {
  const n = re.length, {flip, cos, sin} = plan(n)
  for (let i = 0; i < n; i++) { const j = flip[i]; if (j > i) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]] } }
  for (let half = 1, turn = n/2; half < n; half *= 2, turn /= 2)
    for (let a = 0; a < n; a += 2*half)
      for (let k = 0; k < half; k++) {
        const c = cos[k*turn], s = sin[k*turn], p = a + k, q = p + half, x = re[q]*c - im[q]*s, y = re[q]*s + im[q]*c
        re[q] = re[p] - x; im[q] = im[p] - y; re[p] += x; im[p] += y
      }
}

/** |X|² of a tapered window, padded with zeros to `n`: n/2 + 1 values */
function power(window, taper, n) {
  const re = new Float64Array(n), im = new Float64Array(n)
  for (let i = 0; i < taper.length; i++) re[i] = window[i]*taper[i]
  fft(re, im)
  return range(n/2 + 1, k => re[k]*re[k] + im[k]*im[k])
}

/** The first `count` values of the inverse transform of a real spectrum of n/2 + 1 values: an autocorrelation, where the spectrum is a power */
function inverse(spectrum, count) {
  const half = spectrum.length - 1, re = range(2*half, k => spectrum[k > half ? 2*half - k : k])
  fft(re, new Float64Array(2*half))
  return range(count, i => re[i]/(2*half))
}

// ---------------------------------------------------------------- mel

/** Triangles of area 1 from hz[b] over hz[b + 1] to hz[b + 2]: where each begins, and its weights */
function triangles({hz, sr}, n) {
  return hz.slice(2).map((high, b) => {
    const low = hz[b], peak = hz[b + 1], first = Math.ceil(low*n/sr), last = Math.min(n/2, Math.floor(high*n/sr))
    return [first, range(Math.max(0, last - first + 1), i => { const f = (first + i)*sr/n; return Math.max(0, Math.min((f - low)/(peak - low), (high - f)/(high - peak)))*2/(high - low) })]
  })
}

/** `hear(quarter, length)` gives the samples before an instant of the frame; returns the row: log(max(mel, floor)) of each window */
function melEar(c) {
  const windows = c.windows.map(w => ({...w, taper: hann(w.length), bands: triangles(c, w.n_fft)}))
  return hear => windows.flatMap(w => w.quarters.flatMap(quarter => {
    const p = power(hear(quarter, w.length), w.taper, w.n_fft)
    return w.bands.map(([first, weights]) => { let mel = 0; for (let i = 0; i < weights.length; i++) mel += weights[i]*p[first + i]; return Math.log(Math.max(mel, c.floor)) })
  }))
}

// ---------------------------------------------------------------- prosody

/** How much each average moves in a frame, for time constants in seconds */
const ways = (seconds, c) => seconds.map(s => 1 - Math.exp(-c.den/(s*c.num)))
const follow = (averages, x, way) => averages.map((y, i) => y.map((v, j) => v + way[i]*(x[j] - v)))

function prosodyEar(c) {
  const {pitch: p, quick, slow} = c, taper = hann(c.length), hz = range(c.n_fft/2 + 1, i => i*c.sr/c.n_fft)
  const [low, high] = p.voice_hz, [first, last] = p.lags, lags = range(last - first + 1, i => first + i)
  const kept = c.n_fft/2*p.sr/c.sr + 1                                 // bins up to half of pitch.sr: the echoes come at that rate
  const voice = hz.slice(0, kept).map(f => 1/(1 + (f/high)**4)/(1 + (low/Math.max(f, 1))**4))
  const own = inverse(power(taper.map(() => 1), taper, c.n_fft).slice(0, kept), last + 2), fade = own.map(x => own[0]/x)
  const octave = lags.map(lag => Math.log2(p.sr/lag/p.middle_hz)), bonus = lags.map(lag => p.bonus*Math.log2(2*lag)), forget = Math.exp(-c.den/(p.forget*c.num))
  const loudness = x => Math.log10(x + c.loudness.floor)/c.loudness.decades + c.loudness.full
  const full = c.n_fft/2*sum(taper.map(x => x*x)), [quickWays, slowWays] = [quick, slow].map(({seconds}) => ways(seconds, c))

  /** F0 of one power spectrum in Hz and how periodic it is, 0–1; `before`: the voice before, in octaves, and how far to trust it */
  function f0(spectrum, {near, trust}) {
    const raw = inverse(voice.map((v, i) => v*spectrum[i]), last + 2), r = raw.map((x, i) => x/(raw[0] + p.quiet**2*own[0])*fade[i])
    const score = lags.map((lag, i) => r[lag] > r[lag - 1] && r[lag] >= r[lag + 1] ? r[lag] - bonus[i] : -9)
    let best = 0, top = -Infinity
    score.forEach((s, i) => { s -= p.leap*trust*Math.min(Math.abs(octave[i] - near), 1); if (s > top) { top = s; best = i } })
    const before = score[best] > p.sure ? {near: octave[best], trust: 1} : {near, trust: trust*forget}
    const [l, m, h] = [-1, 0, 1].map(i => r[lags[best] + i]), shift = clamp((l - h)/Math.min(2*(l - 2*m + h), -1e-9), -.5, .5)   // to the parabola's top
    return [before, p.sr/(lags[best] + shift), Math.max(...score) > -9 ? clamp(m - (l - h)*shift/4) : 0]
  }

  /** One frame: 36 values of now and lately, then those of 0.3 and 0.6 s ago */
  function step({before, fast, long, past}, window) {
    const spectrum = power(window, taper, c.n_fft), bands = [...c.rest]
    hz.forEach((f, i) => { for (let b = 0; b < 3; b++) if (c.bands_hz[b] <= f && f < c.bands_hz[b + 1]) bands[b] += spectrum[i]; if (f > c.bands_hz[0]) bands[3] += spectrum[i]*f/1000 })
    const total = bands[0] + bands[1] + bands[2], loud = loudness(total/full)
    const [next, pitch, strength] = f0(spectrum, before), v = clamp((strength - c.voiced.above)/c.voiced.over), f = Math.log2(pitch/p.middle_hz)
    let crossings = 0
    for (let i = 1; i < window.length; i++) crossings += window[i] < 0 !== window[i - 1] < 0
    const shape = bands.map((x, i) => Math.log10(x/total)*c.scale[i])  // low, mid, high, brightness

    fast = follow(fast, [total/full, loud, v, v*f], quickWays)
    const rise = loud - fast[0][1], now = [loud, ...shape, crossings/(window.length - 1), strength, v*f, loudness(fast[1][0]), rise, v*(f - fast[0][3]/(fast[0][2] + quick.little))]
    long = follow(long, [loud, shape[3], v*f, loud**2, shape[3]**2, v*f**2, v, Math.max(0, rise), 1], slowWays)
    const lately = long.flatMap(y => {
      const mean = [y[0]/y[8], y[1]/y[8], y[2]/(y[6] + slow.little)], square = [y[3]/y[8], y[4]/y[8], y[5]/(y[6] + slow.little)]
      return [...mean, ...square.map((s, i) => Math.sqrt(Math.max(0, s - mean[i]**2) + slow.least)), y[6]/y[8], y[7]/y[8]]
    })
    const row = [...now, ...lately, long.at(-1)[8]], ago = c.moments.at(-1)
    past = [...(past.length ? past : Array(ago).fill(row)), row]
    return [{before: next, fast, long, past: past.slice(-ago)}, c.moments.flatMap(m => past.at(-1 - m))]
  }
  return {step, init: () => ({before: {near: 0, trust: 0}, fast: quick.seconds.map(() => [0, loudness(0), 0, 0]), long: slow.seconds.map(() => Array(9).fill(0)), past: []})}
}

// ---------------------------------------------------------------- ears

/** A wave at `c.sr` to rows of `c.columns` float32: `c` is what `AudioFeatures.constants()` says */
export function ears(c) {
  if (!['prosody', 'none'].includes(c.emotion)) throw new Error(`This network listens with ${c.emotion}, which does not run in a browser: take one trained with prosody, or koemorph serve without --wasm.`)
  const mel = melEar(c.mel), mood = c.prosody && prosodyEar(c.prosody), keep = 1024 + Math.ceil(c.sr*c.den/c.num)
  const end = quarter => Math.floor((2*quarter*c.sr*c.den + 4*c.num)/(8*c.num)) + c.lookahead   // of the n-th quarter of a frame, counted from 1; never a sum of hops
  return {
    lookahead: c.lookahead, init: () => ({x: new Float32Array(keep), n: 0, frame: 0, mood: mood?.init()}),
    step({x, n, frame, mood: state}, chunk) {
      const rows = []
      x = joined(x, chunk); n += chunk.length
      for (; end(4*frame + 4) <= n; frame++) {
        const hear = (quarter, length) => { const last = x.length - n + end(4*frame + quarter); return x.subarray(last - length, last) }
        let feel = []
        if (mood) [state, feel] = mood.step(state, hear(4, c.prosody.length))
        rows.push(Float32Array.from([...mel(hear), ...feel]))
      }
      return [{x: x.slice(-keep), n, frame, mood: state}, rows]
    }
  }
}

// ---------------------------------------------------------------- resampler

const bessel = x => { let term = 1, all = 1; for (let k = 1; term > 1e-12*all; k++) all += term *= (x/2/k)**2; return all }   // I0
const sinc = x => x ? Math.sin(Math.PI*x)/(Math.PI*x) : 1
const common = (a, b) => b ? common(b, a % b) : a

/** Any rate to `to`: a Kaiser-windowed sinc evaluated where each new sample falls, one filter for each such place between two samples */
export function resampler(from, to, {zeros, db}) {
  const up = to/common(from, to), down = from/common(from, to), low = Math.min(1, up/down), half = Math.ceil(zeros/low), edge = (db - 7.95)/(14.36*2*zeros)   // Kaiser 1974
  if (from === to) return {lookahead: 0, init: () => null, step: (state, x) => [state, x]}
  const bank = Array.from({length: up}, (_, phase) => {
    const t = i => low*(i - half - phase/up), h = range(2*half + 1, i => Math.abs(t(i)) > zeros ? 0 : sinc((1 - edge)*t(i))*bessel(.1102*(db - 8.7)*Math.sqrt(Math.max(0, 1 - (t(i)/zeros)**2)))), all = sum(h)
    return h.map(x => x/all)
  })
  return {
    lookahead: half, init: () => ({past: new Float32Array(2*half), n: 0, m: 0}),
    step({past, n, m}, chunk) {
      const x = joined(past, chunk), out = []
      n += chunk.length
      for (; m*down < (n - half)*up; m++) {
        const at = Math.floor(m*down/up) + x.length - n - half, h = bank[m*down % up]
        let y = 0
        for (let i = 0; i < h.length; i++) y += h[i]*x[at + i]
        out.push(y)
      }
      return [{past: x.slice(x.length - 2*half), n, m}, Float32Array.from(out)]
    }
  }
}
