"""Greedy decoding in fewer steps than there are tokens."""

import math

import numpy as np

from hwr_core.decoding.ctc import CTCPrefixScorer
from hwr_core.decoding.network import Lookahead, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis, best_of, hypothesis, joint, log_softmax

AHEAD = 48  # tokens judged in one step at most


def look_ahead(network: Network, line: Lookahead, settings: DecodingSettings, likely: float = 0.0) -> Hypothesis | None:
    """What greedy decoding finds: the same tokens, with the same scores.

    What CTC's best path says is taken as a draft, which the decoder judges whole, in one step; where it would have gone on otherwise, the rest is
    drafted anew (speculative decoding, Leviathan, Kalman and Matias 2023). None where CTC gives its own first draft a probability below `likely`.
    """
    end, most = network.end, settings.max_length - 1
    place = CTCPrefixScorer(log_softmax(line.ctc_logits.astype(np.float64)), line.mask, network.pad, end)
    language_model = settings.language_model if settings.language_model_weight else None
    context = language_model.start(1) if language_model is not None else None
    path: list[tuple] = []
    total, last = 0.0, network.start
    draft, places = place.rest(), None
    if likely:
        places = place.along(draft)
        if places.either[-1, -1] < math.log(likely):
            return None
    while len(path) < most:
        room = min(AHEAD, most - len(path) - 1)
        if places is None or len(draft) > room:
            draft = draft[:room]
            places = place.along(draft)
        logits = line.ahead(np.array([last, *draft]))
        if network.pad != end:
            logits[:, network.pad] = -np.inf
        contexts = language_model.along(context, draft) if language_model is not None else None
        candidates, scores, log_probabilities = joint(log_softmax(logits), places, contexts, settings, end)
        first, top = scores.argmax(1), best_of(log_probabilities, 2)
        each = np.arange(len(first))
        chosen = candidates[each, first]
        agreed = 0
        while agreed < len(draft) and chosen[agreed] == draft[agreed]:
            agreed += 1
        second = top[each, (candidates[each, top[:, 0]] == chosen).astype(np.intp)]
        steps = (chosen, log_probabilities[each, first], candidates[each, second], log_probabilities[each, second])
        path += list(zip(*(values[: agreed + 1].tolist() for values in steps), strict=True))
        total += float(scores[each, first][: agreed + 1].sum())
        last = int(chosen[agreed])
        if last == end:
            return hypothesis(path, total, True, settings)
        line.back(len(draft) - agreed)
        places.advance(np.array([agreed]), chosen[agreed : agreed + 1])
        place, places, draft = places, None, places.rest()
        if contexts is not None:
            context = language_model.advance(contexts[agreed : agreed + 1], chosen[agreed : agreed + 1])
    return hypothesis(path, total, False, settings)
