"""Fetch: the pinned lists of packages in, their files in the cache folder out, brought by npm and pip as they are configured.
No package's scripts run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def listed(path: Path) -> list[str]:
    return [line for line in path.read_text().split("\n") if line and not line.startswith("#")]


def fetch_npm(cache: Path) -> Path:
    folder = cache / "npm"
    done = folder / ".complete"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"name":"training-sources","private":true,"version":"0.0.0"}\n')
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", "--omit=optional"]
        subprocess.run(["npm", "install", *flags, *listed(HERE / "npm-packages.txt")], cwd=folder, check=True)
        done.touch()
    return folder / "node_modules"


def fetch_alone(cache: Path) -> Path:
    """One package after the other, without what they depend on: whole trees of some hundred do not fit together."""
    folder = cache / "alone"
    done = folder / ".complete"
    if not done.exists():
        for wanted in listed(HERE / "npm-alone.txt"):
            into = folder / "node_modules" / wanted.rsplit("@", 1)[0]
            if into.exists():
                continue
            with tempfile.TemporaryDirectory() as packed:
                subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", wanted], cwd=packed, check=True)
                with tarfile.open(next(Path(packed).glob("*.tgz"))) as archive:
                    archive.extractall(packed, filter="data")
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(next(path for path in Path(packed).iterdir() if path.is_dir()), into)
        done.touch()
    return folder / "node_modules"


def fetch_wheels(cache: Path) -> Path:
    folder = cache / "pip"
    done = folder / ".complete"
    if not done.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        subprocess.run([*pip, *listed(HERE / "python-packages.txt")], check=True)
        done.touch()
    return folder
