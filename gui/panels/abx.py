"""The page of the blind test: X is A or B, and the listener answers which."""

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gui.control.actions import Actions
from gui.panels.abx_test import AbxSession, p_value, verdict
from gui.widgets.basic import Section, label

_TEXT = (
    "X is either A ({a}) or B ({b}), drawn at random after every answer. Listen as often as you "
    "like, then say which one X is. At least ten answers are needed. Turn on <b>Match loudness</b> "
    "first, or B can be recognised by its loudness."
)


class AbxPage(QWidget):
    """Replaces the spectrograms, which would show the answer."""

    bypass_requested = Signal(bool)
    """Play A (True) or B (False)."""
    closed = Signal()
    """Return to the spectrograms."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.session = AbxSession()
        self._text = label("", "muted")
        self.listen = {name: self._button(name, f"Listen to {name}") for name in ("A", "X", "B")}
        self.answers = {name: self._button(f"X is {name}", f"Answer: X is {name}") for name in "AB"}
        self.score = label("", "big")
        self.chance = label("", "muted")
        self.history = label("", "muted")
        self.export = self._button("Export CSV…")
        self.again = self._button("Start over")
        self.leave = self._button("Done")
        self._playing = ""
        self._switches = 0
        self._since = time.monotonic()
        self._lay_out()
        for name, button in self.listen.items():
            button.setCheckable(True)
            button.setObjectName("big")
            button.clicked.connect(lambda _, chosen=name: self.play(chosen))
        for name, button in self.answers.items():
            button.setStyleSheet("min-height: 30px;")
            button.clicked.connect(lambda _, said_b=name == "B": self.answer(said_b=said_b))
        self.again.clicked.connect(self.start_over)
        self.leave.clicked.connect(self.closed)
        self.export.clicked.connect(actions["export"].trigger)
        self.set_names("", "")
        self._update()

    @staticmethod
    def _button(text: str, name: str = "") -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(name or text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _lay_out(self) -> None:
        section = Section("Blind test (ABX)")
        section.setFixedWidth(600)
        section.body.setSpacing(14)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(18, 14, 12, 12)
        outer.addStretch(1)
        outer.addWidget(section, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(2)
        self._text.setWordWrap(True)
        self._text.setMinimumHeight(72)
        section.body.addWidget(self._text)
        section.add_row(*self.listen.values()).setSpacing(12)
        section.add_row(*self.answers.values()).setSpacing(12)
        keys = "Keys: A, X and B to listen, Shift+A and Shift+B to answer, Esc to leave"
        for line in (self.score, self.chance, self.history, label(keys, "caption")):
            line.setAlignment(Qt.AlignmentFlag.AlignCenter)
            section.body.addWidget(line)
        section.add_row(self.export, self.again, None, self.leave)

    def set_names(self, a: str, b: str) -> None:
        """Name two networks; an empty `a` names the original and the restored sound."""
        names = (f"the network {a}", f"the network {b}") if a else ("original", "restored")
        self._text.setText(_TEXT.format(a=names[0], b=names[1]))

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
