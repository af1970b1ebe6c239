"""What pyproject.toml cannot say: a wheel holds the course, next to the module that finds it there."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

COURSE = ("notebooks/*.ipynb", "lessons/images/*", "lessons/results/*.json", "tools/built_outputs.json")


class BuildWithCourse(build_py):
    """setuptools' step that copies the package into the wheel, and the course after it."""

    def run(self):
        """Copy both; a checkout that is installed with `--editable` has the course where it is."""
        super().run()
        if not self.editable_mode:
            inside = Path(self.build_lib, "deeplab_lessons", "classroom", "course")
            for path in self.course():
                (inside / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, inside / path)

    def course(self):
        """Return the course's files."""
        return [path for pattern in COURSE for path in sorted(Path().glob(pattern))]

    def get_source_files(self):
        """Return what goes into a source archive, from which the same wheel can be built."""
        return [*super().get_source_files(), *map(str, self.course())]


setup(cmdclass={"build_py": BuildWithCourse})
