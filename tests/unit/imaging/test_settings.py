"""Settings survive being saved; whatever else is loaded gets one sentence."""

import json

import pytest

from hwr_core.imaging.settings import PRESETS, PreprocessSettings


@pytest.mark.parametrize(
    "settings", [*PRESETS.values(), PreprocessSettings(threshold="sauvola", sauvola_k=0.3, stroke="thin", padding=40)]
)
def test_saved_settings_load_as_they_were(settings):
    assert PreprocessSettings.from_json(settings.to_json()) == settings
    assert PreprocessSettings.from_values(settings.changed()) == settings


def test_a_part_of_them_is_enough_and_whole_numbers_are_numbers():
    assert PreprocessSettings.from_json('{"stroke_target": 5}').stroke_target == 5.0
    assert PreprocessSettings().changed() == {} and PreprocessSettings(flatten=False).changed() == {"flatten": False}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "3", "{", '{"flatten": 1}', '{"threshold": "magic"}', '{"threshold": []}', '{"threshold_window": 1e9}',
        '{"denoise": true}', '{"sauvola_k": NaN}', '{"sauvola_k": "0.2"}', '{"nothing": 1}', '<?xml version="1.0"?><!DOCTYPE a>', "[" * 100_000,
        json.dumps({"stroke_target": 10**400}), json.dumps({"threshold_level": 10**4000}), json.dumps({"threshold": "x" * 1000}),
        json.dumps({"x" * 10_000: 1}), '{"threshold_level": 128.5}',
    ],
)  # fmt: skip
def test_what_are_no_settings_is_said_in_a_short_sentence(text):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        PreprocessSettings.from_json(text)
    assert len(str(caught.value)) < 160 and "\n" not in str(caught.value)
