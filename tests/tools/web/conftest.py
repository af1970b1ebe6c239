"""The site, built once for all its tests."""

import os

import pytest
from filelock import FileLock


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built site, one for all workers of a run; what Sphinx warns of fails here, in its words."""
    from web.site import build

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with FileLock(folder / "site.lock"):
        if not (folder / "site/index.html").is_file():
            build(folder / "site")
    return folder / "site"
