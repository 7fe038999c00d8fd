"""Detects added and removed sound devices through QtMultimedia."""

from PySide6.QtCore import QLoggingCategory, QObject, QTimer, Signal

START_MS = 1500
"""Qt's audio libraries load this long after the start, so that they do not delay it."""
SETTLE_MS = 800
"""One plug causes several change signals; they are merged."""


class HotPlug(QObject):
    """Emits `changed` after devices were added or removed; PortAudio does not detect that.

    QtMultimedia is optional. Without it, F5 still rescans the devices.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.changed)

    def start(self) -> None:
        """Begin to watch after a while."""
        QTimer.singleShot(START_MS, self, self._watch)

    def _watch(self) -> None:
        # The module logs the libraries that it loads.
        QLoggingCategory.setFilterRules("qt.multimedia.*=false")
        try:
            from PySide6.QtMultimedia import QMediaDevices
        except ImportError:
            return
        media = QMediaDevices(self)
        media.audioInputsChanged.connect(self._settle.start)
        media.audioOutputsChanged.connect(self._settle.start)
        # Qt emits signals only after the lists were read once.
        media.audioInputs()
        media.audioOutputs()
