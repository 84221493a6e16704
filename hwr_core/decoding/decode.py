"""From an encoded image to token sequences, over TrOCR's decoder.

Written out rather than left to `generate`, which adds neither CTC's nor a language model's scores (`scores.py`), stops
at 20 tokens by default and cannot mask the padding of lines of different widths. In NumPy, so that it is one search for
every `Network`, and none needs another's library.
"""

import math

import numpy as np

from hwr_core.decoding.beam_search import beam_search
from hwr_core.decoding.network import Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis
from hwr_core.decoding.speculative import look_ahead

# A line for which CTC's draft is at least that likely is read greedily first, and with beams only where that reading is less sure than this, from which on
# they hardly ever find another text (`python -m training.evaluation.beam_threshold`).
LIKELY, SURE = 0.7, 0.85


def decode(network: Network, pixel_values: np.ndarray, settings: DecodingSettings) -> list[list[Hypothesis]]:
    """For each image of the batch its hypotheses, best first: `settings.beams` of them, where there are so many sequences and the first is in doubt."""
    encoded = network.encode(pixel_values, settings.beams)
    if (
        not hasattr(encoded, "alone")
        or not settings.ctc_weight
        or encoded.ctc_logits is None
        or settings.grammar is not None
    ):
        return beam_search(network, encoded, len(pixel_values), settings)
    found: list[list[Hypothesis]] = []
    for item in range(len(pixel_values)):
        greedy = look_ahead(network, encoded.alone(item), settings, 0.0 if settings.beams == 1 else LIKELY)
        found.append([greedy] if greedy is not None else [])
    doubtful = [
        item
        for item, hypotheses in enumerate(found)
        if not hypotheses or sum(hypotheses[0].log_probabilities) < math.log(SURE)
    ]
    if settings.beams > 1 and doubtful:
        if len(doubtful) < len(found):
            encoded.keep(np.array(doubtful))
        for item, hypotheses in zip(doubtful, beam_search(network, encoded, len(doubtful), settings), strict=True):
            found[item] = hypotheses
    return found
