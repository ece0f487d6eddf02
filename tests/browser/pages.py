"""What every page here is looked at for: nothing that axe-core finds, nothing to be scrolled sideways."""

import json
from pathlib import Path

from playwright.sync_api import Page

VIEWS = [(320, "dark"), (1280, "light")]
HEIGHT = 800


def settled(page: Page) -> None:
    """Waits until nothing on the page moves any more, but for what moves for ever."""
    # What has just been changed begins to move with the next picture, and only where somebody sees it.
    page.bring_to_front()
    page.evaluate(
        """async () => {
            for (let picture = 0; picture < 2; picture += 1) await new Promise(requestAnimationFrame);
            const ending = document.getAnimations().filter((each) => isFinite(each.effect.getComputedTiming().endTime));
            await Promise.allSettled(ending.map((each) => each.finished));
        }"""
    )


def look(page: Page, axe: Path) -> None:
    """Fails for whatever axe-core knows, best practices included, and for a page that is wider than its window."""
    settled(page)
    # The pages' own policy lets no script in, so this one goes around it.
    found = page.evaluate(f"async () => {{ {axe.read_text()}; return (await axe.run()).violations; }}")
    problems = {rule["id"]: [node["html"][:120] for node in rule["nodes"]] for rule in found}
    assert problems == {}, f"{page.url}: {json.dumps(problems, indent=1)}"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} is too wide"


def look_in_every_view(page: Page, axe: Path) -> None:
    """The same at 320 px in the dark, and wide in the light."""
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme=scheme)
        look(page, axe)


def typed(page: Page, *steps: str) -> None:
    """Keys and texts, one after the other, into what has the focus, once something has it."""
    page.locator(":focus").wait_for()
    for step in steps:
        page.keyboard.press(step) if step in ("Tab", "Enter", "ArrowDown") else page.keyboard.type(step)
