"""Archives: unpacked completely or not at all, and never outside their folder."""

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from deeplab_lessons.files import explained, folder


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
            for source in sorted(
                path for path in staging.rglob("*") if path.is_symlink() or not path.is_dir()
            ):
                target = into / source.relative_to(staging)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return into


def _extract(archive: Path, staging: Path) -> None:
    refused = f"{archive} was not unpacked"
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                for entry in file.infolist():
                    _check_member(refused, entry.filename)
                    if stat.S_ISLNK(entry.external_attr >> 16):
                        raise ValueError(f"{refused}: its member {entry.filename!r} is a link")
                file.extractall(staging)
        else:
            with tarfile.open(archive) as tar:
                for name in tar.getnames():
                    _check_member(refused, name)
                tar.extractall(staging, filter="data")
    except tarfile.FilterError as error:
        raise ValueError(f"{refused}: {error}") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(
            f"{archive} cannot be unpacked ({error}): it is cut off, damaged or no archive. Fetch it again"
        ) from error


def _check_member(refused: str, name: str) -> None:
    """Raise ValueError for a member's name that leads out of the folder, on any system."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or path.drive or path.root or ".." in path.parts:
            raise ValueError(
                f"{refused}: its member {name!r} would land outside the folder. No data set needs that: do not trust "
                "this file"
            )
