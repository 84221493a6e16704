"""The result files that evaluation and benchmarks write."""

import json
import sys

import pytest

from training.evaluation.results import this_command, write_results


def test_a_result_file_has_the_keys_of_the_schema(tmp_path):
    path = tmp_path / "new" / "x.json"
    write_results(path, ["lines of", "CER %"], [["IAM-OnDB", 4.5], ["Copiste", None]], "all lines")
    result = json.loads(path.read_text(encoding="utf-8"))
    assert set(result) == {"command", "date", "machine", "columns", "rows", "note"}
    assert result["rows"] == [["IAM-OnDB", 4.5], ["Copiste", None]]
    assert "cores" in result["machine"]


def test_a_short_row_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        write_results(tmp_path / "x.json", ["a", "b"], [["only"]])
    assert not (tmp_path / "x.json").exists()


def test_the_command_leaves_out_the_option_that_names_the_result_file(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x", "text", "--results", "docs/results/a.json", "--beams", "1"])
    assert this_command().endswith(" text --beams 1")


def test_the_command_names_no_folder_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["x", "text", "--downloads", str(tmp_path / "downloads")])
    assert this_command().endswith(" text --downloads downloads")
