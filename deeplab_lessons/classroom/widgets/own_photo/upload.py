"""`Upload`: a button that sends a file from the reader's disk to Python, whatever its size."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

from deeplab_lessons.classroom.widgets.own_photo.words import UPLOAD
from deeplab_lessons.classroom.widgets.shared.page import joined

MEGABYTE = 2**20
#: In bytes: of one message, far below the 10 MB at which JupyterLab's server closes the connection, and of a file.
PIECE, MOST = MEGABYTE, 300 * MEGABYTE


class Upload(anywidget.AnyWidget):
    """A button for a picture's file; `receive(name, content)` is called when all of it is there, and may raise.

    The browser sends pieces and waits for each one's receipt: an ipywidgets.FileUpload would send the file as one
    message, and a large one would end the connection without a word. What `receive` raises is said next to the button.
    """

    _esm = joined(Path(__file__).with_name("upload.js"))

    _words = traitlets.Dict(UPLOAD).tag(sync=True)
    _limits = traitlets.Dict({"piece": PIECE, "most": MOST}).tag(sync=True)

    def __init__(self, receive: Callable[[str, bytes], None]):
        super().__init__()
        self._receive, self._upload, self._parts = receive, "", bytearray()
        self.on_msg(self._take)

    def _take(self, _widget, content: dict, buffers: list) -> None:
        """One piece, {upload, name, start, size}: keep it, and say how many bytes have come, or what is wrong."""
        if content["start"] == 0:
            self._upload, self._parts = content["upload"], bytearray()
        if content["upload"] != self._upload or content["start"] != len(self._parts):
            return  # of a file that another one has replaced
        self._parts += buffers[0]
        receipt = {"upload": self._upload, "received": len(self._parts), "error": ""}
        self.send(receipt | {"done": False})
        if len(self._parts) < content["size"]:
            return
        try:
            self._receive(content["name"], bytes(self._parts))
        except Exception as error:
            receipt["error"] = str(error) or type(error).__name__
        self._parts = bytearray()
        self.send(receipt | {"done": True})
