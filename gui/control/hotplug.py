"""Detects added and removed sound devices through QtMultimedia."""

from PySide6.QtCore import QLoggingCategory, QObject, QTimer, Signal

SETTLE_MS = 800
"""One plug causes several change signals; they are merged."""


class HotPlug(QObject):
    """Emits `changed` after devices added or removed. PortAudio does not detect changes by itself.

    QtMultimedia is optional. Without it, F5 still rescans the devices.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settle_timer = QTimer(self)
        self._settle_timer.setSingleShot(True)
        self._settle_timer.setInterval(SETTLE_MS)
        self._settle_timer.timeout.connect(self.changed)
        self._media: QObject | None = None

    def start(self) -> bool:
        """Start to watch; False if QtMultimedia is missing."""
        # The module logs the libraries that it loads.
        QLoggingCategory.setFilterRules("qt.multimedia.*=false")
        try:
            from PySide6.QtMultimedia import QMediaDevices
        except ImportError:
            return False
        media = QMediaDevices(self)
        media.audioInputsChanged.connect(self._settle_timer.start)
        media.audioOutputsChanged.connect(self._settle_timer.start)
        # Qt emits signals only after the lists were read once.
        media.audioInputs()
        media.audioOutputs()
        self._media = media
        return True

    def stop(self) -> None:
        """Stop watching."""
        self._settle_timer.stop()
        if self._media is not None:
            self._media.blockSignals(True)
