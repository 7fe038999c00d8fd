"""The page of the blind test: X is A or B, and the listener answers which."""

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui.control.actions import Actions
from gui.panels.abx_test import AbxSession, p_value, verdict
from gui.widgets.basic import Section, create, fill, label

_TEXT = (
    "X is either A ({}) or B ({}), drawn at random after every answer. Listen as often as you "
    "like, then say which one X is. At least ten answers are needed. Turn on <b>Match loudness</b> "
    "first, or B can be recognised by its loudness."
)
_KEYS = "Keys: A, X and B to listen, Shift+A and Shift+B to answer, Esc to leave"


class AbxPage(QWidget):
    """Replaces the spectrograms, which would show the answer."""

    bypass_requested = Signal(bool)
    """Play A (True) or B (False)."""
    closed = Signal()
    """Return to the spectrograms."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.session = AbxSession()
        self._playing = ""
        self._switches = 0
        self._since = 0.0
        section = Section("Blind test (ABX)", label(_KEYS, "caption"))
        section.setFixedWidth(600)
        section.body.setSpacing(14)
        centred = fill(QHBoxLayout(), None, section, None)
        fill(QVBoxLayout(self), None, centred, None, None, margins=(18, 14, 12, 12))
        self._text = label("", "muted", wordWrap=True, minimumHeight=72)
        self.listen = {name: QPushButton(name) for name in "AXB"}
        for name, button in self.listen.items():
            button.setCheckable(True)
            button.setObjectName("big")
            button.setAccessibleName(f"Listen to {name}")
            button.clicked.connect(lambda _, name=name: self.play(name))
        answers = []
        for text, said_b in (("X is A", False), ("X is B", True)):
            answer = create(QPushButton, text=text, objectName="answer")
            answer.setAccessibleName(f"Answer: {text}")
            answer.clicked.connect(lambda _, said_b=said_b: self.answer(said_b=said_b))
            answers.append(answer)
        self.score, self.chance, self.history = (
            label("", role) for role in ("big", "muted", "muted")
        )
        self.export, self.again = QPushButton("Export CSV…"), QPushButton("Start over")
        leave = QPushButton("Done")
        section.body.addWidget(self._text)
        section.add_row(*self.listen.values(), spacing=12)
        section.add_row(*answers, spacing=12)
        for line in (self.score, self.chance, self.history):
            section.body.addWidget(line, 0, Qt.AlignmentFlag.AlignHCenter)
        section.add_row(self.export, self.again, None, leave)
        self.export.clicked.connect(actions["export"].trigger)
        self.again.clicked.connect(self.start_over)
        leave.clicked.connect(self.closed)
        self.set_names("", "")
        self._update()

    def set_names(self, a: str, b: str) -> None:
        """Name two networks; an empty `a` names the original and the restored sound."""
        names = (f"the network {a}", f"the network {b}") if a else ("original", "restored")
        self._text.setText(_TEXT.format(*names))

    def play(self, name: str) -> None:
        """Listen to A, B or X."""
        self._switches += name != self._playing
        self._playing = name
        for other, button in self.listen.items():
            button.setChecked(other == name)
        plays_b = self.session.x_is_b if name == "X" else name == "B"
        self.bypass_requested.emit(not plays_b)

    def answer(self, *, said_b: bool) -> None:
        """Record an answer and continue with the next X."""
        seconds = time.monotonic() - self._since
        self.session.answer(said_b=said_b, seconds=seconds, switches=self._switches)
        self._listen()

    def enter(self) -> None:
        """Start or continue with a newly drawn X."""
        self.session.draw()
        self._listen()

    def start_over(self) -> None:
        """Delete all answers."""
        self.session = AbxSession()
        self._listen()

    def _listen(self) -> None:
        """Show the score and play X."""
        self._switches, self._since, self._playing = 0, time.monotonic(), ""
        self._update()
        self.play("X")

    def _update(self) -> None:
        right, total = self.session.right, self.session.total
        self.export.setEnabled(total > 0)
        self.again.setEnabled(total > 0)
        chance = f"p = {p_value(right, total):.4f}: {verdict(right, total)}"
        self.score.setText(f"{right} / {total}")
        self.chance.setText(chance if total else "right answers so far")
        marks = "".join("✓" if trial.right else "✗" for trial in self.session.trials[-40:])
        self.history.setText(marks or " ")
        self.history.setAccessibleName(f"{right} of {total} answers right")
