"""Makes alphabets.json of SVG fonts of single strokes: `python -m training.evaluation.drawn.convert FOLDER_WITH_THE_SVG_FILES`.

They come with Inkscape (in Debian's package `inkscape`, the folder `extensions/svg_fonts`); see README.md.
"""

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

FONTS = {"sans": "HersheySans1", "italic": "EMSReadabilityItalic", "playful": "EMSElfin", "script": "HersheyScript1"}
CHARACTERS = [chr(code) for code in range(32, 127)] + list("€£¿¡«»ßœŒàâäáãçéèêëíìîïñóòôöõúùûüÀÂÄÁÃÇÉÈÊËÍÌÎÏÑÓÒÔÖÕÚÙÛÜ")


def strokes(path: str, scale: float) -> list[list[int]]:
    """`M x y L x y …` as flat lists in hundredths of a capital's height, y downwards."""
    found = []
    for part in path.split("M")[1:]:
        numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e[-+]?\d+)?", part)]
        found.append([round(value * scale * (1 if index % 2 == 0 else -1)) for index, value in enumerate(numbers)])
    return found


def convert(path: Path) -> dict[str, list]:
    """Character → its advance, then its strokes."""
    root = ElementTree.parse(path).getroot()
    glyphs = {glyph.get("unicode"): glyph for glyph in root.iterfind(".//{*}glyph")}
    heights = [float(y) for y in re.findall(r"[ML] [-\d.e]+ ([-\d.e]+)", glyphs["H"].get("d", ""))]
    scale = 100 / (max(heights) - min(heights))
    return {
        c: [round(float(glyphs[c].get("horiz-adv-x", "nan")) * scale), *strokes(glyphs[c].get("d") or "", scale)]
        for c in CHARACTERS
        if c in glyphs
    }


if __name__ == "__main__":
    alphabets = {style: convert(Path(sys.argv[1]) / f"{name}.svg") for style, name in FONTS.items()}
    text = (
        json.dumps(alphabets, ensure_ascii=False, separators=(",", ":"))
        .replace('},"', '},\n"')
        .replace(']],"', ']],\n"')
    )
    (Path(__file__).parent / "alphabets.json").write_text(text + "\n", encoding="utf-8")
