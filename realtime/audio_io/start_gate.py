"""Lets audio through once both devices run."""

from dataclasses import dataclass


@dataclass
class StartGate:
    """Makes input and output begin together; both queues hold it.

    A loudspeaker may take seconds to start. What a microphone records in that time would all be
    latency, so it is discarded until the output's first callback. The output in turn plays
    silence until the input's first samples have arrived, so that the latency is the same in every
    run.

    Each flag is stored by one thread, once; the other thread only reads it.
    """

    output_runs: bool = False
    """True from the start on where the input need not wait for the output."""
    input_runs: bool = False
