"""Words of the user that the search favours: names and terms that the language model does not know.

Each character on the way through a listed word adds a bonus to a beam's score. A beam that leaves the word before its
end gives the bonus back (contextual biasing by a trie, after Zhao et al. 2019). A finished word keeps it.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

BONUS = 1.5  # added to the score for each character of a listed word
NEAR = 0.5  # edit distance by length up to which a word of a reading may be a listed one
NEAR_TWO = 0.25  # the same for two words that may be one
PROPOSALS = 3  # listed words that are tried in place of a word, at most
SHORTEST = 2  # characters of a listed word
ROOT, DEAD = 0, 1  # states: between words, and inside a word that is not listed
NONE, OTHER = 0, 1  # codes: no character, and a special token, which ends a word
_BITS = 24  # of a character's code in a packed edge
_SEPARATORS = re.compile(r"[\s,;]+")
_PART = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[^\W_]+(?:['.-][^\W_]+)*")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-"})


def split_words(text: str) -> list[str]:
    """The words of a typed or pasted list: separated by spaces, line breaks, commas or semicolons; each once."""
    words = (unicodedata.normalize("NFC", word).translate(_QUOTES) for word in _SEPARATORS.split(text))
    return list(dict.fromkeys(word for word in words if word))


def forms(word: str) -> list[str]:
    """The ways to write a listed word: as it is, capitalised, in capitals, and in capitals without accents."""
    upper = word.upper()
    capitalised = word[:1].upper() + word[1:]
    return list(dict.fromkeys([word, capitalised, upper, without_accents(upper)]))


def without_accents(text: str) -> str:
    """`text` with each letter in place of the accented one."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


@dataclass(frozen=True)
class Proposal:
    """A place in a sequence that resembles listed words.

    Attributes:
        start: The place's first token.
        stop: The token after its last.
        forms: The tokens of the listed words that may stand there, the nearest first.
    """

    start: int
    stop: int
    forms: tuple[tuple[int, ...], ...]


class WordList:
    """A list of words as a trie of characters. A row of the search is in one of its nodes, `ROOT` or `DEAD`.

    Attributes:
        bonus: Score of each character of a listed word.
        unwritable: The words that have characters that no token has. They are ignored.
    """

    def __init__(self, words: Iterable[str], tokens: Sequence[str | None], bonus: float = BONUS):
        """Builds the trie.

        Args:
            words: The words. An entry with spaces counts as several words.
            tokens: The text of each token, in the order of the ids. None or "": a special token.
            bonus: Score of each character of a listed word.
        """
        listed = [word for word in split_words(" ".join(words)) if len(word) >= SHORTEST]
        characters = sorted({character for token in tokens if token for character in token})
        codes = {character: code for code, character in enumerate(characters, OTHER + 1)}
        self.bonus = bonus
        self.unwritable = [word for word in listed if not set(word) <= codes.keys()]
        self._texts = [token or "" for token in tokens]
        self._codes = _codes_of(self._texts, codes)
        self._ends_words = np.array([True, True, *(not character.isalnum() for character in characters)])
        written = [form for word in listed for form in forms(word) if set(form) <= codes.keys()]
        self._forms = frozenset(written)
        self._by_folded: dict[str, list[str]] = {}
        for form in self._forms:
            self._by_folded.setdefault(_folded(form), []).append(form)
        self._folded = sorted(self._by_folded)
        self._single = {text: token for token, text in enumerate(self._texts) if len(text) == 1}
        self._build(written, codes, bonus)

    def __len__(self) -> int:
        return len(self._forms)

    def _build(self, written: Sequence[str], codes: dict[str, int], bonus: float) -> None:
        edges: dict[tuple[int, int], int] = {}
        depth, ends, parents = [0, 0], [False, False], [(ROOT, NONE), (DEAD, NONE)]
        for form in written:
            node = ROOT
            for character in form:
                edge = (node, codes[character])
                if edge not in edges:
                    edges[edge] = len(depth)
                    depth.append(depth[node] + 1)
                    ends.append(False)
                    parents.append(edge)
                node = edges[edge]
            ends[node] = True
        kept, fallback = [0] * len(depth), [DEAD] * len(depth)
        for node in sorted(range(2, len(depth)), key=depth.__getitem__):
            before, code = parents[node]
            ending = bool(self._ends_words[code])
            kept[node] = depth[before] if ending and ends[before] else kept[before]
            other = fallback[before]
            while other != DEAD and (other, code) not in edges:
                other = fallback[other]
            fallback[node] = edges[other, code] if other != DEAD else ROOT if ending else DEAD
        keys = np.array([node << _BITS | code for node, code in edges] or [-1], np.int64)
        order = np.argsort(keys)
        self._keys = keys[order]
        self._targets = np.array(list(edges.values()) or [DEAD], np.int64)[order]
        self._value = bonus * np.array(depth, np.float32)
        self._loss = bonus * np.array(kept, np.float32) - self._value  # of a row that leaves the node
        self._ends, self._fallback = np.array(ends), np.array(fallback)

    def start(self, rows: int) -> np.ndarray:
        """States at the start of lines, (rows,) int64."""
        return np.full(rows, ROOT)

    def advance(self, states: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """The states after one more token each, (rows,) int64."""
        return self._moved(states, tokens)[0]

    def along(self, state: np.ndarray, tokens: Sequence[int]) -> np.ndarray:
        """The states from one, (1,), on: itself, and those after one, two, … all of `tokens`."""
        states = [int(state[0])]
        for token in tokens:
            now = states[-1]
            for code in self._codes[token].tolist():
                now = now if code == NONE else self._after(now, code)
            states.append(now)
        return np.array(states)

    def _after(self, state: int, code: int) -> int:
        """The state after one character: as `_step`, which takes longer for a single one."""
        while state != DEAD:
            wanted = state << _BITS | code
            index = int(self._keys.searchsorted(wanted))
            if index < len(self._keys) and self._keys[index] == wanted:
                return int(self._targets[index])
            state = int(self._fallback[state])
        return ROOT if self._ends_words[code] else DEAD

    def score(self, states: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """What `tokens` (rows, candidates) add to the score after `states` (rows,), float32."""
        return self._moved(np.broadcast_to(states[:, None], tokens.shape), tokens)[1]

    def _moved(self, states: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The states after a token each, and what the tokens add to the score."""
        gains = np.zeros(states.shape, np.float32)
        for codes in np.moveaxis(self._codes[tokens], -1, 0):
            after, gain = self._step(states, codes)
            states, gains = np.where(codes == NONE, states, after), gains + np.where(codes == NONE, 0, gain)
        return states, gains

    def _step(self, states: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        after = self._edge(states, codes)
        ending = self._ends_words[codes]
        left = np.where(ending & self._ends[states], np.float32(0), self._loss[states])
        gains = np.where(after < 0, left, self._value[after] - self._value[states])
        other = np.where(after < 0, self._fallback[states], DEAD)
        while (other != DEAD).any():
            found = np.where(other != DEAD, self._edge(other, codes), -1)
            after = np.where(found >= 0, found, after)
            gains = np.where(found >= 0, gains + self._value[found], gains)
            other = np.where(found >= 0, DEAD, self._fallback[other])
        return np.where(after < 0, np.where(ending, ROOT, DEAD), after), gains

    def _edge(self, states: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """The node that each character leads to; −1 for none."""
        wanted = states << _BITS | codes
        index = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(self._keys[index] == wanted, self._targets[index], -1)

    def proposals(self, tokens: Sequence[int]) -> list[Proposal]:
        """The places whose words resemble listed words without being listed.

        Empty where a token holds several characters.
        """
        texts = [self._texts[token] for token in tokens]
        if not self._folded or any(len(text) > 1 for text in texts):
            return []
        text = "".join(text or "\0" for text in texts).translate(_QUOTES)
        spans = [(start, stop) for start, stop in _spans(text) if self._forms.isdisjoint(text[start:stop].split())]
        if not spans:
            return []
        distances = process.cdist(
            [_folded(text[start:stop]) for start, stop in spans], self._folded,
            scorer=Levenshtein.normalized_distance, score_cutoff=NEAR, dtype=np.float32,
        )  # fmt: skip
        found = []
        for (start, stop), row in zip(spans, distances, strict=True):
            most = NEAR_TWO if " " in text[start:stop] else NEAR
            nearest = [index for index in np.argsort(row, kind="stable")[:PROPOSALS].tolist() if row[index] <= most]
            options = [form for index in nearest for form in self._fitting(index, text[start:stop])]
            options = [form for form in options if _digits(form) == _digits(text[start:stop])]
            if options:
                written = (tuple(self._single[character] for character in form) for form in options)
                found.append(Proposal(start, stop, tuple(written)))
        return found

    def differ_by_case(self, tokens: Sequence[int], others: Sequence[int]) -> bool:
        """Whether two words are the same but for small and large letters, token by token."""
        return len(tokens) == len(others) and all(
            self._texts[one].casefold() == self._texts[other].casefold()
            for one, other in zip(tokens, others, strict=True)
        )

    def _fitting(self, index: int, word: str) -> list[str]:
        """The forms of a listed word that may stand for `word`: in capitals if it is."""
        known = sorted(self._by_folded[self._folded[index]])
        capitals = len(word) > 1 and word.isupper()
        return [form for form in known if form.isupper() == capitals] or known


def _spans(text: str) -> list[tuple[int, int]]:
    """Where words stand in a text: words, their parts beside an apostrophe or hyphen, and two words in one."""
    words = [match.span() for match in _WORD.finditer(text)]
    pairs = [(first[0], second[1]) for first, second in itertools.pairwise(words)]
    return list(dict.fromkeys([*words, *(match.span() for match in _PART.finditer(text)), *pairs]))


def _digits(text: str) -> str:
    """Numbers are no names: one is never read as another."""
    return "".join(filter(str.isdigit, text))


def _folded(word: str) -> str:
    return without_accents(word).casefold()


def _codes_of(texts: Sequence[str], codes: dict[str, int]) -> np.ndarray:
    """The codes of each token's characters, (tokens, longest), filled up with `NONE`."""
    found = np.full((len(texts), max(map(len, texts), default=1) or 1), NONE, np.int64)
    for token, text in enumerate(texts):
        found[token, : len(text) or 1] = [codes[character] for character in text] or OTHER
    return found
