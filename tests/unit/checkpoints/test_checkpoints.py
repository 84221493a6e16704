"""`load_recognizer`: all layouts that TrOCR is published in, refusals and their messages, the cache, and the hub."""

import builtins
import contextlib
import hashlib
import http.server
import json
import math
import os
import pickle
import re
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from cachetools import LRUCache
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import TrOCRProcessor, VisionEncoderDecoderModel, ViTImageProcessorPil

from hwr_core import HandwritingError, load_recognizer
from hwr_core.checkpoints import registry as checkpoints
from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL
from hwr_core.decoding.scores import Hypothesis
from hwr_core.decoding.struck import STRUCK
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from tests.support import checkpoint_layouts as layouts
from training.fit.count_ngrams import tokens_of
from training.fit.ngrams import Text, coded, count, interpolate, save

ROOT = Path(__file__).resolve().parents[3]
MICROSOFT_FILES = ROOT.parent / "shared" / "data" / "trocr-base-handwritten"
LINES = ("hello world", "a", "the quick brown fox jumps", "1984")
LAYOUTS = {
    "base": layouts.base,
    "base, .bin": lambda folder: layouts.base(folder, "pytorch_model.bin"),
    "base, tokenizer of no class": lambda folder: layouts.base(folder, tokenizer_class=False),
    "base, without output_projection": lambda folder: layouts.base(folder, drop="decoder.output_projection.weight"),
    "base, without embed_tokens": lambda folder: layouts.base(folder, drop="decoder.model.decoder.embed_tokens.weight"),
    "large-printed": lambda folder: layouts.base(folder, sinusoidal=True, seed=5),
    "small, .bin": layouts.small,
    "small, safetensors": lambda folder: layouts.small(folder, "model.safetensors", crop=True),
    "small, projected": lambda folder: layouts.small(folder, projection=True, seed=3),
    "bert decoder": lambda folder: layouts.other_decoder(folder, "bert"),
    "roberta decoder": lambda folder: layouts.other_decoder(folder, "roberta"),
    "gpt2 decoder": lambda folder: layouts.other_decoder(folder, "gpt2"),
    "own": layouts.own,
}


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    monkeypatch.setattr(checkpoints, "_loaded", LRUCache(checkpoints.IN_MEMORY))


@pytest.fixture(scope="session")
def images():
    return [render_line(write(text), 96, 5.0) for text in LINES]


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """Where the checkpoint of a layout is; built once, to be read only."""
    built = {}

    def folder(layout):
        if layout not in built:
            built[layout] = LAYOUTS[layout](tmp_path_factory.mktemp("checkpoint"))
        return built[layout]

    return folder


@pytest.fixture
def no_network(monkeypatch):
    """Every attempt to reach another machine fails and is listed."""
    attempts = []

    def refuse(*arguments, **_):
        attempts.append(arguments)
        raise OSError("There is no network in this test.")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return attempts


def refusal(name, **arguments) -> str:
    """The sentence with which loading `name` is refused."""
    with pytest.raises(HandwritingError) as caught:
        load_recognizer(name, **arguments)
    message = str(caught.value)
    assert re.fullmatch(r"[^\n]+[.]", message) and not re.search(r"\w[.] ", message), message
    return message


def same_reading(one, other):
    assert one.text == other.text and one.complete == other.complete
    assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
    assert one.character_confidences == pytest.approx(other.character_confidences, abs=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_loads_and_reads_a_batch_in_order(layout, folder_of, images, no_network):
    recognizer = load_recognizer(str(folder_of(layout)))
    readings = recognizer.read(images)
    assert len(readings) == len(images) and len({reading.text for reading in readings}) > 1
    for image, reading in zip(images, readings, strict=True):
        same_reading(reading, recognizer.read([image])[0])
        assert isinstance(reading.text, str) and 0 <= reading.confidence <= 1
        assert len(reading.character_confidences) == len(reading.text)
        assert all(0 <= value <= 1 for value in reading.character_confidences)
        assert reading.text == reading.text.strip() and not re.search(r"</?s>|<pad>|\[SEP\]|\[PAD\]", reading.text)
    assert all(parameter.dtype == torch.float32 for parameter in recognizer.network.model.parameters())
    assert no_network == []


@pytest.mark.parametrize("layout", ["base", "small, .bin", "own"])
@pytest.mark.parametrize("beams", [1, 3])
def test_alternatives_are_other_texts_best_first(layout, beams, folder_of, images):
    readings = load_recognizer(str(folder_of(layout))).read(images, beams=beams)
    assert any(reading.alternatives for reading in readings)
    for reading in readings:
        texts, scores = [other.text for other in reading.alternatives], [other.score for other in reading.alternatives]
        assert scores == sorted(scores, reverse=True) and all(0 <= score <= reading.confidence for score in scores)
        assert len(set(texts)) == len(texts) and reading.text not in texts


def test_lines_of_different_width_read_the_same_in_a_batch_and_alone_with_beams_too(folder_of, images):
    recognizer = load_recognizer(str(folder_of("own")))
    together = recognizer.read(images, beams=3)
    for image, reading in zip(images, together, strict=True):
        (alone,) = recognizer.read([image], beams=3)
        same_reading(reading, alone)
        assert [other.text for other in reading.alternatives] == [other.text for other in alone.alternatives]


def test_a_line_that_the_decoder_has_no_positions_for_is_marked_incomplete(tmp_path, images):
    recognizer = load_recognizer(str(layouts.own(tmp_path / "short", positions=16)))
    readings = recognizer.read(images)
    assert [reading.complete for reading in readings] == [False, True, False, False]
    assert all(len(reading.character_confidences) == len(reading.text) for reading in readings)


def test_spaces_round_a_line_are_dropped_with_their_confidences(folder_of, images, monkeypatch):
    recognizer = load_recognizer(str(folder_of("own")))
    tokens = recognizer.tokenizer.convert_tokens_to_ids(list("  a b "))
    steps = [math.log(share / 10) for share in (1, 2, 3, 4, 5, 6, 7)]  # the end token's last
    monkeypatch.setattr(
        "hwr_core.recognizer.decode", lambda *_: [[Hypothesis(tokens, steps, [(4, -20.0)] * 7, -1.0, -1.0, True)]]
    )
    (reading,) = recognizer.read(images[:1])
    assert reading.text == "a b" and reading.character_confidences == pytest.approx([0.3, 0.4, 0.5])
    assert reading.confidence == pytest.approx(math.prod(range(1, 8)) / 10**7)


def test_a_text_that_runs_in_circles_is_cut_and_marked_wherever_it_ends(folder_of, images, monkeypatch):
    recognizer = load_recognizer(str(folder_of("own")))
    tokens = recognizer.tokenizer.convert_tokens_to_ids(list("no " + "abc" * 9 + "d"))
    steps = [-0.1] * (len(tokens) + 1)
    monkeypatch.setattr(
        "hwr_core.recognizer.decode",
        lambda *_: [[Hypothesis(tokens, steps, [(4, -20.0)] * len(steps), -3.1, -3.1, True)]],
    )
    (reading,) = recognizer.read(images[:1])
    assert reading.text == "no abcd" and len(reading.character_confidences) == 7
    assert not reading.complete and reading.confidence <= 0.01


def test_the_sign_of_a_struck_out_word_is_told_and_not_written(folder_of, images, monkeypatch):
    recognizer = load_recognizer(str(folder_of("own")))
    tokens = recognizer.tokenizer.convert_tokens_to_ids(list(f"ab{STRUCK} c"))
    others = (
        recognizer.tokenizer.convert_tokens_to_ids(list("ab c")),
        recognizer.tokenizer.convert_tokens_to_ids(list("ad c")),
    )
    found = [Hypothesis(tokens, [-0.1] * 6, [(4, -20.0)] * 6, -1.0, -1.0, True)]
    found += [Hypothesis(other, [-0.1] * 5, [(4, -20.0)] * 5, -2.0, -2.0, True) for other in others]
    monkeypatch.setattr("hwr_core.recognizer.decode", lambda *_: [found])
    (reading,) = recognizer.read(images[:1])
    assert reading.text == "ab c" and reading.struck == ((0, 2),) and len(reading.character_confidences) == 4
    assert reading.alternatives[0].text == "ad c", "the same text without the sign is no other reading"


def test_a_blank_picture_reads_as_nothing_without_asking_the_model(folder_of, monkeypatch):
    def asked(*_):
        raise AssertionError("The model was asked.")

    monkeypatch.setattr("hwr_core.recognizer.decode", asked)
    recognizer = load_recognizer(str(folder_of("base")))
    grain = np.random.default_rng(0).normal(240, 3, (96, 400)).clip(0, 255).astype(np.uint8)
    for blank in (Image.new("L", (400, 96), 255), Image.new("RGB", (50, 50), "black"), grain):
        (reading,) = recognizer.read([blank])
        assert reading.text == "" and reading.alternatives == ()


def test_the_tokenizers_are_the_checkpoints_own(folder_of):
    for layout in ("base", "base, tokenizer of no class"):
        tokenizer = load_recognizer(str(folder_of(layout))).tokenizer
        vocabulary = json.loads((folder_of(layout) / "vocab.json").read_text())
        assert tokenizer.convert_tokens_to_ids(["he", "ll", "Ġthe", "<mask>"]) == [
            vocabulary[token] for token in ("he", "ll", "Ġthe", "<mask>")
        ]
        assert (
            tokenizer.decode([0, vocabulary["he"], vocabulary["Ã"], vocabulary["©"], 2], skip_special_tokens=True)
            == "heé"
        )
    recognizer = load_recognizer(str(folder_of("small, .bin")))
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder_of("small, .bin") / "sentencepiece.bpe.model"))
    for text in layouts.PHRASES:
        tokens = [
            piece + 1 for piece in pieces.encode(text)
        ]  # fairseq's offset: its <pad> is not in the SentencePiece model
        assert recognizer.tokenizer.decode(tokens, skip_special_tokens=True) == text
    assert recognizer.tokenizer.decode([0, 1, 2], skip_special_tokens=True) == ""


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"image_processor_type": "ViTImageProcessor"},
        {"image_processor_type": "ViTImageProcessorFast"},
        {"image_processor_type": "DeiTImageProcessor", "do_center_crop": False},
        {"feature_extractor_type": "ViTFeatureExtractor"},
        {"feature_extractor_type": "DeiTFeatureExtractor", "do_center_crop": True, "crop_size": 384},
    ],
    ids=str,
)
def test_every_name_of_an_image_processor_scales_the_line_to_384_pixels_between_minus_one_and_one(
    named, tmp_path, images
):
    folder = layouts.base(tmp_path / "named")
    (folder / "preprocessor_config.json").write_text(
        json.dumps({**layouts.NORMALISED, "resample": 2, "size": 384, **named})
    )
    recognizer = load_recognizer(str(folder))
    values = recognizer.pixels([images[0].convert("RGB")])
    assert values.shape == (1, 3, 384, 384)
    expected = (
        np.asarray(images[0].convert("RGB").resize((384, 384), Image.Resampling.BILINEAR), np.float32).transpose(
            2, 0, 1
        )
        / 127.5
        - 1
    )
    resampled_otherwise = "DeiT" in str(named)  # resample 2 is said, so only rounding may differ
    assert np.abs(values[0] - expected).max() < (0.02 if resampled_otherwise else 0.01)


def test_a_checkpoint_saved_again_by_todays_transformers_reads_as_before(folder_of, tmp_path, images):
    first = load_recognizer(str(folder_of("small, .bin")))
    first.network.model.save_pretrained(tmp_path, max_shard_size="40KB")
    TrOCRProcessor(ViTImageProcessorPil.from_pretrained(folder_of("small, .bin")), first.tokenizer).save_pretrained(
        tmp_path
    )
    assert (tmp_path / "model.safetensors.index.json").is_file() and not (
        tmp_path / "preprocessor_config.json"
    ).exists()
    second = load_recognizer(str(tmp_path))
    assert second is not first
    for one, other in zip(first.read(images), second.read(images), strict=True):
        same_reading(one, other)


@pytest.mark.skipif(not MICROSOFT_FILES.is_dir(), reason="Microsoft's own files are not beside this checkout")
def test_microsofts_own_tokenizer_and_configuration_load(tmp_path, images):
    for file in MICROSOFT_FILES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["encoder"] |= {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config["decoder"] |= {"d_model": 32, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 64}
    config["decoder"] |= {"cross_attention_hidden_size": 32, "max_position_embeddings": 32}
    (tmp_path / "config.json").write_text(json.dumps(config))
    layouts.write_weights(tmp_path, "pytorch_model.bin")
    recognizer = load_recognizer(str(tmp_path))
    assert all(len(reading.character_confidences) == len(reading.text) for reading in recognizer.read(images))
    assert recognizer.tokenizer("Hello world").input_ids == [0, 31414, 232, 2]  # as RoBERTa is documented
    sentence = "industry, ' Mr. Brown commented icily. ' Let us have a"
    assert recognizer.tokenizer.decode(recognizer.tokenizer(sentence).input_ids, skip_special_tokens=True) == sentence


# What is refused


class Burglar:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("written_with", ["torch", "pickle"])
def test_a_bin_file_that_would_run_code_is_refused_and_the_code_not_run(written_with, tmp_path):
    folder = layouts.base(tmp_path / "checkpoint", "pytorch_model.bin")
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    weights["decoder.model.decoder.layers.0.fc1.bias"] = Burglar(tmp_path / "broken in")
    if written_with == "torch":
        torch.save(weights, folder / "pytorch_model.bin")
    else:
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(weights, protocol=2))
    assert "pytorch_model.bin" in refusal(str(folder)) and "safetensors" in refusal(str(folder))
    assert not (tmp_path / "broken in").exists()
    torch.load(folder / "pytorch_model.bin", weights_only=False) if written_with == "torch" else pickle.loads(
        (folder / "pytorch_model.bin").read_bytes()
    )
    assert (tmp_path / "broken in").exists()  # so the file was the danger that it claims to be


def test_code_that_a_safetensors_index_points_to_is_not_run_either(tmp_path):
    folder = layouts.base(tmp_path / "checkpoint")
    names = load_file(folder / "model.safetensors").keys()
    (folder / "model.safetensors").unlink()
    torch.save({"encoder.embeddings.cls_token": Burglar(tmp_path / "broken in")}, folder / "hidden.bin")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": dict.fromkeys(names, "hidden.bin")})
    )
    refusal(str(folder))
    assert not (tmp_path / "broken in").exists()


@pytest.mark.parametrize("file", ["preprocessor_config.json", "tokenizer_config.json"])
def test_python_files_in_a_checkpoint_are_not_run_and_nobody_is_asked_on_the_console(file, tmp_path, monkeypatch):
    questions = []
    monkeypatch.setattr(builtins, "input", lambda *question: questions.append(question) or "y")
    folder = layouts.base(tmp_path / "checkpoint")
    (folder / "theirs.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'broken in')!r})\nclass Theirs: pass\n")
    config = json.loads((folder / file).read_text())
    config["auto_map"] = {"AutoImageProcessor": "theirs.Theirs", "AutoTokenizer": ["theirs.Theirs", None]}
    config["image_processor_type" if file.startswith("pre") else "tokenizer_class"] = "Theirs"
    (folder / file).write_text(json.dumps(config))
    with contextlib.suppress(HandwritingError):  # refused, or loaded with a class of transformers' own
        load_recognizer(str(folder))
    assert questions == [] and not (tmp_path / "broken in").exists()


def test_safetensors_are_preferred_to_a_bin_file(tmp_path):
    folder = layouts.base(tmp_path / "checkpoint")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Burglar(tmp_path / "broken in")))
    load_recognizer(str(folder))
    assert not (tmp_path / "broken in").exists()


@pytest.mark.parametrize(
    "part",
    ["encoder.embeddings.patch_embeddings.projection.weight", "encoder.encoder.layer.1.output.dense.bias",
     "decoder.model.decoder.layers.1.fc2.weight", "decoder.model.decoder.embed_positions.weight"],
)  # fmt: skip
def test_a_missing_weight_is_refused_never_random(part, tmp_path):
    folder = layouts.base(tmp_path / "checkpoint")
    weights = load_file(folder / "model.safetensors")
    del weights[part]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "missing" in refusal(str(folder))


def test_both_tied_embeddings_missing_are_refused(tmp_path):
    folder = layouts.base(tmp_path / "checkpoint", drop="decoder.output_projection.weight")
    weights = load_file(folder / "model.safetensors")
    del weights["decoder.model.decoder.embed_tokens.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    refusal(str(folder))


def test_weights_of_another_shape_are_refused(tmp_path):
    folder = layouts.base(tmp_path / "checkpoint")
    config = json.loads((folder / "config.json").read_text())
    config["decoder"]["vocab_size"] += 1
    (folder / "config.json").write_text(json.dumps(config))
    refusal(str(folder))


def _without(file):
    return lambda folder: (folder / file).unlink()


def _holding(file, content):
    return lambda folder: (folder / file).write_bytes(content)


def _of_type(kind):
    def change(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "model_type": kind}))

    return change


def _without_end_token(folder):
    config = json.loads((folder / "config.json").read_text())
    config["decoder"]["eos_token_id"] = None
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").unlink()


@pytest.mark.parametrize(
    "damage, said",
    [
        (_without("config.json"), "config.json"),
        (_holding("config.json", b"{not json"), "config.json"),
        (_holding("config.json", b'["a", "list"]'), "config.json"),
        (_holding("config.json", b"\xff\xfe"), "config.json"),
        (_holding("config.json", b'{"model_type": "vision-encoder-decoder"}'), "cannot be loaded"),
        (_of_type("bert"), "bert"),
        (_of_type(["vit"]), "vision-encoder-decoder"),
        (_without("model.safetensors"), "no weights"),
        (_holding("model.safetensors", b""), "cannot be loaded"),
        (_holding("model.safetensors", b"\0" * 1000), "cannot be loaded"),
        (_without("preprocessor_config.json"), "preprocessor_config.json"),
        (_holding("preprocessor_config.json", b"nothing"), "cannot be loaded"),
        (_without("vocab.json"), "tokenizer"),
        (_without("merges.txt"), "tokenizer"),
        (_holding("tokenizer.json", b"{}"), "cannot be loaded"),
        (_without_end_token, "ends a line"),
    ],
)
def test_a_damaged_or_foreign_directory_is_refused_in_one_sentence(damage, said, tmp_path):
    damage(layouts.base(tmp_path))
    assert said in refusal(str(tmp_path))


def test_a_truncated_download_is_refused(tmp_path):
    for file, layout in (("model.safetensors", layouts.base), ("pytorch_model.bin", layouts.small)):
        weights = layout(tmp_path / file, file) / file
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
        assert "cannot be loaded" in refusal(str(tmp_path / file))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "nonsense",
        "no such directory/at all",
        "/no/such/place",
        "~nobody-at-all/x",
        "a" * 5000,
        "two\nlines",
        "nul\0",
        "a/b/c",
        "https://huggingface.co/microsoft/trocr-base-handwritten",
        "..",
        "owner/..",
        "a--b/c",
        "owner/name.git",
    ],
)
def test_a_name_that_can_be_no_checkpoint_is_refused_without_a_network(name, no_network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refusal(name)
    assert "cannot be reached" not in message and no_network == []


def test_a_file_instead_of_its_directory_is_told_so(folder_of):
    assert "is a file" in refusal(str(folder_of("base") / "model.safetensors"))


def test_a_device_that_is_not_there_is_refused(folder_of):
    assert "no device" in refusal(str(folder_of("base")), device="abacus")
    if not torch.cuda.is_available():
        assert "cuda" in refusal(str(folder_of("base")), device="cuda")


def test_a_recognizer_takes_no_more_threads_than_the_process_was_given(folder_of, monkeypatch):
    before = torch.get_num_threads()
    try:
        for given, taken in ((1, 1), (64, 4)):
            torch.set_num_threads(given)
            monkeypatch.setattr(checkpoints, "_loaded", LRUCache(checkpoints.IN_MEMORY))
            load_recognizer(str(folder_of("base")))
            assert torch.get_num_threads() == taken
    finally:
        torch.set_num_threads(before)


# Loading once, and keeping two


@pytest.fixture
def loads(monkeypatch):
    """The directories whose weights are loaded, with the number of checkpoints in memory at that moment."""
    real, calls = VisionEncoderDecoderModel.from_pretrained, []

    def counted(folder, *arguments, **keywords):
        if folder is not None:  # a check of the shapes alone, before another checkpoint is evicted
            calls.append((Path(folder), len(checkpoints._loaded)))
        return real(folder, *arguments, **keywords)

    monkeypatch.setattr(VisionEncoderDecoderModel, "from_pretrained", counted)
    return calls


def test_the_same_checkpoint_is_loaded_once_however_it_is_named(folder_of, loads, monkeypatch):
    folder = folder_of("base")
    first = load_recognizer(str(folder))
    monkeypatch.chdir(folder.parent)
    for name in (str(folder), folder.name, f"./{folder.name}/", f" {folder} ", folder):
        assert load_recognizer(name) is first
    assert len(loads) == 1


def test_eight_threads_at_once_load_once_and_get_the_same(folder_of, loads):
    start, results = threading.Barrier(8), []

    def load():
        start.wait()
        results.append(load_recognizer(str(folder_of("small, .bin"))))

    threads = [threading.Thread(target=load) for _ in range(8)]
    folder_of("small, .bin")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and len(set(map(id, results))) == 1 and len(loads) == 1


def test_two_stay_in_memory_the_least_recently_used_goes_before_a_third_comes(folder_of, loads):
    base, small, own = (str(folder_of(layout)) for layout in ("base", "small, .bin", "own"))
    first, second = load_recognizer(base), weakref.ref(load_recognizer(small))
    assert load_recognizer(base) is first  # now `small` is the one used longest ago
    load_recognizer(own)
    assert second() is None  # at once: nobody looks for garbage because a gigabyte of weights is some
    assert load_recognizer(base) is first
    load_recognizer(small)
    assert [folder for folder, _ in loads] == [Path(folder) for folder in (base, small, own, small)]
    assert max(others for _, others in loads) == 1  # never a third in memory, not even while it loads


def test_what_cannot_be_loaded_is_tried_again_once_it_is_mended(tmp_path):
    folder = layouts.base(tmp_path / "checkpoint")
    content = (folder / "config.json").read_bytes()
    (folder / "config.json").write_bytes(b"{")
    refusal(str(folder))
    (folder / "config.json").write_bytes(content)
    assert load_recognizer(str(folder)).name == str(folder)


def test_during_a_download_others_go_on_reading(folder_of, monkeypatch):
    downloading, arrived = threading.Event(), threading.Event()

    def slow(name, on_download):
        downloading.set()
        arrived.wait(60)
        return folder_of("small, .bin")

    monkeypatch.setattr(checkpoints, "_download", slow)
    local, results = str(folder_of("base")), {}
    fetching = threading.Thread(target=lambda: results.update(hub=load_recognizer("someone/large")))
    fetching.start()
    downloading.wait(60)
    reading = threading.Thread(target=lambda: results.update(local=load_recognizer(local)))
    reading.start()
    reading.join(30)
    was_read = "local" in results
    arrived.set()
    fetching.join()
    reading.join()
    assert was_read and results["hub"].name == "someone/large"


def test_a_checkpoint_put_into_the_models_folder_needs_no_network(tmp_path, monkeypatch, no_network, images):
    monkeypatch.setattr(checkpoints, "MODELS", tmp_path)
    layouts.small(tmp_path / "someone" / "tiny-trocr")
    layouts.own(tmp_path / "text")
    assert load_recognizer("someone/tiny-trocr").read(images[:1])[0].character_confidences
    assert load_recognizer("text") is load_recognizer()
    assert no_network == []


BROKEN = {
    "without a weight": lambda folder: without_weight(folder),
    "of another shape": lambda folder: with_vocabulary_of(folder, 7),
    "truncated": lambda folder: truncated(folder / "model.safetensors"),
    "without tokenizer": _without("vocab.json"),
    "without preprocessor": _without("preprocessor_config.json"),
}


def without_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["decoder.model.decoder.layers.1.fc2.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def with_vocabulary_of(folder: Path, tokens: int) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["decoder"]["vocab_size"] += tokens
    (folder / "config.json").write_text(json.dumps(config))


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("damage", BROKEN)
def test_a_checkpoint_that_cannot_be_loaded_evicts_none_that_can(damage, folder_of, tmp_path):
    names = [str(folder_of(layout)) for layout in ("base", "small, .bin")]
    kept = [load_recognizer(name) for name in names]
    BROKEN[damage](layouts.base(tmp_path / "broken"))
    refusal(str(tmp_path / "broken"))
    assert [load_recognizer(name) for name in names] == kept


@pytest.mark.parametrize(
    "layout", ["small, .bin", "own", "gpt2 decoder", "large-printed", "base, without embed_tokens"]
)
def test_a_sound_checkpoint_of_any_layout_is_loaded_when_two_others_are_in_memory(layout, folder_of, tmp_path):
    for name in ("base", "base, tokenizer of no class"):
        load_recognizer(str(folder_of(name)))
    assert load_recognizer(str(folder_of(layout))).name in checkpoints.loaded()


def test_a_sharded_checkpoint_is_loaded_when_two_others_are_in_memory(folder_of, tmp_path):
    first = load_recognizer(str(folder_of("small, .bin")))
    load_recognizer(str(folder_of("base")))
    for suffix in ("safetensors", "bin"):
        shutil.copytree(folder_of("small, .bin"), tmp_path / suffix)
        (tmp_path / suffix / "pytorch_model.bin").unlink()
    first.network.model.save_pretrained(tmp_path / "safetensors", max_shard_size="40KB")
    state = first.network.model.state_dict()
    parts = {name: f"pytorch_model-0000{1 + (index > 20)}-of-00002.bin" for index, name in enumerate(state)}
    for part in set(parts.values()):
        torch.save({name: state[name] for name in state if parts[name] == part}, tmp_path / "bin" / part)
    (tmp_path / "bin" / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": parts}))
    for suffix in ("safetensors", "bin"):
        assert load_recognizer(str(tmp_path / suffix)).name == str(tmp_path / suffix)


# The hub


class Hub(http.server.ThreadingHTTPServer):
    """Answers as the hub's file API does: small files from the hub itself, weights by a redirect to another host.

    `repositories` maps a hub id to a directory; a file there named "gated" stands for a checkpoint behind an agreement.
    """

    def __init__(self, repositories):
        super().__init__(("127.0.0.1", 0), HubRequest)
        self.repositories, self.requests = repositories, []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class HubRequest(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.command, self.path))
        for pattern, answer in (
            (r"/api/models/([\w-]+/[\w-]+)", self.model),
            (r"/([\w-]+/[\w-]+)/resolve/main/(.+)", self.file),
        ):
            if found := re.fullmatch(pattern, self.path.partition("?")[0]):
                folder = self.server.repositories.get(found[1])
                if folder is None:
                    return self.answer(401, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
                return answer(folder, *found.groups())
        if self.path.startswith("/cdn/"):
            return self.answer(
                200,
                {},
                (
                    self.server.repositories[self.path[5:].rpartition("/")[0]] / self.path.rpartition("/")[2]
                ).read_bytes(),
            )
        return self.answer(404, {})

    do_HEAD = do_GET

    def model(self, folder, name):
        files = [{"rfilename": path.name} for path in sorted(folder.iterdir())]
        self.answer(
            200,
            {"Content-Type": "application/json"},
            json.dumps({"id": name, "sha": "c" * 40, "siblings": files}).encode(),
        )

    def file(self, folder, name, file):
        if (folder / "gated").exists():
            return self.answer(
                403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to this model is restricted."}
            )
        content = (folder / file).read_bytes()
        tag, commit = hashlib.sha256(content).hexdigest(), {"X-Repo-Commit": "c" * 40}
        if not file.endswith((".safetensors", ".bin")):
            return self.answer(200, {**commit, "ETag": f'"{tag}"'}, content)
        # Another host name, as the hub's storage is; and the offer of Xet, as the hub makes it for all weights today.
        place = {"Location": f"http://localhost:{self.server.server_port}/cdn/{name}/{file}"}
        xet = {"X-Xet-Hash": tag, "X-Xet-Refresh-Route": f"/api/models/{name}/xet-read-token/{'c' * 40}"}
        return self.answer(
            302, {**commit, **place, **xet, "X-Linked-ETag": f'"{tag}"', "X-Linked-Size": str(len(content))}
        )

    def answer(self, status, headers, content=b""):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def in_a_new_process(script, address, home):
    """Runs `script` against the hub at `address` and returns what it puts into `result`.

    A process of its own, since huggingface_hub reads the address when it is imported. `slept` has the seconds that it
    would have waited to try again.
    """
    prelude = """
        import json, sys, threading, time
        from hwr_core import HandwritingError, load_recognizer
        from hwr_core.checkpoints import registry as checkpoints
        from hwr_core.ink.handprint import write
        from hwr_core.ink.strokes import render_line

        def refusal(name):
            try:
                load_recognizer(name)
            except HandwritingError as error:
                return str(error)

        result = {"slept": []}
        time.sleep = result["slept"].append
        line = render_line(write("hello world"), 96, 5.0)
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith("_PROXY") and not name.startswith("HF_")
    }
    environment |= {"HF_ENDPOINT": address, "HF_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    code = textwrap.dedent(prelude) + textwrap.dedent(script) + "\nprint('RESULT' + json.dumps(result))\n"
    process = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=home, capture_output=True, text=True, timeout=300
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.rpartition("RESULT")[2]), process.stderr


@pytest.fixture(scope="module")
def downloaded(tmp_path_factory):
    """A first start with the hub in reach: what it gave, what the console showed and which requests it took."""
    folder, home = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("home")
    tiny = layouts.base(folder / "tiny")
    weights = load_file(tiny / "model.safetensors")
    weights["never.used"] = torch.zeros(6_000_000)  # 24 MB: the hub's client reports every 10 MB
    save_file(weights, tiny / "model.safetensors", metadata={"format": "pt"})
    (tiny / "pytorch_model.bin").write_bytes(pickle.dumps(Burglar(folder / "broken in")))
    (tiny / "training_log.txt").write_text("epoch 1")
    sharded = layouts.base(folder / "sharded")
    names = sorted(load_file(sharded / "model.safetensors"))
    shards = {name: f"model-0000{1 + (index > 20)}-of-00002.safetensors" for index, name in enumerate(names)}
    whole = load_file(sharded / "model.safetensors")
    for shard in set(shards.values()):
        save_file(
            {name: whole[name] for name in names if shards[name] == shard}, sharded / shard, metadata={"format": "pt"}
        )
    (sharded / "model.safetensors").unlink()
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": shards}))
    (sharded / "pytorch_model-00001-of-00002.bin").write_bytes(b"the same again")
    (layouts.base(folder / "gated") / "gated").touch()
    (folder / "empty").mkdir()
    (folder / "empty" / "README.md").touch()
    own = layouts.own(folder / "own")
    tokens = tokens_of(own)
    counts = count([Text("ab")], {"a": 4, "b": 5}, 2, len(tokens))
    save(coded({"": interpolate(counts, len(tokens))}, len(tokens)), tokens, own / LANGUAGE_MODEL)
    repositories = {f"someone/{name}": folder / name for name in ("tiny", "sharded", "gated", "empty", "own")}
    script = """
        told, threads = [], set()
        def on_download(file, done, total):
            told.append((file, done, total))
            threads.add(threading.current_thread() is threading.main_thread())
        recognizer = load_recognizer("someone/tiny", on_download=on_download)
        result |= {"told": told, "in_the_callers_thread": list(threads), "text": recognizer.read([line])[0].text}
        before = len(told)
        again = load_recognizer(" someone/tiny ", on_download=on_download)
        result["again"] = again is recognizer and len(told) == before
        result["sharded"] = load_recognizer("someone/sharded").read([line])[0].text
        result["language_model_of_own"] = load_recognizer("someone/own").decoding.language_model is not None
        result |= {name: refusal("someone/" + name) for name in ("missing", "gated", "empty")}
    """
    with Hub(repositories) as hub:
        result, console = in_a_new_process(script, hub.address, home)
    reading = load_recognizer(str(tiny)).read([render_line(write("hello world"), 96, 5.0)])[0]
    return {
        **result,
        "console": console,
        "requests": hub.requests,
        "home": home,
        "expected": reading.text,
        "folder": tiny,
    }


def test_a_hub_id_is_downloaded_and_read(downloaded):
    assert downloaded["text"] == downloaded["sharded"] == downloaded["expected"] != ""
    assert downloaded["again"]  # the second time in the same process asks nothing
    assert downloaded["language_model_of_own"]


def test_the_download_is_told_in_growing_bytes_up_to_the_total(downloaded):
    size = (downloaded["folder"] / "model.safetensors").stat().st_size
    told = [(done, total) for file, done, total in downloaded["told"] if file == "model.safetensors"]
    assert len(told) >= 3 and {total for _, total in told} == {size}
    assert [done for done, _ in told] == sorted({done for done, _ in told}) and told[-1][0] == size
    assert downloaded["in_the_callers_thread"] == [True]  # elsewhere a Streamlit page cannot draw
    assert "model.safetensors" in downloaded["console"] and "100%" in downloaded["console"]


def test_only_what_loading_needs_is_downloaded_and_no_bin_where_there_are_safetensors(downloaded):
    fetched = {
        path.rpartition("/")[2]
        for command, path in downloaded["requests"]
        if command == "GET" and "someone/tiny/" in path
    }
    assert {"config.json", "vocab.json", "merges.txt", "preprocessor_config.json", "model.safetensors"} <= fetched
    assert not any(path.endswith(".bin") for _, path in downloaded["requests"])
    assert not any("xet" in path for _, path in downloaded["requests"])


def test_a_hub_id_that_is_not_there_or_not_free_or_no_checkpoint_is_told_apart(downloaded):
    assert "has no checkpoint someone/missing" in downloaded["missing"]
    assert "agreement" in downloaded["gated"] and "HF_TOKEN" in downloaded["gated"]
    assert "no checkpoint that can be loaded" in downloaded["empty"]


@pytest.fixture(scope="module")
def without_network(downloaded, tmp_path_factory):
    """A later start with nothing behind the hub's address, and with a download in the cache that broke off half-way."""
    models, home = tmp_path_factory.mktemp("models"), downloaded["home"]
    layouts.own(models / "text")
    half = home / "hub" / "models--someone--half"
    for file, content in {"refs/main": "d" * 40, f"snapshots/{'d' * 40}/config.json": "{}"}.items():
        (half / file).parent.mkdir(parents=True)
        (half / file).write_text(content)
    script = f"""
        result["text"] = load_recognizer("someone/tiny").read([line])[0].text
        result |= {{name: refusal("someone/" + name) for name in ("new", "half")}}
        checkpoints.MODELS = type(checkpoints.MODELS)({str(models)!r})
        result["named"] = refusal("someone/new")
        result["read"] = len(load_recognizer("text").read([line])[0].character_confidences)
    """
    with socket.socket() as probe:  # a port where nobody listens
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
    return {**in_a_new_process(script, closed, home)[0], "folder": models / "someone" / "new"}


def test_what_was_downloaded_once_loads_without_the_hub(without_network, downloaded):
    assert without_network["text"] == downloaded["expected"]


def test_without_a_network_one_sentence_says_so_and_where_to_put_the_files_and_the_shipped_one_reads(without_network):
    for name in ("new", "half"):
        message = without_network[name]
        assert "cannot be reached" in message and "\n" not in message and not re.search(r"\w[.] ", message)
        assert str(checkpoints.MODELS / "someone" / name) in message
    assert str(without_network["folder"]) in without_network["named"]
    assert without_network["read"] > 0
    assert without_network["slept"] == []  # huggingface_hub's own way of listing files tries for half a minute


@pytest.mark.skipif(
    not (checkpoints.MODELS / "text" / "config.json").is_file(), reason="the shipped checkpoint is not trained yet"
)
def test_the_shipped_checkpoint_is_usable_after_a_download_has_failed(monkeypatch, no_network, images):
    monkeypatch.setattr(
        checkpoints, "_download", lambda *_: (_ for _ in ()).throw(HandwritingError("The hub cannot be reached."))
    )
    refusal("someone/new")
    assert load_recognizer("text").read(images[:1])[0].text
    assert no_network == []


def test_a_program_error_in_a_download_is_not_blamed_on_the_network(monkeypatch):
    import huggingface_hub

    class Api:
        def model_info(self, *_, **__):
            raise TypeError("a program error")

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    with pytest.raises(TypeError, match="a program error"):
        load_recognizer("someone/large")


def test_a_full_disk_is_not_blamed_on_the_network(monkeypatch):
    import errno

    import huggingface_hub

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Api:
        def model_info(self, *_, **__):
            return type(
                "Info",
                (),
                {"siblings": [type("File", (), {"rfilename": name}) for name in ("config.json", "model.safetensors")]},
            )

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    message = refusal("someone/large")
    assert "No space left" in message and "HF_HOME" in message and "cannot be reached" not in message
