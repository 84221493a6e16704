"""Components whose data reach the browser in the wrong order: the newest counts."""

import json
from pathlib import Path

import pytest

from pages.drawing import correction, words
from pages.shared import components

pytestmark = pytest.mark.browser
LOAD = """async ([module, html]) => {
    document.body.innerHTML = html
    const {default: show} = await import(URL.createObjectURL(new Blob([module], {type: "text/javascript"})))
    window.show = data => show({data, parentElement: document.body, setTriggerValue: () => {}})
}"""


def _word(text: str) -> dict:
    return {"lines": [[{"text": text, "markup": text, "others": [], "about": ""}]], "text": text}


def _module(*files: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in (components.STATIC / "newest.js", *files))


@pytest.mark.parametrize(
    ("module", "html", "data", "shown"),
    [
        (
            _module(words.STATIC / "words.js"),
            "<div class='reading'></div><div class='announced'></div>",
            _word,
            "document.querySelector('.reading').textContent.trim()",
        ),
        (
            _module(*(correction.STATIC / name for name in correction.SCRIPTS)),
            "<label><span></span><textarea></textarea></label>",
            lambda text: {"label": "", "reading": text, "text": text, "session": "", "applied": 0},
            "document.querySelector('textarea').value",
        ),
        (
            _module(components.STATIC / "copy.js"),
            "<button></button>",
            lambda text: {"label": text, "text": text},
            "document.querySelector('button').textContent",
        ),
    ],
    ids=["words", "field", "copy"],
)
def test_what_arrives_late_does_not_take_the_place_of_what_is_newer(chromium, module, html, data, shown):
    page = chromium.new_page()
    page.evaluate(LOAD, [module, html])
    for text, order, expected in [
        ("new", ["server", 2], "new"),
        ("old", ["server", 1], "new"),
        ("newer", ["server", 3], "newer"),
        ("again", ["another server", 0], "again"),
    ]:
        page.evaluate(f"show({json.dumps({**data(text), 'order': order})})")
        assert page.evaluate(shown) == expected
    page.close()
