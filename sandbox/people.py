"""The organisations and their people, as data: who they are, what they sign in with, whom they report to."""

from collections.abc import Iterator
from dataclasses import dataclass

DOMAIN = "acme.example"
ADMINISTRATORS = "Okta Administrators"
EVERYONE = "Everyone"
CONTINGENT = "Contingent Workers"
ENGINEERING = "Engineering"


@dataclass(frozen=True)
class Factor:
    """One enrolled factor: Okta's factor type and what its profile says."""

    type: str
    profile: dict[str, str]
    provider: str = "OKTA"


@dataclass(frozen=True)
class Member:
    """One person of the organisation. Ages are days before the organisation was founded, ends are days after."""

    first: str
    last: str
    title: str
    department: str
    time_zone: str
    password: str
    factors: tuple[Factor, ...] = ()
    manager: str | None = None
    worker_type: str = "Employee"
    login_name: str = ""
    groups: tuple[str, ...] = ()
    password_age: int = 20
    contract_ends_in: int | None = None
    status: str = "ACTIVE"
    domain: str = DOMAIN
    # Of a person, whatever their accounts are called; None where an organisation keeps none.
    number: str | None = None
    # Where their mail goes, if not to their mailbox at Acme.
    mailbox: str = ""
    # The kind of directory that holds the password, as Okta calls it.
    source: str = "OKTA"

    @property
    def name(self) -> str:
        return self.login_name or self.first.lower()

    @property
    def login(self) -> str:
        return f"{self.name}@{self.domain}"

    @property
    def email(self) -> str:
        return self.mailbox or f"{self.name}@{DOMAIN}"


def push(device: str, platform: str = "IOS") -> Factor:
    return Factor("push", {"deviceType": f"SmartPhone_{platform.title()}", "name": device, "platform": platform})


def totp() -> Factor:
    return Factor("token:software:totp", {})


def fastpass(device: str, platform: str = "MACOS") -> Factor:
    return Factor("signed_nonce", {"deviceType": "Desktop", "name": device, "platform": platform})


def google() -> Factor:
    return Factor("token:software:totp", {}, provider="GOOGLE")


def sms(number: str) -> Factor:
    return Factor("sms", {"phoneNumber": number})


def call(number: str) -> Factor:
    return Factor("call", {"phoneNumber": number})


def email(address: str) -> Factor:
    return Factor("email", {"email": address})


def key(name: str) -> Factor:
    return Factor("webauthn", {"authenticatorName": name}, provider="FIDO")


PEOPLE: tuple[Member, ...] = (
    Member("Dana", "Whitfield", "Financial Analyst", "Finance", "America/Los_Angeles", "Harbor-Lantern-42",
           (push("Dana's iPhone 15"), totp(), sms("+14155550142"), key("YubiKey 5C NFC")), "marcus", password_age=62,
           number="1001"),
    Member("Marcus", "Bell", "Director of Finance", "Finance", "America/Los_Angeles", "Quiet-Juniper-17",
           (push("Marcus's Pixel 9", "ANDROID"), totp()), "ruth", number="1002"),
    Member("Priya", "Raman", "Engineering Manager", "Engineering", "America/New_York", "Copper-Meadow-88",
           (push("Priya's iPhone 16"), totp(), push("Priya's old iPhone 12"), key("YubiKey 5 Nano"),
            key("iCloud Keychain")), "ruth", groups=(ENGINEERING,), number="1003"),
    Member("Tomas", "Herrera", "Software Engineer", "Engineering", "Europe/Madrid", "Winter-Orchard-31",
           (google(), sms("+34600555018")), "priya", groups=(ENGINEERING,), password_age=83, number="1004"),
    Member("Aiko", "Tanaka", "Site Reliability Engineer", "Engineering", "Asia/Tokyo", "Velvet-Compass-64",
           (push("Aiko's iPhone 14"), totp(), fastpass("Aiko's MacBook Pro")), "priya", groups=(ENGINEERING,),
           number="1005"),
    Member("Lena", "Fischer", "Accounts Payable Lead", "Finance", "Europe/Berlin", "Amber-Bridge-29",
           (sms("+4915155500173"), call("+493055500173")), "marcus", password_age=88, number="1006"),
    Member("Omar", "Haddad", "Sales Representative", "Sales", "America/Chicago", "Silver-Canyon-53",
           (push("Omar's Galaxy S24", "ANDROID"), totp(), sms("+13125550119"), email("omar@acme.example")), "marcus",
           number="1007"),
    Member("Grace", "Okafor", "Office Coordinator", "Operations", "America/Los_Angeles", "Maple-Harvest-76",
           (), "marcus", number="1008"),
    Member("Jonas", "Lind", "Contract Developer", "Engineering", "Europe/Stockholm", "Pebble-Thunder-15",
           (push("Jonas's iPhone 13"), totp()), "priya", "Contractor", groups=(CONTINGENT,), contract_ends_in=14,
           number="1009"),
    Member("Mei", "Chen", "Contract Data Analyst", "Finance", "America/Vancouver", "Saffron-Tide-94",
           (google(),), "marcus", "Contractor", groups=(CONTINGENT,), contract_ends_in=7, number="1010"),
    Member("Rafael", "Costa", "Vendor Support Specialist", "Operations", "America/Sao_Paulo", "Cobalt-Feather-38",
           (sms("+5511955501234"),), "priya", "Vendor", groups=(CONTINGENT,), contract_ends_in=2, number="1011"),
    Member("Ines", "Moreau", "Engineering Intern", "Engineering", "Europe/Paris", "Lilac-Station-47",
           (totp(),), "priya", "Intern", groups=(CONTINGENT,), contract_ends_in=14, number="1012"),
    Member("Ruth", "Adler", "Identity Administrator", "IT", "America/Los_Angeles", "Granite-Violet-61",
           (push("Ruth's iPhone 15 Pro"), totp(), key("YubiKey 5C")), None, groups=(ADMINISTRATORS,), number="1013"),
    Member("Nadia", "Petrova", "Plant Engineer", "Operations", "America/Chicago", "Marble-Falcon-27",
           (sms("+13125550188"),), "marcus", source="ACTIVE_DIRECTORY", number="1014"),
    Member("Walt", "Nyberg", "Warehouse Lead", "Operations", "America/Denver", "Willow-Anchor-20",
           (), "marcus", status="DEPROVISIONED", number="1015"),
)  # fmt: skip


RETAIL_DOMAIN = "retail.acme.example"
# The same people as at Acme where the number is the same; another account, password and phone all the same, and often
# another login and address.
RETAIL_PEOPLE: tuple[Member, ...] = (
    Member("Dana", "Whitfield", "Store Finance Partner", "Finance", "America/Los_Angeles", "Orchid-Compass-71",
           (push("Dana's iPhone 15"), totp(), google()), "marcus", login_name="dwhitfield", domain=RETAIL_DOMAIN,
           number="1001", mailbox="dwhitfield@retail.acme.example"),
    Member("Marcus", "Bell", "Finance Approver", "Finance", "America/Los_Angeles", "Walnut-Prairie-36",
           (google(),), domain=RETAIL_DOMAIN, number="1002"),
    Member("Omar", "Haddad", "Regional Sales", "Sales", "America/Chicago", "Granite-Sparrow-80",
           (sms("+13125550119"),), "marcus", login_name="ohaddad", domain=RETAIL_DOMAIN, number="1007",
           mailbox="omar@acme.example"),
    Member("Grace", "Okafor", "Store Coordinator", "Stores", "America/Los_Angeles", "Fennel-Harbor-68",
           (totp(),), "marcus", domain=RETAIL_DOMAIN),
    Member("Sofia", "Marin", "Store Manager", "Stores", "America/Denver", "Juniper-Canvas-52",
           (push("Sofia's Pixel 8", "ANDROID"), totp()), "marcus", domain=RETAIL_DOMAIN, number="2001",
           mailbox="sofia@retail.acme.example"),
    Member("Ruth", "Adler", "Identity Administrator", "IT", "America/Los_Angeles", "Basalt-Heron-19",
           (push("Ruth's iPhone 15 Pro"), totp()), groups=(ADMINISTRATORS,), domain=RETAIL_DOMAIN, number="1013"),
)  # fmt: skip


@dataclass(frozen=True)
class Company:
    """One organisation: its name, the domain of its logins and its people."""

    name: str
    domain: str
    people: tuple[Member, ...]


ACME = Company("Acme", DOMAIN, PEOPLE)
COMPANIES = {"acme": ACME, "retail": Company("Acme Retail", RETAIL_DOMAIN, RETAIL_PEOPLE)}


def member(login: str) -> Member | None:
    """The member with this login, or short name at Acme; None for a generated or unknown one."""
    everybody = PEOPLE + RETAIL_PEOPLE
    return next((person for person in everybody if login.lower() in (person.name, person.login)), None)


GENERATED_PASSWORD = "Load-Tester-2024"  # noqa: S105 - of people who do not exist
# fmt: off
_GIVEN = ("Ada", "Ben", "Cleo", "Dev", "Elif", "Finn", "Gita", "Hugo", "Iris", "Juan", "Kira", "Liam", "Mona", "Nils",
          "Olga", "Paul", "Quinn", "Rosa", "Sven", "Tara")
_FAMILY = ("Abbott", "Becker", "Castro", "Dutta", "Evans", "Fuchs", "Garcia", "Holm", "Ivanov", "Jensen", "Klein",
           "Larsen", "Mori", "Novak", "Ortiz")
# fmt: on


def generated(domain: str, first: int, count: int) -> Iterator[Member]:
    """People for load tests: `load0001@…`, one shared password and an Okta Verify push each.

    Two organisations' are the same people.
    """
    for number in range(first, first + count):
        given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number // len(_GIVEN) % len(_FAMILY)]
        yield Member(
            given, family, "Associate", "Operations", "America/Los_Angeles", GENERATED_PASSWORD,
            (push(f"{given}'s phone"),), "marcus", login_name=f"load{number:04d}", domain=domain,
            number=f"9{number:04d}",
        )  # fmt: skip
