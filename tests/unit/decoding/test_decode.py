"""Beam search and CTC prefix scores equal brute force, PyTorch's CTC and transformers' `generate`."""

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import ctc_loss

from hwr_core.checkpoints.registry import load_recognizer
from hwr_core.decoding import decode as decoding
from hwr_core.decoding.ctc import CTCPrefixScorer
from hwr_core.decoding.decode import decode
from hwr_core.decoding.scores import DecodingSettings, log_softmax
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from tests.support import checkpoint_layouts as layouts

BLANK, END = 1, 2  # as in every TrOCR vocabulary: pad is CTC's blank
LINES = ("hello world", "a", "the quick brown fox jumps", "1984")


@pytest.fixture(scope="module")
def images():
    return [render_line(write(text), 96, 5.0) for text in LINES]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """One recognizer of each layout, kept here: `load_recognizer` itself keeps two."""
    folder = tmp_path_factory.mktemp("layouts")
    made = {
        "base": layouts.base(folder / "base"),
        "large-printed": layouts.base(folder / "printed", sinusoidal=True, seed=5),
        "small": layouts.small(folder / "small"),
        "small-projection": layouts.small(folder / "projection", projection=True, crop=True, seed=3),
        "roberta": layouts.other_decoder(folder / "roberta", "roberta"),
        "gpt2": layouts.other_decoder(folder / "gpt2", "gpt2"),
        "own": layouts.own(folder / "own"),
    }
    return {name: load_recognizer(str(path)) for name, path in made.items()}


MICROSOFT = ["base", "large-printed", "small", "small-projection"]


def pixels(recognizer, images):
    return recognizer.pixels([image.convert("RGB") for image in images])


@pytest.mark.parametrize("name", [*MICROSOFT, "roberta", "gpt2"])
def test_greedy_decoding_says_what_generate_says_token_for_token(name, checkpoints, images):
    recognizer = checkpoints[name]
    pixel_values, settings = pixels(recognizer, images), recognizer.settings()
    ours = decode(recognizer.network, pixel_values, settings)
    theirs = recognizer.network.model.generate(
        torch.from_numpy(pixel_values), num_beams=1, do_sample=False, max_new_tokens=settings.max_length - 1
    )
    assert len({tuple(best.tokens) for best, *_ in ours}) > 1  # it looks at the image
    for (best, *_), row in zip(ours, theirs.tolist(), strict=True):
        tokens = row[1:]
        assert best.complete == (END in tokens)
        assert best.tokens == (tokens[: tokens.index(END)] if best.complete else tokens)


@pytest.mark.parametrize("name", MICROSOFT)
def test_three_beams_find_what_generate_finds_with_three(name, checkpoints, images):
    recognizer = checkpoints[name]
    pixel_values = pixels(recognizer, images)
    ours = decode(recognizer.network, pixel_values, recognizer.settings(3))
    theirs = recognizer.network.model.generate(
        torch.from_numpy(pixel_values), num_beams=3, do_sample=False, max_new_tokens=63, length_penalty=1.0
    )
    for (best, *_), row in zip(ours, theirs.tolist(), strict=True):
        assert best.complete == (END in row[1:])
        assert best.tokens == (row[1 : row.index(END, 1)] if best.complete else row[1:])


@pytest.mark.parametrize("name", [*MICROSOFT, "own"])
def test_three_beams_give_three_different_hypotheses_best_first(name, checkpoints, images):
    recognizer = checkpoints[name]
    pixel_values = pixels(recognizer, images)
    for hypotheses in decode(recognizer.network, pixel_values, recognizer.settings(3)):
        assert len({tuple(hypothesis.tokens) for hypothesis in hypotheses}) == 3
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)


def test_three_beams_find_sequences_at_least_as_likely_as_greedy_decoding_does():
    # As sure of itself as a trained decoder is; where every token is as good as any, the greedy path may be lost half-way.
    toy = Toy()
    toy.table = lambda item, prefix: toy.random(item, prefix) * 4
    greedy = decode(toy, items(*range(60)), DecodingSettings(beams=1, max_length=40))
    wide = decode(toy, items(*range(60)), DecodingSettings(beams=3, max_length=40))
    gains = [best.score - single.score for (single,), (best, *_) in zip(greedy, wide, strict=True)]
    assert min(gains) > -1e-5 and max(gains) > 0.1


def test_lines_longer_than_twenty_tokens_are_not_cut(checkpoints, images):
    for name in ("base", "small-projection", "own"):
        recognizer = checkpoints[name]
        hypotheses = [
            best for best, *_ in decode(recognizer.network, pixels(recognizer, images), recognizer.settings())
        ]
        assert any(len(best.tokens) > 20 and best.complete for best in hypotheses), name


def test_a_hypothesis_is_incomplete_where_the_positions_run_out(checkpoints, images):
    recognizer = checkpoints["own"]
    whole = decode(recognizer.network, pixels(recognizer, images), recognizer.settings())
    short = decode(recognizer.network, pixels(recognizer, images), DecodingSettings(ctc_weight=0.4, max_length=15))
    for (long,), (cut,) in zip(whole, short, strict=True):
        assert cut.complete == (len(long.tokens) < 14)
        assert cut.tokens == (long.tokens if cut.complete else long.tokens[:14])
    assert {cut.complete for (cut,) in short} == {True, False}


class Toy:
    """A network of five tokens. Its scores of the next token are random, one set for each item and prefix.

    Its state is the prefixes themselves, so that a beam that continues the wrong row gets the wrong scores.
    """

    start, end = END, END

    def __init__(self, vocabulary=5, ctc_logits=None, scores=None, pad=BLANK):
        self.vocabulary, self.ctc_logits, self.table, self.pad = vocabulary, ctc_logits, scores or self.random, pad

    def random(self, item, prefix):
        seed = sum(token * 7**place for place, token in enumerate((item, *prefix), 1)) % (2**61 - 1)
        return np.random.default_rng(seed).standard_normal(self.vocabulary) * 1.5

    def encode(self, pixel_values, beams):
        return Prefixes(self, pixel_values[:, 0, 0].astype(int).tolist(), beams)


class Prefixes:
    def __init__(self, toy, items, beams):
        self.toy, self.beams, self.items, self.prefixes = toy, beams, items, [()] * (len(items) * beams)
        self.ctc_logits = toy.ctc_logits
        self.mask = np.ones(toy.ctc_logits.shape[:2], bool) if toy.ctc_logits is not None else None

    def step(self, tokens, origin):
        self.prefixes = [
            (*self.prefixes[row], token) for row, token in zip(origin.tolist(), tokens.tolist(), strict=True)
        ]
        return np.stack(
            [self.toy.table(self.items[row // self.beams], prefix) for row, prefix in enumerate(self.prefixes)]
        )

    def keep(self, items):
        self.items = [self.items[item] for item in items]


def items(*numbers):
    return np.array(numbers, np.float32)[:, None, None]


def every_sequence(toy, item, length):
    """(score, tokens) of each sequence that ends within `length` tokens, the end token counted, best first."""
    found = []

    def extend(tokens, total):
        logits = toy.random(item, (END, *tokens))
        logits[BLANK] = -math.inf
        log_probabilities = log_softmax(logits).tolist()
        found.append(((total + log_probabilities[END]) / (len(tokens) + 1), tokens))
        if len(tokens) + 1 < length:
            for token in (0, 3, 4):
                extend((*tokens, token), total + log_probabilities[token])

    extend((), 0.0)
    return sorted(found, reverse=True)


def test_a_beam_as_wide_as_the_search_space_finds_every_sequence_in_order():
    toy = Toy()
    results = decode(toy, items(0, 1), DecodingSettings(beams=40, max_length=4))
    for item, hypotheses in enumerate(results):
        expected = every_sequence(toy, item, 3)
        finished = [hypothesis for hypothesis in hypotheses if hypothesis.complete]
        assert [tuple(hypothesis.tokens) for hypothesis in finished] == [tokens for _, tokens in expected]
        assert [hypothesis.score for hypothesis in finished] == pytest.approx(
            [score for score, _ in expected], abs=1e-4
        )


def test_a_narrow_beam_reads_each_item_of_a_batch_as_it_reads_it_alone():
    toy = Toy()
    together = decode(toy, items(0, 1, 2, 3), DecodingSettings(beams=3, max_length=12))
    for item, hypotheses in enumerate(together):
        (alone,) = decode(toy, items(item), DecodingSettings(beams=3, max_length=12))
        assert [hypothesis.tokens for hypothesis in hypotheses] == [hypothesis.tokens for hypothesis in alone]


@pytest.mark.parametrize("beams", [1, 3])
def test_a_search_gives_up_what_has_become_too_improbable_and_changes_nothing_else(beams):
    toy, everything = Toy(), items(*range(12))
    whole = decode(toy, everything, DecodingSettings(beams=beams, max_length=20))
    given_up = decode(toy, everything, DecodingSettings(beams=beams, max_length=20, give_up_below=0.02))
    kinds = set()
    for (full, *_), (found, *_) in zip(whole, given_up, strict=True):
        probable = math.exp(sum(full.log_probabilities)) >= 0.02
        kinds.add(probable)
        if probable:
            assert (found.tokens, found.complete) == (full.tokens, full.complete)
        else:
            assert math.exp(sum(found.log_probabilities)) < 0.02 and len(found.tokens) <= len(full.tokens)
    assert kinds == {True, False}


@pytest.mark.parametrize("beams", [1, 3])
def test_the_log_probabilities_and_runners_up_are_the_decoders_own(beams):
    toy = Toy()
    (hypotheses,) = decode(toy, items(2), DecodingSettings(beams=beams, max_length=12))
    for hypothesis in hypotheses:
        chosen = [*hypothesis.tokens, *([END] if hypothesis.complete else [])]
        assert len(hypothesis.log_probabilities) == len(hypothesis.runners_up) == len(chosen)
        assert hypothesis.score == pytest.approx(sum(hypothesis.log_probabilities) / len(chosen), abs=1e-4)
        for step, token in enumerate(chosen):
            logits = toy.random(2, (END, *chosen[:step]))
            logits[BLANK] = -math.inf
            values = log_softmax(logits)
            assert hypothesis.log_probabilities[step] == pytest.approx(float(values[token]), abs=1e-4)
            values[token] = -math.inf
            assert hypothesis.runners_up[step] == (int(values.argmax()), pytest.approx(float(values.max()), abs=1e-4))


def test_ctc_keeps_the_place_of_a_decoder_that_repeats_itself():
    def stuck(item, prefix):
        return np.array([0.0, 0.0, -1.0, 3.0, 1.0])  # 3 for ever

    written = np.full((1, 9, 5), -4.0)
    for column, token in enumerate([BLANK, 3, 3, BLANK, 4, 3, BLANK, 3, BLANK]):
        written[0, column, token] = 4.0
    toy = Toy(ctc_logits=written, scores=stuck)
    ((alone,),) = decode(toy, items(0), DecodingSettings(max_length=12))
    assert alone.tokens == [3] * 11 and not alone.complete
    for beams in (1, 3):
        ((best, *_),) = decode(toy, items(0), DecodingSettings(beams=beams, ctc_weight=0.5, max_length=12))
        assert best.tokens == [3, 4, 3, 3] and best.complete


def test_an_end_token_that_is_the_pad_token_too_ends_the_line():
    toy = Toy(scores=lambda item, prefix: np.array([1.0, 0.0, 3.0 if len(prefix) > 2 else 0.0, 0.0, 0.0]), pad=END)
    ((best,),) = decode(toy, items(0), DecodingSettings(max_length=12))
    assert best.tokens == [0, 0] and best.complete


def collapsed(alignment):
    return tuple(token for token, _ in itertools.groupby(alignment) if token != BLANK)


def brute_force(log_probabilities):
    """Probability of each output of CTC, summed over every alignment. log_probabilities (columns, 4) → {tokens: p}."""
    probabilities = np.exp(log_probabilities.astype(np.float64)).tolist()
    outputs = {}
    for alignment in itertools.product(range(4), repeat=len(probabilities)):
        p = math.prod(column[token] for column, token in zip(probabilities, alignment, strict=True))
        outputs[collapsed(alignment)] = outputs.get(collapsed(alignment), 0.0) + p
    return outputs


def scorer_after(log_probabilities, mask, prefix):
    scorer = CTCPrefixScorer(log_probabilities, mask, BLANK, END)
    for token in prefix:
        scorer.advance(np.arange(len(mask)), np.full(len(mask), token))
    return scorer


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("sharpness", [0.5, 4.0])
def test_ctc_prefix_scores_are_those_of_all_alignments_summed(columns, sharpness):
    log_probabilities = log_softmax(np.random.default_rng(columns).standard_normal((2, columns, 4)) * sharpness)
    mask = np.ones((2, columns), bool)
    outputs = [brute_force(row) for row in log_probabilities]
    candidates = np.array([[0, BLANK, END, 3]] * 2)
    for length in range(4):
        for prefix in itertools.product((0, 3), repeat=length):  # among them repeated tokens, and more than fit
            scores = scorer_after(log_probabilities, mask, prefix).score(candidates)
            for row, output in enumerate(outputs):
                begun = sum(p for tokens, p in output.items() if tokens[:length] == prefix)
                if not begun:
                    continue
                for token, score in zip((0, 3), scores[row, [0, 3]].tolist(), strict=True):
                    expected = (
                        sum(p for tokens, p in output.items() if tokens[: length + 1] == (*prefix, token)) / begun
                    )
                    assert math.exp(score) == pytest.approx(expected, rel=1e-4, abs=1e-9)
                assert math.exp(scores[row, 2]) == pytest.approx(output.get(prefix, 0.0) / begun, rel=1e-4, abs=1e-9)
                assert scores[row, 1] < -1e6  # blank is no token


def test_columns_behind_the_end_of_a_line_change_no_ctc_score():
    log_probabilities = log_softmax(np.random.default_rng(7).standard_normal((2, 5, 4)))
    mask = np.array([[True] * 5, [True] * 3 + [False] * 2])
    candidates = np.array([[0, BLANK, END, 3]])
    for prefix in [(), (0,), (0, 0), (3, 0)]:
        together = scorer_after(log_probabilities, mask, prefix).score(candidates.repeat(2, 0))
        alone = scorer_after(log_probabilities[1:, :3], mask[1:, :3], prefix).score(candidates)
        possible = alone[0] > -1e4
        assert together[1, possible].tolist() == pytest.approx(alone[0, possible].tolist(), abs=1e-4)
        assert (together[1, ~possible] < -1e4).all()


def test_ctc_prefix_scores_of_long_lines_add_up_to_pytorchs_ctc():
    rows, columns, vocabulary = 3, 300, 30
    log_probabilities = log_softmax(np.random.default_rng(1).standard_normal((rows, columns, vocabulary)) * 2)
    text = [5, 5, 7, 9, 9, 9, 3, *range(4, 29), 6, 6]
    scorer, total = CTCPrefixScorer(log_probabilities, np.ones((rows, columns), bool), BLANK, END), np.zeros(rows)
    for token in [*text, END]:
        total += scorer.score(np.full((rows, 1), token))[:, 0]
        scorer.advance(np.arange(rows), np.full(rows, token))
    lengths = torch.full((rows,), columns), torch.full((rows,), len(text))
    seen = torch.from_numpy(log_probabilities).transpose(0, 1)
    loss = ctc_loss(seen, torch.tensor([text] * rows), *lengths, blank=BLANK, reduction="none")
    assert total.tolist() == pytest.approx((-loss).tolist(), rel=1e-4)


def test_ctc_scores_follow_the_beam_that_they_belong_to():
    log_probabilities = log_softmax(np.random.default_rng(3).standard_normal((2, 5, 4)))
    mask = np.ones((2, 5), bool)
    candidates = np.array([[0, END, 3]] * 4)
    scorers = []
    for rows in (
        [0, 1, 2, 3],
        [1, 0, 3, 2],
    ):  # the first tokens the same, the second from the same beam and from the other one
        scorer = CTCPrefixScorer(log_probabilities, mask, BLANK, END, beams=2)
        scorer.advance(np.arange(4), np.array([3, 0, 0, 3]))
        scorer.advance(np.array(rows), np.array([0, 3, 0, 3])[rows])
        scorers.append(scorer.score(candidates))
    assert np.allclose(scorers[0], scorers[1][[1, 0, 3, 2]])
    assert not np.allclose(scorers[0][:2], scorers[0][[1, 0]])


def test_ctc_scores_of_several_beams_are_those_of_each_alone():
    log_probabilities = log_softmax(np.random.default_rng(4).standard_normal((2, 5, 4)))
    mask = np.ones((2, 5), bool)
    candidates = np.array([[0, END, 3]] * 2)
    beams = CTCPrefixScorer(log_probabilities, mask, BLANK, END, beams=2)
    beams.advance(np.arange(4), np.array([3, 0, 3, 0]))
    together = beams.score(candidates.repeat(2, 0)).reshape(2, 2, -1)
    for beam, token in enumerate((3, 0)):
        assert np.allclose(together[:, beam], scorer_after(log_probabilities, mask, [token]).score(candidates))


def test_a_prefix_written_along_a_text_is_what_it_is_written_token_by_token():
    log_probabilities = log_softmax(np.random.default_rng(5).standard_normal((1, 7, 5)))
    mask, text = np.ones((1, 7), bool), [3, 0, 0, 4]  # with a repeated token
    candidates = np.array([[0, END, 3, 4]])
    along = scorer_after(log_probabilities, mask, [4]).along(text)
    steps = [scorer_after(log_probabilities, mask, [4, *text[:length]]) for length in range(5)]
    assert np.allclose(along.score(candidates.repeat(5, 0)), np.concatenate([step.score(candidates) for step in steps]))
    along.advance(np.array([2]), np.array([3]))  # and goes on from any place of it
    assert np.allclose(along.score(candidates), scorer_after(log_probabilities, mask, [4, 3, 0, 3]).score(candidates))


def test_what_ctc_expects_next_is_the_rest_of_what_it_sees():
    seen = [BLANK, 3, 3, BLANK, 0, BLANK, BLANK, 0, 4, BLANK]
    logits = np.eye(5)[seen] * 8
    logits[1:3, 4] = 4  # as well as the 3, it may be a 4
    log_probabilities = log_softmax(logits[None])
    mask = np.ones((1, len(seen)), bool)
    for prefix, rest in (([], [3, 0, 0, 4]), ([3], [0, 0, 4]), ([3, 0], [0, 4]), ([3, 0, 0, 4], []), ([4], [0, 0, 4])):
        assert scorer_after(log_probabilities, mask, prefix).rest() == rest


class StepByStep:
    """A network that cannot go several steps at once."""

    def __init__(self, network):
        self.network = network

    def __getattr__(self, name):
        return getattr(self.network, name)

    def encode(self, pixel_values, beams):
        encoded = self.network.encode(pixel_values, beams)
        return type("Encoded", (), {name: getattr(encoded, name) for name in ("mask", "ctc_logits", "step", "keep")})


def unclear(images):
    """The lower part of each line, which a checkpoint's decoder and its CTC read differently."""
    return [image.crop((0, int(0.55 * image.height), image.width, image.height)) for image in images]


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_looking_ahead_finds_what_greedy_decoding_finds_token_for_token(backend, images):
    recognizer = load_recognizer("text", backend=backend)
    for pictures in (images, unclear(images)):
        settings = recognizer.with_language("en").settings(1)  # without a draft no line tells its language
        pixel_values = pixels(recognizer, pictures)
        ours, theirs = (
            decode(recognizer.network, pixel_values, settings),
            decode(StepByStep(recognizer.network), pixel_values, settings),
        )
        for (one,), (other,) in zip(ours, theirs, strict=True):
            assert one.tokens == other.tokens and one.complete and other.complete
            assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-2)
            assert one.runners_up == [
                (token, pytest.approx(value, abs=3e-2)) for token, value in other.runners_up
            ]  # in eight bits
            assert (one.total, one.score) == pytest.approx((other.total, other.score), abs=1e-2)


LONG = "we arrived on thursday evening after a long journey and the house is small but the garden is full of roses come and see us"


@pytest.mark.parametrize("length", [256, 20, 50, 2])
def test_a_line_longer_than_is_looked_ahead_is_read_to_its_end_or_to_the_last_position(length):
    recognizer = load_recognizer("text").with_language("en")
    pixel_values = pixels(recognizer, [render_line(write(LONG), 96, 5.0)])
    settings = replace(recognizer.settings(1), max_length=length)
    ((ours,),), ((theirs,),) = (
        decode(network, pixel_values, settings) for network in (recognizer.network, StepByStep(recognizer.network))
    )
    assert ours.tokens == theirs.tokens and ours.complete == theirs.complete == (length == 256)
    assert len(ours.tokens) > 100 or len(ours.tokens) == length - 1
    assert ours.log_probabilities == pytest.approx(theirs.log_probabilities, abs=1e-2)


def test_looking_ahead_follows_a_decoder_that_never_agrees_with_ctc(checkpoints, images):
    recognizer = checkpoints["own"]  # of random weights
    pixel_values = pixels(recognizer, images)
    for length in (12, 40):
        settings = DecodingSettings(ctc_weight=0.05, max_length=length)
        ours, theirs = (
            decode(network, pixel_values, settings) for network in (recognizer.network, StepByStep(recognizer.network))
        )
        assert [best.tokens for (best,) in ours] == [best.tokens for (best,) in theirs]
        assert [best.complete for (best,) in ours] == [best.complete for (best,) in theirs]
        assert all(len(best.log_probabilities) < length for (best,) in ours)


def test_a_clear_line_takes_a_step_or_two_and_beams_only_where_it_is_unclear(images, monkeypatch):
    recognizer = load_recognizer("text")
    taken, run = [], recognizer.network.decoder.run
    counted = SimpleNamespace(run=lambda outputs, given: taken.append(given["tokens"].shape) or run(outputs, given))
    monkeypatch.setattr(recognizer.network, "decoder", counted)
    for text in ("hello world", LONG[:59]):
        taken.clear()
        monkeypatch.setattr(decoding, "SURE", 0.85 if len(text) < 48 else 0.5)  # all of a long line is never as sure
        image = render_line(write(text), 96, 5.0)
        (clear,), (single,) = (
            decode(recognizer.network, pixels(recognizer, [image]), recognizer.settings(beams)) for beams in (4, 1)
        )
        assert recognizer.text_of(clear[0].tokens) == text and clear == single
        assert len(taken) <= 6 and all(rows == 1 for rows, _ in taken)
    taken.clear()
    narrow = recognizer.with_decoding(wide_beams=0, letters=None).settings(4)  # lost marks are tried one by one
    (hypotheses,) = decode(recognizer.network, pixels(recognizer, unclear(images[:1])), narrow)
    assert len(hypotheses) == 4 and all(shape == (4, 1) for shape in taken)


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_only_a_line_with_an_improbable_draft_is_searched_with_more_beams(backend, images, monkeypatch):
    recognizer = load_recognizer("text", backend=backend).with_language("en")
    some = [*unclear(images), images[0]]
    narrow, wide = (
        decode(recognizer.network, pixels(recognizer, some), recognizer.with_decoding(wide_beams=count).settings(4))
        for count in (0, 9)
    )
    counts = [len(hypotheses) for hypotheses in wide]
    assert 9 in counts and counts[-1] <= 4 and max(len(hypotheses) for hypotheses in narrow) == 4
    for few, many, count in zip(narrow, wide, counts, strict=True):
        if count == 9:
            assert max(one.total for one in many) >= max(one.total for one in few) - 1e-4
        else:
            assert [one.tokens for one in many] == [one.tokens for one in few]
    monkeypatch.setattr(decoding, "WIDE_AT_ONCE", 1)
    alone = decode(recognizer.network, pixels(recognizer, some), recognizer.with_decoding(wide_beams=9).settings(4))
    assert [[one.tokens for one in hypotheses] for hypotheses in alone] == [
        [one.tokens for one in hypotheses] for hypotheses in wide
    ]


def test_greedy_reading_stays_greedy_however_improbable_the_draft(images):
    recognizer = load_recognizer("text").with_decoding(wide_beams=9)
    for hypotheses in decode(recognizer.network, pixels(recognizer, unclear(images)), recognizer.settings(1)):
        assert len(hypotheses) == 1
