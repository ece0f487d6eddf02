"""A played period as a picture: a square for each day, a strip for each kind of notification, darker for more."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from account_access.simulation.calendar_page import TITLES
from account_access.simulation.play import Period
from account_access.simulation.records import Sent, Writer

COLOURS = ("Blues", "Reds", "Greens", "Oranges")
WEEKDAYS = ("Mon", "", "Wed", "", "Fri", "", "Sun")
# The longest period whose days are still squares that can be told apart.
MOST_DAYS = 800


def draw(path: Path, sent: Sequence[Sent], period: Period, people: int, writer: Writer) -> None:
    """Writes the picture; the end of the name says of what kind, e.g. .png or .svg. Raises OSError and ValueError."""
    # A heavy library, for this alone.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    counts = _counts(sent, writer)
    first_week = period.first - timedelta(days=period.first.weekday())
    weeks = ((period.first - first_week).days + period.days + 6) // 7
    # The same input gives the same bytes.
    with rc_context({"svg.hashsalt": "account-access", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(max(4.0, 0.21 * weeks + 1.4), 0.6 + 1.75 * len(TITLES)), dpi=110)
        axes = figure.subplots(len(TITLES), 1, squeeze=False)[:, 0]
        for strip, (kind, title), colour in zip(axes, TITLES.items(), COLOURS, strict=True):
            days = {day: count for (of, day), count in counts.items() if of == kind}
            _strip(strip, days, period, first_week, weeks, colour)
            strip.set_title(f"{title}: {sum(days.values()):,}", loc="left", fontweight="bold")
        last = period.first + timedelta(days=period.days - 1)
        figure.suptitle(
            f"{period.first} to {last}, {writer.calendar.zone.key}: {people:,} people, {len(sent):,} notifications"
        )
        figure.tight_layout()
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})


def _counts(sent: Sequence[Sent], writer: Writer) -> Counter[tuple[str, date]]:
    return Counter((one.kind, writer.calendar.date(one.sent_at)) for one in sent)


def _strip(strip, days: dict[date, int], period: Period, first_week: date, weeks: int, colour: str) -> None:
    """Weeks from left to right, Monday at the top; the number stands on the fullest day."""
    most = max(days.values(), default=1)
    grid = [[float("nan")] * weeks for _ in range(7)]
    for n in range(period.days):
        day = period.first + timedelta(days=n)
        week, weekday = divmod((day - first_week).days, 7)
        grid[weekday][week] = days.get(day, 0) / most
    strip.pcolormesh(grid, cmap=colour, vmin=-0.06, vmax=1.1, edgecolors="white", linewidth=1)
    strip.set_aspect("equal")
    strip.invert_yaxis()
    strip.set_yticks([row + 0.5 for row in range(7)], WEEKDAYS)
    months = [day for n in range(period.days) if (day := period.first + timedelta(days=n)).day == 1]
    names = [f"{day:%b %Y}" if day.month == 1 else f"{day:%b}" for day in months]
    strip.set_xticks([(day - first_week).days / 7 for day in months], names)
    strip.tick_params(length=0)
    for edge in strip.spines.values():
        edge.set_visible(False)
    if days:
        fullest = max(days, key=lambda day: (days[day], -day.toordinal()))
        week, weekday = divmod((fullest - first_week).days, 7)
        strip.text(week + 0.5, weekday + 0.52, f"{most}", ha="center", va="center", color="white", fontsize=6)
