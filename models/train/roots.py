"""Roots: folders of installed packages in, one root a package out. Knows npm's layout, a folder of wheels, the Python and the
Go that are on this machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from .corpus import Root
from .licences import Package, npm_package, wheel_package


def npm_roots(modules: Path) -> Iterator[Root]:
    """Every package below a node_modules folder, nested ones too."""
    for directory, names, _ in os.walk(modules):
        folder = Path(directory)
        names.sort()
        in_modules = folder.parent.name == "node_modules" and not folder.name.startswith(("@", "."))
        in_scope = folder.parent.name.startswith("@") and folder.parent.parent.name == "node_modules"
        if in_modules or in_scope:
            package = npm_package(folder)
            if package is not None:
                yield Root(package, folder)
            names[:] = [name for name in names if name == "node_modules"]


def wheel_roots(folder: Path) -> Iterator[Root]:
    """The packages of a `pip install --target` folder."""
    for info in sorted(folder.glob("*.dist-info")):
        package = wheel_package(info)
        if package is None:
            continue
        names = {line.split("/", 1)[0] for line in (info / "RECORD").read_text().splitlines() if "/" in line}
        for name in sorted(names):
            if not name.endswith(".dist-info") and (folder / name).is_dir() and name not in ("..", "bin"):
                yield Root(package, folder / name)


def language_roots() -> list[Root]:
    """Python's own library, and Go's where Go is installed."""
    library = Path(sysconfig.get_paths()["stdlib"])
    roots = [Root(Package("python", "standard library", platform.python_version(), "PSF-2.0"), library)]
    go = shutil.which("go")
    if go:
        home, version = (
            subprocess.check_output([go, "env", key], text=True).strip() for key in ("GOROOT", "GOVERSION")
        )
        for folder in sorted(path for path in (Path(home) / "src").iterdir() if path.is_dir()):
            if folder.name != "vendor":
                roots.append(Root(Package("go", folder.name, version, "BSD-3-Clause"), folder))
    return roots
