"""In which of the language model's languages lines are read."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hwr_core.decoding.beam_search import beam_search
from hwr_core.decoding.network import Divisible, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis

# A line whose language is unclear is searched in several. The best total wins. Chosen on 480 validation lines in English,
# French and German: as good as all seven languages for each line, at 1.1 searches a line.
AS_LIKELY = 4.0  # nats by which a reading may be less probable in another language
MOST_LANGUAGES = 3
TELLS = 8.0  # nats between the likeliest and the unlikeliest language; below, as in numbers and formulas, none tells anything


def in_likely_languages(
    network: Network, encoded: Divisible, items: list[int], languages: list[int], settings: DecodingSettings
) -> Iterator[tuple[int, int, list[Hypothesis]]]:
    """Searches in the language of each line's draft, then in others while a reading is as likely in them.

    Args:
        network: the checkpoint's network.
        encoded: the encoded batch.
        items: the lines of the batch to search.
        languages: the language of each line of the batch, by the language model's numbers.
        settings: the settings of the search.

    Yields:
        A line, the language in which its best hypothesis was found, and its hypotheses in this language. Better ones of
        a line come later.
    """
    best = dict.fromkeys(items, -math.inf)
    tried: dict[int, list[int]] = {item: [languages[item]] for item in items}
    while tried:
        batch = list(tried)
        own = in_languages(settings, [tried[item][-1] for item in batch])
        found = beam_search(network, encoded.chosen(np.array(batch), settings.beams), len(batch), own)
        for item, hypotheses in zip(batch, found, strict=True):
            if hypotheses[0].score > best[item]:
                best[item] = hypotheses[0].score
                yield item, tried[item][-1], hypotheses
            other = other_language(settings, hypotheses[0].tokens, tried[item])
            if other is None:
                del tried[item]
            else:
                tried[item].append(other)


def likeliest_language(settings: DecodingSettings, draft: list[int]) -> int:
    """The language, by the language model's numbers, that a line with this draft is most likely in."""
    model = settings.language_model if settings.language_model_weight else None
    if model is None or len(model.languages) == 1:
        return 0
    if settings.language is not None:
        return model.languages.index(settings.language)
    return int(model.in_each_language(draft).argmax())


def other_language(settings: DecodingSettings, tokens: list[int], tried: list[int]) -> int | None:
    """The untried language in which a reading is as likely as in the last tried one; None if there is none."""
    model = settings.language_model if settings.language_model_weight else None
    if model is None or settings.language is not None or len(tried) == min(MOST_LANGUAGES, len(model.languages)):
        return None
    scores = model.in_each_language(tokens)
    if scores.max() - scores.min() < TELLS:
        return None
    least = scores[tried[-1]] - AS_LIKELY
    scores[tried] = -np.inf
    other = int(scores.argmax())
    return other if scores[other] >= least else None


def in_languages(settings: DecodingSettings, languages: list[int]) -> DecodingSettings:
    """The settings of lines in these languages."""
    model = settings.language_model
    return settings if model is None else replace(settings, language_model=model.for_lines(languages))
