"""What axe says of a page's accessibility."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def serious(page: Page) -> list[tuple[str, str]]:
    """What axe finds serious or critical once the page is at rest: the rule, and the first place."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_function(
        "!document.querySelector('[data-stale=true]')"
        " && document.getAnimations().every(animation => animation.playState !== 'running')"
    )
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]
