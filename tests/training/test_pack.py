"""The pack of training data reads back as the data that it was made of, without a line for validation."""

import gzip
import io
import json
import tarfile

import cv2
import numpy as np
import pytest

from training.data import datasets as data
from training.fit.pack import pack

WRITERS = [f"w{number}" for number in range(16)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of the shape of ../shared/data with a little of everything, and its pack."""
    source = tmp_path_factory.mktemp("data")
    (source / "pages").mkdir()
    (source / "pages" / "pages.jsonl").write_text(json.dumps({"image": "copiste_imp_w3_1.jpg", "lines": []}) + "\n")
    wave = [100, 500] + [value for step in range(60) for value in (7, round(40 * np.sin(step / 4)))]
    ink = [
        {"id": split, "text": "Hello , you", "split": split, "writer": "a", "strokes": [wave]}
        for split in ("train", "val_v", "val_t")
    ]
    write_gz(source / "iam_ondb.jsonl.gz", ink)
    circle = (50 * np.stack([np.cos(t := np.linspace(0, 6.2, 40)), np.sin(t)], 1) + 200).flatten().tolist()
    formula = {
        "id": "f",
        "truth": "0",
        "norm": "0",
        "writer": "b",
        "strokes": [circle],
        "symbols": [["0", [0]]],
        "tree": [],
    }
    write_gz(source / "crohme.jsonl.gz", [{**formula, "split": split} for split in ("train", "test2013")])
    formulas = [(name, "x ^ { 2 }") for name in ("formulas", "formulas_more", "formulas_templates")]
    write_gz(source / "detexify.jsonl.gz", [])
    for name, text in (("english", "A sentence."), *formulas):
        with gzip.open(source / f"{name}.txt.gz", "wt") as file:
            file.write(text + "\n")
    write_gz(source / "sentences_eu.jsonl.gz", [{"lang": "de", "text": "Ein Maß"}, {"lang": "pl", "text": "Zażółć"}])
    write_gz(source / "form_lines.jsonl.gz", [{"lang": "nl", "kind": "date", "text": "1-2-2024"}])
    write_gz(
        source / "pendigits.jsonl.gz",
        [{"id": "p", "label": "7", "writer": "p1", "strokes": [[0, 0, 300, 0, 100, 500]]}],
    )
    for name in data.SCANS:
        with tarfile.open(source / f"{name}.tar", "w") as tar:
            records = [
                {"image": f"{w}.jpg", "text": f"texte de {w}", "page": f"imp_{w}_1", "writer": w} for w in WRITERS
            ]
            add(tar, "lines.jsonl", "\n".join(map(json.dumps, records)).encode())
            for writer in WRITERS:
                grey = np.full((64, 300), 230, np.uint8)
                cv2.putText(grey, writer, (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 1, 30, 3)
                add(tar, f"{writer}.jpg", cv2.imencode(".jpg", grey)[1].tobytes())
    (source / "fonts.json").write_text(json.dumps([{"family": "hand", "ok": True, "latin": True}]))
    with tarfile.open(source / "fonts.tar", "w") as tar:
        add(tar, "hand.ttf", b"a font's bytes")
    target = tmp_path_factory.mktemp("pack")
    pack(target, source)
    return source, target / "data"


def write_gz(path, records):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def add(tar, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def test_the_strokes_are_the_same_curves_in_fewer_points(folders):
    (before,), (after,) = (data.iam_ondb("train", folder) for folder in folders)
    assert after.text == before.text == "Hello, you"
    one, two = before.strokes[0], after.strokes[0]
    assert len(two) < len(one)
    on_two = np.stack([one[:, 0], np.interp(one[:, 0], two[:, 0], two[:, 1])], 1)
    assert np.abs(on_two - one).max() < np.ptp(one[:, 1]) / 40  # measured straight down, also where the curve is steep


def test_the_symbols_keep_their_shapes(folders):
    before, after = (data.crohme_symbols(folder)["0"][0][0] for folder in folders)
    assert np.allclose(np.hypot(*after.T), 0.5, atol=0.02)
    assert np.allclose(np.hypot(*before.T), 0.5, atol=0.02)


@pytest.mark.parametrize("name", data.SCANS)
def test_the_scans_are_the_training_lines_and_only_these(folders, name):
    before, after = (data.scans(name, "train", folder) for folder in folders)
    assert [line.text for line in after] == [line.text for line in before]
    assert data.scans(name, "val", folders[1]) == []
    picture = cv2.imdecode(np.frombuffer(after[0].jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (48, 225)


def test_copistes_validation_writers_are_left_out(folders):
    source, packed = folders
    held_out = {line.writer for line in data.scans("copiste", "val", source)}
    assert held_out
    assert not held_out & {line.writer for line in data.scans("copiste", "train", packed)}


def test_nothing_for_validation_or_testing_is_in_it(folders):
    packed = folders[1]
    assert data.iam_ondb("val_v", packed) == data.iam_ondb("val_t", packed) == []
    with gzip.open(packed / "crohme.jsonl.gz", "rt") as file:
        assert {json.loads(line)["split"] for line in file} == {"train"}


def test_the_fonts_and_the_code_come_along(folders):
    packed = folders[1]
    assert data.fonts(packed) == {"hand": b"a font's bytes"}
    assert (packed.parent / "training" / "fit" / "train.py").exists()
    assert (packed.parent / "hwr_core" / "checkpoints" / "line_encoder.py").exists()


def test_sentences_forms_and_digits_come_along(folders):
    for folder in folders:
        assert data.sentences(folder) == {"de": ["Ein Maß"]}
        assert data.form_lines(folder) == ["1-2-2024"]
        assert np.allclose(np.ptp(np.concatenate(data.pen_digits(folder)["7"][0]), 0), [0.6, 1.0])


@pytest.mark.parametrize("name", data.WITH_VALIDATION)
def test_every_eighth_writer_or_page_is_for_validation(folders, name):
    kept, held_out = ({line.writer for line in data.scans(name, split, folders[0])} for split in ("train", "val"))
    assert held_out and not kept & held_out and len(held_out) in (2, 3)


def test_dhsds_validation_pictures_are_stretched_each_by_its_own_amount_always_the_same(folders):
    once, again = (data.scans("dhsd", "val", folders[0]) for _ in range(2))
    assert [line.jpeg for line in once] == [line.jpeg for line in again]
    widths = {cv2.imdecode(np.frombuffer(line.jpeg, np.uint8), 0).shape[1] for line in once}
    assert len(widths) == len(once) and min(widths) >= 300 and max(widths) <= 750
