// Bring your own face: a small WebGL2 renderer for .glb and .vrm files whose morph targets carry ARKit names. No dependencies, no network.
// Below: file (GLB, accessors) -> rig (nodes, skins, names) -> mesh -> paint. All vertices are put where they stand once, at loading:
// then only morph targets move them, and the head, which takes each vertex along as far as it is tied to it.

const ARKIT = `eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft eyeBlinkRight eyeLookDownRight eyeLookInRight eyeLookOutRight
  eyeLookUpRight eyeSquintRight eyeWideRight jawForward jawLeft jawRight jawOpen mouthClose mouthFunnel mouthPucker mouthLeft mouthRight mouthSmileLeft mouthSmileRight mouthFrownLeft
  mouthFrownRight mouthDimpleLeft mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthPressLeft mouthPressRight
  mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
  cheekSquintRight noseSneerLeft noseSneerRight tongueOut`.split(/\s+/)

// ---------------------------------------------------------------- file

const fail = words => { throw new Error(words) }
const KNOWN = /^(VRM.*|KHR_materials_.*|KHR_texture_transform|KHR_mesh_quantization|KHR_lights_punctual|EXT_texture_webp)$/
const ARRAYS = {5120: Int8Array, 5121: Uint8Array, 5122: Int16Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array}
const SIZES = {SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT4: 16}

/** The JSON and the binary part of a GLB */
function parse(buffer, name) {
  const view = new DataView(buffer)
  if (buffer.byteLength < 20 || view.getUint32(0, true) !== 0x46546C67 || view.getUint32(4, true) !== 2) fail(`${name} is not a binary glTF 2 (.glb or .vrm).`)
  const length = view.getUint32(12, true), at = 20 + length
  if (at > buffer.byteLength) fail(`${name} ends in the middle.`)
  const gltf = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 20, length)))
  const lacks = (gltf.extensionsRequired || []).filter(e => !KNOWN.test(e))
  if (lacks.length) fail(`${name} needs ${lacks.join(' and ')}, which this small renderer has not: export it without compression.`)
  return {gltf, bin: at + 8 <= buffer.byteLength ? new Uint8Array(buffer, at + 8, view.getUint32(at, true)) : new Uint8Array(0)}
}

/** Numbers of an accessor, sparse or packed, one after the other; integers that stand for fractions as fractions */
function reader({gltf, bin}) {
  const raw = (view, offset, type, n, count, stride) => {
    const T = ARRAYS[type], out = new T(n*count), b = gltf.bufferViews[view], start = bin.byteOffset + (b.byteOffset || 0) + (offset || 0), step = b.byteStride && stride ? b.byteStride : n*T.BYTES_PER_ELEMENT
    const v = new DataView(bin.buffer), get = {5120: 'getInt8', 5121: 'getUint8', 5122: 'getInt16', 5123: 'getUint16', 5125: 'getUint32', 5126: 'getFloat32'}[type]
    for (let i = 0; i < count; i++) for (let k = 0; k < n; k++) out[i*n + k] = v[get](start + i*step + k*T.BYTES_PER_ELEMENT, true)
    return out
  }
  return index => {
    const a = gltf.accessors[index], n = SIZES[a.type]
    let out = a.bufferView === undefined ? new ARRAYS[a.componentType](n*a.count) : raw(a.bufferView, a.byteOffset, a.componentType, n, a.count, true)
    if (a.sparse) {
      const {indices, values, count} = a.sparse, where = raw(indices.bufferView, indices.byteOffset, indices.componentType, 1, count), what = raw(values.bufferView, values.byteOffset, a.componentType, n, count)
      where.forEach((i, k) => { for (let j = 0; j < n; j++) out[i*n + j] = what[k*n + j] })
    }
    if (a.normalized) { const top = {5120: 127, 5121: 255, 5122: 32767, 5123: 65535}[a.componentType]; out = Float32Array.from(out, x => Math.max(-1, x/top)) }
    return out
  }
}

async function picture({gltf, bin}, index) {
  const image = gltf.images[index]
  if (image.bufferView === undefined && !image.uri?.startsWith('data:')) return null
  const bytes = image.uri ? Uint8Array.from(atob(image.uri.split(',')[1]), ch => ch.charCodeAt(0))
    : bin.subarray(gltf.bufferViews[image.bufferView].byteOffset || 0, (gltf.bufferViews[image.bufferView].byteOffset || 0) + gltf.bufferViews[image.bufferView].byteLength)
  return createImageBitmap(new Blob([bytes], {type: image.mimeType}), {premultiplyAlpha: 'none', colorSpaceConversion: 'none'})
}

// ---------------------------------------------------------------- rig

const times = (a, b) => Float32Array.from({length: 16}, (_, i) => { let s = 0; for (let k = 0; k < 4; k++) s += a[4*k + i%4]*b[4*(i >> 2) + k]; return s })   // column by column
const point = (m, p, w = 1) => [0, 1, 2].map(i => m[i]*p[0] + m[4 + i]*p[1] + m[8 + i]*p[2] + m[12 + i]*w)
function matrix({matrix: m, translation: t = [0, 0, 0], rotation: [x, y, z, w] = [0, 0, 0, 1], scale: s = [1, 1, 1]}) {
  if (m) return m
  return [(1 - 2*(y*y + z*z))*s[0], 2*(x*y + z*w)*s[0], 2*(x*z - y*w)*s[0], 0, 2*(x*y - z*w)*s[1], (1 - 2*(x*x + z*z))*s[1], 2*(y*z + x*w)*s[1], 0,
    2*(x*z + y*w)*s[2], 2*(y*z - x*w)*s[2], (1 - 2*(x*x + y*y))*s[2], 0, ...t, 1]
}

/** A name as it compares: mouthSmile_L, Mouth_Smile_Left and blendShape1.mouthSmileLeft are one */
export const plain = name => name.split('.').at(-1).replace(/[_\s-]([LR])$/i, (_, s) => /l/i.test(s) ? 'left' : 'right').replace(/[^a-z0-9]/gi, '').toLowerCase()
const BY_NAME = Object.fromEntries(ARKIT.map(n => [n.toLowerCase(), n]))
const arkitName = name => BY_NAME[plain(name)] || BY_NAME[Object.keys(BY_NAME).find(n => plain(name).endsWith(n))]
const VISEMES = {aa: ['jawOpen', 1.6], a: ['jawOpen', 1.6], ou: ['mouthPucker', 1], u: ['mouthPucker', 1], oh: ['mouthFunnel', 1], o: ['mouthFunnel', 1],      // where a .vrm has no more than these
  ih: ['mouthStretchLeft', 1], i: ['mouthStretchLeft', 1], ee: ['mouthSmileLeft', .6], e: ['mouthSmileLeft', .6], blinkleft: ['eyeBlinkLeft', 1], blinkl: ['eyeBlinkLeft', 1], blinkright: ['eyeBlinkRight', 1], blinkr: ['eyeBlinkRight', 1]}

/** Which coefficient moves which target of which mesh how far: {mesh: {target: [[name, weight] …]}}; and all names there are */
function controls(gltf) {
  const by = {}, there = new Set(), add = (mesh, target, name, weight) => { ((by[mesh] ??= {})[target] ??= []).push([name, weight]) }
  const expressions = [], vrm = gltf.extensions?.VRMC_vrm, old = gltf.extensions?.VRM
  for (const group of Object.values(vrm?.expressions || {})) for (const [name, e] of Object.entries(group)) expressions.push([name, (e.morphTargetBinds || []).map(b => [gltf.nodes[b.node].mesh, b.index, b.weight])])
  for (const e of old?.blendShapeMaster?.blendShapeGroups || []) expressions.push([/^(unknown)?$/.test(e.presetName || '') ? e.name : e.presetName, (e.binds || []).map(b => [b.mesh, b.index, b.weight/100])])
  gltf.meshes.forEach((mesh, m) => (mesh.extras?.targetNames || mesh.primitives[0].extras?.targetNames || []).forEach((name, t) => expressions.push([name, [[m, t, 1]]])))
  for (const [name, binds] of expressions) {
    there.add(name)
    const to = arkitName(name)
    if (to) for (const [mesh, target, weight] of binds) if (!by[mesh]?.[target]?.some(([n]) => n === to)) add(mesh, target, to, weight)
  }
  if (!Object.keys(by).length) for (const [name, binds] of expressions) {
    const to = VISEMES[plain(name)]
    if (to && (vrm || old)) for (const [mesh, target, weight] of binds) add(mesh, target, to[0], to[1]*weight)
  }
  return {by, there: [...there]}
}

/** Nodes that turn with the head: it and all below it */
function headOf(gltf, world) {
  const bones = gltf.extensions?.VRMC_vrm?.humanoid?.humanBones?.head?.node ?? gltf.extensions?.VRM?.humanoid?.humanBones?.find(b => b.bone === 'head')?.node
  const named = test => { const i = gltf.nodes.findIndex(n => test.test(n.name || '')); return i < 0 ? undefined : i }
  const head = bones ?? named(/(^|[^a-z])head$/i), below = new Set(), walk = i => { below.add(i); (gltf.nodes[i].children || []).forEach(walk) }
  if (head !== undefined && world[head]) walk(head)
  return {below, pivot: head === undefined || !world[head] ? null : [...world[head].slice(12, 15)]}
}

// ---------------------------------------------------------------- mesh

/** One primitive, placed: vertices, how far each follows the head, and its moved vertices target by target */
function place(primitive, read, {world, skin, inHead, targets}) {
  const p = read(primitive.attributes.POSITION), count = p.length/3, base = new Float32Array(p.length), normal = new Float32Array(p.length), head = new Float32Array(count).fill(inHead ? 1 : 0)
  const n = primitive.attributes.NORMAL === undefined ? null : read(primitive.attributes.NORMAL), matrices = new Array(count)
  const joints = skin && primitive.attributes.JOINTS_0 !== undefined && read(primitive.attributes.JOINTS_0), weights = joints && read(primitive.attributes.WEIGHTS_0)
  for (let i = 0; i < count; i++) {
    let m = world
    if (joints) {
      m = new Float32Array(16); head[i] = 0
      for (let k = 0; k < 4; k++) { const w = weights[4*i + k], j = joints[4*i + k]; if (w) { skin.matrices[j].forEach((x, q) => { m[q] += w*x }); if (skin.inHead[j]) head[i] += w } }
    }
    matrices[i] = m
    base.set(point(m, p.subarray(3*i, 3*i + 3)), 3*i)
    if (n) normal.set(point(m, n.subarray(3*i, 3*i + 3), 0), 3*i)
  }
  const moves = Object.entries(targets || {}).flatMap(([t, names]) => {
    const from = primitive.targets?.[t]?.POSITION, where = [], by = []
    if (from === undefined) return []
    const d = read(from)
    for (let i = 0; i < count; i++) if (d[3*i] || d[3*i + 1] || d[3*i + 2]) { where.push(i); by.push(...point(matrices[i], d.subarray(3*i, 3*i + 3), 0)) }
    return where.length ? [{names, where, by: Float32Array.from(by)}] : []
  })
  const indices = primitive.indices === undefined ? Uint32Array.from({length: count}, (_, i) => i) : Uint32Array.from(read(primitive.indices))
  if (!n) shade(base, indices, normal)
  return {base, normal, head, moves, indices, uv: primitive.attributes.TEXCOORD_0 === undefined ? new Float32Array(2*count) : Float32Array.from(read(primitive.attributes.TEXCOORD_0))}
}
function shade(p, indices, normal) {             // normals where the file has none
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map(k => 3*indices[i + k]), u = [0, 1, 2].map(k => p[b + k] - p[a + k]), v = [0, 1, 2].map(k => p[c + k] - p[a + k])
    const n = [u[1]*v[2] - u[2]*v[1], u[2]*v[0] - u[0]*v[2], u[0]*v[1] - u[1]*v[0]]
    for (const at of [a, b, c]) for (let k = 0; k < 3; k++) normal[at + k] += n[k]
  }
}

// ---------------------------------------------------------------- paint

const VERTEX = `#version 300 es
layout(location=0) in vec3 p; layout(location=1) in vec3 n; layout(location=2) in vec2 t; layout(location=3) in float h;
uniform mat4 view, turn; uniform vec4 place; out vec3 normal; out vec2 uv;
void main() { vec3 q = mix(p, (turn*vec4(p, 1)).xyz, h); normal = mix(n, mat3(turn)*n, h); uv = t*place.zw + place.xy; gl_Position = view*vec4(q, 1); }`
const FRAGMENT = `#version 300 es
precision highp float; in vec3 normal; in vec2 uv; uniform sampler2D map; uniform vec4 color; uniform vec3 key; uniform float cut, flat_; out vec4 o;
void main() { vec4 c = texture(map, uv)*color; if (c.a < cut) discard; if (cut >= 0.) c.a = 1.;
  vec3 n = normalize(normal); if (!gl_FrontFacing) n = -n;
  float light = mix(.62 + .3*clamp(dot(n, key), 0., 1.) + .1*n.y, .94, flat_); o = vec4(c.rgb*light*c.a, c.a); }`

function program(gl) {
  const made = gl.createProgram()
  for (const [kind, code] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const s = gl.createShader(kind)
    gl.shaderSource(s, code); gl.compileShader(s); gl.attachShader(made, s)
    if (!gl.getShaderParameter(s, gl.COMPILE_STATUS)) fail(gl.getShaderInfoLog(s))
  }
  gl.linkProgram(made); gl.useProgram(made)
  return made
}
function texture(gl, image) {
  const made = gl.createTexture()
  gl.bindTexture(gl.TEXTURE_2D, made)
  if (image) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image); else gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([255, 255, 255, 255]))
  gl.generateMipmap(gl.TEXTURE_2D); gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR)
  return made
}
function buffered(gl, part) {
  part.array = gl.createVertexArray(); gl.bindVertexArray(part.array); part.now = part.base.slice()
  for (const [at, [values, n]] of [[part.now, 3], [part.normal, 3], [part.uv, 2], [part.head, 1]].entries()) {
    const b = gl.createBuffer()
    gl.bindBuffer(gl.ARRAY_BUFFER, b); gl.bufferData(gl.ARRAY_BUFFER, values, at ? gl.STATIC_DRAW : gl.DYNAMIC_DRAW); gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, n, gl.FLOAT, false, 0, 0)
    if (!at) part.buffer = b
  }
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer()); gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, part.indices, gl.STATIC_DRAW)
}

/** Move the vertices of a part to where `coefficients` want them */
function morph(gl, part, coefficients) {
  const weight = ({names}) => Math.min(1, names.reduce((s, [name, w]) => s + w*Math.max(0, coefficients[name] || 0), 0))
  const on = part.moves.map(m => [m, weight(m)]).filter(([, w]) => w > 1e-4)
  if (!on.length && !part.moved) return
  part.now.set(part.base); part.moved = on.length > 0
  for (const [{where, by}, w] of on) for (let k = 0; k < where.length; k++) for (let j = 0; j < 3; j++) part.now[3*where[k] + j] += w*by[3*k + j]
  gl.bindBuffer(gl.ARRAY_BUFFER, part.buffer); gl.bufferSubData(gl.ARRAY_BUFFER, 0, part.now)
}

/** A box round what the targets move, and so round the face; all there is when it is flat */
function faceBox(parts) {
  const low = [1/0, 1/0, 1/0], high = [-1/0, -1/0, -1/0]
  for (const {base, moves} of parts) for (const {where} of moves) for (const i of where) for (let k = 0; k < 3; k++) { low[k] = Math.min(low[k], base[3*i + k]); high[k] = Math.max(high[k], base[3*i + k]) }
  return {middle: low.map((x, k) => (x + high[k])/2), size: Math.max(high[0] - low[0], high[1] - low[1], 1e-6), front: high[2], back: low[2]}
}

/** Rotation about `pivot`, radians: yaw towards the face's own left, pitch down, roll towards its own right */
function turning([x, y, z], yaw, pitch, roll) {
  const [a, b, c] = [yaw, pitch, roll].map(Math.cos), [s, p, r] = [yaw, pitch, roll].map(Math.sin)
  const m = times(times([a, 0, -s, 0, 0, 1, 0, 0, s, 0, a, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, b, p, 0, 0, -p, b, 0, 0, 0, 0, 1]), [c, r, 0, 0, -r, c, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  return times(times([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, x, y, z, 1], m), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, -x, -y, -z, 1])
}

/** The avatar in `buffer` (a .glb or .vrm), on a canvas of its own: {names, draw(coefficients), free()}; an Error says why not */
export async function loadAvatar(buffer, canvas, name = 'the avatar') {
  let file
  try { file = parse(buffer, name) } catch (e) { if (e instanceof SyntaxError) fail(`${name} is damaged: its description is not JSON.`); throw e }
  const {gltf} = file, read = reader(file), world = [], back = gltf.extensions?.VRM ? [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1] : [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]   // VRM 0 looks the other way
  const walk = (i, above) => { world[i] = times(above, matrix(gltf.nodes[i])); (gltf.nodes[i].children || []).forEach(k => walk(k, world[i])) }
  for (const i of gltf.scenes?.[gltf.scene || 0]?.nodes || []) walk(i, back)
  const {by, there} = controls(gltf), head = headOf(gltf, world)
  const names = [...new Set(Object.values(by).flatMap(Object.values).flat().map(([n]) => n))]
  if (!names.length) fail(`${name} has ${there.length ? `${there.length} morph targets (${there.slice(0, 4).join(', ')} …), none with an ARKit name` : 'no named morph targets'}: it needs jawOpen, mouthSmileLeft and their like.`)
  const parts = []
  world.forEach((m, i) => {
    const node = gltf.nodes[i]
    if (node.mesh === undefined) return
    const s = node.skin === undefined ? null : gltf.skins[node.skin], inverse = s?.inverseBindMatrices === undefined ? null : read(s.inverseBindMatrices)
    const skin = s && {matrices: s.joints.map((j, k) => inverse ? times(world[j], inverse.subarray(16*k, 16*k + 16)) : world[j]), inHead: s.joints.map(j => head.below.has(j))}
    for (const primitive of gltf.meshes[node.mesh].primitives) if ((primitive.mode ?? 4) === 4 && primitive.attributes.POSITION !== undefined)
      parts.push({...place(primitive, read, {world: m, skin, inHead: !head.pivot || head.below.has(i), targets: by[node.mesh]}), material: gltf.materials?.[primitive.material] || {}})
  })
  const box = faceBox(parts)
  if (!isFinite(box.middle[0])) fail(`${name} names ARKit targets, but they move nothing.`)

  const gl = canvas.getContext('webgl2', {antialias: true, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: true}) || fail('This browser has no WebGL 2, which an avatar needs.')
  const uniform = (made => n => gl.getUniformLocation(made, n))(program(gl)), pictures = new Map(), white = texture(gl, null)
  for (const part of parts) {
    const pbr = part.material.pbrMetallicRoughness || {}, t = pbr.baseColorTexture, at = t?.extensions?.KHR_texture_transform || {}, tex = t && gltf.textures[t.index], source = tex?.extensions?.EXT_texture_webp?.source ?? tex?.source
    if (source !== undefined && !pictures.has(source)) { const image = await picture(file, source).catch(() => null); pictures.set(source, image ? texture(gl, image) : white) }
    Object.assign(part, {map: pictures.get(source) || white, color: pbr.baseColorFactor || [1, 1, 1, 1], spot: [...(at.offset || [0, 0]), ...(at.scale || [1, 1])], blend: part.material.alphaMode === 'BLEND',
      cut: part.material.alphaMode === 'MASK' ? part.material.alphaCutoff ?? .5 : part.material.alphaMode === 'BLEND' ? -1 : 0, flat: part.material.extensions?.KHR_materials_unlit ? 1 : 0})
    buffered(gl, part)
  }
  parts.sort((a, b) => a.blend - b.blend)
  const at = ['view', 'turn', 'place', 'color', 'key', 'cut', 'flat_'].reduce((o, n) => ({...o, [n]: uniform(n)}), {}), pivot = head.pivot || [box.middle[0], box.middle[1] - box.size, (box.front + box.back)/2]

  function draw(coefficients) {
    const {width, height} = canvas, tall = 2.3*box.size*Math.max(1, height/width*.9), far = tall/2/Math.tan(.22), [x, y, z] = [box.middle[0], box.middle[1] + .12*box.size, box.front + far]
    const f = 1/Math.tan(.22), near = .05*far, end = 30*far
    gl.viewport(0, 0, width, height); gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT); gl.enable(gl.DEPTH_TEST)
    gl.uniformMatrix4fv(at.view, false, times([f*height/width, 0, 0, 0, 0, f, 0, 0, 0, 0, -(end + near)/(end - near), -1, 0, 0, -2*end*near/(end - near), 0], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, -x, -y, -z, 1]))
    gl.uniformMatrix4fv(at.turn, false, turning(pivot, ...['headYaw', 'headPitch', 'headRoll'].map(n => coefficients[n] || 0)))
    gl.uniform3f(at.key, .35, .5, .79)
    for (const part of parts) {
      morph(gl, part, coefficients)
      if (part.blend) { gl.enable(gl.BLEND); gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA); gl.depthMask(false) } else gl.disable(gl.BLEND)
      gl.bindTexture(gl.TEXTURE_2D, part.map); gl.bindVertexArray(part.array)
      gl.uniform4fv(at.color, part.color); gl.uniform4fv(at.place, part.spot); gl.uniform1f(at.cut, part.cut); gl.uniform1f(at.flat_, part.flat)
      gl.drawElements(gl.TRIANGLES, part.indices.length, gl.UNSIGNED_INT, 0)
      gl.depthMask(true)
    }
  }
  return {names, draw, free: () => gl.getExtension('WEBGL_lose_context')?.loseContext()}
}
