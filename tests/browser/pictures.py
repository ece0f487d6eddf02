"""The documents' pictures: small PNGs of what the pages really show, made anew by `pytest tests/browser --pictures`."""

from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.browser.pages import settled

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
# The repository keeps every version of every picture.
COLOURS = 256
MOST_BYTES = 60 * 1024


def keep(page: Page, name: str) -> None:
    """Writes what the window shows as docs/pictures/NAME.png. Fails for one that would be too large."""
    # No button looks as if the mouse were on it.
    page.mouse.move(0, 0)
    settled(page)
    shown = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    target = FOLDER / f"{name}.png"
    FOLDER.mkdir(parents=True, exist_ok=True)
    shown.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    size = target.stat().st_size
    assert size <= MOST_BYTES, f"{target} has {size} bytes; at most {MOST_BYTES}: show less, or in a smaller window"
