"""What a program that signs in by itself is called by the person whose device it is on (X9): "an iPhone (mail app)".

A user agent is written for servers: "Apple-iPhone15C2/2107.93 … Exchange ActiveSync" tells no owner which device it is.
Only what is surely recognised gets a name; for all else callers keep what the program calls itself.
"""

# Says "iOS" and "Android" both, whichever of the two it runs on.
MOBILE_OUTLOOK = "outlook-ios"
# The first mark that a user agent contains decides, so the nearer ones stand before the wider ones.
DEVICES = (
    ("iphone", "an iPhone"),
    ("ipad", "an iPad"),
    ("ipod", "an iPod"),
    ("ios/", "an iPhone or iPad"),
    ("samsung", "a Samsung phone or tablet"),
    ("android", "an Android phone or tablet"),
    ("macintosh", "a Mac"),
    ("mac os x", "a Mac"),
    ("macos", "a Mac"),
    ("windows", "a Windows computer"),
)
PROGRAMS = (
    ("outlook", "Outlook"),
    ("thunderbird", "Thunderbird"),
    ("microsoft office", "Microsoft Office"),
    ("caldav", "calendar app"),
    ("carddav", "contacts app"),
    ("activesync", "mail app"),
    ("imap", "mail app"),
    ("pop3", "mail app"),
    ("smtp", "mail app"),
    ("dataaccessd", "mail or calendar app"),
    ("accountsd", "mail or calendar app"),
)


def known_by(user_agent: str) -> str | None:
    """The device and its program, as their owner knows them; None where no device is recognised."""
    said = user_agent.lower()
    if MOBILE_OUTLOOK in said:
        return "Outlook on a phone or tablet"
    device = _first(DEVICES, said)
    if device is None:
        return None
    program = _first(PROGRAMS, said)
    return f"{device} ({program})" if program else device


def _first(names: tuple[tuple[str, str], ...], said: str) -> str | None:
    return next((name for mark, name in names if mark in said), None)
