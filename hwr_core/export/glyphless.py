"""A font without shapes for the text layer of a PDF: any character can be searched and copied, none is seen.

As in the PDFs of Tesseract and OCRmyPDF, every character is half as wide as the font's size. Its `ToUnicode` table
tells readers the characters.
"""

import struct

from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    PdfObject,
    TextStringObject,
)

WIDTH = 0.5  # of a character, in shares of the font's size
UNITS = 1000  # font units in the font's size
ASCENT, DESCENT = 800, -200  # font units above and below the baseline
FIXED_PITCH = 1  # flag of a font with equally wide characters
SYMBOLIC = 4  # flag of a font with an encoding of its own
CHUNK = 100  # entries of a block in a `ToUnicode` table, at most
FONT_NAME = "/GlyphLessFont"
ADVANCE = round(WIDTH * UNITS)  # font units
HEAD = struct.pack(
    ">IIIIHHQQhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, UNITS, 0, 0, 0, DESCENT, ADVANCE, ASCENT, 0, 8, 2, 0, 0
)
HHEA = struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, ASCENT, DESCENT, 0, ADVANCE, *[0] * 11, 1)
# PDFium ignores text with empty shapes. This shape is a line there and back, which covers nothing.
GLYPH = struct.pack(">hhhhh", 1, 0, DESCENT, ADVANCE, ASCENT) + struct.pack(
    ">HHBBhhhh", 1, 0, 1, 1, 0, ADVANCE, DESCENT, ASCENT - DESCENT
)
TABLES = {
    b"glyf": GLYPH,
    b"head": HEAD,
    b"hhea": HHEA,
    b"hmtx": struct.pack(">Hhh", ADVANCE, 0, 0),
    b"loca": struct.pack(">HHH", 0, 0, len(GLYPH) // 2),  # the missing glyph is empty
    b"maxp": struct.pack(">IHHH11H", 0x10000, 2, 2, 1, *[0] * 11),
}


class GlyphlessFont:
    """The font of one PDF. It gives each character that is written a code of its own.

    Args:
        writer: Of the PDF.
    """

    def __init__(self, writer: PdfWriter):
        self.writer = writer
        self.codes: dict[str, int] = {}
        self._font = DictionaryObject()
        self.reference = writer._add_object(self._font)

    def encoded(self, text: str) -> bytes:
        """The codes of a text, as a hexadecimal string of a PDF's content."""
        codes = [self.codes.setdefault(character, len(self.codes) + 1) for character in text]
        return b"<" + b"".join(b"%04X" % code for code in codes) + b">"

    def finish(self) -> None:
        """Writes the font with the characters that were encoded."""
        descriptor = _named(
            Type="/FontDescriptor", FontName=FONT_NAME, Flags=FIXED_PITCH | SYMBOLIC, ItalicAngle=0, StemV=80,
            Ascent=ASCENT, Descent=DESCENT, CapHeight=ASCENT, FontFile2=self._stream(_true_type()),
            FontBBox=ArrayObject(map(NumberObject, (0, DESCENT, ADVANCE, ASCENT))),
        )  # fmt: skip
        system = DictionaryObject(
            {
                NameObject("/Registry"): TextStringObject("Adobe"),
                NameObject("/Ordering"): TextStringObject("Identity"),
                NameObject("/Supplement"): NumberObject(0),
            }
        )
        glyphs = struct.pack(">H", 0) + struct.pack(">H", 1) * len(self.codes)
        descendant = _named(
            Type="/Font", Subtype="/CIDFontType2", BaseFont=FONT_NAME, CIDSystemInfo=system, DW=ADVANCE,
            FontDescriptor=self.writer._add_object(descriptor), CIDToGIDMap=self._stream(glyphs),
        )  # fmt: skip
        self._font.update(
            _named(
                Type="/Font",
                Subtype="/Type0",
                BaseFont=FONT_NAME,
                Encoding="/Identity-H",
                DescendantFonts=ArrayObject([self.writer._add_object(descendant)]),
                ToUnicode=self._stream(_to_unicode(self.codes)),
            )
        )

    def _stream(self, data: bytes) -> PdfObject:
        stream = DecodedStreamObject()
        stream.set_data(data)
        return self.writer._add_object(stream.flate_encode())


def _named(**entries: str | float | PdfObject) -> DictionaryObject:
    """A PDF dictionary; strings are names."""
    found = DictionaryObject()
    for name, value in entries.items():
        if isinstance(value, str):
            value = NameObject(value)
        elif isinstance(value, int | float) and not isinstance(value, PdfObject):
            value = NumberObject(value) if isinstance(value, int) else FloatObject(value)
        found[NameObject(f"/{name}")] = value
    return found


def _to_unicode(codes: dict[str, int]) -> bytes:
    """The table from codes to characters in UTF-16."""
    lines = [b"<%04X> <%s>" % (code, text.encode("utf-16-be").hex().upper().encode()) for text, code in codes.items()]
    blocks = [lines[start : start + CHUNK] for start in range(0, len(lines), CHUNK)]
    return b"\n".join(
        [
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            b"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            b"/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            b"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange",
            *(b"%d beginbfchar\n%s\nendbfchar" % (len(block), b"\n".join(block)) for block in blocks),
            b"endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
    )


def _true_type() -> bytes:
    """A TrueType font of two glyphs, with the tables that a PDF requires."""
    head = struct.pack(">IHHHH", 0x10000, len(TABLES), 0, 0, 0)
    place, directory, body = len(head) + 16 * len(TABLES), b"", b""
    for tag, table in TABLES.items():
        padded = table + bytes(-len(table) % 4)
        checksum = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        directory += struct.pack(">4sIII", tag, checksum, place + len(body), len(table))
        body += padded
    return head + directory + body
