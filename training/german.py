"""Puts `ß` back into German words of lists that write every `ß` as `ss`, as wordfreq's lists do (they are case-folded)."""

import re

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
