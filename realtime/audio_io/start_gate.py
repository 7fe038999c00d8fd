"""Lets audio through once both devices run."""


class StartGate:
    """Makes input and output begin together; both queues hold it.

    A loudspeaker may take seconds to start. What a microphone records in that time would all be
    latency, so it is discarded until the output's first callback. The output in turn plays
    silence until the input's first samples have arrived, so that the latency is the same in every
    run.

    Each flag is stored by one thread, once; the other thread only reads it.

    Args:
        output_runs: True where the input need not wait for the output.
    """

    def __init__(self, *, output_runs: bool = False) -> None:
        self.output_runs = output_runs
        self.input_runs = False
