"""Downloads from servers that misbehave; everything stays on this machine."""

import errno
import hashlib
import os
import random
import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from deeplab_lessons.datasets import (
    DownloadError,
    fetch,
)

CONTENT = random.Random(0).randbytes(300_000)


SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextmanager
def server(content=CONTENT, *, cut=(), ranges=True, length=True, edition='"one"', status=None):
    """Serve `content`; the n-th answer stops after `cut[n]` bytes. Yields .url and .asked (Range headers)."""
    seen = SimpleNamespace(asked=[], content=content, edition=edition)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            number, wanted = len(seen.asked), self.headers.get("Range")
            seen.asked.append(wanted)
            if status:
                return self.send_error(status)
            start = 0
            if ranges and wanted and self.headers.get("If-Range", seen.edition) == seen.edition:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(seen.content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(seen.content)}")
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
                self.send_response(206)
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(seen.content) - 1}/{len(seen.content)}"
                )
            else:
                self.send_response(200)
            if seen.edition:
                self.send_header("ETag", seen.edition)
            if length:
                self.send_header("Content-Length", str(len(seen.content) - start))
            self.end_headers()
            end = cut[number] if number < len(cut) else len(seen.content)
            self.wfile.write(seen.content[start:end])

        def log_message(self, *args):
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{listening.server_port}/set.tar"
    try:
        yield seen
    finally:
        listening.shutdown()
        listening.server_close()


def get(site, path, **more):
    return fetch(site.url, path, **{"progress": False, "timeout": 5} | more)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_download_arrives_whole_and_leaves_nothing_else(tmp_path):
    with server() as site:
        path = get(site, tmp_path / "deep" / "set.tar", sha256=SHA256)
        assert path.read_bytes() == CONTENT and names(path.parent) == ["set.tar"]
        get(site, path, sha256=SHA256)
        assert site.asked == [None], "a file that is there is not fetched again"


def test_a_broken_connection_is_continued_where_it_ended(tmp_path):
    with server(cut=[100_000, 250_000]) as site:
        path = get(site, tmp_path / "set.tar", sha256=SHA256)
        assert site.asked == [None, "bytes=100000-", "bytes=250000-"]
        assert path.read_bytes() == CONTENT and names(tmp_path) == ["set.tar"]


def test_a_download_that_stays_broken_is_not_kept_as_finished_and_resumes_later(tmp_path):
    with server(cut=[90_000]) as site:
        with pytest.raises(
            DownloadError, match=r"ended after 90,000 of 300,000 bytes.*90,000 bytes are kept"
        ):
            get(site, tmp_path / "set.tar", sha256=SHA256, tries=1)
        assert not (tmp_path / "set.tar").exists()
        assert get(site, tmp_path / "set.tar", sha256=SHA256).read_bytes() == CONTENT
        assert site.asked == [None, "bytes=90000-"]


def test_a_server_that_knows_no_ranges_starts_again(tmp_path):
    with server(cut=[100_000], ranges=False) as site:
        assert get(site, tmp_path / "set.tar").read_bytes() == CONTENT


def test_a_file_that_changed_on_the_server_is_not_glued_to_the_old_part(tmp_path):
    with server(cut=[100_000]) as site:
        with pytest.raises(DownloadError):
            get(site, tmp_path / "set.tar", tries=1)
        site.content, site.edition = CONTENT[::-1], '"two"'
        assert get(site, tmp_path / "set.tar").read_bytes() == CONTENT[::-1]


def test_a_part_that_lacks_nothing_but_its_name_is_finished(tmp_path):
    (tmp_path / "set.tar.part").write_bytes(CONTENT)
    (tmp_path / "set.tar.part.edition").write_text('"one"')
    with server() as site:
        assert get(site, tmp_path / "set.tar", sha256=SHA256).read_bytes() == CONTENT
        assert site.asked == ["bytes=300000-"] and names(tmp_path) == ["set.tar"]


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path):
    (tmp_path / "set.tar.part").write_bytes(CONTENT + b"more")
    (tmp_path / "set.tar.part.edition").write_text('"one"')
    with server() as site:
        assert get(site, tmp_path / "set.tar").read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_wrong_bytes_are_named_and_not_kept(tmp_path, kind):
    expected = hashlib.new(kind, CONTENT).hexdigest()
    with server(b"<html>sign in first</html>") as site, pytest.raises(DownloadError) as told:
        get(site, tmp_path / "set.tar", **{kind: expected})
    assert expected in str(told.value) and site.url in str(told.value) and names(tmp_path) == []


def test_a_wrong_file_that_is_there_already_is_named_and_left_alone(tmp_path):
    (tmp_path / "set.tar").write_bytes(b"mine")
    with server() as site, pytest.raises(DownloadError, match="is there, but it is not the file expected"):
        get(site, tmp_path / "set.tar", sha256=SHA256)
    assert (tmp_path / "set.tar").read_bytes() == b"mine"


def test_without_length_and_checksum_nobody_can_tell_the_end(tmp_path):
    with server(length=False) as site:
        with pytest.raises(DownloadError, match="does not say how long it is"):
            get(site, tmp_path / "set.tar")
        assert get(site, tmp_path / "set.tar", sha256=SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (503, 3)])
def test_a_server_that_says_no(tmp_path, status, tries):
    with (
        server(status=status) as site,
        pytest.raises(DownloadError, match=rf"{status}.*Nothing was saved"),
    ):
        get(site, tmp_path / "set.tar")
    assert len(site.asked) == tries and names(tmp_path) == []


def test_no_server_at_all(tmp_path):
    with server() as site:
        pass
    with pytest.raises(DownloadError, match="Is there a network"):
        get(site, tmp_path / "set.tar", tries=1)


def test_other_addresses_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must be a web address"):
        fetch("file:///etc/hostname", tmp_path / "x")


def test_a_full_disk_is_said_before_the_first_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with server() as site, pytest.raises(DownloadError, match=r"free, but .* still to come"):
        get(site, tmp_path / "set.tar")
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_keeps_what_came_and_goes_on_later(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with server() as site:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OSError, match=r"disk is full. Make room") as told:
                get(site, tmp_path / "set.tar")
        assert told.value.errno == errno.ENOSPC and not (tmp_path / "set.tar").exists()
        assert get(site, tmp_path / "set.tar", sha256=SHA256).read_bytes() == CONTENT
        assert site.asked == [None, "bytes=300000-"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "data").write_text("a file, not a folder")
    with server() as site, pytest.raises(OSError, match=r"a file has the name of the folder|not a folder"):
        get(site, tmp_path / "data" / "set.tar")


def forbid(monkeypatch, folder, code=errno.EACCES):
    """Make every writing under `folder` fail, as for a user without rights (root has them all)."""
    real = open

    def refuse(path, mode="r", *args, **kwargs):
        if set(mode) & set("wax+") and str(path).startswith(str(folder)):
            raise OSError(code, os.strerror(code))
        return real(path, mode, *args, **kwargs)

    monkeypatch.setattr("builtins.open", refuse)


def test_a_folder_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    with server() as site:
        forbid(monkeypatch, tmp_path)
        with pytest.raises(OSError, match=r"not allowed.*DEEPLAB_LESSONS_DATA"):
            get(site, tmp_path / "set.tar")
