"""The performance panel: real-time ratio, load, latency and faults."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout

from gui.control.actions import Actions
from gui.widgets.basic import Section, action_button, label, set_tone
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
        super().__init__("Performance")
        self.compute = label("", "muted")
        self.reason = label("", "caption")
        self.reason.setWordWrap(True)
        self.reason.setToolTip("Why this model runs")
        self.ratio = RealtimeGauge(theme)
        self.load_number = label(DASH)
        self.latency = QToolButton()
        self.latency.setObjectName("link")
        self.latency.setText(DASH)
        self.latency.setCheckable(True)
        self.latency.setToolTip("Show the parts of the latency")
        self.parts = label("")
        self.parts.setVisible(False)
        self._latency: Latency | None = None
        self.head.addWidget(self.compute)
        self.body.addWidget(self.ratio)
        load, delay = label("Load", "muted"), label("Latency", "muted")
        self.add_row(load, self.load_number, None, delay, self.latency)
        self.body.addWidget(self.parts)
        tiles = self.add_row()
        self.counts = {name: self._add_count(tiles, name) for name in FAULTS}
        row = self.add_row()
        row.addWidget(self.reason, 1)
        reset = action_button(actions["reset"], style="link", text="Reset")
        row.addWidget(reset, 0, Qt.AlignmentFlag.AlignTop)
        self.latency.toggled.connect(self._show_latency)
        self.show_idle()

    @staticmethod
    def _add_count(tiles: QHBoxLayout, name: str) -> QLabel:
        count = label("0", "count")
        count.setToolTip(FAULTS[name])
        tile = QVBoxLayout()
        tile.setSpacing(0)
        tile.addWidget(count)
        tile.addWidget(label(name, "caption"))
        tiles.addLayout(tile, 1)
        return count

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.ratio.set_theme(theme)

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
        ring = faults.ring_overrun + faults.ring_underrun
        for (name, shown), count in zip(
            self.counts.items(), (device, ring, faults.dropped_samples), strict=True
        ):
            # A sign in addition to the colour, for users who cannot see the colour.
            shown.setText(f"▲ {_short(count)}" if count else "0")
            shown.setAccessibleName(f"{name} {count}")
            set_tone(shown, "bad" if count else "")

    def _show_latency(self) -> None:
        """Show the latency, and its parts if the button is pressed."""
        opened, latency = self.latency.isChecked(), self._latency
        self.parts.setVisible(opened)
        if latency is not None:
            total_ms = _ms(latency.total)
            self.latency.setText(f"{total_ms:.0f} ms  {'▴' if opened else '▾'}")
            self.latency.setAccessibleName(
                f"Latency {total_ms:.0f} milliseconds, {'hide' if opened else 'show'} its parts"
            )
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
