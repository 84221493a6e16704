"""Texts out of packages: what is read of each kind of file, and what is left out."""

import json
import subprocess

import pytest

from training.data import text_packages
from training.data.languages import LANGUAGES


@pytest.fixture
def package(tmp_path):
    """A package as if it had been fetched: sentences as JSON, a page, a tagged text, and a file of another kind."""
    folder = tmp_path / text_packages.FOLDER / "sentences@1.0.0"
    folder.mkdir(parents=True)
    (folder / "doc-0.json").write_text(
        json.dumps(["Where  is your “zoo”?", "a" * 32, "short", ["Une très belle journée"]])
    )
    (folder / "page.html").write_text(
        "<h1>A heading, left out</h1><p>Opens a <b>sub-menu</b> here.</p><p>Σήμερα είναι Τρίτη</p>"
    )
    (folder / "ca01").write_text(
        "``/`` Well/uh ,/, Mr./np Hughes/np ''/'' ,/, he/pps said/vbd ;/. ;/. ``/`` (/( now/rb )/) ''/'' ./."
    )
    (folder / "license.txt").write_text("A licence is no text to count.")
    return tmp_path


def test_each_kind_of_file_gives_its_sentences(package):
    assert text_packages.sentences("sentences@1.0.0", package) == [
        '"Well, Mr. Hughes", he said; "(now)".',
        'Where is your "zoo"?',
        "Une très belle journée",
        "Opens a sub-menu here.",
    ]


def test_identifiers_fragments_and_unknown_letters_are_left_out(package):
    found = text_packages.sentences("sentences@1.0.0", package)
    assert not {"a" * 32, "short", "Σήμερα είναι Τρίτη"} & set(found)


def test_a_package_that_cannot_be_fetched_leaves_nothing_half_done(tmp_path, monkeypatch):
    def fails(command, **options):
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", fails)
    for name in ("missing@1.0.0", "missing"):
        with pytest.raises(subprocess.CalledProcessError):
            text_packages.sentences(name, tmp_path)
        assert not (tmp_path / text_packages.FOLDER / name).exists()


def test_every_shipped_language_has_texts_of_its_own_to_count():
    assert all(language.packages for language in LANGUAGES.values())
    assert all(package.count("@") <= 1 for language in LANGUAGES.values() for package in language.packages)
