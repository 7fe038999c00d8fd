"""Notices that sound devices came or went, through Qt's media devices."""

from PySide6.QtCore import QLoggingCategory, QObject, QTimer, Signal

SETTLE_MS = 800
"""One plug makes several changes."""


class HotPlug(QObject):
    """Tells of changes; PortAudio, which plays, does not notice them by itself.

    Qt's multimedia module is optional: without it there is no notice, and F5 still finds
    new devices.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(SETTLE_MS)
        self._quiet.timeout.connect(self.changed)
        self._media: QObject | None = None

    def start(self) -> bool:
        """Begin to watch; False where Qt cannot."""
        # Which libraries it loads is of no interest to whoever reads the terminal.
        QLoggingCategory.setFilterRules("qt.multimedia.*=false")
        try:
            from PySide6.QtMultimedia import QMediaDevices
        except ImportError:
            return False
        media = QMediaDevices(self)
        media.audioInputsChanged.connect(self._quiet.start)
        media.audioOutputsChanged.connect(self._quiet.start)
        # Asking once makes Qt watch.
        media.audioInputs()
        media.audioOutputs()
        self._media = media
        return True

    def stop(self) -> None:
        """Watch no more."""
        self._quiet.stop()
        if self._media is not None:
            self._media.blockSignals(True)
