"""Languages in files: what they say, what is wrong with them, and that a new one needs nothing else."""

import gzip
import json
import shutil
from dataclasses import replace

import pytest

from training.data import datasets, languages
from training.data.charset import CHARACTERS, RELEASED
from training.data.languages import FOLDER, LANGUAGES, Language, load, new_characters, read, read_all

POLISH = """
name = "Polish"
number = 8
letters = "ąćęłńóśźż"
share = 0.08
months = ["stycznia", "lutego"]

[texts]
files = ["pl.txt"]

[words]
wordfreq = "pl"

[fonts]
least = 5
"""


def test_the_seven_languages_are_there_in_their_order():
    assert list(LANGUAGES) == ["en", "fr", "de", "es", "it", "pt", "nl"]
    assert LANGUAGES["it"].texts_spelling == "italian accents" and LANGUAGES["fr"].transcripts[0] == "copiste"
    assert LANGUAGES["de"].characters == "äöüßÄÖÜ"
    assert not new_characters(RELEASED) and CHARACTERS == RELEASED


@pytest.fixture
def polish(tmp_path, monkeypatch) -> Language:
    """A folder of languages with a new one."""
    shutil.copytree(FOLDER, tmp_path / "languages")
    (tmp_path / "languages" / "pl.toml").write_text(POLISH, encoding="utf-8")
    (tmp_path / "languages" / "pl.txt").write_text("Dzień dobry\nЖук\n\nŁódź i Gdańsk\n", encoding="utf-8")
    found = read_all(tmp_path / "languages")
    monkeypatch.setattr(languages, "LANGUAGES", found)
    return found["pl"]


def test_a_new_language_brings_its_characters_behind_all_others_and_its_texts(polish, monkeypatch):
    assert new_characters(RELEASED) == "ąćęłńśźżĄĆĘŁŃŚŹŻ"
    monkeypatch.setattr(datasets, "CHARACTERS", RELEASED + new_characters(RELEASED))
    assert datasets.texts_of(polish) == ["Dzień dobry", "Łódź i Gdańsk"]


def test_sentences_come_from_the_data_and_from_the_languages_files(polish, tmp_path, monkeypatch):
    rows = [{"lang": "it", "text": "Perche' no?"}, {"lang": "fr", "text": "Non"}, {"lang": "cs", "text": "Ano"}]
    with gzip.open(tmp_path / "sentences_eu.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    monkeypatch.setattr(datasets, "LANGUAGES", languages.LANGUAGES)
    assert datasets.sentences(tmp_path) == {"it": ["Perché no?"], "pl": []}  # only characters that can be written
    with pytest.raises(FileNotFoundError, match=r"pl\.toml names none\.txt, which is neither beside it nor in"):
        datasets.texts_of(replace(polish, files=(tmp_path / "none.txt",)), tmp_path)


def test_the_check_reports_what_is_missing_in_one_sentence(polish, monkeypatch, capsys):
    def missing(language, downloads):
        raise FileNotFoundError("pl.toml names pl.txt, which is neither beside it nor in data.")

    monkeypatch.setattr(languages, "check", missing)
    with pytest.raises(SystemExit) as end:
        languages.main(["pl"])
    assert end.value.code == 1
    assert capsys.readouterr().err == "  pl.toml names pl.txt, which is neither beside it nor in data.\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("share = 0.08", "shares = 0.08"), "pl.toml has the unknown key shares"),
        (("least = 5", "most = 5"), "pl.toml has the unknown key fonts.most"),
        (('name = "Polish"', ""), "pl.toml lacks the key name"),
        (("number = 8", "number = "), "pl.toml is no TOML"),
        (('wordfreq = "pl"', 'spelling = "klingon"'), "pl.toml has an unknown spelling"),
    ],
)
def test_a_mistake_is_reported_with_its_file(tmp_path, change, said):
    (tmp_path / "pl.toml").write_text(POLISH.replace(*change), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read(tmp_path / "pl.toml")


def test_two_languages_with_one_number_are_reported(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "languages")
    (tmp_path / "languages" / "pl.toml").write_text(POLISH.replace("number = 8", "number = 7"), encoding="utf-8")
    with pytest.raises(ValueError, match="have the number 7: give the new one 8"):
        read_all(tmp_path / "languages")
    with pytest.raises(SystemExit, match="have the number 7"):  # exit status 1, the sentence on standard error
        load(tmp_path / "languages", command=True)


def test_too_few_sentences_are_pointed_out(polish, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "fonts", dict)
    monkeypatch.setattr(datasets, "crohme_symbols", dict)
    few = replace(polish, wordfreq="")
    for count, enough in ((999, False), (1000, True)):
        monkeypatch.setattr(datasets, "sentences", lambda count=count: {"pl": ["Dobry"] * count})
        rows = {what: ok for what, _, ok in languages.check(few, tmp_path)}
        assert rows["sentences"] is enough
