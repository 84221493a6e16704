"""Words of a vocabulary in the place of those that a transcript has; files out of wheels."""

import gzip
import json
import random
import subprocess
import zipfile
from dataclasses import replace

import pytest

from training.data import wheels, word_frequencies
from training.data.languages import LANGUAGES
from training.data.spelling import with_accents, with_sharp_s
from training.data.word_frequencies import Vocabulary, fetch, frequent, listed_words

FRENCH = Vocabulary(["accès", "soupçon"], [300, 310])


def test_words_are_drawn_the_oftener_the_more_frequent_but_rare_ones_far_above_their_frequency():
    words = Vocabulary(["the", "elk"], [100, 500])  # a frequency of one in ten, and of one in 100,000
    rng = random.Random(0)
    rare = sum(words.draw(rng) == "elk" for _ in range(10_000))
    assert 50 < rare < 150  # 1 % at the square root


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("homme", {"accès", "soupçon"}),
        ("Paris,", {"Accès,", "Soupçon,"}),
        ("(NATO)", {"(ACCÈS)", "(SOUPÇON)"}),
        ("l'homme", {"l'accès", "soupçon"}),
        ("qu'elle", {"qu'accès", "soupçon"}),
        ("«L'homme»", {"«L'accès»", "«soupçon»"}),
        ("12h30", {"12h30"}),
        ("don't", {"don't"}),
        ("de", {"de"}),
        ("a@b.fr", {"a@b.fr"}),
    ],
)
def test_capitals_signs_and_elisions_stay(word, others):
    rng = random.Random(1)
    assert {FRENCH.freshen(word, rng, share=1) for _ in range(60)} == others


def test_only_the_given_share_of_the_words_is_replaced():
    rng = random.Random(2)
    words = FRENCH.freshen(" ".join(["maison"] * 2000), rng, share=0.25).split(" ")
    assert len(words) == 2000
    assert 0.2 < sum(word != "maison" for word in words) / 2000 < 0.3


def packed_list(*bins):
    msgpack = pytest.importorskip("msgpack")
    return gzip.compress(msgpack.packb([{"format": "cB", "version": 1}, *bins]))


def test_of_a_frequency_list_what_the_checkpoint_can_write_is_kept():
    words, centibels = frequent(packed_list([], ["the"], [], ["élan", "x", "1984", "жук", "l'eau", "ﬁn"]), "en")
    assert words == ["the", "élan"] and centibels == [1, 3]


def test_a_file_of_a_wheel_at_hand_is_read_without_fetching(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "some_package-1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("some_package/words.txt", "hello")
    monkeypatch.setattr(subprocess, "run", None)  # calling it would raise
    assert wheels.member(tmp_path, "some-package==1.2", "some_package/words.txt") == b"hello"
    with pytest.raises(KeyError):
        wheels.member(tmp_path, "some-package==1.2", "other.txt")


@pytest.fixture
def lists(monkeypatch):
    """Packs of all languages, each of which can be fetched once."""
    lists = {word_frequencies.MEMBERS[0].format(language): packed_list([f"elk{language}"]) for language in LANGUAGES}
    lists[word_frequencies.MEMBERS[0].format("de")] = packed_list([], ["strasse", "wasser"])
    monkeypatch.setattr(word_frequencies, "member", lambda folder, requirement, name: lists.pop(name))
    return lists


def test_the_lists_are_unpacked_once(tmp_path, lists):
    first, second = fetch(tmp_path), fetch(tmp_path)
    assert first.keys() == set(LANGUAGES) and first["fr"].words == ["elkfr"]
    assert first["de"].words == ["straße", "wasser"]
    assert second["fr"].draw(random.Random(0)) == "elkfr" and not lists


def test_a_language_without_a_large_list_has_the_small_one(tmp_path, lists):
    large, small = (name.format("nl") for name in word_frequencies.MEMBERS)
    lists[small] = lists.pop(large)
    assert fetch(tmp_path)["nl"].words == ["elknl"]


def test_a_language_without_a_list_is_reported(tmp_path, lists):
    klingon = replace(LANGUAGES["nl"], code="tlh", wordfreq="tlh")
    with pytest.raises(ValueError, match=r"has no list 'tlh': leave words\.wordfreq out of tlh\.toml"):
        word_frequencies.of_language(tmp_path, klingon)


def test_a_file_with_fewer_languages_is_made_anew(tmp_path, lists):
    (tmp_path / word_frequencies.PACKED).write_bytes(gzip.compress(json.dumps({"en": [["old"], [0]]}).encode()))
    assert fetch(tmp_path)["en"].words == ["elken"]


def test_listed_words_are_those_of_all_languages(tmp_path, lists):
    assert listed_words(tmp_path) >= {"elken", "elkpt", "strasse", "wasser"}


@pytest.mark.parametrize(
    "word",
    "straße großvater fußball größer heißen schließen außerhalb draußen äußern weiß preußen gemäß maßnahmen "
    "regelmäßig süß grüßen kreisstraße "
    "wasser lassen dass muss aussage aussehen aussicht kessel kreissparkasse schloss russland prozess aussenden".split(),
)
def test_sharp_s_comes_back_where_german_has_it(word):
    assert with_sharp_s(word.replace("ß", "ss")) == word


@pytest.mark.parametrize(
    ("plain", "accented"),
    [
        ("Perche' no?", "Perché no?"),
        ("E' cosi', piu' o meno.", "È così, più o meno."),
        ("un po' di te', cioe' poco", "un po' di tè, cioè poco"),
        ("l'amore dell'arte", "l'amore dell'arte"),
        ("la parola 'casa' qui", "la parola 'casa' qui"),
        ("c'e' l'unita'", "c'è l'unità"),
        ("ne' questo ne' quello", "né questo né quello"),
        ("la citta' e la virtu'", "la città e la virtù"),
    ],
)
def test_italian_gets_its_accents(plain, accented):
    assert with_accents(plain) == accented
