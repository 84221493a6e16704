"""Puts letters back that text sources replace: German `ß`, which wordfreq writes `ss`, and Italian accents written as apostrophes."""

import re
from collections.abc import Callable

# By the spelling of 2006 `ß` stands after diphthongs and long vowels. Letters show diphthongs, but not long vowels:
# stems with a long vowel are listed.
DIPHTHONGS = re.compile(r"(?<!kr)(?<!pr)(?<!bew)eiss(?!port|t[aäoöu]|p[aäoöu])|iess|reuss|äuss")
AUSS = re.compile(r"ausser|(?<![hj])aussen(?!d)|draussen|strauss")
STEMS = re.compile(
    r"gross|gröss|strass(?=[eb]|$)|stoss|stöss|bloss|blöss|klöss|soss(?=e)|fuss(?!el)|füss|gruss|grüss|süss|spass|späss"
    r"|mässig|gemäss|(?<=er)massen$|massnahm|massstab|massstäb|massgeb|massregel|ausmass|frass|besass|vergass|gefäss|gesäss|müssig|^sass(?:en|)$"
)


def with_sharp_s(word: str) -> str:
    """The word in small letters with `ß` where German spelling has it: `strasse` → `straße`, `wasser` stays."""
    for pattern in (DIPHTHONGS, AUSS, STEMS):
        word = pattern.sub(lambda match: _sharp(match.group()), word)
    return word


def _sharp(stem: str) -> str:
    start, end = stem.split("ss", 1)
    return f"{start}ß{end}"


# A vowel with an apostrophe at a word's end, and no word after it into which it elides.
APOSTROPHE = re.compile(r"\b([^\W\d_]*)([aeiouAEIOU])'(?![\w'])")
SHORTENED = {"po", "mo", "be", "da", "sta", "va", "fa", "di", "to", "ca", "de", "co"}  # `po'` for `poco`
ACUTE = re.compile(
    r".*che|ne|se|.*tre", re.IGNORECASE
)  # `perché`, `né`, `sé`, `ventitré`: elsewhere final `e` has a grave
GRAVE = str.maketrans("aeiouAEIOU", "àèìòùÀÈÌÒÙ")


def with_accents(text: str) -> str:
    """Italian text with its accents: `perche' e' cosi'` → `perché è così`; `un po'` and quoted words stay."""
    return APOSTROPHE.sub(_accented, text)


def _accented(match: re.Match) -> str:
    start, vowel = match.groups()
    before = match.string[: match.start()]
    quoted = before.endswith("'") and not before[-2:-1].isalpha()
    if (start + vowel).lower() in SHORTENED or quoted:
        return match.group()
    if ACUTE.fullmatch(start + vowel):
        return start + ("é" if vowel == "e" else "É")
    return start + vowel.translate(GRAVE)


SPELLINGS: dict[str, Callable[[str], str]] = {"": str, "italian accents": with_accents, "german ß": with_sharp_s}
