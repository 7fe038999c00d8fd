"""The window's keys: each does one thing, unless the focused widget has a use of its own for it."""

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from gui.control.actions import ACTIONS
from gui.control.commands import HOLD_S
from tests.helpers.gui.window import Opened, qt_marks

pytestmark = qt_marks

Key = Qt.Key
HELD_MS = int(HOLD_S * 1000) + 60


def focus(opened: Opened, widget: QWidget) -> QWidget:
    """Give a widget the focus, as the tab key does."""
    widget.setFocus()
    opened.wait(widget.hasFocus)
    return widget


def test_b_toggles_when_tapped(opened) -> None:
    for bypass in (True, False):
        opened.press(Key.Key_B)
        assert opened.running().parameters.bypass is bypass


@pytest.mark.parametrize("on_a_button", [False, True])
def test_b_compares_when_held(opened, on_a_button) -> None:
    engine = opened.running()
    widget = focus(opened, opened.panels.listening.match) if on_a_button else opened.window
    opened.qtbot.keyPress(widget, Key.Key_B)
    assert engine.parameters.bypass
    assert opened.panels.listening.ab.bypass
    opened.qtbot.wait(HELD_MS)
    # The keyboard repeats a held key as releases and presses, which do not end the hold.
    again = QKeyEvent(QEvent.Type.KeyRelease, Key.Key_B, Qt.KeyboardModifier.NoModifier, "b", True)
    QApplication.sendEvent(widget, again)
    assert engine.parameters.bypass
    opened.qtbot.keyRelease(widget, Key.Key_B)
    assert not engine.parameters.bypass
    # A release without a press before, as after a key that a list took, does nothing.
    opened.qtbot.keyRelease(widget, Key.Key_B)
    assert not engine.parameters.bypass


def test_every_key_does_something_without_harm(opened, tmp_path) -> None:
    opened.answers.picture = str(tmp_path / "picture.png")
    for spec in ACTIONS:
        if spec.keys and spec.name not in {"quit", "menu", "help"}:
            action = opened.window.window_actions[spec.name]
            with opened.qtbot.waitSignal(action.triggered, timeout=1000):
                combination = action.shortcut()[0]
                opened.press(combination.key(), combination.keyboardModifiers())
            opened.ticks(2)
    opened.wait(lambda: not opened.window.session.engine_thread.busy)


def test_no_event_filter_watches_the_whole_application(qtbot, tmp_path, monkeypatch) -> None:
    watched = []
    monkeypatch.setattr(QObject, "installEventFilter", lambda self, _: watched.append(self))
    probe = QObject()
    probe.installEventFilter(probe)
    assert watched == [probe]
    Opened(qtbot, tmp_path).running()
    assert QApplication.instance() not in watched


def test_arrows_belong_to_a_focused_slider_and_else_to_the_mix(opened) -> None:
    listening = opened.panels.listening
    engine = opened.running()
    before = engine.parameters.mix
    opened.qtbot.keyClick(focus(opened, listening.match), Key.Key_Up)
    assert engine.parameters.mix > before
    assert listening.match.hasFocus()
    mix = engine.parameters.mix
    slider = focus(opened, listening.input_gain.slider)
    value = slider.value()
    opened.qtbot.keyClick(slider, Key.Key_Up)
    assert slider.value() > value
    assert engine.parameters.mix == mix


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_focused_list_takes_letters_and_space_but_not_function_keys(waiting, qtbot, desk) -> None:
    box = focus(waiting, waiting.transport.model)
    qtbot.keyClick(box, Key.Key_M)
    assert not waiting.panels.listening.match.isChecked()
    qtbot.keyClick(box, Key.Key_Space)
    assert box.view().isVisible()
    box.hidePopup()
    assert not desk.opening
    scans = len(desk.scans)
    qtbot.keyClick(box, Key.Key_F5)
    waiting.wait(lambda: len(desk.scans) > scans)


def test_switch_that_has_the_focus_takes_arrows_and_space(opened) -> None:
    switch = focus(opened, opened.panels.listening.ab)
    mix = opened.running().parameters.mix
    opened.qtbot.keyClick(switch, Key.Key_Left)
    assert switch.bypass
    opened.qtbot.keyClick(switch, Key.Key_Space)
    assert not switch.bypass
    assert opened.window.session.active
    assert opened.running().parameters.mix == mix


def test_space_belongs_to_a_button_only_while_it_has_the_focus(opened) -> None:
    button = focus(opened, opened.panels.view_bar.freeze)
    opened.press(Key.Key_Space)
    assert button.isChecked()
    assert opened.window.session.active
    button.clearFocus()
    opened.press(Key.Key_Space)
    opened.stopped()
    assert button.isChecked()


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_keys_do_nothing_while_a_menu_is_open(opened) -> None:
    menu = opened.transport.menu.menu()
    menu.popup(opened.window.mapToGlobal(opened.window.rect().center()))
    opened.wait(menu.isVisible)
    opened.press(Key.Key_M)
    menu.close()
    assert not opened.panels.listening.match.isChecked()
    opened.press(Key.Key_M)
    assert opened.panels.listening.match.isChecked()
