"""The window that restores files in a worker process: list, progress, time left and results."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QProcess, QProcessEnvironment, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

import gui
from gui.control.dialogs import Dialogs
from gui.panels.view_bar import format_time
from gui.restore.jobs import FOLDER_NAME, dropped_paths, plan
from gui.widgets.basic import label
from gui.widgets.realtime_gauge import format_ratio
from realtime.errors import TopoctaveError
from realtime.files.enhance import Job

KILL_MS = 1000
"""A cancelled worker that has not ended by itself after this time is killed."""
_BAR, _SPEED, _RESULT = 1, 2, 3


class FileItem(QTreeWidgetItem):
    """A file of the list, with its state.

    Args:
        parent: The list.
        job: Source and target.
    """

    def __init__(self, parent: QTreeWidget, job: Job) -> None:
        super().__init__(parent, [job.source.name])
        self.setToolTip(0, f"{job.source}\n→ {job.target}")
        self.job = job
        self.seconds = 0.0
        """Length of the audio; 0 if it is unknown."""
        self.started = 0.0
        """Time of the start, of ``time.monotonic``; 0 before."""
        self.share = 0.0
        """Finished part, 0..1."""
        self.result = ""
        """Result or error in one line; empty while it runs."""
        self.failed = False
        self._bar = QProgressBar(textVisible=False)
        parent.setItemWidget(self, _BAR, self._bar)

    def change(self, **state: object) -> None:
        """Change and show the state."""
        vars(self).update(state)
        # A clock may stand still for 16 ms.
        elapsed_s = max(time.monotonic() - self.started, 0.001)
        self._bar.setValue(round(100 * self.share))
        if not self.result:
            self.setText(_SPEED, format_ratio(self.share * self.seconds / elapsed_s))
        self.setText(_RESULT, ("▲ " if self.failed else "") + self.result)
        self.setToolTip(_RESULT, self.result)

    @property
    def left(self) -> str:
        """Time left in words; empty if that is unknown."""
        if self.result or not self.started or not self.share:
            return ""
        left_s = (time.monotonic() - self.started) * (1 / self.share - 1)
        return f"; {self.job.source.name}: {format_time(left_s + 1)} left"


class RestoreWindow(QDialog):
    """Lists files and restores them beside the running window.

    Args:
        parent: The main window.
        dialogs: File dialogs.
        options: Returns ``model``, ``compute`` and ``threads`` of the network.
    """

    def __init__(
        self, parent: QWidget, dialogs: Dialogs, options: Callable[[], dict[str, object]]
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Restore files")
        self.resize(820, 440)
        self.setAcceptDrops(True)
        self.items: list[FileItem] = []
        self._waiting: list[FileItem] = []
        self._error = ""
        self._folder: Path | None = None
        self._dialogs = dialogs
        self._options = options
        self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONPATH", str(Path(gui.__file__).parents[1]))
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.stateChanged.connect(self._changed)
        self._kill = QTimer(self, singleShot=True, interval=KILL_MS)
        self._kill.timeout.connect(self._process.kill)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Files to restore")
        self.list.setHeaderLabels(["File", "Progress", "Speed", "Result"])
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        for section, width in enumerate((240, 150, 70)):
            self.list.setColumnWidth(section, width)
        self.summary = label("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        text = "Drop audio files or folders here, or add them. Live audio continues."
        column.addWidget(label(text, "muted"))
        column.addWidget(self.list, 1)
        column.addWidget(self.summary)
        row = QHBoxLayout()
        column.addLayout(row)
        self.add = self._button("Add files…", self._add_files, row)
        self._button("Add folder…", self._add_folder, row)
        self.choose = self._button("Output folder…", self._choose_folder, row)
        self.show_folder = self._button("Open folder", self._open_folder, row)
        row.addStretch(1)
        self.run = self._button("Restore", self._run, row)
        self.run.setObjectName("primary")
        self._update()

    def _button(self, text: str, clicked: Callable[[], None], row: QHBoxLayout) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(clicked)
        row.addWidget(button)
        return button

    @property
    def running(self) -> bool:
        """Whether files are being restored."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def add_paths(self, paths: list[Path]) -> None:
        """Append files and folders; an error is shown."""
        self._error = ""
        known = {item.job.target: item.job.source for item in self.items}
        try:
            self.items += [FileItem(self.list, job) for job in plan(paths, self._folder, known)]
        except TopoctaveError as error:
            self._error = str(error)
        self._update()

    def _add_files(self) -> None:
        self.add_paths(self._dialogs.open(self, "Restore files"))

    def _add_folder(self) -> None:
        if name := self._dialogs.folder(self, "Restore the audio files of"):
            self.add_paths([Path(name)])

    def _choose_folder(self) -> None:
        if name := self._dialogs.folder(self, "Restored files go to"):
            self._folder = Path(name)
            self._update()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.items[-1].job.target.parent)))

    def _run(self) -> None:
        if self.running:
            self.cancel()
            return
        self._waiting = [item for item in self.items if not item.result]
        jobs = [[str(item.job.source), str(item.job.target)] for item in self._waiting]
        self._error = ""
        self._process.start(sys.executable, ["-m", "gui.restore.worker"])
        self._process.write(json.dumps({**self._options(), "jobs": jobs}).encode())
        self._process.closeWriteChannel()

    def cancel(self) -> None:
        """Ask the worker to end; a file in progress is not written."""
        if self.running:
            self._error = "Cancelled."
            self._process.terminate()
            self._kill.start()

    def wait(self, deadline: float) -> None:
        """Wait for a cancelled worker until this time of ``time.monotonic``, then kill it."""
        left_ms = max(0, round(1000 * (deadline - time.monotonic())))
        if self.running and not self._process.waitForFinished(left_ms):
            self._process.kill()
            self._process.waitForFinished(100)

    def _read(self) -> None:
        """Take the messages of the worker."""
        while self._process.canReadLine():
            message = json.loads(bytes(self._process.readLine().data()))
            if "job" in message:
                item = self._waiting[message.pop("job")]
                item.change(started=item.started or time.monotonic(), **message)
            else:
                self._error = message["error"]
        self._update()

    def _changed(self) -> None:
        """The worker has started or ended."""
        if not self.running:
            self._kill.stop()
            for item in self._waiting:
                if not item.result:
                    self._error = self._error or "The worker process has failed."
                    item.change(share=0.0, started=0.0)
        self._update()

    def _update(self) -> None:
        self.run.setText("Cancel" if self.running else "Restore")
        self.run.setEnabled(self.running or not all(item.result for item in self.items))
        self.show_folder.setEnabled(any(item.result and not item.failed for item in self.items))
        self.choose.setEnabled(not self.items)
        self.summary.setText(self._error or self._summary())

    def _summary(self) -> str:
        if not self.items:
            place = self._folder or f'a folder "{FOLDER_NAME}" beside each file'
            return f"Restored files go to {place}."
        done, failed = (sum(bool(getattr(i, n)) for i in self.items) for n in ("result", "failed"))
        text = f"{done} of {len(self.items)} files done" + (f", {failed} failed" if failed else "")
        return text + "".join(item.left for item in self.items)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept audio files and folders."""
        dropped_paths(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Append dropped files and folders."""
        self.add_paths(dropped_paths(event))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cancel what runs; closing the main window closes this one too."""
        self.cancel()
        super().closeEvent(event)
