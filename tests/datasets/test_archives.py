"""Archives that misbehave."""

import errno
import io
import random
import tarfile
import zipfile

import pytest

from deeplab_lessons.datasets import unpack


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def make_tar(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as file:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
            else:
                member.type, member.linkname = tarfile.SYMTYPE, content
                file.addfile(member)
    return path


def make_zip(path, *members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members:
            file.writestr(name, content)
    return path


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_unpacking_joins_folders_that_are_there(tmp_path, make):
    into = tmp_path / "data"
    (into / "kit").mkdir(parents=True)
    (into / "kit" / "mine.txt").write_text("mine")
    archive = make(tmp_path / "set.archive", ("kit/a/1.png", b"one"), ("kit/2.png", b"two"))
    assert unpack(archive, into) == into
    assert (into / "kit/a/1.png").read_bytes() == b"one" and (into / "kit/mine.txt").read_text() == "mine"
    assert names(into) == ["kit"]


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "C:\\evil", "..\\evil"])
def test_a_member_that_leaves_the_folder_stops_everything(tmp_path, make, name):
    archive = make(tmp_path / "set.archive", ("good", b"good"), (name, b"evil"))
    with pytest.raises(ValueError, match="would land outside the folder"):
        unpack(archive, tmp_path / "data")
    assert names(tmp_path / "data") == [] and names(tmp_path) == ["data", "set.archive"]


def test_links_to_elsewhere_are_refused(tmp_path):
    archive = make_tar(tmp_path / "set.tar.gz", ("door", "../.."), ("door/evil", b"evil"))
    with pytest.raises(ValueError, match="was not unpacked"):
        unpack(archive, tmp_path / "data")
    link = zipfile.ZipInfo("door")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with pytest.raises(ValueError, match="is a link"):
        unpack(make_zip(tmp_path / "set.zip", (link, "../..")), tmp_path / "data")
    assert names(tmp_path / "data") == []


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_an_archive_cut_off_leaves_nothing(tmp_path, make):
    content = random.Random(1).randbytes(50_000)
    whole = make(tmp_path / "whole", ("a", content), ("b", content)).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="cut off, damaged or no archive"):
        unpack(tmp_path / "cut", tmp_path / "data")
    assert names(tmp_path / "data") == []


def test_a_damaged_zip_is_noticed(tmp_path):
    path = make_zip(tmp_path / "set.zip", ("a", b"abcdefgh" * 100))
    damaged = bytearray(path.read_bytes())
    damaged[200] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="damaged"):
        unpack(path, tmp_path / "data")


def test_a_disk_full_while_unpacking_leaves_nothing_half(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    archive = make_tar(tmp_path / "set.tar", ("a", b"a" * 9999), mode="w")
    monkeypatch.setattr(tarfile, "copyfileobj", full)
    with pytest.raises(OSError, match=r"could not unpack into .*disk is full"):
        unpack(archive, tmp_path / "data")
    assert names(tmp_path / "data") == []
