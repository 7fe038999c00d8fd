"""The page of the blind test: X is A or B, and the listener answers which."""

import time
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.control.actions import Actions
from gui.panels.abx_test import AbxSession, p_value, verdict
from gui.widgets.basic import Section, label

_CHOICES = ("A", "X", "B")


class AbxPage(QWidget):
    """Replaces the spectrograms, which would show the answer."""

    bypass_requested = Signal(bool)
    """Play A (True) or B (False)."""
    closed = Signal()
    """Return to the spectrograms."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self.session = AbxSession()
        self.listen = {name: self._big(name) for name in _CHOICES}
        self.answers = {name: QPushButton(f"X is {name}") for name in ("A", "B")}
        self.score = label("", "big")
        self.chance = label("", "muted")
        self.history = label("", "muted")
        self.export = QPushButton("Export CSV…")
        self.again = QPushButton("Start over")
        self.leave = QPushButton("Done")
        self._playing = ""
        self._switches = 0
        self._since = time.monotonic()
        self._lay_out()
        self._connect()
        self._update()

    @staticmethod
    def _big(name: str) -> QPushButton:
        button = QPushButton(name)
        button.setCheckable(True)
        button.setStyleSheet("font-size: 30px; font-weight: 700; min-height: 72px;")
        button.setAccessibleName(f"Listen to {name}")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(18, 14, 12, 12)
        outer.addStretch(1)
        section = Section("Blind test (ABX)")
        section.setFixedWidth(600)
        outer.addWidget(section, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(2)
        body = section.body
        body.setSpacing(14)
        text = label(
            "X is either A (original) or B (restored), drawn at random after every answer. Listen "
            "as often as you like, then say which one X is. At least ten answers are needed. "
            "Turn on <b>Match loudness</b> first, or B can be recognised by its loudness.",
            "muted",
        )
        text.setWordWrap(True)
        text.setMinimumHeight(72)
        body.addWidget(text)
        row = QHBoxLayout()
        row.setSpacing(12)
        for name in _CHOICES:
            row.addWidget(self.listen[name])
        body.addLayout(row)
        row = QHBoxLayout()
        row.setSpacing(12)
        for name, button in self.answers.items():
            button.setStyleSheet("min-height: 30px;")
            button.setAccessibleName(f"Answer: X is {name}")
            row.addWidget(button)
        body.addLayout(row)
        body.addWidget(_centred(self.score))
        body.addWidget(_centred(self.chance))
        body.addWidget(_centred(self.history))
        row = QHBoxLayout()
        row.addWidget(self.export)
        row.addWidget(self.again)
        row.addStretch(1)
        row.addWidget(self.leave)
        body.addLayout(row)
        keys = "Keys: A, X and B to listen, Shift+A and Shift+B to answer, Esc to leave"
        body.addWidget(_centred(label(keys, "caption")))
        for button in (*self.answers.values(), self.export, self.again, self.leave):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _connect(self) -> None:
        for name, button in self.listen.items():
            button.clicked.connect(lambda _, chosen=name: self.play(chosen))
        self.answers["A"].clicked.connect(lambda: self.answer(said_b=False))
        self.answers["B"].clicked.connect(lambda: self.answer(said_b=True))
        self.again.clicked.connect(self.start_over)
        self.leave.clicked.connect(self.closed)
        self.export.clicked.connect(self._actions["export"].trigger)

    def play(self, name: str) -> None:
        """Listen to A, B or X."""
        if name != self._playing:
            self._switches += 1
        self._playing = name
        for other, button in self.listen.items():
            button.setChecked(other == name)
        plays_b = self.session.x_is_b if name == "X" else name == "B"
        self.bypass_requested.emit(not plays_b)

    def answer(self, *, said_b: bool) -> None:
        """Record an answer and continue with the next X."""
        seconds = time.monotonic() - self._since
        self.session.answer(said_b=said_b, seconds=seconds, switches=self._switches)
        self._switches, self._since, self._playing = 0, time.monotonic(), ""
        self._update()
        self.play("X")

    def enter(self) -> None:
        """Start or continue with a newly drawn X."""
        self.session.draw()
        self._since = time.monotonic()
        self._playing = ""
        self.play("X")

    def start_over(self) -> None:
        """Delete all answers."""
        self.session = AbxSession()
        self._update()
        self.play("X")

    def write(self, path: Path, about: dict[str, str]) -> None:
        """Export the answers.

        Raises:
            OSError: if the file cannot be written.
        """
        self.session.export(path, about=about)

    def _update(self) -> None:
        right, total = self.session.right, self.session.total
        self.export.setEnabled(total > 0)
        self.again.setEnabled(total > 0)
        if not total:
            self.score.setText("0 / 0")
            self.chance.setText("right answers so far")
            self.history.setText(" ")
            return
        self.score.setText(f"{right} / {total}")
        self.chance.setText(f"p = {p_value(right, total):.4f}: {verdict(right, total)}")
        marks = "".join("✓" if trial.right else "✗" for trial in self.session.trials[-40:])
        self.history.setText(marks)
        self.history.setAccessibleName(f"{right} of {total} answers right")


def _centred(line: QLabel) -> QLabel:
    line.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return line
