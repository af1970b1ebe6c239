"""Archives unpacked safely: no member may leave the folder, and a half-unpacked set is never left behind."""

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from deeplab_lessons.datasets.files import explained, folder


def unpack(archive: str | Path, into: str | Path) -> Path:
    """Unpack a tar (also .gz, .bz2, .xz) or zip file into a folder and return the folder.

    All is unpacked beside its place first and moved in when nothing failed. Raises ValueError for a file that
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
                for member in file.infolist():
                    _stays_inside(archive, member.filename)
                    if stat.S_ISLNK(member.external_attr >> 16):
                        raise ValueError(
                            f"{archive} was not unpacked: its member {member.filename!r} is a link"
                        )
                file.extractall(staging)
        else:
            with tarfile.open(archive) as file:
                for member in file.getmembers():
                    _stays_inside(archive, member.name)
                file.extractall(staging, filter="data")
    except tarfile.FilterError as fault:
        raise ValueError(f"{archive} was not unpacked: {fault}") from fault
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as fault:
        raise ValueError(
            f"{archive} can't be unpacked ({fault}): it is cut off, damaged or no archive. Fetch it again"
        ) from fault


def _stays_inside(archive: Path, name: str) -> None:
    """Raise ValueError for a member's name that leads out of the folder, on any system."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or path.drive or path.root or ".." in path.parts:
            raise ValueError(
                f"{archive} was not unpacked: its member {name!r} would land outside the folder. "
                "A data set has no need of that; do not trust this file"
            )


def _move_in(staging: Path, into: Path) -> None:
    for source in sorted(path for path in staging.rglob("*") if path.is_symlink() or not path.is_dir()):
        target = into / source.relative_to(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
