// Sound for the pages: a file decoded at its own rate, a microphone in chunks, a wave that is played and says where it is. No dependencies.

export const REFUSED = {
  NotAllowedError: 'The microphone was refused. Allow it for this page (the sign beside its address), then start it again. A sound file works without.',
  NotFoundError: 'No microphone was found. Plug one in and start it again, or drop a sound file here.',
  NotReadableError: 'The microphone does not open: another program may be using it. Close that one, or choose another microphone.',
  OverconstrainedError: 'That microphone is gone. Choose another one.'}

/** Samples per second that a WAV or FLAC file says of itself */
function fileRate(buffer) {
  const v = new DataView(buffer), tag = at => at + 4 <= v.byteLength ? String.fromCharCode(...new Uint8Array(buffer, at, 4)) : ''
  if (tag(0) === 'fLaC') return v.getUint32(18) >>> 12
  if (tag(0) === 'RIFF' && tag(8) === 'WAVE') for (let at = 12; tag(at); at += 8 + v.getUint32(at + 4, true) + v.getUint32(at + 4, true)%2) if (tag(at) === 'fmt ') return v.getUint32(at + 12, true)
}

/** The sound of a file as one channel, at its own rate where that can be told */
export async function decode(buffer, name) {
  const rate = fileRate(buffer)
  try {
    const sound = await new OfflineAudioContext(1, 1, rate >= 8000 && rate <= 96000 ? rate : 48000).decodeAudioData(buffer), wave = new Float32Array(sound.length)
    for (let c = 0; c < sound.numberOfChannels; c++) sound.getChannelData(c).forEach((x, i) => { wave[i] += x/sound.numberOfChannels })
    return {wave, sr: sound.sampleRate}
  } catch { throw new Error(`${name} is not a sound that this browser can read: try WAV, FLAC, MP3 or Ogg.`) }
}

/** The microphone as it is, untouched by the browser: `begin(sr)` first, then `hear(chunk)` every 10 ms, `ended()` when it is pulled out */
export async function listen({begin, hear, ended}) {
  if (!navigator.mediaDevices) throw new Error('Browsers give the microphone only to pages of this computer or over https. A sound file works without.')
  const media = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}})
  const context = new AudioContext({latencyHint: 'interactive'}), stop = () => { media.getTracks().forEach(t => t.stop()); context.close() }
  try {
    await context.audioWorklet.addModule('microphone.js')
    begin(context.sampleRate)
    const node = new AudioWorkletNode(context, 'koemorph-microphone', {numberOfOutputs: 0, processorOptions: {size: 128*Math.ceil(.01*context.sampleRate/128)}})
    node.port.onmessage = ({data}) => hear(data)
    context.createMediaStreamSource(media).connect(node)
    media.getAudioTracks()[0].onended = ended
    await context.resume()
  } catch (e) { stop(); throw e }
  return {stop, label: media.getAudioTracks()[0].label}
}

/** A wave that can be played: `position()` is what is heard now, in seconds; where there is no loudspeaker, the clock on the wall */
export function player(wave, sr) {
  const context = new AudioContext(), node = context.createBufferSource(), sound = context.createBuffer(1, wave.length, sr)
  sound.copyToChannel(wave, 0); node.buffer = sound; node.connect(context.destination)
  let start = null, stamp = 0, since = 0, furthest = 0
  const now = () => performance.now()/1000
  return {
    start() { if (start === null) { context.resume(); stamp = context.currentTime; since = now(); start = stamp + .05; node.start(start) } },
    position() {
      if (start === null) return 0
      if (context.currentTime !== stamp) { stamp = context.currentTime; since = now() }
      const silent = now() - since > .5 ? now() - since : 0
      return furthest = Math.max(furthest, Math.min(stamp + silent - start - (context.outputLatency || 0), wave.length/sr))
    },
    stop() { context.close() }
  }
}
