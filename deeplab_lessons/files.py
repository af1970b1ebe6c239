"""Files that are whole or absent."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield the name of a file beside `path`, this writer's own, which becomes `path` if the block ends well.

    At `path` is the old file or the new one, never half of one: the new one is forced to the disk and renamed in one
    step. After an error or Ctrl-C the unfinished file is removed.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # on the disk before it gets its name
        os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
