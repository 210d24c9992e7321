// Runs on the browser's audio thread: the microphone's blocks of 128 samples, all channels as one, gathered into chunks
registerProcessor('koemorph-microphone', class extends AudioWorkletProcessor {
  constructor({processorOptions: {size}}) { super(); this.size = size; this.chunk = new Float32Array(size); this.n = 0 }
  process([channels]) {
    for (let i = 0; i < (channels[0]?.length || 0); i++) {
      let sum = 0
      for (const channel of channels) sum += channel[i]
      this.chunk[this.n++] = sum/channels.length
      if (this.n < this.size) continue
      this.port.postMessage(this.chunk, [this.chunk.buffer])
      this.chunk = new Float32Array(this.size); this.n = 0
    }
    return true
  }
})
