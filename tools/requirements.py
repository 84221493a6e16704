"""Writes requirements*.txt from pyproject.toml, for Docker, Streamlit Community Cloud and pip: `python tools/requirements.py`.

The files list packages only, so that pip installs them without building hwr_core. With `--check` nothing is written: the exit status is 1 if
a file differs.
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASE = "base"

# File name → what it is for, and the extras it lists.
FILES: dict[str, tuple[str, list[str]]] = {
    "requirements.txt": ("All that `make run` needs, for any checkpoint.", [BASE, "app", "server", "torch"]),
    "requirements-shipped.txt": ("The app and the API with the shipped checkpoints only.", [BASE, "app", "server"]),
    "requirements-batch.txt": ("Beside requirements.txt, for `hwr batch`.", ["batch"]),
    "requirements-dev.txt": (
        "Everything: app, API, batch, training, tests, checks and documentation.",
        [BASE, "app", "server", "torch", "batch", "train", "dev"],
    ),
}


def contents(project: dict) -> dict[str, str]:
    """The text of each requirements file.

    Args:
        project: the `[project]` table of pyproject.toml.

    Returns:
        File name → text.
    """
    extras = {BASE: project["dependencies"], **project["optional-dependencies"]}
    return {
        name: f"# {purpose} Written by `make requirements` from pyproject.toml: edit that file.\n"
        + "".join(f"{requirement}\n" for extra in used for requirement in extras[extra])
        for name, (purpose, used) in FILES.items()
    }


def outdated(root: Path = ROOT) -> dict[str, str]:
    """The files that differ from pyproject.toml, with the text that they should have."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        name: text
        for name, text in contents(project).items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    }


def main() -> int:
    files = outdated()
    if "--check" in sys.argv[1:]:
        for name in files:
            print(f"{name} differs from pyproject.toml: run `make requirements`.", file=sys.stderr)
        return 1 if files else 0
    for name, text in files.items():
        (ROOT / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
