"""Speech in, a living face out: 52 ARKit coefficients in real time on one CPU core

Start with `koemorph.realtime.stream`: a sound file, a wave or chunks of one go in, and the face comes out while they arrive.

    from koemorph.realtime import stream
    for face in stream('voice.wav'): print(face.times, face['jawOpen'])

`koemorph.io` holds names, clock, tracks, files and the face to look at; `koemorph.features` the ears; `koemorph.model`,
`koemorph.train` and `koemorph.pretrained` the network and how it came to be. Each module is a notebook of the same name.
"""
__version__ = "0.1.0"
