// Peers of `peers.py`, each used as its own README shows: an AudioWorklet node that hears a source. The audio graph is an offline one, so it takes
// less time than the sound. What the audio thread says bears the time of the sound; it is given to the node's own handler at that time, between the
// ticks of an animation loop, so that every frame shows what the node knew by then.

const FPS = 60                                                       // of the animation loop
const pause = ms => new Promise(go => setTimeout(go, ms))
const ECHO = URL.createObjectURL(new Blob([`registerProcessor('echo', class extends AudioWorkletProcessor {
  constructor() { super(); this.port.onmessage = () => this.port.postMessage(0) }
  process() { return false } })`], {type: 'text/javascript'}))
async function echo(ctx) {                                           // a way to wait until the audio thread has read what it was sent
  await ctx.audioWorklet.addModule(ECHO)
  const {port} = new AudioWorkletNode(ctx, 'echo')
  return () => new Promise(go => { port.onmessage = go; port.postMessage(0) })
}
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer

const peers = {
  async wlipsync(ctx, profile) {
    const {createWLipSyncNode, parseBinaryProfile} = await import('/node_modules/wlipsync/dist/wlipsync-single.js')
    const node = await createWLipSyncNode(ctx, typeof profile === 'string' ? parseBinaryProfile(bytes(profile)) : profile)
    const shown = () => Object.fromEntries(Object.entries(node.weights).map(([name, w]) => [name, w*node.volume]))   // as its example does
    await pause(300)                                                 // its WebAssembly is compiled on the audio thread, which does not tell
    const whole = said => { if (!(said[0]?.timestamp < .1)) throw Error('wlipsync missed the beginning of the sound: is the machine busy?') }
    return {node, tick() {}, shown, whole, when: m => m.timestamp + 128/ctx.sampleRate}
  },
  async headaudio(ctx) {
    const {HeadAudio} = await import('/node_modules/@met4citizen/headaudio/dist/headaudio.min.mjs')
    await ctx.audioWorklet.addModule('/node_modules/@met4citizen/headaudio/dist/headworklet.min.mjs')
    const node = new HeadAudio(ctx), values = {}
    await node.loadModel('/node_modules/@met4citizen/headaudio/dist/model-en-mixed.bin')
    node.onvalue = (name, value) => { values[name] = value }         // never viseme_aa in 0.1.0, which takes its number, 0, for none
    return {node, tick: ms => node.update(ms), shown: () => ({...values}), whole() {}, when: m => m.t + (m.d ?? 0)/2}   // `t` of a viseme is the middle of what it heard
  },
}

export async function faces(name, sound, rate, profile) {
  const decoded = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes(sound))
  const ctx = new OfflineAudioContext(1, decoded.length, rate), source = ctx.createBufferSource(), said = [], rows = []
  source.buffer = decoded; source.start()
  if (!name) { source.connect(ctx.destination); await ctx.startRendering(); return rows }                             // what the browser costs without a peer
  const {node, tick, shown, whole, when} = await peers[name](ctx, profile), heard = await echo(ctx)
  const handle = node.port.onmessage
  node.port.onmessage = ({data}) => said.push(data)
  source.connect(node)
  await heard(); await ctx.startRendering()
  for (let n = -1; n < said.length; await pause(100)) n = said.length
  whole(said)
  for (let k = 1, i = 0; k <= Math.floor(decoded.duration*FPS); k++) {
    while (i < said.length && when(said[i]) <= k/FPS) handle({data: said[i++]})
    tick(1000/FPS); rows.push(shown())
  }
  return rows
}
