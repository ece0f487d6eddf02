"""What a single word looks like: a password, or something with letters and digits that every desk talks about.

Words come folded (door/redaction.py): plain letters, straight quotation marks, single blanks. Every quantifier is
bounded, so that no message costs more than its length.
"""

import itertools
import re
from pathlib import Path

HIDDEN = "\u2022"
MARKS = "\"'()[]<>"

# Words that are said about a password, or that only join others: never a password by themselves.
DESCRIPTIONS = frozenset((Path(__file__).parent / "words_about_passwords.txt").read_text(encoding="utf-8").split())
_ENDING = re.compile(r"(?:ing|ed|n't|ly)$")
_SYMBOLS = frozenset("!@#$%^&*+=~?|\\{}<>")

_PRODUCTS = re.compile(
    r"^(?:windows|win|office|iphone|ipad|ios|android|galaxy|pixel|outlook|excel|okta|adobe|server|macos|macbook|m365|o365|"
    r"wifi|teams|zoom|vpn|room|floor|building|laptop|desktop|level|step|option|version|v|mfa|otp|sso|x86|log4j|b2b|web3|"
    r"chrome|firefox|edge|safari|photoshop|autocad|revit|solidworks|exchange|sharepoint|sql|oauth|saml|oidc|yubikey|fido|"
    r"thinkpad|elitebook|latitude|surface|python|java|php|ubuntu|debian|printer|monitor|jira|sap|salesforce|citrix|user|"
    r"2fa|sha|base|utf|usb|ipv|covid)-?\d",
    re.IGNORECASE,
)
# Names of machines: srv-berlin-01, wks12345, dc01.
_MACHINE = re.compile(
    r"^(?:srv|svr|server|wks|ws|pc|lt|nb|ltp|dc|db|web|app|host|node|vm|prd|prod|dev|test|stage|file|mail|print|prn|fs|ts|"
    r"rds|vdi|sw|ap|rt|fw|meeting|conf|desk)[\w-]{0,30}\d{1,6}$",
    re.IGNORECASE,
)
# AA-1042, INC0012345, E0000011, 0x80070005, KB5034441, LAPTOP-4F2K9, 23H2, 53003
_REFERENCE = re.compile(
    r"^(?:[A-Z]{1,12}[-_]?\d{1,20}(?:[-_][A-Z0-9]{1,20}){0,5}|[A-Z][A-Z0-9]{1,14}(?:[-_][A-Z0-9]{1,12}){1,4}|"
    r"\d{1,3}[A-Z]{1,2}\d{0,4}|0x[0-9a-fA-F]{1,16}|#?\d{1,40}|#?[A-Z]{1,6}-\d{1,9}|(?=[A-Z]{1,13}\d|\d{1,13}[A-Z])[A-Z0-9]{5,14})$"
)
_ADDRESS = re.compile(
    r"^(?:[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}|\w{1,12}://\S{1,1000}|www\.\S{1,1000}|(?:[A-Za-z]:)?[\\/].{0,1000}|"
    r"[A-Za-z][\w-]{0,20}\\[\w.-]{1,40}|(?:[\w-]{1,40}\.){1,6}"
    r"(?:com|org|net|io|example|local|lan|internal|corp|de|fr|es|uk|eu|ch|at|nl)(?:[/:]\S{0,200})?|"
    r"[\w.-]{1,80}\.(?:pdf|docx?|xlsx?|pptx?|png|jpe?g|txt|zip|exe|msi|log|csv|html?|heic|eml|msg|mp4))$",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|0[0o][a-z][0-9a-z]{17})$",
    re.IGNORECASE,
)
_VERSION = re.compile(r"^v?\d{1,6}(?:\.\d{1,6}){1,4}(?:[-.]?[a-z]{1,8}\d{0,4})?$", re.IGNORECASE)
_DATE_OR_TIME = re.compile(
    r"^(?:\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?|\d{1,2}(?:[:.]\d{2}){0,2}-?(?:am|pm|h|hrs?|mins?|s|st|nd|rd|th|x|k|gb|mb|tb|%|"
    r"uhr|char\w{0,10}|digits?|letters?|days?|weeks?|months?|years?|hours?|minutes?|times?)?|\d{1,6}(?:k|x|px|gb|mb|kb|ms)|"
    r"\d{4}-\d\d-\d\dT[\d:.]{1,20}Z?|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,8}\d{1,4})$",
    re.IGNORECASE,
)
# Harbor-Lantern-42: words as a person strings them together, with capitals and a number.
_STRUNG = re.compile(
    r"^(?:[A-Z][a-z]{2,14}[-_.+]){1,5}(?:[A-Z][a-z]{2,14}[-_.+]?)?\d{1,4}$|^\d{1,4}(?:[-_.+][A-Z][a-z]{2,14}){2,5}$"
)
_THINGS = re.compile(
    r"(?:room|floor|plan|building|server|windows|printer|meeting|conference|laptop|desktop|tablet|galaxy|surface|office|"
    r"team|group|sprint|desk|tower|hall|gate|terminal|version|release|patch|update|build|part|chapter|step|phase|level|"
    r"option|team|tab|pro|air|mini|plus|max|edition|model|series|street|avenue|route|line|case|ticket|order|form|page|"
    r"section|unit|zone|area|site|campus|wing|exit|bay|dock|lab|scanner|camera|monitor|router|switch|guest|wifi|error|"
    r"file|folder|report|project|policy|user|admin|app|agent|client|service|port|host|cluster|node|pool|backup|invoice)s?",
    re.IGNORECASE,
)
# The passwords that everybody has had, and their spellings with digits.
_CLASSIC = re.compile(
    r"^(?:(?:my)?password|passwort|kennwort|qwert[yz]|letmein|iloveyou|changeme|welcome|willkommen|bienvenue|"
    r"(?:spring|summer|autumn|winter|sommer|herbst|verano|sunshine|dragon|monkey|football)(?=.?\d)).{0,12}$"
)
_LEET = str.maketrans("01345@$", "oleasas")
_PERSONAL = re.compile(r"^[A-Z][a-z]{3,20}[-_.]?\d{1,4}[!?.*#$]{0,3}$")
_LOWERCASE = re.compile(
    r"^(?:[a-z]{4,20}[-_.!@#$%&*]?\d{1,6}[!?*#$]{0,3}|[a-z]{1,12}\d{1,3}[a-z]{3,12}\d{0,4}|"
    r"(?:(?=[a-z]{0,7}\d)[a-z0-9]{3,8}-){1,7}(?=[a-z]{0,7}\d)[a-z0-9]{3,8})$"
)


def bare(value: str) -> str:
    """Without the quotes and the sentence's punctuation around it."""
    return value.strip(MARKS).rstrip(".,;:?!").strip(MARKS)


def innocent(word: str) -> bool:
    """A name, number, time or address of the everyday: letters and digits, but nobody's secret."""
    shapes = (_PRODUCTS, _REFERENCE, _ADDRESS, _IDENTIFIER, _VERSION, _DATE_OR_TIME, _MACHINE)
    return HIDDEN in word or any(shape.match(word) for shape in shapes) or _thing(word)


def mixed(word: str) -> bool:
    """Letters and digits, or letters around a symbol that words do not contain."""
    if len(word) < 4 or innocent(word) or not any(c.isalpha() for c in word):
        return False
    return any(c.isdigit() for c in word) or any(c in _SYMBOLS for c in word)


def unlike_words(word: str) -> bool:
    """What no word of a sentence looks like, right after "my password is"."""
    if len(word) < 4 or HIDDEN in word or (word[0].isdigit() and _DATE_OR_TIME.match(word)):
        return False
    return any(c.isdigit() for c in word) or mixed(word)


def describes(word: str) -> bool:
    """Whether the word, with hyphens or not, tells about a password: "expired", "case-sensitive"."""
    return bool(_ENDING.search(word.lower())) or _told_about(word)


def _told_about(word: str) -> bool:
    parts = [part for part in re.split(r"[^\w]", word.lower()) if part]
    return not parts or sum(part in DESCRIPTIONS for part in parts) * 2 >= len(parts)


def plain_secret(word: str) -> bool:
    """A word of letters that may be a password, if the sentence says that it is one."""
    return len(word) >= 3 and not describes(word) and not innocent(word)


def passphrase(words: list[str]) -> bool:
    """Words in a row that are said to be the password and say nothing about it: "correct horse battery staple"."""
    unknown = [word for word in words if not _told_about(word)]
    if len(words) < 2 or any(HIDDEN in word for word in words):
        return False
    if describes(words[0]):
        return len(unknown) >= 3 and len(unknown) == len(words) - 1
    return len(words) - len(unknown) <= (1 if len(words) >= 4 else 0)


def strong(value: str) -> bool:
    """What only a password generator, or somebody who makes up a password, writes: known wherever it stands."""
    word = value.strip(MARKS + ".,;:")
    if not 7 <= len(word) <= 64 or innocent(bare(word)):
        return False
    digit = any(c.isdigit() for c in word)
    cases = any(c.isupper() for c in word) and any(c.islower() for c in word)
    symbol = any(c in "!@#$%^&*+=~?|" for c in word)
    if cases and digit and symbol and len(word) >= 8 and word.count("-") < 3:
        return True
    if (digit or set(word) & {"@", "$"}) and any(
        _CLASSIC.match(each) for each in (word.lower(), word.lower().translate(_LEET))
    ):
        return True
    return (cases and digit and _switches(word)) or strung(bare(word))


def strung(word: str) -> bool:
    """Harbor-Lantern-42, but not Meeting-Room-42."""
    return bool(_STRUNG.match(word)) and len(re.findall(r"[A-Za-z]{1,40}", word)) >= 2 and not _thing(word)


def shouted(word: str) -> bool:
    """HUNTER2 beside the word "password": too short a number for a ticket."""
    return bool(re.match(r"^[A-Z]{4,20}\d{1,3}!?$", word)) and not _PRODUCTS.match(word)


def _thing(word: str) -> bool:
    """Words and numbers joined, one of which names a thing: Meeting-Room-42, Room-B204."""
    parts = re.split(r"[-_.+]", word)
    plain = all(part.isalpha() or re.fullmatch(r"[A-Za-z]?\d{1,6}[A-Za-z]?", part) for part in parts)
    return plain and len(parts) >= 2 and any(_THINGS.fullmatch(part) for part in parts)


def _switches(word: str) -> bool:
    """Random letters and digits: Xk9mQ2vL4, but not EliteBook840G9."""
    if not word.isalnum() or len(word) > 20:
        return False
    return sum(a.isdigit() != b.isdigit() for a, b in itertools.pairwise(word)) >= 4


def typed_like(word: str) -> bool:
    """What people type into a password field when they tell of it: hunter2, Summer2024, h4rbor!x."""
    if len(word) < 6 or not mixed(word):
        return False
    return (
        not word.islower() or bool(_LOWERCASE.match(word)) or any(c in _SYMBOLS for c in word) or word.count("-") >= 2
    )


def personal(word: str) -> bool:
    """Welcome1, Dana1985: a password only where passwords are the subject."""
    return len(word) >= 6 and bool(_PERSONAL.match(word)) and not innocent(word)
