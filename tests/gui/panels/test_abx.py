"""The blind test."""

import csv

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

from tests.helpers.gui.window import Answers, Opened, qt_marks

pytestmark = qt_marks

SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_blind_test_plays_hides_counts_and_exports(qtbot, tmp_path) -> None:
    table = tmp_path / "answers.csv"
    opened = Opened(qtbot, tmp_path, answers=Answers(table=str(table)))
    engine = opened.running()
    opened.press(Qt.Key.Key_X)
    panels, abx = opened.panels, opened.panels.abx
    assert panels.blind
    assert not panels.spectrograms.isVisible()
    assert not panels.listening.ab.isEnabled()
    for _ in range(6):
        assert engine.parameters.bypass is not abx.session.x_is_b
        opened.press(Qt.Key.Key_A)
        assert engine.parameters.bypass
        opened.press(Qt.Key.Key_B)
        assert not engine.parameters.bypass
        opened.press(Qt.Key.Key_X)
        assert engine.parameters.bypass is not abx.session.x_is_b
        right = Qt.Key.Key_B if abx.session.x_is_b else Qt.Key.Key_A
        opened.press(right, SHIFT)
    assert abx.score.text() == "6 / 6"
    assert "p = 0.0156" in abx.chance.text()
    opened.click(abx.export)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[0]["input"] == "Bundled clip"
    opened.panels.banner.dismiss()
    opened.panels.banner.dismiss()
    opened.press(Qt.Key.Key_Escape)
    assert not panels.blind
    assert panels.listening.ab.isEnabled()
    assert not engine.parameters.bypass


def test_blind_test_hides_the_answer(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    opened.press(Qt.Key.Key_X)
    abx = opened.panels.abx
    said = {}
    for _ in range(200):
        opened.press(Qt.Key.Key_X)
        visible = [w for w in opened.window.findChildren(QWidget) if w.isVisibleTo(opened.window)]
        texts = {w.accessibleName() for w in visible}
        texts |= {w.text() for w in visible if isinstance(w, QAbstractButton)}
        said.setdefault(abx.session.x_is_b, frozenset(texts))
        if len(said) == 2:
            break
        abx.session.draw()
        abx._playing = ""
    hidden = [{t for t in texts if "ratio" not in t and "Load" not in t and "level" not in t}
              for texts in said.values()]  # fmt: skip
    assert len(hidden) == 2
    assert hidden[0] == hidden[1]
    image = opened.panels.listening.grab().toImage()
    abx.play("A")
    assert opened.panels.listening.grab().toImage() == image
