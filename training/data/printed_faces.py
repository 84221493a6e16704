"""Printed faces, since forms, boards and letterheads mix print and handwriting: files out of Debian's font packages.

    python -m training.data.printed_faces runs/downloads        # fetches and unpacks them (16 MB); `training.fit.train` does it too

All of them are free: OFL (Lato, Cantarell, Carlito, Caladea, Comic Neue, Courier Prime, EB Garamond, Libertine, Computer Modern), Apache-2.0
(Open Sans, Roboto), OFL or GPL with the font exception (Liberation), Bitstream Vera's licence (DejaVu). None is part of the repository.
"""

import argparse
import re
import subprocess
from pathlib import Path

# As of Debian 12.
PACKAGES = {
    "fonts-dejavu-core": "2.37-6",
    "fonts-liberation": "1:1.07.4-11",
    "fonts-lato": "2.0-2.1",
    "fonts-open-sans": "1.11-2",
    "fonts-roboto-unhinted": "2:0~20170802-3",
    "fonts-ebgaramond": "0.016+git20210310.42d4f9f2-1",
    "fonts-linuxlibertine": "5.3.0-6",
    "fonts-courier-prime": "0+git20190115-3",
    "fonts-cantarell": "0.303.1-1",
    "fonts-crosextra-carlito": "20220224-1",
    "fonts-crosextra-caladea": "20200211-1",
    "fonts-cmu": "0.7.0-5",
    "fonts-comic-neue": "2.51-4",
}
# Faces that no form is set in: hairlines, initials, key caps, outlines.
UNUSUAL = re.compile(r"Hairline|Thin|LinLibertine_(I|DR)\b|LinBiolinum_K|cmunci|cmunvi|cmunvt")
FOLDER = "printed-fonts"


def fetch(downloads: Path) -> dict[str, bytes]:
    """Every printed face by its file's name. Debian's packages are downloaded and unpacked below `downloads` once.

    Raises subprocess.CalledProcessError where apt cannot fetch one, FileNotFoundError where there is no apt.
    """
    folder = downloads / FOLDER
    if not folder.exists():
        packages = downloads / "debian"
        packages.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["apt-get", "download", *(f"{name}={version}" for name, version in PACKAGES.items())],
            check=True,
            cwd=packages,
        )
        unpacked = downloads / f"{FOLDER}.new"
        for package in sorted(packages.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        unpacked.rename(folder)
    paths = [path for ending in ("ttf", "otf") for path in sorted(folder.rglob(f"*.{ending}"))]
    return {path.stem: path.read_bytes() for path in paths if not UNUSUAL.search(path.stem)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("downloads", type=Path)
    print(f"{len(fetch(parser.parse_args().downloads))} printed faces")


if __name__ == "__main__":
    main()
