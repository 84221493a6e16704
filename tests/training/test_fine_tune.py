"""Adapting a checkpoint to one's own lines: what moves, going on after a stop, and keeping the old one."""

import json
import random

import numpy as np
import pytest
import torch
from PIL import Image

from hwr_core import cli
from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL, MODELS
from hwr_core.checkpoints.registry import load_recognizer
from hwr_core.decoding.language_model import LanguageModel, NgramTables
from hwr_core.errors import HandwritingError
from hwr_core.ink.formula import render_formula
from hwr_core.ink.handprint import GLYPHS, write, write_formula
from pages.hand.run import STAGES
from tests.support import checkpoint_layouts as layouts
from training.data import replay
from training.data.own_lines import OwnLine
from training.fit import fine_tune, own_batches, recipes
from training.fit.adapt_ngrams import adapted, is_better
from training.fit.count_ngrams import bits, tokens_of
from training.fit.fine_tune import FineTuning
from training.fit.outcome import Outcome, is_gain, is_unclear
from training.fit.own_batches import FormulaInput, LineInput, OwnBatches, plain_batches
from training.fit.recipes import Recipe, adapt, seen_by

TEXTS = ["hello", "a map", "good", "see you", "six eggs", "milk", "roses", "the end", "yes", "no", "one", "two"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A small untrained text checkpoint."""
    return layouts.own(tmp_path_factory.mktemp("tiny") / "own")


@pytest.fixture
def folder(tmp_path):
    """Twelve lines of strokes."""
    rows = [json.dumps({"text": text, "strokes": [s.tolist() for s in write(text)]}) for text in TEXTS]
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "mine.jsonl").write_text("\n".join(rows))
    return tmp_path / "lines"


def prepared(tiny, count=2):
    recognizer = load_recognizer(str(tiny), backend="torch")
    model = recognizer.network.model
    lines = [OwnLine(text, replay.drawn(text, random.Random(1))[0], "", "") for text in TEXTS]
    batches = OwnBatches(lines, LineInput(recognizer.tokenizer, 48), lambda rng: replay.drawn("and so on", rng))
    return model, seen_by(model, iter(batches), count, bf16=False)


def test_batches_hold_own_lines_and_general_ones_and_their_features(tiny):
    model, (first, second) = prepared(tiny)
    assert len(first.batch) == len(second.batch) == round(own_batches.OWN_IN_BATCH * 1.5)
    with torch.no_grad():
        found = []
        handle = model.encoder.backbone.register_forward_hook(lambda module, given, out: found.append(out))
        model.encoder(first.batch.pixels)
        handle.remove()
    assert torch.allclose(first.features.float(), found[0], rtol=0.02)


@pytest.mark.parametrize("part", ["norms", "adapters", "head", "upper"])
def test_only_what_the_recipe_names_moves_and_half_way_is_half_the_change(tiny, part):
    model, seen = prepared(tiny)
    old = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    new = adapt(model, seen, Recipe(part, 1e-2, steps=3))
    assert new.keys() == old.keys()  # without adapters
    moved = {name for name in old if not torch.equal(old[name], new[name])}
    assert moved and not any(name.startswith("encoder.backbone.") for name in moved)
    if part == "norms":
        assert all(old[name].ndim == 1 for name in moved)
    if part == "adapters":
        assert all(old[name].ndim == 2 for name in moved)
    assert all(torch.equal(old[name], tensor) for name, tensor in model.state_dict().items())  # as it was
    half = adapt(model, seen, Recipe(part, 1e-2, steps=3, share=0.5))
    for name in moved:
        assert torch.allclose(half[name], (old[name] + new[name]) / 2, atol=1e-5), name


def test_training_makes_the_loss_smaller(tiny):
    model, seen = prepared(tiny)

    def loss() -> float:
        torch.manual_seed(0)
        model.eval()
        with torch.no_grad():
            return sum(float(recipes.losses(model, one.batch)[1]) for one in seen)

    before, old = loss(), {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(adapt(model, seen, Recipe("upper", 3e-3, steps=12)))
    after = loss()
    model.load_state_dict(old)
    assert after < 0.9 * before


def test_a_stopped_training_goes_on_and_ends_with_the_same_weights(tiny, tmp_path):
    model, seen = prepared(tiny)
    recipe = Recipe("upper", 1e-3, steps=8)
    whole = adapt(model, seen, recipe)

    def stop(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt(model, seen, recipe, on_progress=stop, kept=tmp_path / "training.pt")
    steps = []
    resumed = adapt(model, seen, recipe, on_progress=lambda done, _: steps.append(done), kept=tmp_path / "training.pt")
    assert steps == [6, 7, 8]
    assert all(torch.allclose(whole[name], resumed[name], atol=1e-6) for name in whole)


@pytest.fixture
def quick(tiny, monkeypatch):
    """Few steps, and no graphs."""
    monkeypatch.setattr(fine_tune.export_onnx, "export", lambda folder: None)
    monkeypatch.setattr(fine_tune, "batch_count", lambda lines: 1)
    monkeypatch.setattr(fine_tune, "general_lines", lambda *_: lambda rng: replay.drawn("and so on", rng))
    monkeypatch.setattr(own_batches, "OWN_IN_BATCH", 2)
    return lambda data, out, said: FineTuning(data, out, str(tiny), Recipe("upper", 1e-3, steps=2), said.append)


@pytest.mark.parametrize(("after", "helped"), [(3, True), (9, False), (12, False)])
def test_the_result_is_written_only_if_it_helped(quick, folder, tmp_path, monkeypatch, after, helped):
    counted = iter([9, after] * 2)
    monkeypatch.setattr(fine_tune, "losses_by_share", lambda *_: {0.0: 1.0, 0.5: 0.8, 1.0: 0.9})
    monkeypatch.setattr(fine_tune, "errors", lambda recognizer, lines: next(counted))
    said: list[str] = []
    outcome = quick(folder, tmp_path / "hand", said).run()
    assert outcome.helped == helped == (tmp_path / "hand" / "config.json").exists()
    report = json.loads((tmp_path / "hand" / "fine-tuning.json").read_text())
    looks = 1 if helped else 2  # the loss fell, but the errors did not: unclear
    measured = [report[key] for key in ("lines", "aside", "errors_before", "errors_after")]
    assert measured == [12, 5 * looks, 9 * looks, after * looks]
    assert said[-1] == report["sentence"] and said[-1].startswith("It helped." if helped else "It did not help")
    assert not (tmp_path / "hand" / "run").exists()
    if helped:
        assert "| wrong characters after | 3 |" in (tmp_path / "hand" / "README.md").read_text()
        assert load_recognizer(str(tmp_path / "hand")).read([np.full((48, 96), 255, np.uint8)])
        with pytest.raises(HandwritingError, match="already holds a checkpoint"):
            quick(folder, tmp_path / "hand", said)


def test_the_sentence_names_formulas():
    kept, given = (
        Outcome("math", 40, 10, 200, 9, 9, 60, False, True),
        Outcome("math", 40, 10, 200, 9, 3, 60, True, True),
    )
    assert (
        "On 10 formulas that were kept aside, 4.5 % was wrong before, 4.5 % after. More formulas may" in kept.sentence
    )
    assert given.sentence.endswith("4.5 % was wrong before, 1.5 % after. Then it learned from these formulas too.")


def test_a_gain_that_may_be_chance_is_none():
    assert is_gain(9, 8, 0.2) and not is_gain(9, 8, 0.01) and not is_gain(9, 9, 0.2)


@pytest.mark.parametrize(
    ("measured", "unclear"),
    [((9, 9, 0.2), True), ((9, 5, 0.03), True), ((9, 5, 0.2), False), ((9, 9, 0.03), False), ((9, 5, 0.01), False)],
)
def test_errors_and_loss_that_disagree_are_unclear(measured, unclear):
    assert is_unclear(*measured) is unclear


def test_where_it_is_unclear_other_lines_are_kept_aside_too(quick, folder, tmp_path, monkeypatch):
    counted, read = iter([2, 3, 9, 4]), []
    monkeypatch.setattr(
        fine_tune, "errors", lambda _, lines: read.append({line.text for line in lines}) or next(counted)
    )
    monkeypatch.setattr(fine_tune, "losses_by_share", lambda *_: {0.0: 1.0, 0.5: 0.8, 1.0: 0.9})
    told: list[str] = []
    monkeypatch.setattr(FineTuning, "_tell", lambda self, stage, *_: told.append(stage))
    outcome = quick(folder, tmp_path / "hand", []).run()
    assert list(dict.fromkeys(told)) == list(STAGES), "the stages that the app knows, in their order"
    assert read[0] == read[1] and read[2] == read[3] and not read[0] & read[2]
    assert outcome.helped and (outcome.aside, outcome.errors_before, outcome.errors_after) == (10, 11, 7)


def test_the_share_of_the_change_is_chosen_by_lines_kept_aside(tiny):
    model, seen = prepared(tiny)
    old = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    good = adapt(model, seen, Recipe("upper", 3e-3, steps=12))
    found = recipes.losses_by_share(model, good, seen)
    assert list(found) == list(recipes.SHARES) and found[1.0] < 0.9 * found[0.0]
    bad = {
        name: tensor + torch.randn_like(tensor) if tensor.is_floating_point() else tensor
        for name, tensor in old.items()
    }
    found = recipes.losses_by_share(model, bad, seen)
    assert found[0.0] == min(found.values())
    assert all(torch.equal(old[name], tensor) for name, tensor in model.state_dict().items())


def test_a_stopped_run_goes_on_with_what_it_measured(quick, folder, tmp_path, monkeypatch):
    counted = []
    monkeypatch.setattr(fine_tune, "errors", lambda recognizer, lines: counted.append(1) or 9 - len(counted))
    first = quick(folder, tmp_path / "hand", [])
    monkeypatch.setattr(first, "_trained", stopped)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    outcome = quick(folder, tmp_path / "hand", []).run()
    assert len(counted) == 2 and (outcome.errors_before, outcome.errors_after) == (8, 7)


def stopped(*_):
    raise KeyboardInterrupt


def test_a_stop_says_how_to_go_on(quick, folder, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(FineTuning, "run", stopped)
    monkeypatch.setattr(fine_tune, "FineTuning", lambda data, out, start, say: quick(data, out, []))
    assert cli.main(["train", "fine-tune", "--data", str(folder), "--out", str(tmp_path / "hand")]) == 130
    assert "Stopped. The same command goes on from here." in capfd.readouterr().err


def test_what_helped_learns_from_the_lines_aside_too_also_after_a_stop(quick, folder, tmp_path, monkeypatch):
    counted, learned = iter([9, 3]), []
    monkeypatch.setattr(fine_tune, "errors", lambda recognizer, lines: next(counted))
    monkeypatch.setattr(fine_tune, "losses_by_share", lambda *_: {0.0: 1.0, 0.5: 0.8, 1.0: 0.9})
    real = fine_tune.OwnBatches
    monkeypatch.setattr(fine_tune, "OwnBatches", lambda lines, *rest: learned.append(len(lines)) or real(lines, *rest))
    first = quick(folder, tmp_path / "hand", [])
    monkeypatch.setattr(first, "_written", stopped)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    assert learned == [7, 12] and not (tmp_path / "hand" / "config.json").exists()
    outcome = quick(folder, tmp_path / "hand", []).run()
    assert learned == [7, 12, 12], "the first training was not repeated"
    assert outcome.helped and outcome.errors_after == 3 and "learned from these lines too" in outcome.sentence
    assert "| lines learned from | 12 |" in (tmp_path / "hand" / "README.md").read_text()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (TEXTS[:4], "has 4 lines of text: at least 10 are needed"),
        ([*TEXTS, "Łódź"], r"The checkpoint cannot write 'Ł' .* first in mine.jsonl, line 13"),
    ],
)
def test_lines_that_cannot_be_used_are_reported(tiny, tmp_path, texts, said, capfd):
    rows = [json.dumps({"text": text, "strokes": [[[0, 0], [40, 30], [80, 0]]]}) for text in texts]
    (tmp_path / "mine.jsonl").write_text("\n".join(rows))
    arguments = ["--data", str(tmp_path / "mine.jsonl"), "--out", str(tmp_path / "hand"), "--start", str(tiny)]
    with pytest.raises(HandwritingError, match=said):
        FineTuning(tmp_path / "mine.jsonl", tmp_path / "hand", str(tiny))
    assert cli.main(["train", "fine-tune", *arguments]) == 2
    assert not (tmp_path / "hand").exists()


def test_a_checkpoint_that_is_not_ours_is_rejected(folder, tmp_path):
    microsoft = layouts.base(tmp_path / "base")
    with pytest.raises(HandwritingError, match="cannot be adapted: it is no checkpoint of this project"):
        FineTuning(folder, tmp_path / "hand", str(microsoft))


def formulas(tmp_path, *texts: str):
    Image.new("L", (90, 40), 255).save(tmp_path / "a.png")
    rows = [{"file_name": "a.png", "text": text, "kind": "formula"} for text in texts]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["x^2"] * 4, "has 4 formulas: at least 10"),
        (["x^2", r"\frac{a}"], r"The formula in metadata.jsonl, line 2 is not well formed"),
        (["x^2", r"\beth"], r"cannot write '.*beth', which is in metadata.jsonl, line 2"),
    ],
)
def test_formulas_that_cannot_be_used_are_reported(tmp_path, texts, said):
    with pytest.raises(HandwritingError, match=said):
        FineTuning(formulas(tmp_path, *texts), tmp_path / "hand", "math")


def test_a_checkpoint_of_formulas_learns_too(tmp_path):
    recognizer = load_recognizer("math", backend="torch")
    picture = np.asarray(render_formula(write_formula()).convert("L"))
    lines = [OwnLine(r"x=\frac{-b\pm\sqrt{b^{2}-4ac}}{2a}", picture, "", "", formula=True)] * 2
    taken = FormulaInput(recognizer.tokenizer)
    model = recognizer.network.model
    (plain,) = seen_by(model, iter(plain_batches(lines, taken)), 1, bf16=False)
    assert len(plain.batch) == 2 and plain.batch.pixels.shape[2] % 8 == 0
    batches = OwnBatches(lines, taken)
    new = adapt(model, seen_by(model, iter(batches), 1, bf16=False), Recipe("norms", 1e-3, steps=2))
    found = recipes.losses_by_share(model, new, [plain])
    assert found[1.0] < found[0.0]


def test_the_language_model_learns_a_persons_words_and_forgets_little(recognizer):
    tokens = tokens_of(MODELS / "text")
    ngrams = NgramTables.read(MODELS / "text" / LANGUAGE_MODEL, tokens, recognizer.network.end)
    model = LanguageModel(ngrams)
    own = ["Xanthippe fragt Zwölfinger", "Zwölfinger antwortet Xanthippe"]
    new = LanguageModel(adapted(ngrams, own, tokens, 3.0))
    assert is_better(ngrams, [text for text in own for _ in "ab"], tokens) and not is_better(
        ngrams, ["the garden", "a rose"] * 2, tokens
    )
    assert bits(new, tokens, ["Xanthippe antwortet"]) < 0.75 * bits(model, tokens, ["Xanthippe antwortet"])
    others = ["the garden is full of roses", "une lettre de mon père"]
    assert bits(new, tokens, others) < 1.03 * bits(model, tokens, others)
    for text in ("Xan", "the ", "Zw"):
        context = new.along(new.start(1), [tokens.index(character) for character in text])[-1:]
        assert np.exp(new.score(context, np.arange(len(tokens))[None])).sum() == pytest.approx(
            1, abs=0.1
        )  # codes of one byte


def test_without_data_general_lines_are_invented_by_the_language_model(recognizer, monkeypatch, tmp_path):
    monkeypatch.setattr(replay.data, "DATA", tmp_path)
    line = replay.general_lines(recognizer.decoding.language_model, tokens_of(MODELS / "text"))
    made = [line(random.Random(seed)) for seed in (1, 1, 2)]
    texts = [text for _, text in made]
    assert texts[0] == texts[1] != texts[2] and set("".join(texts)) <= set(GLYPHS) | {" "}
    assert all(grey.dtype == np.uint8 and grey.shape[0] == 64 for grey, _ in made)
    letters = replay.invented(None, tokens_of(MODELS / "text"), random.Random(1))
    assert letters and set(letters) <= set(GLYPHS) | {" "}
