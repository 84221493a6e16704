"""From line images to token sequences.

The search is written in NumPy, so that every `Network` shares it and needs no other backend's library. Transformers'
`generate` is not used. It adds no scores of CTC or of a language model (`scores.py`), stops at 20 tokens by default,
and cannot mask the padding of shorter lines.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from hwr_core.decoding.beam_search import beam_search
from hwr_core.decoding.languages import in_languages, in_likely_languages, likeliest_language
from hwr_core.decoding.lost_letters import with_lost_letters
from hwr_core.decoding.lost_marks import with_lost_marks
from hwr_core.decoding.network import Divisible, Lookahead, Network
from hwr_core.decoding.proposals import with_listed_words
from hwr_core.decoding.scores import DecodingSettings, Hypothesis, log_softmax
from hwr_core.decoding.small_capitals import in_capitals
from hwr_core.decoding.speculative import look_ahead
from hwr_core.decoding.unread_symbols import unread_stretches
from hwr_core.decoding.unused_ink import CtcPath, ctc_path, unread_spans
from hwr_core.decoding.word_features import with_word_confidences

# If CTC's draft has probability LIKELY or more, the line is decoded greedily first. Beam search follows only if the
# result's probability is below SURE. Above it, beams almost never change the text
# (`python -m training.evaluation.beam_threshold`).
LIKELY = 0.7  # probability of CTC's draft
SURE = 0.85  # probability of the greedy result

# A line whose draft is less probable than UNLIKELY is searched with `wide_beams`. On 300 validation lines of each set twelve
# beams have 4 % fewer wrong characters than four, nearly all of that on such lines.
UNLIKELY = 0.2  # product of the probabilities of the draft's characters
WIDE_AT_ONCE = 3  # lines: their rows are then about as many as those of a batch of other lines

Correction = Callable[[Network, Lookahead, list[Hypothesis], DecodingSettings], list[Hypothesis]]


def decode(network: Network, pixel_values: np.ndarray, settings: DecodingSettings) -> list[list[Hypothesis]]:
    """Reads a batch of line images.

    With a word list, a line is read without it first. Then listed words that resemble a word of the line are tried in
    its place (`proposals.py`). So a line without such a word is read as without the list. Networks without CTC get the
    list's bonus in the beam search itself.

    Args:
        network: the checkpoint's network.
        pixel_values: the images, (batch, channels, height, width) float32.
        settings: the settings of the search.

    Returns:
        For each image its hypotheses, best first. There are at most `settings.beams`; a line that is read greedily
        has one, or two if a listed word replaced another.
    """
    encoded = network.encode(pixel_values, settings.beams)
    if settings.grammar is not None and encoded.symbols is not None:
        names, seen = settings.grammar.tokens, encoded.symbols
        return [
            [replace(best, unread=unread_stretches(symbols, best.tokens, names)), *others]
            for symbols, (best, *others) in zip(
                seen, beam_search(network, encoded, len(pixel_values), settings), strict=True
            )
        ]
    logits_of = encoded.ctc_logits
    if (
        not isinstance(encoded, Divisible)
        or not settings.ctc_weight
        or logits_of is None
        or settings.grammar is not None
    ):
        without_draft = in_languages(settings, [likeliest_language(settings, [])] * len(pixel_values))
        return beam_search(network, encoded, len(pixel_values), without_draft)
    return with_drafts(network, encoded, logits_of, settings)


def with_drafts(
    network: Network, encoded: Divisible, logits_of: np.ndarray, settings: DecodingSettings
) -> list[list[Hypothesis]]:
    """Reads lines that CTC has drafted: greedily where that is enough, else by beam search.

    Args:
        network: the checkpoint's network.
        encoded: the encoded lines.
        logits_of: CTC's output for them, (batch, columns, vocabulary) float32.
        settings: the settings of the search.

    Returns:
        As `decode`.
    """
    masks = np.ones(logits_of.shape[:2], bool) if encoded.mask is None else encoded.mask
    paths = [
        ctc_path(log_softmax(logits[mask].astype(np.float64)), network.pad)
        for logits, mask in zip(logits_of, masks, strict=True)
    ]
    found: list[list[Hypothesis]] = []
    plain = replace(settings, word_list=None)
    languages = [likeliest_language(plain, path.tokens.tolist()) for path in paths]
    for item, language in enumerate(languages):
        own = in_languages(plain, [language])
        greedy = look_ahead(network, encoded.alone(item), own, 0.0 if settings.beams == 1 else LIKELY)
        found.append([greedy] if greedy is not None else [])
    doubtful = [
        item
        for item, hypotheses in enumerate(found)
        if not hypotheses or sum(hypotheses[0].log_probabilities) < math.log(SURE)
    ]
    if settings.beams > 1 and doubtful:
        for some, own in _by_width(doubtful, paths, plain):
            for item, language, hypotheses in in_likely_languages(network, encoded, some, languages, own):
                languages[item], found[item] = language, hypotheses

    def corrected(
        correct: Correction, found: list[list[Hypothesis]], settings: DecodingSettings
    ) -> list[list[Hypothesis]]:
        return [
            correct(network, encoded.alone(item), hypotheses, in_languages(settings, [language]))
            for item, (hypotheses, language) in enumerate(zip(found, languages, strict=True))
        ]

    found = [
        with_lost_letters(network, encoded.alone(item), hypotheses, in_languages(plain, [language]), path)
        for item, (hypotheses, language, path) in enumerate(zip(found, languages, paths, strict=True))
    ]
    found = corrected(with_lost_marks, found, plain)
    if settings.word_list is not None:
        found = corrected(with_listed_words, found, settings)
    whole = [by_ink(path, hypotheses, settings.space) for path, hypotheses in zip(paths, found, strict=True)]
    # CTC's draft has small letters in place of small capitals, so ink that was not read is told before.
    whole = corrected(in_capitals, whole, plain)
    return [
        with_word_confidences(hypotheses, in_languages(settings, [language]))
        for hypotheses, language in zip(whole, languages, strict=True)
    ]


def _by_width(
    items: list[int], paths: list[CtcPath], settings: DecodingSettings
) -> Iterator[tuple[list[int], DecodingSettings]]:
    """The lines that are searched together, with the settings of their search."""
    wide = replace(settings, beams=max(settings.beams, settings.wide_beams))
    unlikely = [item for item in items if paths[item].probabilities.prod() < UNLIKELY]
    if wide.beams == settings.beams or not unlikely:
        yield items, settings
        return
    if others := [item for item in items if item not in unlikely]:
        yield others, settings
    for start in range(0, len(unlikely), WIDE_AT_ONCE):
        yield unlikely[start : start + WIDE_AT_ONCE], wide


def by_ink(path: CtcPath, hypotheses: list[Hypothesis], space: int | None) -> list[Hypothesis]:
    """Puts a hypothesis that leaves no ink out before a best one that does. Else notes the best one's unread stretches.

    Args:
        path: What CTC alone would write.
        hypotheses: Of a line, best first.
        space: The token of a space; None where there is none.
    """
    unread = unread_spans(path, hypotheses[0].tokens, space)
    if unread:
        whole = next((one for one in hypotheses[1:] if not unread_spans(path, one.tokens, space)), None)
        if whole is not None:
            return [whole, *(one for one in hypotheses if one is not whole)]
    return [replace(hypotheses[0], unread=unread), *hypotheses[1:]]
