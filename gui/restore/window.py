"""The window that restores files: list, progress, time left and results."""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.control.dialogs import Dialogs
from gui.panels.view_bar import format_time
from gui.restore.restorer import FOLDER_NAME, Progress, Restorer, is_restorable
from gui.widgets.basic import label
from gui.widgets.realtime_gauge import format_ratio

UPDATE_MS = 250
_COLUMNS = ("File", "Progress", "Speed", "Result")


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Audio files and folders in a drop."""
    urls = event.mimeData().urls()
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return [path for path in paths if is_restorable(path)]


class RestoreWindow(QDialog):
    """Lists files and restores them beside the running window.

    Args:
        parent: The main window.
        dialogs: File dialogs.
        start: Called with the restorer to start it with the chosen model and compute.
    """

    def __init__(
        self, parent: QWidget, dialogs: Dialogs, start: Callable[[Restorer], None]
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Restore files")
        self.resize(820, 440)
        self.setAcceptDrops(True)
        self.restorer = Restorer(self)
        self.folder: Path | None = None
        """Where restored files go; None for a folder beside each original."""
        self._dialogs = dialogs
        self._start = start
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.setAccessibleName("Files to restore")
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setShowGrid(False)
        header = self.table.horizontalHeader()
        for column, width in enumerate((240, 150, 70)):
            self.table.setColumnWidth(column, width)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.add = QPushButton("Add files…")
        self.add_folder = QPushButton("Add folder…")
        self.choose = QPushButton("Output folder…")
        self.show_folder = QPushButton("Open folder")
        self.run = QPushButton("Restore")
        self.run.setObjectName("primary")
        self.summary = label("", "muted")
        self._timer = QTimer(self)
        self._timer.setInterval(UPDATE_MS)
        self._timer.timeout.connect(self._update)
        self._lay_out()
        self.add.clicked.connect(lambda: self.add_paths(dialogs.open_sounds(self)))
        self.add_folder.clicked.connect(self._add_folder)
        self.choose.clicked.connect(self._choose_folder)
        self.show_folder.clicked.connect(self._open_folder)
        self.run.clicked.connect(self._run)
        self.restorer.changed.connect(self._update)
        self.restorer.ended.connect(self._ended)
        self._update()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(
            label("Drop audio files or folders here, or add them. Live audio continues.", "muted")
        )
        column.addWidget(self.table, 1)
        column.addWidget(self.summary)
        row = QHBoxLayout()
        for button in (self.add, self.add_folder, self.choose, self.show_folder):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.run)
        column.addLayout(row)

    def add_paths(self, paths: list[Path]) -> None:
        """Append files and folders to the list."""
        if error := self.restorer.add(paths, self.folder):
            self.summary.setText(error)

    def _add_folder(self) -> None:
        if name := self._dialogs.folder(self, "", "Restore the audio files of"):
            self.add_paths([Path(name)])

    def _choose_folder(self) -> None:
        if name := self._dialogs.folder(self, "", "Restored files go to"):
            self.folder = Path(name)
            self._update()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.restorer.files[-1].job.target.parent)))

    def _run(self) -> None:
        if self.restorer.running:
            self.restorer.cancel()
        else:
            self._start(self.restorer)
            if self.restorer.running:
                self._timer.start()

    def _ended(self) -> None:
        self._timer.stop()
        self._update()

    def _update(self) -> None:
        files, now = self.restorer.files, time.monotonic()
        for row, progress in enumerate(files):
            self._update_row(row, progress, now)
        running = self.restorer.running
        self.run.setText("Cancel" if running else "Restore")
        self.run.setEnabled(running or any(not progress.done for progress in files))
        self.show_folder.setEnabled(
            any(progress.done and not progress.failed for progress in files)
        )
        self.choose.setEnabled(not files)
        self.summary.setText(self.restorer.error or self._summary(now))

    def _update_row(self, row: int, progress: Progress, now: float) -> None:
        if row == self.table.rowCount():
            self.table.insertRow(row)
            name = QTableWidgetItem(progress.job.source.name)
            name.setToolTip(f"{progress.job.source}\n→ {progress.job.target}")
            self.table.setItem(row, 0, name)
            bar = QProgressBar()
            bar.setTextVisible(False)
            self.table.setCellWidget(row, 1, bar)
            for column in (2, 3):
                self.table.setItem(row, column, QTableWidgetItem())
        shown = self.table.cellWidget(row, 1)
        if isinstance(shown, QProgressBar):
            shown.setValue(round(100 * progress.share))
        if not progress.done:
            self._set_text(row, 2, format_ratio(progress.ratio(now)))
        self._set_text(row, 3, ("▲ " if progress.failed else "") + progress.text)

    def _set_text(self, row: int, column: int, text: str) -> None:
        item = self.table.item(row, column)
        if item is not None:
            item.setText(text)
            item.setToolTip(text)

    def _summary(self, now: float) -> str:
        files = self.restorer.files
        if not files:
            place = (
                str(self.folder) if self.folder else f'a folder "{FOLDER_NAME}" beside each file'
            )
            return f"Restored files go to {place}."
        done = sum(progress.done for progress in files)
        failed = sum(progress.failed for progress in files)
        text = f"{done} of {len(files)} files done" + (f", {failed} failed" if failed else "")
        active = next((p for p in files if p.started and not p.done), None)
        if active is not None and active.share > 0:
            left = (now - active.started) / active.share * (1 - active.share)
            text += f"; {active.job.source.name}: {format_time(left + 1)} left"
        return text

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept audio files and folders."""
        if dropped_paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Append dropped files and folders."""
        event.acceptProposedAction()
        self.add_paths(dropped_paths(event))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cancel what runs; closing the main window closes this one too."""
        self._timer.stop()
        self.restorer.close()
        super().closeEvent(event)
