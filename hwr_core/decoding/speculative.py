"""Greedy decoding in fewer steps than there are tokens (speculative decoding)."""

import math

import numpy as np

from hwr_core.decoding.ctc import CTCPrefixScorer
from hwr_core.decoding.network import Lookahead, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis, Step, best_of, hypothesis, joint, log_softmax

AHEAD = 48  # tokens that are checked in one step, at most


def look_ahead(network: Network, line: Lookahead, settings: DecodingSettings, likely: float = 0.0) -> Hypothesis | None:
    """Decodes a line greedily: the tokens and scores are those of a beam search with one beam.

    CTC's best path is a draft. The decoder checks it in one step and continues from the first token that it rejects.
    CTC then drafts the rest anew (Leviathan, Kalman and Matias 2023).

    Args:
        network: the checkpoint's network.
        line: the encoded line, with CTC's output.
        settings: the settings of the search. Its `beams` and `grammar` are ignored.
        likely: the least probability of CTC's first draft, 0–1.

    Returns:
        The hypothesis; None if CTC's first draft is less probable than `likely`.

    Raises:
        ValueError: the line has no output of CTC.
    """
    if line.ctc_logits is None or line.mask is None:
        raise ValueError("Speculative decoding needs the output of CTC.")
    end, most = network.end, settings.max_length - 1
    place = CTCPrefixScorer(log_softmax(line.ctc_logits.astype(np.float64)), line.mask, network.pad, end)
    language_model = settings.language_model if settings.language_model_weight else None
    context = language_model.start(1) if language_model is not None else None
    word_list = settings.word_list
    state = word_list.start(1) if word_list is not None else None
    path: list[Step] = []
    total, last = 0.0, network.start
    draft = place.rest()
    places: CTCPrefixScorer | None = None
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
        contexts = None
        if language_model is not None and context is not None:
            contexts = language_model.along(context, draft)
        states = word_list.along(state, draft) if word_list is not None and state is not None else None
        candidates, scores, log_probabilities = joint(log_softmax(logits), places, contexts, states, settings, end)
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
        place, places = places, None
        draft = place.rest()
        if language_model is not None and contexts is not None:
            context = language_model.advance(contexts[agreed : agreed + 1], chosen[agreed : agreed + 1])
        if word_list is not None and states is not None:
            state = word_list.advance(states[agreed : agreed + 1], chosen[agreed : agreed + 1])
    return hypothesis(path, total, False, settings)
