"""The environment variables HWR_…: accepted values, and the sentence for any other."""

import os
import subprocess
import sys

import pytest

from hwr_core.errors import SettingsError
from hwr_core.runtime import settings
from hwr_core.runtime.environment import Settings
from hwr_core.runtime.settings import rows


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name, _, _ in rows():
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("value", "low"), [("true", True), ("1", True), ("on", True), ("0", False), ("False", False)])
def test_low_memory_takes_the_usual_words(monkeypatch, value, low):
    monkeypatch.setenv("HWR_LOW_MEMORY", value)
    assert settings.low_memory() is low
    assert settings.bodies_bytes() == (32_000_000 if low else 160_000_000)


def test_an_empty_variable_is_as_if_it_were_not_set(monkeypatch):
    for name, _, _ in rows():
        monkeypatch.setenv(name, "")
    assert settings.settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("HWR_QUEUE", "1k"), ("HWR_QUEUE", "0"), ("HWR_LOW_MEMORY", "a bit"), ("HWR_LOG_LEVEL", "loud"),
     ("HWR_LOG_FORMAT", "xml"), ("HWR_DOWNLOADS", "2"), ("HWR_CORS_ORIGINS", "notes.example")],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_reported_in_one_sentence(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        settings.settings()
    message = str(raised.value)
    assert message.startswith(f"The environment variable {name} cannot be used: ")
    assert message.endswith(".") and message.count(". ") == 0 and "\n" not in message


def test_a_change_of_the_environment_counts_at_once(monkeypatch):
    assert settings.settings().queue == 64
    monkeypatch.setenv("HWR_QUEUE", "3")
    assert settings.settings().queue == 3


def test_the_token_is_not_shown_by_accident(monkeypatch):
    monkeypatch.setenv("HWR_API_TOKEN", "secret")
    assert settings.api_token() == "secret" and "secret" not in repr(settings.settings())


def test_every_variable_has_a_description():
    table = list(rows())
    assert {"HWR_API_TOKEN", "HWR_QUEUE", "HWR_LOW_MEMORY", "HWR_LOG_LEVEL", "HWR_DOWNLOADS"} <= {
        row[0] for row in table
    }
    assert all(default and description.endswith(".") for _, default, description in table)


def test_a_process_that_only_reads_does_not_import_pydantic():
    program = "import sys, hwr_core.recognizer as r; r.low_memory(); sys.exit('pydantic' in sys.modules)"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("HWR_")}
    assert subprocess.run([sys.executable, "-c", program], env=bare, timeout=60).returncode == 0
