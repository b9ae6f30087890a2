# SPDX-License-Identifier: MIT
"""Puts the shared library into the package: the one that LWPMOCK_LIBRARY names, or one that is built
from this tree with CMake."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py
from wheel.bdist_wheel import bdist_wheel

TREE = Path(__file__).resolve().parents[2]
BUILD = TREE / "build" / "python"


def built_library() -> Path:
    configure = ["cmake", "-S", str(TREE), "-B", str(BUILD), "-G", "Ninja",
                 "-DCMAKE_BUILD_TYPE=Release", "-DLWP_TESTS=OFF"]
    subprocess.run(configure, check=True)
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "lwpmock_shared"], check=True)
    return BUILD / "mock_server" / "liblwpmock.so"


class BuildWithLibrary(build_py):
    def run(self) -> None:
        super().run()
        given = os.environ.get("LWPMOCK_LIBRARY")
        library = Path(given) if given else built_library()
        target = Path(self.build_lib) / "lwpmock"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(library, target / "liblwpmock.so")


class PlatformWheel(bdist_wheel):
    """For any Python, but only this kind of machine."""

    def get_tag(self) -> tuple[str, str, str]:
        return ("py3", "none", super().get_tag()[2])


class WithLibrary(Distribution):
    def has_ext_modules(self) -> bool:
        return True


setup(distclass=WithLibrary, cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
