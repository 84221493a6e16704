"""The Help page: the user guide in the app, and what the wheel and the Docker image need for it."""

import re
import tomllib

from pages.shared.guide import guide
from tests.support.paths import ROOT


def test_the_guide_in_the_app_has_no_pictures_markers_or_links_to_other_pages():
    shown = guide()
    assert shown.startswith("# User guide\n\nThe app has two pages")
    assert "[[" not in shown and "![" not in shown and "make run" not in shown
    headings = {re.sub(r"\W+", "-", heading.lower()) for heading in re.findall(r"^#+ (.+)$", shown, re.MULTILINE)}
    targets = re.findall(r"\]\(([^)]*)\)", shown)
    assert targets and all(target.startswith("#") and target[1:] in headings for target in targets), targets
    assert "| Searchable PDF | .pdf |" in shown and ".heic" in shown


def test_everything_that_the_wheel_holds_is_sent_to_docker():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for path in project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]:
        left_out = path.split("/")[0] in ignored or f"{path.split('/')[0]}/*" in ignored
        assert not left_out or f"!{path}" in ignored, path
