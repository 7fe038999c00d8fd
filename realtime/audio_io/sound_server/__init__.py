"""PulseAudio or PipeWire: null sinks of our own, and the virtual microphone."""
