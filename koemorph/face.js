// The koemorph face: 52 ARKit coefficients in, an illustrated face out. No dependencies, no network.
// Left and Right are the subject's own, so their left eye is on the right of the screen: nothing is mirrored.
// Below: pose -> geometry (mouth, outline, eye, brow) -> paint -> player.

const WIDTH = 400, HEIGHT = 460                    // units of the drawing; (0, 0) is between the eyes
const SIDES = [['Left', 1], ['Right', -1]]
const clamp = (x, a = 0, b = 1) => Math.min(b, Math.max(a, x))
const lerp = (a, b, t) => a + (b - a)*t
const smooth = x => (x = clamp(x), x*x*(3 - 2*x))
const bell = (x, width) => Math.exp(-((x/width)**2))

/** Coefficients by name, 0 where missing or NaN, kept within 0..1 */
const pose = coefficients => new Proxy(coefficients, {get: (o, name) => clamp(+o[name] || 0)})

// ---------------------------------------------------------------- geometry

const U = Array.from({length: 57}, (_, i) => -Math.cos(Math.PI*i/56))   // along the lips, denser at the corners

/** How far each side of the mouth is pulled: corner outwards (dx) and down (dy), upper lip up, lower lip down, pressed */
function pulls(c, name) {
  const v = key => c[key + name]
  return {
    dx: 11*v('mouthSmile') + 7*v('mouthDimple') + 12*v('mouthStretch') + 2*v('mouthPress') + 2*v('mouthFrown'),
    dy: -13*v('mouthSmile') + 13*v('mouthFrown') - 3*v('mouthDimple') + 5*v('mouthStretch') - 3*v('mouthPress'),
    up: 15*v('mouthUpperUp') + 2*v('noseSneer'), down: 17*v('mouthLowerDown'), press: v('mouthPress')}
}

/** The four lip contours and what hangs on them. Resting lips meet at y = 84; the gap is 0 when they touch. */
function mouth(c) {
  const jaw = 46*c.jawOpen, jx = 16*(c.jawLeft - c.jawRight), shift = 16*(c.mouthLeft - c.mouthRight)
  const close = 46*Math.min(c.mouthClose, c.jawOpen + .25)           // as many units as the jaw it takes back
  const round = clamp(c.mouthPucker + .75*c.mouthFunnel), smile = 1.5*(c.mouthSmileLeft + c.mouthSmileRight)
  const half = Math.max(11, 36 - 19*c.mouthPucker - 13*c.mouthFunnel - 3*c.jawOpen - 4*c.cheekPuff)
  const rim = 1.5 + Math.min(8*round, .35*half)                      // lip beside the opening, in its corners
  const left = pulls(c, 'Left'), right = pulls(c, 'Right')
  const bow = lerp(.8, .5, round), full = lerp(2.3, 2.8, round), thin = 1 - .15*c.jawOpen
  const top = 9.5*thin*(1 + .35*round + .5*c.mouthShrugUpper)*(1 - .88*c.mouthRollUpper)*(1 - .35*c.jawForward)
  const bottom = 12.5*thin*(1 + .3*round + .35*c.mouthShrugLower + .5*c.jawForward)*(1 - .88*c.mouthRollLower)
  const m = {upperOuter: [], upperInner: [], lowerInner: [], lowerOuter: [], gap: 0, jaw, jx, shift, round}

  for (const u of U) {                                               // -1: corner on the screen's left, 1: on its right
    const a = Math.abs(u), tail = u < 0 ? right : left, arch = (1 - a*a)**lerp(.72 - .17*c.jawOpen, .5, round), flat = 1 - a**4
    const share = smooth(.5 + u/1.1), mix = key => share*left[key] + (1 - share)*right[key]
    const rest = 84 + (1.5 - .35*smile)*(1 - .8*round)*bell(u, .32) - 4.2*(1 - round)*a*a + tail.dy*a**2.1 + smile*(1 - a**3) + .3*jaw*(1 - arch)
    const upper = rest + arch*(.38*close - 6*c.mouthFunnel - 3*c.tongueOut)
      + flat*(3*c.mouthRollUpper + 3*mix('press') - mix('up') - 4*c.mouthShrugUpper - 5*c.mouthShrugLower)
    const lower = rest + arch*(jaw - .62*close + 7*c.mouthFunnel + 9*c.tongueOut)
      + flat*(mix('down') - 4*c.mouthRollLower - 5*mix('press') - 4*c.mouthShrugUpper - 7*c.mouthShrugLower - 3*c.jawForward)
    const part = lower - upper - 1.2                                 // lips give a little before they part
    const open = part > 1 ? part : part < -1 ? 0 : (part + 1)**2/4
    const y = (upper + lower)/2 - .3*round*open, squeeze = 1/(1 + Math.max(0, -part)/14)
    const lip = (1 - a**full)**bow*squeeze*(1 - .4*mix('press'))*(1 - .15*Math.max(0, mix('dx'))/12)

    const x = shift*(1 - .25*a) + half*u + Math.sign(u)*tail.dx*a**1.5, inner = lerp(x, shift, rim/half)
    const high = jx*(.1 + .2*a*a), low = lerp(high, jx*(.35 + .45*arch), arch)
    m.upperOuter.push([x + high, y - open/2 - top*lip*(1 - .26*(1 - .5*round)*bell(u, .2))]); m.upperInner.push([inner + high, y - open/2])
    m.lowerOuter.push([x + low, y + open/2 + bottom*lip]); m.lowerInner.push([inner + low, y + open/2])
    m.gap = Math.max(m.gap, open)
  }
  const [x0, y0] = m.upperOuter[0], [x1, y1] = m.upperOuter.at(-1)
  return {...m, width: Math.hypot(x1 - x0, y1 - y0)}
}

/** Points round the face, clockwise from the crown: the jaw drops, shifts and juts, cheeks fill */
function outline(c) {
  const drop = 43*c.jawOpen - 3*c.mouthShrugLower + 5*c.jawForward, jx = 15*(c.jawLeft - c.jawRight)
  const half = ([name, s]) => [
    [68, -130, 0, 0], [100, -72, 0, 0], [105 + 3*c.cheekPuff, -14, 0, 0],
    [99 + 15*c.cheekPuff + 2*c['mouthSmile' + name], 42, .04, 0], [82 + 11*c.cheekPuff + 5*c.jawForward - 2*c.jawOpen, 90, .35, .35],
    [51 + 9*c.jawForward - 4*c.jawOpen, 126, .85, .85], [20 + 8*c.jawForward - 2*c.jawOpen, 142, 1, 1]
  ].map(([x, y, fall, swing]) => [s*x + swing*jx, y + fall*drop])
  const [left, right] = SIDES.map(half)
  return [[0, -150], ...left, [jx, 145 + drop], ...right.reverse()]
}

/** One eye, drawn as the subject's left (x grows outwards) */
function eye(c, name) {
  const v = key => c[key + name]
  const open = clamp(1 - v('eyeBlink') - .28*v('eyeSquint') + .26*v('eyeWide') - .3*v('eyeLookDown') + .08*v('eyeLookUp'), 0, 1.3)
  const lift = .55*v('eyeSquint') + .3*v('cheekSquint') - .12*v('eyeWide')
  const inner = [-24, 4], outer = [25, -4]
  const low = [[-12, 15 - 13*lift], [13, 15 - 13*lift]]
  const high = [[-17, -20], [10, -23.5]]
  const lid = t => low.map((p, i) => [lerp(p[0], high[i][0], t), lerp(p[1], high[i][1], t)])
  const look = [10*(v('eyeLookOut') - v('eyeLookIn')), 8.5*v('eyeLookDown') - 8*v('eyeLookUp')]
  return {inner, outer, low, upper: lid(open), lid, open, look, lift}
}

/** One brow as a ribbon: inner end, arch, tail, with its thickness */
function brow(c, name) {
  const down = c['browDown' + name], up = c['browOuterUp' + name], worry = c.browInnerUp
  return [[17 - 5*down, -48.5 - 15*worry + 13*down, 2.2], [23 - 5*down, -50 - 14*worry + 13*down - up, 5.8], [38 - 3*down, -55 - 9*worry + 10*down - 6*up, 7],
    [58 - down, -58 - 2*worry + 6*down - 13*up, 6], [79, -47 + 2*worry + 2*down - 11*up, 1]]
}

// ---------------------------------------------------------------- paint

const CHARACTER = {
  skin: '#f6cfb2', skinLight: '#ffe3cd', skinShade: '#e2a487', skinDeep: '#c98468', line: '#9a5a45',
  blush: '#f08d7d', lip: '#d98379', lipUpper: '#c97169', lipLight: '#f5b9aa', seam: '#94494a',
  cavity: '#3d1220', cavityLow: '#6e2433', teeth: '#fffaf2', teethLow: '#efe2d8', teethSide: '#d8b9b0', teethShade: '#3d122040', tongue: '#dc7478', tongueShade: '#b8525c',
  white: '#fffdfa', whiteShade: '#c9c3d4', iris: '#2f7d78', irisLight: '#7fd0bd', irisRing: '#153c42', pupil: '#0e2329', glint: '#ffffff',
  lash: '#3a2228', brow: '#5f3530', hair: '#74423a', hairDark: '#54302e', hairLight: '#a9654e', cloth: '#2f5d6b', clothDark: '#234852', clothLight: '#477e8b'}
const THEMES = {
  light: {...CHARACTER, backdrop: '#fdf1e6', backdropEdge: '#f3d9c6', halo: '#fffaf3'},
  dark: {...CHARACTER, backdrop: '#3a4252', backdropEdge: '#232834', halo: '#55607a'}}

/** A smooth path through points (Catmull-Rom), appended to `path` */
function curve(points, {closed = false, path = new Path2D(), start = true} = {}) {
  const n = points.length, at = i => closed ? points[(i + n) % n] : points[clamp(i, 0, n - 1)]
  if (start) path.moveTo(...points[0]); else path.lineTo(...points[0])
  for (let i = 0; i < (closed ? n : n - 1); i++) {
    const [a, b, d, e] = [at(i - 1), at(i), at(i + 1), at(i + 2)]
    path.bezierCurveTo(b[0] + (d[0] - a[0])/6, b[1] + (d[1] - a[1])/6, d[0] - (e[0] - b[0])/6, d[1] - (e[1] - b[1])/6, d[0], d[1])
  }
  if (closed) path.closePath()
  return path
}
/** The closed shape between two curves that run the same way */
const band = (over, under) => { const path = curve(over); curve([...under].reverse(), {path, start: false}); path.closePath(); return path }

/** A painter bound to one context: fills, strokes, gradients, clips, mirrored sides */
function painter(ctx) {
  const self = {
    ctx,
    shape: d => typeof d === 'string' ? new Path2D(d) : d,
    fill(d, color, alpha = 1) { ctx.globalAlpha = alpha; ctx.fillStyle = color; ctx.fill(self.shape(d)); ctx.globalAlpha = 1 },
    line(d, color, width, alpha = 1) {
      if (alpha <= .003) return
      ctx.globalAlpha = alpha; ctx.strokeStyle = color; ctx.lineWidth = width; ctx.lineCap = ctx.lineJoin = 'round'; ctx.stroke(self.shape(d)); ctx.globalAlpha = 1
    },
    across(x0, x1, ...colors) { const g = ctx.createLinearGradient(x0, 0, x1, 0); colors.forEach((k, i) => g.addColorStop(i/(colors.length - 1), k)); return g },
    down(y0, y1, ...colors) { const g = ctx.createLinearGradient(0, y0, 0, y1); colors.forEach((k, i) => g.addColorStop(i/(colors.length - 1), k)); return g },
    glow(x, y, rx, ry, color, alpha = 1) {       // a soft ellipse
      const g = ctx.createRadialGradient(0, 0, 0, 0, 0, 1)
      g.addColorStop(0, color); g.addColorStop(.45, color + '90'); g.addColorStop(1, color + '00')
      ctx.save(); ctx.translate(x, y); ctx.scale(rx, ry); ctx.globalAlpha = alpha; ctx.fillStyle = g; ctx.fillRect(-1, -1, 2, 2); ctx.restore()
    },
    within(d, draw) { ctx.save(); ctx.clip(self.shape(d)); draw(); ctx.restore() },
    moved(x, y, draw) { ctx.save(); ctx.translate(x, y); draw(); ctx.restore() },
    side(s, x, y, draw) { ctx.save(); ctx.scale(s, 1); ctx.translate(x, y); draw(); ctx.restore() },
  }
  return self
}
const ellipse = (x, y, rx, ry, turn = 0) => { const p = new Path2D(); p.ellipse(x, y, rx, ry, turn, 0, 2*Math.PI); return p }

const BACK = `M0,-196 C76,-202 130,-150 131,-84 C132,-50 128,-20 124,10 C121,34 123,58 133,80 C126,82 119,80 113,76 C112,98 116,116 126,130
  C102,130 80,116 60,86 L-60,86 C-80,118 -104,132 -128,132 C-117,116 -112,98 -113,78 C-119,82 -127,84 -135,82 C-124,58 -121,34 -124,10
  C-128,-20 -132,-50 -131,-84 C-130,-150 -76,-202 0,-196Z`

function paintBody(p, c, k, face) {
  p.fill(BACK, k.hairDark)
  const neck = 'M-43,60 C-43,120 -42,160 -52,184 L-60,240 L60,240 L52,184 C42,160 43,120 43,60Z'
  p.fill('M-60,176 C-30,164 30,164 60,176 L60,210 L-60,210Z', k.clothDark)
  p.fill(neck, k.skin)
  p.within(neck, () => {
    p.moved(0, 17, () => p.fill(curve(face, {closed: true}), k.skinShade, .9))  // and of the jaw
    p.line('M-26,214 C-16,204 -8,206 -4,214 M26,214 C16,204 8,206 4,214', k.skinShade, 2, .6)
  })
  p.fill('M-206,262 C-192,214 -122,204 -68,186 C-54,208 -24,217 0,217 C24,217 54,208 68,186 C122,204 192,214 206,262Z', p.down(186, 245, k.cloth, k.clothDark))
  p.fill('M-68,187 C-56,209 -24,218 0,218 C24,218 56,209 68,187 L59,174 C48,195 22,205 0,205 C-22,205 -48,195 -59,174Z', k.clothLight)
  for (const [, s] of SIDES) p.side(s, 0, 0, () => {
    p.fill('M98,-22 C112,-36 127,-26 124,2 C121,26 112,42 98,40Z', k.skin)
    p.line('M98,-22 C112,-36 127,-26 124,2 C121,26 112,42 99,39', k.line, 1.8, .75)
    p.line('M104,-14 C113,-22 119,-14 116,0 C114,8 110,10 111,20 M106,4 C112,2 112,12 108,18', k.skinDeep, 1.8, .6)
  })
}

function paintSkin(p, c, k, face) {
  const path = curve(face, {closed: true})
  p.fill(path, k.skin)
  p.within(path, () => {
    p.glow(0, -30, 90, 80, k.skinLight, .7)
    p.moved(0, 11, () => p.fill(FRINGE, k.skinShade, .6))                       // the shadow of the hair
    const drop = 43*c.jawOpen
    p.glow(0, 160 + drop, 80, 34, k.skinShade, .6)
    for (const [name, s] of SIDES) p.side(s, 0, 0, () => {
      const smile = c['mouthSmile' + name], squint = c['cheekSquint' + name], sneer = c['noseSneer' + name], rise = 6*smile + 8*squint
      p.glow(104, 60, 34, 80, k.skinShade, .5)
      p.glow(62 + 6*c.cheekPuff, 42 - rise + 4*c.cheekPuff, 36 + 8*c.cheekPuff, 22 + 10*c.cheekPuff, k.blush, .34 + .12*smile + .2*squint + .2*c.cheekPuff)
      p.glow(70, 44, 26, 26, k.skinLight, .9*c.cheekPuff)
      p.glow(58, 24, 30, 12, k.skinLight, .9*squint)
      p.line('M34,31 C46,37 62,35 73,27', k.skinDeep, 1.8, .6*squint)
      p.line('M22,45 C30,50 38,57 42,66', k.skinDeep, 1.7, .2*smile + .45*sneer + .2*c['mouthUpperUp' + name])
      p.line('M8,4 L17,10 M8,12 L16,18', k.skinDeep, 1.8, .8*sneer)
      p.line('M84,34 C94,52 92,78 78,92', k.skinDeep, 2, .3*c.cheekPuff)
    })
  })
  p.line(path, k.line, 1.8, .75)
}

function paintNose(p, c, k) {
  p.glow(0, 20, 13, 44, k.skinLight, .75)
  p.glow(2, 34, 9, 7, '#ffffff', .5)
  p.glow(0, 54, 22, 8, k.skinShade, .55)
  for (const [name, s] of SIDES) p.side(s, 0, 0, () => {
    const up = 6*c['noseSneer' + name], out = 3*c['noseSneer' + name]
    p.line(`M${14 + out},${32 - up} C${20 + out},${36 - up} ${20 + out},${46 - up} ${12 + out},${47 - up}`, k.skinDeep, 1.8, .65)
    p.fill(`M3,${48 - up*.4} C6,${44 - up} ${12 + out},${43 - up} ${13 + out},${47 - up} C10,${49 - up*.6} 6,${50 - up*.5} 3,${48 - up*.4}Z`, k.line, .7)
  })
  p.line('M-6,50 C-2,53 2,53 6,50', k.skinDeep, 1.6, .7)
}

function paintMouth(p, c, k, m) {
  const inside = band(m.upperInner, m.lowerInner)
  const lipUpper = band(m.upperOuter, m.upperInner), lipLower = band(m.lowerInner, m.lowerOuter)
  const [top, over, under, bottom] = [m.upperOuter, m.upperInner, m.lowerInner, m.lowerOuter].map(points => points[28])   // the midline
  p.glow(bottom[0], bottom[1] + 7, 24, 8, k.skinDeep, .4 + .3*c.mouthShrugLower + .5*c.jawForward)
  p.glow(bottom[0], bottom[1] + 28, 26, 15, k.skinLight, .5*c.jawForward)
  p.line(`M${bottom[0] - 15},${bottom[1] + 9} q15,5 30,0`, k.skinDeep, 1.6, .5*c.jawForward)
  p.line(`M-4,56 L-4.5,${top[1] - 4} M4,56 L4.5,${top[1] - 4}`, k.skinShade, 2, .28)
  p.fill(band(m.upperOuter, m.lowerOuter), k.lipUpper)
  if (m.gap > .05) p.within(inside, () => paintInside(p, k, m, over, under))
  p.fill(lipUpper, p.down(top[1], over[1], k.lip, k.lipUpper))
  p.fill(lipLower, p.down(under[1] - 1, bottom[1], k.lipUpper, k.lip, k.lip, k.lip))
  p.within(lipLower, () => p.glow(bottom[0] - 3, lerp(under[1], bottom[1], .45), 15, 4.5, k.lipLight, .9))
  p.line(band(m.upperOuter, m.lowerOuter), k.seam, 1, .35)
  if (m.gap < 3) p.line(curve(m.lowerInner), k.seam, 1, clamp(1 - m.gap/3))
  for (const [name, s] of SIDES) {
    const end = m.upperOuter[s > 0 ? U.length - 1 : 0], dimple = c['mouthDimple' + name]
    p.side(s, s*end[0], end[1], () => {
      p.line('M-3,.3 L.5,0', k.seam, 1.8, .7*clamp(1 - 2*m.round)*clamp(1 - m.gap/14, .3))
      p.line('M5,-7 C9,-2 9,3 5,8', k.skinDeep, 2.8, .9*dimple + .3*c['mouthPress' + name])
      p.line('M3,-5 C6,-2 6.5,2 5,5', k.skinDeep, 1.8, .6*c['mouthSmile' + name])
      p.glow(4, 4, 10, 10, k.skinShade, .8*c['mouthFrown' + name] + .4*c['mouthPress' + name])
    })
  }
  paintTongue(p, c, k, m)
}

function paintInside(p, k, m, over, under) {
  const x = .6*m.jx, y = 84 + .8*m.jaw, low = .88*m.jaw, edge = 85 - 5*m.round - .3*m.round*m.gap, span = m.width*.46 + 2
  const lower = [[-26, 90], [-14, 87], [0, 86.5], [14, 87], [26, 90]].map(([x, y]) => [x + m.jx, y + low])
  const upper = [[-1, -4], [-.6, 2.5], [0, 4.5], [.6, 2.5], [1, -4]].map(([x, y]) => [x*span, y + edge])
  p.fill(band(m.upperInner, m.lowerInner), p.down(over[1], under[1] + 6, k.cavity, k.cavityLow))
  p.fill(ellipse(x, y + 16, 23, 14), p.down(y, y + 24, k.tongueShade, k.tongue))
  p.line(`M${x},${y + 6} L${x},${y + 20}`, k.tongueShade, 2, .6)
  p.fill(band(lower, [[-30 + m.jx, 115 + low], [30 + m.jx, 115 + low]]), k.teethLow)
  p.fill(band([[-span, 50], [span, 50]], upper), p.across(-span, span, k.teethSide, k.teeth, k.teeth, k.teeth, k.teethSide))
  p.line(curve(m.upperInner), k.teethShade, 4 + 6*m.round)
}

function paintTongue(p, c, k, m) {
  if (c.tongueOut < .02) return
  const [x, lip] = m.lowerInner[28], w = Math.min(15, m.width*.3)
  const y = Math.max(m.upperInner[28][1], 88 - 5*m.round), tip = lerp(lip, m.lowerOuter[28][1] + 22, c.tongueOut), mid = lerp(y, tip, .6)
  const rim = `M${x - w},${y} C${x - w - 2},${mid} ${x - w},${tip} ${x},${tip} C${x + w},${tip} ${x + w + 2},${mid} ${x + w},${y}`
  p.within(band(m.upperInner, [[-120, 260], [120, 260]]), () => {
    p.fill(`${rim} C${x + .5*w},${y - 2} ${x - .5*w},${y - 2} ${x - w},${y}Z`, p.down(y, tip, k.tongueShade, k.tongue))
    p.line(rim, k.tongueShade, 1.2, .8)
    p.line(`M${x},${y} L${x},${lerp(y, tip, .7)}`, k.tongueShade, 1.6, .7)
  })
}

const bezier = (a, [b, c], d) => `${a} C${b} ${c} ${d}`
function paintEye(p, c, k, name, s) {
  const e = eye(c, name)
  p.side(s, 48, -8, () => {
    p.ctx.scale(1.1, 1.1)
    const almond = `M${bezier(e.inner, e.upper, e.outer)} C${[e.low[1], e.low[0], e.inner].join(' ')}Z`
    const shifted = (pts, dy) => pts.map(([x, y]) => [x, y + dy])
    p.fill(`M${bezier([-25, 2], shifted(e.lid(Math.max(e.open, 1)), -6), [28, -7])} L${e.outer} C${[e.upper[1], e.upper[0], e.inner].join(' ')}Z`, k.skinShade, .45)
    p.fill(almond, k.white)
    p.within(almond, () => {
      const x = 1 + e.look[0], y = -4 + e.look[1]
      p.fill(ellipse(x, y, 14.8, 15.8), k.irisRing)
      p.fill(ellipse(x, y, 13.4, 14.4), p.down(y - 14, y + 14, k.irisRing, k.iris, k.irisLight))
      p.glow(x, y + 8, 9, 6, k.irisLight, .8)
      p.fill(ellipse(x, y, 6, 6.8), k.pupil)
      p.line(`M${bezier(e.inner, e.upper, e.outer)}`, k.whiteShade, 9, .55)
      p.side(s, 0, 0, () => { p.fill(ellipse(s*x - 4.5, y - 5.5, 4, 4.6), k.glint, .95); p.fill(ellipse(s*x + 5, y + 5.5, 2, 2.2), k.glint, .8) })
    })
    p.line(`M${bezier(e.inner, e.low, e.outer)}`, k.line, 1.3, .7)
    const thick = e.upper.map(([x, y], i) => [x + 2*i, y - 4.5])
    p.fill(`M${bezier([-25, 5], thick, [29.5, -8])} C${[[28, -5], [27, -4], e.outer].join(' ')} C${[e.upper[1], e.upper[0], [-25, 5]].join(' ')}Z`, k.lash)
    p.line(`M${bezier([-22, -4], shifted(e.lid(clamp(e.open, .55, 1.3)), -8), [27, -13])}`, k.skinDeep, 1.6, .75)
    p.line(`M${bezier([-18, 14], [[-6, 21 - 6*e.lift], [10, 21 - 6*e.lift]], [22, 9])}`, k.skinDeep, 1.5, .15 + .7*c['eyeSquint' + name])
  })
}

function paintBrow(p, c, k, name, s) {
  const b = brow(c, name)
  p.side(s, 0, 0, () => {
    p.fill(band(b.map(([x, y, w]) => [x, y - w/2]), b.map(([x, y, w]) => [x, y + w/2])), k.brow)
    p.line(`M${b[0][0] - 8},${b[0][1] + 4} L${b[0][0] - 10},${b[0][1] + 14}`, k.skinDeep, 2, .7*c['browDown' + name])
  })
}

const FRINGE = `M-103,26 C-112,6 -116,-14 -120,-34 C-131,-58 -133,-104 -116,-140 C-98,-176 -60,-198 -16,-202 C-24,-206 -32,-208 -42,-207
  C-26,-214 -8,-212 2,-205 C-2,-210 -8,-214 -14,-216 C4,-218 16,-211 26,-203 C72,-200 112,-172 126,-122 C133,-94 130,-60 120,-34
  C116,-14 112,6 104,24 C104,-6 101,-32 93,-54 C90,-84 72,-112 42,-126 C40,-104 22,-84 -8,-70 C-2,-80 0,-88 0,-96 C-12,-80 -32,-66 -58,-58
  C-50,-68 -46,-76 -46,-84 C-58,-74 -74,-62 -92,-52 C-100,-30 -103,-4 -103,26Z`
const STRANDS = `M42,-126 C44,-150 36,-176 16,-192 M36,-128 C20,-108 -4,-96 -30,-84 M30,-146 C4,-120 -40,-100 -72,-72 M22,-168 C-30,-150 -84,-112 -106,-58
  M54,-132 C84,-116 100,-84 106,-48 M48,-154 C86,-140 112,-104 116,-66 M-112,-40 C-108,-20 -106,-4 -104,14 M111,-40 C108,-20 106,-4 105,12`
const SHEEN = `M-110,-82 C-88,-128 -38,-152 2,-162 C-30,-142 -78,-116 -110,-82Z M-88,-74 C-60,-108 -22,-126 16,-140 C-12,-118 -54,-98 -88,-74Z M-22,-92
  C-2,-104 16,-114 30,-132 C26,-112 4,-98 -22,-92Z M60,-150 C92,-132 114,-102 118,-64 C106,-98 88,-126 60,-150Z M66,-122
  C84,-108 98,-86 103,-60 C94,-84 82,-104 66,-122Z`

function paintHair(p, k) {
  p.fill(FRINGE, p.down(-200, 20, k.hair, k.hair, k.hairDark))
  p.within(FRINGE, () => { p.glow(-20, -150, 130, 60, k.hairLight, .4); p.fill(SHEEN, k.hairLight, .62) })
  p.line(STRANDS, k.hairDark, 1.6, .55)
  p.line(FRINGE, k.hairDark, 1.4, .5)
}

/** Paint the face for `coefficients` ({name: 0..1}) on a 2-D canvas context, filling `width` x `height` pixels;
 *  `zoom` comes closer, `colors` replaces any of CHARACTER's.
 *  Returns {lipGap, mouthWidth} in the same pixels: largest opening between the inner lips, and corner to corner. */
export function drawFace(ctx, coefficients, {width = WIDTH, height = width*HEIGHT/WIDTH, zoom = 1, theme = 'light', colors = {}} = {}) {
  const c = pose(coefficients), k = {...THEMES[theme], ...colors}, scale = zoom*Math.min(width/WIDTH, height/HEIGHT)
  const p = painter(ctx), face = outline(c), m = mouth(c)
  ctx.save()
  ctx.clearRect(0, 0, width, height)
  ctx.translate(width/2, height/2 + 20*scale/zoom); ctx.scale(scale, scale); ctx.translate(0, -25)
  p.fill('M-400,-400 H400 V400 H-400Z', p.down(-230, 240, k.backdrop, k.backdropEdge))
  p.glow(0, -20, 220, 230, k.halo, .9)
  paintBody(p, c, k, face)
  paintSkin(p, c, k, face)
  paintNose(p, c, k)
  paintMouth(p, c, k, m)
  for (const [name, s] of SIDES) paintEye(p, c, k, name, s)
  paintHair(p, k)
  for (const [name, s] of SIDES) paintBrow(p, c, k, name, s)
  ctx.restore()
  return {lipGap: m.gap*scale, mouthWidth: m.width*scale}
}

// ---------------------------------------------------------------- player

const STYLE = `
:host { display: block; max-width: 400px; margin: 0 auto; color: var(--ink); font: 14px/1.4 system-ui, sans-serif;
  --ink: #33272b; --soft: #8a7b80; --rule: #e6d9d2; --card: #fffdfb; --accent: #c2542f }
:host([data-theme=dark]) { --ink: #ece6ea; --soft: #a39ba6; --rule: #3b3f4c; --card: #1d2029; --accent: #ff9d6e }
:host([data-gallery]) { max-width: none }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 16px; overflow: hidden; outline-offset: -2px }
.card:focus-visible { outline: 2px solid var(--accent) }
canvas { display: block; width: 100% }
.face { cursor: pointer; touch-action: manipulation }
h3 { margin: 0; padding: 10px 14px 0; font-size: 14px; font-weight: 600 }
.bar { display: flex; align-items: center; gap: 10px; padding: 8px 12px }
button { flex: none; width: 44px; height: 44px; border: 0; border-radius: 50%; background: var(--accent); color: var(--card); cursor: pointer; padding: 0 }
button svg { display: block; margin: auto; fill: currentColor }
input { flex: 1; min-width: 60px; height: 32px; margin: 0; accent-color: var(--accent); cursor: pointer }
output { font-variant-numeric: tabular-nums; color: var(--soft); white-space: nowrap; font-size: 12px }
select { font: inherit; font-size: 12px; color: var(--ink); background: var(--card); border: 1px solid var(--rule); border-radius: 8px; height: 32px; cursor: pointer }
.curves { padding: 0 12px 12px } .curves canvas { cursor: pointer; touch-action: pan-y }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(134px, 1fr)); gap: 8px }
figure { margin: 0; border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; background: var(--card) }
figcaption { padding: 3px 6px 4px; font-size: 11px; text-align: center; overflow-wrap: anywhere }`
const PLAY = '<svg width="18" height="18" viewBox="0 0 18 18"><path d="M4 2l12 7-12 7z"/></svg>'
const PAUSE = '<svg width="18" height="18" viewBox="0 0 18 18"><path d="M3 2h4v14H3zM11 2h4v14h-4z"/></svg>'
const STRIPS = {light: ['#8a7b80', '#0072b2', '#c2542f', '#00795a', '#a2487d', '#7a6200'], dark: ['#a39ba6', '#6cb8ec', '#ff9d6e', '#4fd0a5', '#e79bc5', '#e2c95c']}

const bytes = text => Uint8Array.from(atob(text), ch => ch.charCodeAt(0))

/** The track in the model: values as little-endian uint16, 65535 = not seen (NaN); frame k holds at (k+1)/fps */
function readTrack(model) {
  const names = model.get('names'), fps = model.get('fps')[0]/model.get('fps')[1], raw = new Uint16Array(bytes(model.get('values')).buffer)
  const frames = raw.length/names.length, value = (k, j) => raw[k*names.length + j] === 65535 ? NaN : raw[k*names.length + j]/65534
  const at = seconds => {                       // coefficients between two frames, ends held
    const x = clamp(seconds*fps - 1, 0, frames - 1), k = Math.floor(x), next = Math.min(k + 1, frames - 1)
    return Object.fromEntries(names.map((name, j) => [name, lerp(value(k, j) || 0, value(next, j) || 0, x - k)]))
  }
  return {names, fps, frames, value, at, seconds: frames/fps}
}

/** Peaks of a 16-bit mono WAV in `n` bins, for the picture of the sound */
function wavePeaks(uri, n) {
  const all = bytes(uri.split(',')[1]), pcm = new Int16Array(all.buffer, 44, (all.length - 44) >> 1), rate = new DataView(all.buffer).getUint32(24, true)
  const peaks = Array.from({length: n}, (_, i) => {
    let top = 0
    for (let j = Math.floor(i*pcm.length/n); j < Math.floor((i + 1)*pcm.length/n); j++) top = Math.max(top, Math.abs(pcm[j]))
    return top/32768
  })
  return {peaks, seconds: pcm.length/rate}
}

/** 'light' or 'dark': as wanted, else as the page behind the player is painted, else as the system prefers */
function pageTheme(wanted, node) {
  if (wanted === 'light' || wanted === 'dark') return wanted
  for (; node; node = node.parentElement) {
    const [, r, g, b, a = 1] = getComputedStyle(node).backgroundColor.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?/) || [0, 0, 0, 0, 0]
    if (a > .5) return .3*r + .6*g + .1*b > 128 ? 'light' : 'dark'
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

/** Size a canvas for the screen's pixels and hand back its context in CSS pixels */
function sized(canvas, ratio) {
  const width = canvas.clientWidth || 1, height = Math.round(width*ratio), dpr = Math.min(devicePixelRatio || 1, 3)
  const [w, h] = [width, height].map(x => Math.round(x*dpr))
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, {width: w, height: h}).style.height = height + 'px'
  const ctx = canvas.getContext('2d')
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0)
  return [ctx, width, height]
}

function drawCurves(canvas, track, sound, total, seconds, theme) {
  const shown = track.curves, rows = shown.length + (sound ? 1 : 0), width = canvas.clientWidth || 1
  const [ctx, w, h] = sized(canvas, rows*34/width), ink = STRIPS[theme]
  ctx.clearRect(0, 0, w, h)
  ctx.font = '11px system-ui, sans-serif'; ctx.textBaseline = 'top'
  let y = 0
  const strip = (label, color, draw) => {
    ctx.fillStyle = ctx.strokeStyle = color; ctx.lineWidth = 1.4; draw()
    ctx.globalAlpha = 1; ctx.fillText(label, 2, y + 1)
    ctx.globalAlpha = .25; ctx.fillRect(0, y + 32, w, .7); ctx.globalAlpha = 1; y += 34
  }
  if (sound) strip('sound', ink[0], () => {
    const step = w*sound.seconds/total/sound.peaks.length
    ctx.globalAlpha = .55; sound.peaks.forEach((v, i) => ctx.fillRect(i*step, y + 17 - 15*v, step, Math.max(.6, 30*v)))
  })
  shown.forEach((name, i) => strip(name, ink[1 + i % 5], () => {
    const j = track.names.indexOf(name), line = new Path2D()
    for (let k = 0, on = false; k < track.frames; k++) {
      const v = track.value(k, j), x = (k + 1)/track.fps/total*w
      if (isNaN(v)) { on = false; continue }
      line[on ? 'lineTo' : 'moveTo'](x, y + 31 - 28*v); on = true
    }
    ctx.stroke(line)
  }))
  ctx.fillStyle = getComputedStyle(canvas).color; ctx.fillRect(clamp(seconds/total)*w - .75, 0, 1.5, h)
}

/** Five channels worth a curve: those that move most, the mouth before the rest, one of each Left/Right pair */
function liveliest(track) {
  const speech = name => /^(jaw|mouth)/.test(name) ? 5 : 1
  const spread = track.names.map((name, j) => {
    let n = 0, sum = 0, square = 0
    for (let k = 0; k < track.frames; k++) { const v = track.value(k, j); if (!isNaN(v)) { n++; sum += v; square += v*v } }
    return [name, n ? square/n - (sum/n)**2 : 0]
  }).filter(([name, s]) => s > 1e-5 && !name.endsWith('Right')).sort((a, b) => b[1]*speech(b[0]) - a[1]*speech(a[0])).slice(0, 5).map(([name]) => name)
  return track.names.filter(name => spread.includes(name))
}

function gallery(root, model, track) {
  const grid = root.appendChild(Object.assign(document.createElement('div'), {className: 'gallery'}))
  const cells = model.get('captions').map((caption, k) => {
    const figure = grid.appendChild(document.createElement('figure')), canvas = figure.appendChild(document.createElement('canvas'))
    figure.appendChild(document.createElement('figcaption')).textContent = caption
    canvas.setAttribute('role', 'img'); canvas.setAttribute('aria-label', `face: ${caption}`)
    return {canvas, c: track.at((k + 1)/track.fps)}
  })
  return (theme, colors) => cells.forEach(({canvas, c}) => {
    const [ctx, width, height] = sized(canvas, HEIGHT/WIDTH), g = drawFace(ctx, c, {width, height, theme, colors, zoom: 1.3})
    canvas.dataset.lipGap = g.lipGap.toFixed(3); canvas.dataset.mouthWidth = g.mouthWidth.toFixed(3)
  })
}

/** anywidget's shape. `model.get` gives: names, fps [num, den], values (base64), audio (WAV data URI), title, theme, captions;
 *  or only `coefficients` {name: 0..1}, drawn whenever it changes. Adds `el.face` (play, pause, seek, lipGap, mouthWidth). */
function render({model, el}) {
  const host = el.appendChild(document.createElement('div')), root = host.attachShadow({mode: 'open'}), listen = new AbortController()
  const track = model.get('values') ? readTrack(model) : null, audio = model.get('audio') ? new Audio(model.get('audio')) : null
  const make = (tag, attributes, parent) => {
    const node = parent.appendChild(document.createElement(tag))
    for (const [key, v] of Object.entries(attributes)) node.setAttribute(key, v)
    return node
  }
  root.appendChild(document.createElement('style')).textContent = STYLE
  host.dataset.lmSuppressShortcuts = 'true'                     // JupyterLab: the keys belong to the player
  const title = model.get('title') || '', captions = model.get('captions')
  let theme, paint

  if (track && captions) {
    host.dataset.gallery = ''
    if (title) root.appendChild(document.createElement('h3')).textContent = title
    paint = gallery(root, model, track)
  } else {
    const card = make('div', {class: 'card', role: 'group', 'aria-label': title || 'talking face'}, root)
    if (title) card.appendChild(document.createElement('h3')).textContent = title
    const face = make('canvas', {class: 'face', role: 'img', 'aria-label': 'illustrated face'}, card)
    let shape = {}, coefficients = {}
    paint = (theme, colors) => {
      const [ctx, width, height] = sized(face, HEIGHT/WIDTH)
      shape = drawFace(ctx, coefficients, {width, height, theme, colors})
      el.dataset.lipGap = shape.lipGap.toFixed(3); el.dataset.mouthWidth = shape.mouthWidth.toFixed(3)
    }
    el.face = {lipGap: () => shape.lipGap, mouthWidth: () => shape.mouthWidth, coefficients: () => coefficients, paint: colors => paint(theme, colors)}
    if (track) {
      track.curves = model.get('curves') || liveliest(track)
      const player = playable({card, face, track, audio, make, signal: listen.signal, theme: () => theme,
        show: seconds => { coefficients = track.at(seconds); paint(theme) }})
      Object.assign(el.face, player)
      const still = paint
      paint = (theme, colors) => { still(theme, colors); player.redraw() }
      coefficients = track.at(0)
    } else {
      const live = () => { coefficients = model.get('coefficients') || {}; paint(theme) }
      coefficients = model.get('coefficients') || {}
      model.on('change:coefficients', live)
      listen.signal.addEventListener('abort', () => model.off('change:coefficients', live))
    }
  }
  const refresh = () => { host.dataset.theme = theme = pageTheme(model.get('theme'), el); paint(theme) }
  const resize = new ResizeObserver(refresh), skin = new MutationObserver(refresh)
  resize.observe(host); skin.observe(document.body, {attributes: true, attributeFilter: ['class', 'data-jp-theme-light']})
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', refresh, {signal: listen.signal})
  refresh()
  return () => { listen.abort(); resize.disconnect(); skin.disconnect(); el.face?.pause?.() }
}

/** Controls, clock and keys. The sound is the clock; without sound it is performance.now. */
function playable({card, track, face, audio, make, signal, theme, show}) {
  const bar = make('div', {class: 'bar'}, card), button = make('button', {'aria-label': 'play', title: 'play (space)'}, bar)
  const scrub = make('input', {type: 'range', min: 0, step: 'any', 'aria-label': 'time, seconds'}, bar)
  const clock = make('output', {}, bar), speed = make('select', {'aria-label': 'speed', title: 'speed'}, bar)
  for (const rate of [.25, .5, 1, 1.5, 2]) make('option', {value: rate, ...(rate === 1 && {selected: ''})}, speed).textContent = rate + '×'
  const curves = make('canvas', {role: 'img', 'aria-label': `curves of ${track.curves.join(', ')}`}, make('div', {class: 'curves'}, card))
  const sound = audio && wavePeaks(audio.src, 480), total = Math.max(track.seconds, sound ? sound.seconds : 0)
  let seconds = 0, playing = false, rate = 1, from = 0, since = 0, heard = null, stamp
  card.tabIndex = 0; scrub.max = total; button.innerHTML = PLAY

  const redraw = () => {
    scrub.value = seconds; clock.textContent = `${seconds.toFixed(2)} / ${total.toFixed(2)} s`
    scrub.setAttribute('aria-valuetext', `${seconds.toFixed(2)} seconds`)
    drawCurves(curves, track, sound, total, seconds, theme())
  }
  const move = t => { seconds = clamp(t, 0, total); show(seconds); redraw() }
  const anchor = t => { from = t; since = performance.now() }
  const now = () => {                            // browsers report audio time in steps: carry on between them
    if (heard && !heard.ended && !heard.paused && heard.currentTime !== stamp) anchor(stamp = heard.currentTime)
    return from + (performance.now() - since)/1000*rate
  }
  const tick = () => {
    if (!playing) return
    if (!card.isConnected) return pause()
    move(now())
    if (seconds >= total) pause(); else requestAnimationFrame(tick)
  }
  const seek = t => { move(t); anchor(seconds); if (audio) audio.currentTime = Math.min(seconds, sound.seconds) }
  const pause = () => { playing = false; audio?.pause(); button.innerHTML = PLAY; button.setAttribute('aria-label', 'play') }
  const play = async () => {
    if (playing) return
    document.dispatchEvent(new CustomEvent('koemorph-play', {detail: card}))
    if (seconds >= total - 1e-3) seek(0)
    playing = true; button.innerHTML = PAUSE; button.setAttribute('aria-label', 'pause')
    if (audio && seconds < sound.seconds) {
      audio.playbackRate = rate; audio.currentTime = seconds
      heard = await audio.play().then(() => audio, () => null)     // refused or undecodable: play on without sound
    }
    anchor(seconds); tick()
  }
  const toggle = () => playing ? pause() : play()
  document.addEventListener('koemorph-play', e => { if (e.detail !== card && playing) pause() }, {signal})
  button.addEventListener('click', toggle); face.addEventListener('click', toggle)
  scrub.addEventListener('input', () => seek(+scrub.value))
  speed.addEventListener('change', () => { anchor(now()); rate = +speed.value; if (audio) audio.playbackRate = rate; if (!playing) anchor(seconds) })
  const point = e => { const box = curves.getBoundingClientRect(); seek((e.clientX - box.left)/box.width*total) }
  curves.addEventListener('pointerdown', e => { curves.setPointerCapture(e.pointerId); point(e) })
  curves.addEventListener('pointermove', e => { if (e.buttons) point(e) })
  card.addEventListener('keydown', e => {
    const step = (e.shiftKey ? 10 : 1)/track.fps, target = e.composedPath()[0]
    const keys = {ArrowLeft: () => seek(seconds - step), ArrowRight: () => seek(seconds + step), Home: () => seek(0), End: () => seek(total), ' ': toggle}
    if (!keys[e.key] || target === speed || (e.key === ' ' && target === button)) return
    e.preventDefault(); e.stopPropagation(); keys[e.key]()
  })
  return {play, pause, seek, redraw, playing: () => playing, seconds: () => seconds, total}
}

export default {render}
