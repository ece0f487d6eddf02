"""Articles: read and checked at start, the right one found, told in chat as plain text (I1, M5, M6, P4)."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from account_access import articles, chat_text
from account_access.settings import SettingsError

ROOT = Path(__file__).parents[2]
SHIPPED = yaml.safe_load((ROOT / "settings.yml").read_text(encoding="utf-8"))["knowledge"]["words"]
FRONT = "---\ntitle: A title\nfor: [reset_password]\n{more}---\n{body}"


def write(folder, name="an-article.md", more="", body="Do this.\n", text=None):
    (folder / name).write_text(FRONT.format(more=more, body=body) if text is None else text, encoding="utf-8")


def loaded(folder, **words):
    return articles.load(SimpleNamespace(folder=str(folder), words=words))


def errors(folder, **words):
    with pytest.raises(SettingsError) as error:
        loaded(folder, **words)
    return error.value.lines


class TestReading:
    def test_words_of_the_organisation_are_filled_in(self, tmp_path):
        write(tmp_path, body="Call {help_desk}.\n")
        assert loaded(tmp_path, help_desk="4357").get("an-article").body == "Call 4357."

    @pytest.mark.parametrize(
        ("file", "line"),
        [
            ({"text": "Just text.\n"}, "front matter: is missing"),
            ({"text": "---\n- a list\n---\nText.\n"}, "front matter: is not a list of"),
            ({"text": "---\ntitle: [\n---\nText.\n"}, "front matter: not YAML"),
            ({"text": "---\nfor: [unlock]\n---\nText.\n"}, "title: is missing; write"),
            ({"text": "---\ntitle: A\n---\nText.\n"}, "for: is missing; write"),
            ({"text": "---\ntitle: A\nfor: [reset_pasword]\n---\nText.\n"}, "did you mean reset_password?"),
            ({"text": "---\ntitle: A\nfor: unlock\n---\nText.\n"}, "for: 'unlock' is not a list"),
            ({"more": "system: [VPN]\n"}, "system: unknown key; did you mean systems?"),
            ({"more": "systems: []\n"}, "systems: is empty"),
            ({"more": "audience: Sales\n"}, "audience: is not known; write"),
            ({"more": "audience: {groups: Sales}\n"}, "audience.groups: 'Sales' is not a list"),
            ({"more": "url: javascript:alert(1)\n"}, "url: 'javascript:alert(1)' is not a web address"),
            ({"body": "\n"}, "text: is missing"),
            ({"body": "Go to {portl}.\n"}, "{portl}: has no value; add it under knowledge.words"),
            ({"name": "My Article.md"}, "file name: becomes an address"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_mistake_names_file_key_and_remedy(self, tmp_path, file, line):
        write(tmp_path, **file)
        (told,) = errors(tmp_path, portal="https://acme.example")
        assert told.startswith(str(tmp_path / file.get("name", "an-article.md")) + ": ") and line in told

    def test_every_mistake_is_told_at_once(self, tmp_path):
        write(tmp_path, "one.md", text="---\nurl: x\n---\n")
        write(tmp_path, "two.md", text="nothing")
        assert len(errors(tmp_path)) == 5

    def test_file_that_is_no_text_is_told(self, tmp_path):
        (tmp_path / "broken.md").write_bytes(b"\xff\xfe\x00")
        assert "cannot be read" in errors(tmp_path)[0]

    def test_folder_that_is_not_there_is_told_by_its_setting(self, tmp_path):
        assert "correct knowledge.folder" in errors(tmp_path / "nowhere")[0]

    def test_without_a_folder_there_are_none(self):
        assert articles.load(SimpleNamespace(folder=None, words={})).find("unlock", ["Okta"]) is None

    def test_articles_as_shipped_are_good(self):
        found = articles.load(SimpleNamespace(folder=str(ROOT / "knowledge"), words=SHIPPED))
        assert all(found.find(topic, ["Okta"]) for topic in articles.TOPICS)


class TestFinding:
    @pytest.fixture
    def found(self, tmp_path):
        write(tmp_path, "general.md")
        write(tmp_path, "vpn.md", "systems: [VPN, GlobalProtect]\n")
        write(tmp_path, "sales.md", "audience: {groups: [Sales]}\n")
        write(tmp_path, "phone.md", text="---\ntitle: T\nfor: [reset_mfa]\n---\nText.\n")
        write(tmp_path, "key.md", text="---\ntitle: T\nfor: [reset_mfa]\nfactors: [Security Key]\n---\nText.\n")
        return loaded(tmp_path)

    @pytest.mark.parametrize(
        ("topic", "systems", "factor", "groups", "name"),
        [
            ("reset_password", ["Okta"], None, None, "general"),
            ("reset_password", ["globalprotect"], None, None, "vpn"),
            ("reset_password", ["Okta"], None, ["sales"], "sales"),
            ("reset_password", ["Okta"], None, ["Marketing"], "general"),
            ("reset_mfa", ["Okta"], None, None, "phone"),
            ("reset_mfa", ["Okta"], "security key", None, "key"),
            ("reset_mfa", ["Okta"], "duo", None, "phone"),
            ("unlock", ["Okta"], None, None, None),
        ],
    )
    def test_m5_the_most_particular_one_that_fits(self, found, topic, systems, factor, groups, name):
        article = found.find(topic, systems, factor, groups)
        assert (article and article.name) == name

    @pytest.mark.parametrize(("system", "name"), [("VPN", "vpn"), ("Payroll", None)])
    def test_p6_no_general_instructions_for_a_system_of_its_own(self, found, system, name):
        article = found.find("reset_password", [system], general=False)
        assert (article and article.name) == name

    def test_p4_systems_with_instructions_are_known(self, found):
        assert found.systems_told_of("reset_password") == {"vpn", "globalprotect"}

    def test_groups_are_asked_for_only_where_an_article_needs_them(self, found, tmp_path):
        assert found.depend_on_groups()
        (tmp_path / "sales.md").unlink()
        assert not loaded(tmp_path).depend_on_groups()


class TestTelling:
    @pytest.mark.parametrize(
        ("markdown", "told"),
        [
            ("1. One\n2. Two **bold**\n", ["1. One", "2. Two bold"]),
            ("3. Three\n4. Four\n", ["3. Three", "4. Four"]),
            ("- a\n- b\n  - c\n", ["• a", "• b", "   • c"]),
            ("1. One\n\n   And more.\n\n2. Two\n", ["1. One", "   And more.", "2. Two"]),
            ("See [the portal](https://a.example/x).", ["See the portal (https://a.example/x)."]),
            ("<https://a.example>", ["https://a.example"]),
            ("[mail](mailto:it@a.example)", ["mail (it@a.example)"]),
            ("A line\nthat goes on  \nand breaks", ["A line that goes on\nand breaks"]),
            ("`code` and\n\n    more code\n", ["code and", "more code"]),
            ("# Head\n\nBelow\n", ["Head", "Below"]),
            ("![a picture](x.png)", ["a picture"]),
        ],
    )
    def test_markdown_as_text(self, markdown, told):
        assert [block.text for block in chat_text.blocks(markdown)] == told

    @pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "<b onclick=x>y</b>"])
    def test_hostile_markdown_is_text_in_the_page(self, hostile):
        page = chat_text.MARKDOWN.render(hostile)
        assert "<script" not in page and "<b" not in page and 'href="javascript' not in page

    def test_long_article_is_cut_between_steps_and_headings_stay_with_theirs(self):
        steps = "\n".join(f"{n}. {'word ' * 10}" for n in range(1, 9))
        pieces = chat_text.messages("Title", f"{steps}\n\n## More\n\n{steps}", length=200)
        assert all(len(piece) <= 200 for piece in pieces) and pieces[0].startswith("Title\n\n1. word")
        assert next(piece for piece in pieces if "More" in piece).rstrip().split("\n\n")[-1].startswith("1. ")
        assert "".join(pieces).count("word") == 160

    def test_paragraph_longer_than_a_message_stays_whole(self):
        assert chat_text.messages("T", "word " * 100, length=50)[-1].count("word") == 100
