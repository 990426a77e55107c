"""Licences: a package's folder in, its name, version and licence out, and whether the licence lets us learn from it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

PERMITTED = {
    "MIT", "MIT-0", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "PSF-2.0", "0BSD", "Unlicense", "CC0-1.0",
}  # fmt: skip

# Older wheels name their licence in words or as a trove classifier.
WORDS = [
    (r"apache", "Apache-2.0"),
    (r"\bMIT\b", "MIT"),
    (r"3-clause|new bsd|modified bsd", "BSD-3-Clause"),
    (r"2-clause", "BSD-2-Clause"),
    (r"\bbsd\b", "BSD"),
    (r"\bISC\b", "ISC"),
    (r"python software foundation|\bPSF\b", "PSF-2.0"),
]


@dataclass(frozen=True)
class Package:
    ecosystem: str
    name: str
    version: str
    licence: str

    @property
    def permitted(self) -> bool:
        """An `OR` needs one permitted side, an `AND` needs both."""
        expression = self.licence.strip("() ")
        if " AND " in expression:
            return all(part.strip("() ") in PERMITTED for part in expression.split(" AND "))
        return any(part.strip("() ") in PERMITTED for part in expression.split(" OR "))


def npm_package(folder: Path) -> Package | None:
    try:
        manifest = json.loads((folder / "package.json").read_text())
    except (OSError, ValueError):
        return None
    licence = manifest.get("license", "")
    if isinstance(licence, dict):
        licence = licence.get("type", "")
    if not manifest.get("name") or not manifest.get("version"):
        return None
    return Package("npm", manifest["name"], manifest["version"], str(licence) or "unknown")


def wheel_package(info: Path) -> Package | None:
    """From a `*.dist-info` folder."""
    try:
        text = (info / "METADATA").read_text(errors="replace").split("\n\n", 1)[0]
    except OSError:
        return None
    fields = dict(re.findall(r"^(Name|Version|License-Expression|License): (.*)$", text, re.M))
    classifiers = " ".join(re.findall(r"^Classifier: License :: (.*)$", text, re.M))
    licence = fields.get("License-Expression", "")
    if not licence:
        said = f"{fields.get('License', '')} {classifiers}"
        licence = next((name for pattern, name in WORDS if re.search(pattern, said, re.I)), "unknown")
    return Package("pypi", fields.get("Name", info.name), fields.get("Version", ""), licence)
