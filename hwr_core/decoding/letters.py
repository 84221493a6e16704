"""Which tokens are one letter: with and without its marks, small and large. And the marks that a reading may have lost."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

OPENING = {"?": "¿", "!": "¡"}
ALIKE = "iljIJ1!"  # what an opening mark is read as
CLOSED = 5.0  # nats for an opening mark whose closing one follows: n-grams do not see so far
SPANISH = "es"


@dataclass(frozen=True)
class Change:
    """Tokens in place of as many others.

    Attributes:
        place: The first one's place.
        tokens: The new ones.
        gain: Nats by which they make the line more probable in its language.
    """

    place: int
    tokens: tuple[int, ...]
    gain: float = 0.0


class Letters:
    """The tokens of letters.

    Attributes:
        texts: The text of each token, "" for special ones.
        ids: The tokens of one character, by it.
        marked: The tokens of a letter with a mark, by the token of the letter alone.
    """

    def __init__(self, tokens: Sequence[str | None]):
        """Builds the table.

        Args:
            tokens: The text of each token, in the order of the ids. None: a special token.
        """
        self.texts = [token or "" for token in tokens]
        self.ids = {text: number for number, text in enumerate(self.texts) if len(text) == 1}
        self.marked: dict[int, list[int]] = {}
        for text, number in self.ids.items():
            letter, *marks = unicodedata.normalize("NFD", text)
            if marks and letter.isalpha() and letter in self.ids:
                self.marked.setdefault(self.ids[letter], []).append(number)

    def changes(self, tokens: Sequence[int], language: str) -> list[Change]:
        """Every mark that a line may have lost, with the gain that the line's other tokens already tell.

        Args:
            tokens: Of the line.
            language: Its language.
        """
        found = [
            Change(place, (marked,)) for place, token in enumerate(tokens) for marked in self.marked.get(token, ())
        ]
        return [*found, *self._openings(tokens)] if language == SPANISH else found

    def capitals(self, tokens: Sequence[int]) -> list[int]:
        """The tokens with a capital in place of each small letter that has one."""
        return [self.ids.get(self.texts[token].upper(), token) for token in tokens]

    def _openings(self, tokens: Sequence[int]) -> list[Change]:
        texts = [self.texts[token] for token in tokens]
        found = []
        for place, following in enumerate(texts[1:]):
            starts = place == 0 or texts[place - 1] == " "
            if not (starts and texts[place] and texts[place] in ALIKE and following.isalpha()):
                continue
            closing = next((text for text in texts[place:][1:] if text in OPENING), None)
            for closed, opening in OPENING.items():
                # A sentence starts after the mark: with a capital that may have been read small.
                for letter in dict.fromkeys((following, following.upper())):
                    if opening in self.ids and letter in self.ids:
                        gain = CLOSED if closed == closing else 0.0
                        found.append(Change(place, (self.ids[opening], self.ids[letter]), gain))
        return found
