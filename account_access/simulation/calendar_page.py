"""A played period for people to read: what is sent on each day, then the counts."""

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import date

from rich.console import Console
from rich.table import Table
from rich.text import Text

from account_access.cadence.contractors import CONTRACTOR
from account_access.cadence.passwords import EXPIRED, REMINDER
from account_access.simulation.play import Period
from account_access.simulation.records import LOCKOUT, Sent, Writer

TITLES = {REMINDER: "password reminder", EXPIRED: "password expired", CONTRACTOR: "contract ends", LOCKOUT: "lockout"}
# So many names of one kind at one instant; the others are counted.
LISTED = 3


def show(console: Console, sent: Sequence[Sent], period: Period, people: int, writer: Writer) -> None:
    """Prints the page; `sent` in the order of the output."""
    last = date.fromordinal(period.first.toordinal() + period.days - 1)
    counts = f"{_many(people, 'person', 'people')}, {_many(len(sent), 'notification')}"
    console.print(f"{period.first} to {last} ({writer.calendar.zone.key}): {counts}", highlight=False)
    if sent:
        for table in (_days(sent, writer), _months(sent, writer), _outcomes(sent)):
            console.print()
            console.print(table)


def _days(sent: Sequence[Sent], writer: Writer) -> Table:
    table = _table("Day by day", ("day", "time", "what", "to whom"))
    before = None
    for (instant, kind), group in itertools.groupby(sent, key=lambda one: (one.sent_at, one.kind)):
        local = instant.astimezone(writer.calendar.zone)
        day = f"{local:%a %Y-%m-%d}"
        shown = _few([_line(one, writer) for one in itertools.islice(group, LISTED)], sum(1 for _ in group), "; ")
        table.add_row("" if day == before else day, f"{local:%H:%M %Z}", TITLES[kind], Text(_harmless(shown)))
        before = day
    return table


def _line(one: Sent, writer: Writer) -> str:
    """Who gets it, and about what."""
    fields = writer.fields(one)
    who = one.to.login if one.to else "admin channel"
    if one.kind == LOCKOUT:
        return f"{who} ({one.system})"
    if one.kind == CONTRACTOR:
        named = [f"{w['login']} in {_many(w['days_before'], 'day')}" for w in fields["workers"]]
        return f"{who}: {_few(named[:LISTED], len(named) - LISTED, ', ')}"
    if one.kind == EXPIRED:
        return f"{who} (since {fields['expires_at']})"
    return f"{who} (in {_many(fields['days_before'], 'day')}, {fields['expires_at']})"


def _months(sent: Sequence[Sent], writer: Writer) -> Table:
    counts = Counter((f"{one.sent_at.astimezone(writer.calendar.zone):%Y-%m}", one.kind) for one in sent)
    kinds = [kind for kind in TITLES if any(kind == counted for _, counted in counts)]
    table = _table("By month", ("month",), [TITLES[kind] for kind in kinds])
    for month in sorted({month for month, _ in counts}):
        table.add_row(month, *(f"{counts[month, kind]:,}" for kind in kinds))
    return table


def _outcomes(sent: Sequence[Sent]) -> Table:
    table = _table("In all", ("what",), ("sent", "recipients", "resolved"))
    for kind, title in TITLES.items():
        group = [one for one in sent if one.kind == kind]
        if not group:
            continue
        resolved = Counter(one.resolved_by for one in group if one.resolved_by)
        how = ", ".join(f"{count:,} {name}" for name, count in sorted(resolved.items()))
        recipients = len({one.to.key if one.to else None for one in group})
        table.add_row(
            title, f"{len(group):,}", f"{recipients:,}", how or ("0" if kind in (REMINDER, CONTRACTOR) else "")
        )
    return table


def _table(title: str, words: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in words:
        table.add_column(name, overflow="fold", no_wrap=name in ("day", "time", "what", "month"))
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _few(named: list[str], more: int, between: str) -> str:
    return between.join([*named, f"and {more:,} more"] if more > 0 else named)


def _many(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _harmless(text: str) -> str:
    """What a file says, for a terminal: no codes that move the cursor or rename the window."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
