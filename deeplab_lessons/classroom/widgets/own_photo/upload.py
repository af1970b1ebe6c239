"""`Upload`: a file from the reader's disk, whatever its size, on its way from a widget's view to Python."""

from collections.abc import Callable

import anywidget

MEGABYTE = 2**20
#: In bytes: of one message, far below the 10 MB at which JupyterLab's server closes the connection, and of a file.
PIECE, MOST = MEGABYTE, 300 * MEGABYTE


class Upload:
    """The pieces of a file that `upload.js` sends to `widget`; `receive(content)` gets the whole file, and may raise.

    Each piece is answered by a receipt, and the browser waits for it: an ipywidgets.FileUpload would send the file as
    one message, and a large one would silently end the connection. The last receipt holds what `receive` raises.
    """

    def __init__(self, widget: anywidget.AnyWidget, receive: Callable[[bytes], object]):
        self._widget, self._receive, self._upload, self._parts = widget, receive, "", bytearray()
        widget.on_msg(self._take)

    def _take(self, _widget, content: dict, buffers: list) -> None:
        """One piece, {upload, name, start, size}: keep it, and say how many bytes have come, or what is wrong."""
        if content["start"] == 0:
            self._upload, self._parts = content["upload"], bytearray()
        if content["upload"] != self._upload or content["start"] != len(self._parts):
            return  # of a file that another one has replaced
        self._parts += buffers[0]
        receipt = {"upload": self._upload, "received": len(self._parts), "error": ""}
        self._widget.send(receipt | {"done": False})
        if len(self._parts) < content["size"]:
            return
        try:
            self._receive(bytes(self._parts))
        except Exception as error:
            receipt["error"] = str(error) or type(error).__name__
        self._parts = bytearray()
        self._widget.send(receipt | {"done": True})
