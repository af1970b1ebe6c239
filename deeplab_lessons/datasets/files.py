"""Files that are whole or absent: written next to their place first, then renamed; archives unpacked as safely."""

import errno
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

_FORBIDDEN = "writing there is not allowed. Change the folder's rights"
_REASONS = {
    errno.ENOSPC: "the disk is full. Make room",
    errno.EDQUOT: "your share of the disk is used up. Make room",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: "that disk is read-only. Choose another",
    errno.ENOTDIR: "a part of that path is a file, not a folder. Rename it",
    errno.EEXIST: "a file has the name of the folder that is needed. Rename it",
}


@contextmanager
def explained(path: str | Path, what: str = "write") -> Iterator[None]:
    """Explain a full disk or a forbidden folder in words within this block; `path` is what was being written.

    Raises OSError with the same `errno` as its cause; errors of other kinds pass unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REASONS:
            raise
        way_out = "or set DEEPLAB_LESSONS_DATA to a folder with room that you may write to"
        message = f"could not {what} {path}: {_REASONS[error.errno]}, {way_out}"
        raise OSError(error.errno, message) from error


def folder(path: str | Path) -> Path:
    """Make a folder, with those above it, unless it is there; OSError in words where that can't be done."""
    path = Path(path)
    with explained(path, "make the folder"):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a name to write to; only if the block ends well does the file appear at `path`, in one step.

    At `path` is the old file or the new one, never half of one. After an error or Ctrl-C the unfinished file is
    removed. Raises OSError in words for a full disk or a forbidden folder.
    """
    path = Path(path)
    part = folder(path.parent) / f".{path.name}.{os.getpid()}.part"
    try:
        with explained(path):
            yield part
            with open(part, "rb+") as file:
                os.fsync(file.fileno())  # on the disk before it gets its name
            os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def unpack(archive: str | Path, into: str | Path) -> Path:
    """Unpack a tar (also .gz, .bz2, .xz) or zip file into a folder and return the folder.

    Everything is unpacked next to its place first and moved in when nothing failed. Raises ValueError for a file that
    is no archive, that is cut off, or that holds a member pointing out of the folder (`../x`, `/x`, a link to
    elsewhere, a device); OSError in words for a full disk or a forbidden folder.
    """
    archive, into = Path(archive), folder(into)
    with explained(into, "unpack into"):
        staging = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=into))
        try:
            _extract(archive, staging)
            _move_in(staging, into)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return into


def _extract(archive: Path, staging: Path) -> None:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                for entry in file.infolist():
                    _stays_inside(archive, entry.filename)
                    if stat.S_ISLNK(entry.external_attr >> 16):
                        raise ValueError(
                            f"{archive} was not unpacked: its member {entry.filename!r} is a link"
                        )
                file.extractall(staging)
        else:
            with tarfile.open(archive) as tar:
                for name in tar.getnames():
                    _stays_inside(archive, name)
                tar.extractall(staging, filter="data")
    except tarfile.FilterError as error:
        raise ValueError(f"{archive} was not unpacked: {error}") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(
            f"{archive} cannot be unpacked ({error}): it is cut off, damaged or no archive. Fetch it again"
        ) from error


def _stays_inside(archive: Path, name: str) -> None:
    """Raise ValueError for a member's name that leads out of the folder, on any system."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or path.drive or path.root or ".." in path.parts:
            raise ValueError(
                f"{archive} was not unpacked: its member {name!r} would land outside the folder. No data set needs "
                "that: do not trust this file"
            )


def _move_in(staging: Path, into: Path) -> None:
    for source in sorted(path for path in staging.rglob("*") if path.is_symlink() or not path.is_dir()):
        target = into / source.relative_to(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
