"""The user's words, as `Recognizer.with_words` and the options `words` take them."""

import weakref
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from hwr_core.decoding.network import Network
from hwr_core.decoding.word_list import WordList, split_words
from hwr_core.errors import TooLargeError
from hwr_core.loaded_model import LoadedModel
from hwr_core.runtime.limits import WORD_LENGTH, WORDS, WORDS_LENGTH

LISTS = 8  # tables that are kept for the next call; one of 5,000 words takes 5 MB
_SPACE = "▁"  # of a SentencePiece vocabulary


def checked_words(words: str | Iterable[str]) -> tuple[str, ...]:
    """Returns the single words of a list, each once.

    Args:
        words: A text, with spaces, line breaks, commas or semicolons between the words, or several such texts.

    Raises:
        TooLargeError: There are too many words, or one is too long.
    """
    text = words if isinstance(words, str) else "\n".join(words)
    if len(text) > WORDS_LENGTH:
        raise TooLargeError(f"The list of words has {len(text):,} characters: give {WORDS_LENGTH:,} at most.")
    found = tuple(split_words(text))
    if len(found) > WORDS:
        raise TooLargeError(f"The list has {len(found):,} words: give {WORDS:,} at most.")
    if longest := next((word for word in found if len(word) > WORD_LENGTH), None):
        raise TooLargeError(f"The word {longest[:20]}… has {len(longest)} characters: give {WORD_LENGTH} at most.")
    return found


def word_list(model: LoadedModel, words: tuple[str, ...]) -> WordList | None:
    """Returns the search's table of words; None for no words, and for formulas, which have none.

    Equal words give the same object, so that lines of several requests are decoded together.
    """
    return None if model.task.reads_formulas or not words else _table(words, token_texts(model))


@lru_cache(LISTS)
def _table(words: tuple[str, ...], tokens: tuple[str, ...]) -> WordList:
    return WordList(words, tokens)


def token_texts(model: LoadedModel) -> tuple[str, ...]:
    """Returns what each token adds to a text, in the order of the ids; "" for special tokens."""
    if (known := _texts.get(model.network)) is None:
        known = _texts[model.network] = tuple(_text(model, index) for index in range(model.network.vocabulary))
    return known


# By network, which copies of a recognizer share. Weak, so that a checkpoint can leave the memory.
_texts: "weakref.WeakKeyDictionary[Network, tuple[str, ...]]" = weakref.WeakKeyDictionary()


def _text(model: LoadedModel, index: int) -> str:
    tokenizer: Any = model.tokenizer
    name = (getattr(tokenizer, "id_to_token", None) or tokenizer.convert_ids_to_tokens)(index) or ""
    return name.replace(_SPACE, " ") if name.startswith(_SPACE) else model.text_of([index])
