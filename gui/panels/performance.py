"""The performance panel: real-time ratio, load, latency and faults."""

from PySide6.QtWidgets import QToolButton, QVBoxLayout

from gui.control.actions import Actions
from gui.widgets.basic import Section, action_button, create, fill, label, set_tone
from gui.widgets.realtime_gauge import RealtimeGauge
from gui.widgets.text import DASH
from gui.widgets.theme import Theme
from realtime.dsp.latency import Latency
from realtime.engine.snapshot import Snapshot, State
from realtime.sample_rates import SAMPLE_RATE_OUT

LATENCY_PARTS = {
    "device_in": "Input device",
    "block": "Block",
    "front_end": "Upsampling filter",
    "model": "Network looks ahead",
    "crossfade": "Crossfade",
    "safety": "Prefill",
    "device_out": "Output device",
    "engine": "<b>Engine alone</b>",
}
FAULTS = {
    "Device xruns": "The sound device lost input or ran out of output: choose a larger block",
    "Ring faults": "The engine was late: choose a larger block or a smaller model",
    "Dropped": "Input samples at 22.05 kHz that were dropped to catch up",
}
"""Names and tool tips of the counters."""


class Performance(Section):
    """Shows the performance figures of snapshots."""

    def __init__(self, theme: Theme, actions: Actions) -> None:
        compute = label("", "muted")
        super().__init__("Performance", compute)
        self.compute = compute
        self.reason = label("", "caption", wordWrap=True, toolTip="Why this model runs")
        self.ratio = RealtimeGauge(theme)
        self.load_number = label(DASH)
        self.latency = create(QToolButton, objectName="link", text=DASH, checkable=True)
        self.latency.setToolTip("Show the parts of the latency")
        self.parts = label("", visible=False)
        self.counts = {
            name: label("0", "count", toolTip=tip, minimumWidth=84) for name, tip in FAULTS.items()
        }
        self._latency: Latency | None = None
        self.body.addWidget(self.ratio)
        load, delay = label("Load", "muted"), label("Latency", "muted")
        self.add_row(load, self.load_number, None, delay, self.latency)
        self.body.addWidget(self.parts)
        names = self.counts.items()
        self.add_row(*(fill(QVBoxLayout(), count, label(name, "caption")) for name, count in names))
        reset = action_button(actions["reset"], style="link", text="Reset")
        self.add_row(self.reason, reset).setStretch(0, 1)
        self.latency.toggled.connect(self._show_latency)
        self.show_idle()

    def show_idle(self) -> None:
        """Clear ratio and load; latency and counters keep their last values."""
        self.ratio.show_ratio(0.0, 0.0)
        self.load_number.setText(DASH)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        recent = snapshot.recent
        if snapshot.state is State.RUNNING and recent.blocks > 0:
            self.ratio.show_ratio(recent.ratio_median, recent.ratio_min)
            self.ratio.add(snapshot.seconds, recent.ratio_median, snapshot.faults)
            load = 100 / recent.ratio_median if recent.ratio_median > 0 else 0.0
            self.load_number.setText(f"{load:.0f} %")
        threads = f"{snapshot.threads} thread" + ("s" if snapshot.threads != 1 else "")
        where = f"CPU, {threads}" if snapshot.compute == "cpu" else snapshot.compute
        # Some names of graphics cards are wider than the panel.
        self.compute.setText(where if len(where) <= 24 else f"{where[:23]}…")
        self.compute.setToolTip(where)
        self.reason.setText(f"Model {snapshot.model_reason}" if snapshot.model_reason else "")
        if snapshot.latency != self._latency:
            self._latency = snapshot.latency
            self._show_latency()
        faults = snapshot.faults
        device = faults.input_overflow + faults.output_underflow
        counts = device, faults.total - device, faults.dropped_samples
        for (name, shown), count in zip(self.counts.items(), counts, strict=True):
            # A sign in addition to the colour, for users who cannot see the colour.
            shown.setText(f"▲ {_short(count)}" if count else "0")
            shown.setAccessibleName(f"{name} {count}")
            set_tone(shown, "bad" if count else "")

    def _show_latency(self) -> None:
        """Show the latency, and its parts if the button is pressed."""
        opened, latency = self.latency.isChecked(), self._latency
        self.parts.setVisible(opened)
        if latency is not None:
            total, sign, verb = _ms(latency.total), *(("▴", "hide") if opened else ("▾", "show"))
            self.latency.setText(f"{total:.0f} ms  {sign}")
            self.latency.setAccessibleName(f"Latency {total:.0f} milliseconds, {verb} its parts")
            rows = [
                f"<tr><td>{name}</td><td align='right'>{samples}</td>"
                f"<td align='right'>&nbsp;&nbsp;{_ms(samples):.1f} ms</td></tr>"
                for part, name in LATENCY_PARTS.items() for samples in (getattr(latency, part),)
            ]  # fmt: skip
            head = "<tr><td></td><td align='right'>samples</td><td></td></tr>"
            self.parts.setText(f"<table width='100%' cellspacing='1'>{head}{''.join(rows)}</table>")


def _short(count: int) -> str:
    """A count in at most five characters."""
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.0f} k" if count < 1_000_000 else f"{count / 1e6:.0f} M"


def _ms(samples: int) -> float:
    return 1000 * samples / SAMPLE_RATE_OUT
