"""Files from the network, only when asked for: with progress, checksum and resume, and never half a file.

A download grows in `<name>.part` beside its place and gets its name only when it is complete and its checksum
is right. What a broken connection leaves is kept, and the next call goes on from there.
"""

import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from deeplab_lessons.datasets.files import explained, folder

_BLOCK = 1 << 16
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


class DownloadError(RuntimeError):
    """A download that could not be completed; the message says what is kept and what to do."""


class _Interrupted(Exception):
    """The connection broke off; another try may go on."""


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

    A broken connection is tried `tries` times, each from where the last broke off. Raises DownloadError where
    the server can't be reached or says no, the file stays incomplete, its length is unknown and no checksum
    is given, or its checksum is wrong (then nothing is kept). Raises ValueError for an address that is not
    http(s), OSError in words for a full disk or a forbidden folder.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no web address: expected http://… or https://…")
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
        except (_Interrupted, *_BROKEN) as fault:
            if attempt == tries or _final(fault):
                raise DownloadError(_gave_up(url, path, part, fault)) from fault
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
    """Fetch what is still missing of `part`; _Interrupted where the connection ends early."""
    have = part.stat().st_size if part.is_file() else 0
    try:
        answer = urllib.request.urlopen(_request(url, part, have), timeout=timeout)
    except urllib.error.HTTPError as fault:
        if fault.code != 416:
            raise
        if fault.headers.get("Content-Range") == f"bytes */{have}":
            return  # nothing is missing: an earlier call stopped just before its end
        _forget(part)
        raise _Interrupted("the server's file is shorter than what is here") from fault
    with answer:
        if have and not _continues(answer, have):
            have = 0  # the server sends all of it, from the start
        length = answer.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        chunked = answer.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if total is None and not (chunked or has_checksum):
            raise DownloadError(
                f"{url} does not say how long it is: give its sha256, so that the end is known"
            )
        _room(part, total, have)
        _remember_tag(part, answer)
        _copy(answer, part, have, total, progress)


def _request(url: str, part: Path, have: int) -> urllib.request.Request:
    """Ask for the rest only, and only of the very file that `part` began with."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "deeplab-lessons"}
    if have and _tag(part).is_file():
        headers |= {"Range": f"bytes={have}-", "If-Range": _tag(part).read_text()}
    return urllib.request.Request(url, headers=headers)


def _continues(answer: http.client.HTTPResponse, have: int) -> bool:
    """Whether the answer is the rest (206) from byte `have` on; 200 is the whole file again."""
    return answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


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
        raise _Interrupted(f"the connection ended after {have:,} of {total:,} bytes")


def _room(part: Path, total: int | None, have: int) -> None:
    """Say before the first byte that a download will not fit on the disk."""
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have > free:
        raise DownloadError(
            f"{part.parent} has {free / 1e6:,.1f} MB free, but {(total - have) / 1e6:,.1f} MB are still to come. "
            "Make room, or set DEEPLAB_LESSONS_DATA to a folder on a larger disk"
        )


def _tag(part: Path) -> Path:
    """Where the server's mark of the file's edition is kept while the download is unfinished."""
    return part.with_name(part.name + ".edition")


def _remember_tag(part: Path, answer) -> None:
    """Keep a strong mark; without one a file can't be continued safely, and starts again."""
    mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    if mark and not mark.startswith("W/"):
        _tag(part).write_text(mark)
    else:
        _tag(part).unlink(missing_ok=True)


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def _checked(path: Path, sha256: str | None, md5: str | None, what: str) -> Path:
    """Return `path` if its checksum is right; DownloadError that says what was expected and found."""
    for kind, expected in (("sha256", sha256), ("md5", md5)):
        if expected:
            with open(path, "rb") as file:
                found = hashlib.file_digest(file, kind).hexdigest()
            if found != expected.lower():
                raise DownloadError(
                    f"{what} not the file expected: its {kind} is {found}, it should be {expected}. "
                    "Delete it and try again; if it comes again, the source has changed"
                )
    return path


def _final(fault: Exception) -> bool:
    """Whether another try would end the same way: the server answered, and said no."""
    return isinstance(fault, urllib.error.HTTPError) and fault.code < 500


def _gave_up(url: str, path: Path, part: Path, fault: Exception) -> str:
    kept = part.stat().st_size if part.is_file() else 0
    rest = f"{kept:,} bytes are kept, and another call goes on from there" if kept else "nothing was saved"
    return (
        f"could not download {url}: {fault}. {rest[0].upper()}{rest[1:]}. Is there a network? "
        f"You may also fetch the file in another way and put it at {path}"
    )
