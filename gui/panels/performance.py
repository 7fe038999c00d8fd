"""The performance panel: real-time ratio, load, latency and faults."""

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout

from gui.control.actions import Actions
from gui.widgets.basic import Section, label
from gui.widgets.realtime_gauge import RealtimeGauge
from gui.widgets.text import DASH
from gui.widgets.theme import Theme
from realtime.dsp.latency import Latency
from realtime.engine.snapshot import Faults, Snapshot, State
from realtime.sample_rates import SAMPLE_RATE_OUT

LATENCY_PARTS = (
    ("device_in", "Input device"),
    ("block", "Block"),
    ("front_end", "Upsampling filter"),
    ("model", "Network looks ahead"),
    ("crossfade", "Crossfade"),
    ("safety", "Prefill"),
    ("device_out", "Output device"),
)


class Performance(Section):
    """Shows the performance figures of snapshots."""

    def __init__(self, theme: Theme, actions: Actions) -> None:
        super().__init__("Performance")
        self.theme = theme
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
        self.parts.setTextFormat(Qt.TextFormat.RichText)
        self.parts.setVisible(False)
        self.device_faults = label("0", "count")
        self.ring_faults = label("0", "count")
        self.dropped = label("0", "count")
        self.reset = QToolButton()
        self.reset.setObjectName("link")
        self.reset.setText("Reset")
        self.reset.setToolTip(actions["reset"].toolTip())
        self._latency: Latency | None = None
        self._lay_out()
        self.latency.toggled.connect(self._show_parts)
        self.reset.clicked.connect(actions["reset"].trigger)
        self.show_idle()

    def _lay_out(self) -> None:
        self.head.addWidget(self.compute)
        self.body.addWidget(self.ratio)
        row = QHBoxLayout()
        row.addWidget(label("Load", "muted"))
        row.addWidget(self.load_number)
        row.addStretch(1)
        row.addWidget(label("Latency", "muted"))
        row.addWidget(self.latency)
        self.body.addLayout(row)
        self.body.addWidget(self.parts)
        tiles = QHBoxLayout()
        tiles.setSpacing(8)
        for name, value, tip in (
            ("Device xruns", self.device_faults,
             "The sound device lost input or ran out of output: choose a larger block"),
            ("Ring faults", self.ring_faults,
             "The engine was late: choose a larger block or a smaller model"),
            ("Dropped", self.dropped, "Input samples at 22.05 kHz that were dropped to catch up"),
        ):  # fmt: skip
            tile = QVBoxLayout()
            tile.setSpacing(0)
            tile.addWidget(value)
            tile.addWidget(label(name, "caption"))
            value.setToolTip(tip)
            tiles.addLayout(tile, 1)
        self.body.addLayout(tiles)
        row = QHBoxLayout()
        row.addWidget(self.reason, 1)
        row.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(row)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.theme = theme
        self.ratio.set_theme(theme)
        for count in (self.device_faults, self.ring_faults, self.dropped):
            count.setStyleSheet("")

    def show_idle(self) -> None:
        """Clear ratio and load; latency and counters keep their last values."""
        self.ratio.show_ratio(0.0, 0.0)
        self.load_number.setText(DASH)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        recent = snapshot.recent
        running = snapshot.state is State.RUNNING and recent.blocks > 0
        if running:
            self.ratio.show_ratio(recent.ratio_median, recent.ratio_min)
            self.ratio.add(snapshot.seconds, recent.ratio_median, snapshot.faults)
            load = 100 / recent.ratio_median if recent.ratio_median > 0 else 0.0
            _set(self.load_number, f"{load:.0f} %")
        threads = f"{snapshot.threads} thread" + ("s" if snapshot.threads != 1 else "")
        on_cpu = snapshot.compute == "cpu"
        where = f"CPU, {threads}" if on_cpu else snapshot.compute
        # Some names of graphics cards are wider than the panel.
        _set(self.compute, where if len(where) <= 24 else f"{where[:23]}…")
        self.compute.setToolTip(where)
        _set(self.reason, f"Model {snapshot.model_reason}" if snapshot.model_reason else "")
        self._show_latency(snapshot.latency)
        self._show_faults(snapshot.faults)

    def _show_latency(self, latency: Latency) -> None:
        if latency == self._latency:
            return
        self._latency = latency
        total = _ms(latency.total)
        self.latency.setText(f"{total:.0f} ms  {'▴' if self.latency.isChecked() else '▾'}")
        self.latency.setAccessibleName(f"Latency {total:.0f} milliseconds, show its parts")
        rows = [
            f"<tr><td>{html.escape(name)}</td>"
            f"<td align='right'>&nbsp;&nbsp;{getattr(latency, part)}</td>"
            f"<td align='right'>&nbsp;&nbsp;{_ms(getattr(latency, part)):.1f} ms</td></tr>"
            for part, name in LATENCY_PARTS
        ]
        rows.append(
            f"<tr><td><b>Engine alone</b></td><td align='right'>{latency.engine}</td>"
            f"<td align='right'><b>{_ms(latency.engine):.1f} ms</b></td></tr>"
        )
        self.parts.setText(
            "<table width='100%' cellspacing='1'>"
            "<tr><td></td><td align='right'>samples</td><td></td></tr>"
            + "".join(rows) + "</table>"
        )  # fmt: skip

    def _show_parts(self, shown: bool) -> None:
        self.parts.setVisible(shown)
        latency, self._latency = self._latency, None
        if latency is not None:
            self._show_latency(latency)

    def _show_faults(self, faults: Faults) -> None:
        device = faults.input_overflow + faults.output_underflow
        ring = faults.ring_overrun + faults.ring_underrun
        for place, count in (
            (self.device_faults, device), (self.ring_faults, ring),
            (self.dropped, faults.dropped_samples),
        ):  # fmt: skip
            text = _short(count)
            # A sign in addition to the colour, for users who cannot see the colour.
            sheet = f"color: {self.theme.bad}" if count else ""
            _set(place, f"▲ {text}" if count else text)
            if place.styleSheet() != sheet:
                place.setStyleSheet(sheet)
        self.device_faults.setAccessibleName(f"Device xruns {device}")
        self.ring_faults.setAccessibleName(f"Ring faults {ring}")


def _short(count: int) -> str:
    """A count in at most five characters."""
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.0f} k" if count < 1_000_000 else f"{count / 1e6:.0f} M"


def _set(place: QLabel, text: str) -> None:
    """Set a text if it differs, because setting it triggers a new layout."""
    if place.text() != text:
        place.setText(text)


def _ms(samples: int) -> float:
    return 1000 * samples / SAMPLE_RATE_OUT
