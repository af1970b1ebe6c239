"""Files from the network, only when needed: with progress, checksum and resume, and never half a file."""

import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from deeplab_lessons.files import explained, folder

_BLOCK = 1 << 16
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


class DownloadError(RuntimeError):
    """A download that could not be completed; the message says what is kept and what to do."""


def fetch(
    url: str,
    path: str | Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    progress: bool = True,
    tries: int = 3,
    timeout: float = 30.0,
) -> Path:
    """Download `url` to the file `path` and return it; a file that is there and right is not fetched again.

    It grows in `<name>.part` until it is complete and its checksum right. A broken connection is tried `tries` times,
    each from where the last broke off, and the next call goes on from there, too. Raises DownloadError where the
    server cannot be reached or refuses, the file stays incomplete or has a wrong checksum (then nothing is kept), or
    neither length nor checksum is known; ValueError for an address that is not http(s); OSError in words.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"url must be a web address, http://… or https://…, got {url!r}")
    path = Path(path)
    if path.is_file():
        return _checked(path, sha256, md5, f"{path} is there, but it is")
    folder(path.parent)
    part = path.with_name(path.name + ".part")
    for attempt in range(1, tries + 1):
        try:
            with explained(part):
                _grow(part, url, progress, timeout, bool(sha256 or md5))
            break
        except _BROKEN as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500  # and would refuse again
            if attempt == tries or refused:
                raise DownloadError(_gave_up(url, path, part, error)) from error
    try:
        _checked(part, sha256, md5, f"what came from {url} is")
    except DownloadError:
        _forget(part)
        raise
    with explained(path):
        os.replace(part, path)
    _tag(part).unlink(missing_ok=True)
    return path


def _grow(part: Path, url: str, progress: bool, timeout: float, has_checksum: bool) -> None:
    """Fetch what is still missing of `part`; ConnectionError where the connection ends early."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "deeplab-lessons"}
    if have and _tag(part).is_file():  # only the missing bytes, and only of the file that `part` began with
        headers |= {"Range": f"bytes={have}-", "If-Range": _tag(part).read_text()}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return  # nothing is missing: an earlier call stopped just before its end
        _forget(part)
        raise ConnectionError("the server's file is shorter than what is here") from error
    with answer:
        sent = answer.headers
        if answer.status != 206 or not sent.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # the server sends all of it, from the start
        total = have + int(sent["Content-Length"]) if "Content-Length" in sent else None
        chunked = sent.get("Transfer-Encoding", "").lower() == "chunked"
        if total is None and not (chunked or has_checksum):
            raise DownloadError(f"{url} does not say how long it is: pass sha256, so that the end is known")
        missing, free = (total or 0) - have, shutil.disk_usage(part.parent).free
        if missing > free:  # known before the first byte
            raise DownloadError(
                f"{part.parent} has {free / 1e6:,.1f} MB free, but {missing / 1e6:,.1f} MB are still to come. "
                "Make room, or set DEEPLAB_LESSONS_DATA to a folder on a larger disk"
            )
        mark = sent.get("ETag") or sent.get("Last-Modified") or ""
        if mark and not mark.startswith("W/"):
            _tag(part).write_text(mark)
        else:  # without a strong mark a file cannot be continued safely, and starts again
            _tag(part).unlink(missing_ok=True)
        _copy(answer, part, have, total, progress)


def _copy(answer, part: Path, have: int, total: int | None, progress: bool) -> None:
    from tqdm.auto import tqdm

    bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, disable=not progress)
    with bar, open(part, "ab" if have else "wb") as file:
        bar.set_description(part.name.removesuffix(".part"))
        while block := answer.read(_BLOCK):
            file.write(block)
            have += len(block)
            bar.update(len(block))
        file.flush()
        os.fsync(file.fileno())
    if total is not None and have != total:
        raise ConnectionError(f"the connection ended after {have:,} of {total:,} bytes")


def _tag(part: Path) -> Path:
    """The file that keeps the server's mark of the file's edition while the download is unfinished."""
    return part.with_name(part.name + ".edition")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def _checked(path: Path, sha256: str | None, md5: str | None, what: str) -> Path:
    """`path`, if its checksum is right."""
    for kind, expected in (("sha256", sha256), ("md5", md5)):
        if expected:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, kind).hexdigest()
            if digest != expected.lower():
                raise DownloadError(
                    f"{what} not the file expected: its {kind} is {digest}, it should be {expected}. "
                    "Delete it and try again; if it comes again, the source has changed"
                )
    return path


def _gave_up(url: str, path: Path, part: Path, error: Exception) -> str:
    kept = part.stat().st_size if part.is_file() else 0
    saved = f"{kept:,} bytes are kept, and another call continues from there" if kept else "Nothing was saved"
    return (
        f"could not download {url}: {error}. {saved}. Is there a network? "
        f"You may also fetch the file in another way and put it at {path}"
    )
