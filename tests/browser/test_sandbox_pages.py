"""The organisation's own pages in Chromium: accessible, at 320 px, light and dark, by the keyboard alone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from sandbox.sign_in import password_of
from tests.browser.pages import VIEWS, look, typed
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def organisation(tmp_path_factory):
    """The address of a sandbox process."""
    folder, port = tmp_path_factory.mktemp("sandbox"), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "OKTA_TOKEN": "a-token",
        "OIDC_CLIENT_SECRET": "a-secret",
        "SANDBOX_PORT": str(port),
        "SANDBOX_DB": str(folder / "sandbox.db"),
        "SANDBOX_CLOCK": str(folder / "clock-offset"),
    }
    process = subprocess.Popen([sys.executable, "-m", "sandbox"], cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            httpx.get(f"{url}/health", trust_env=False).raise_for_status()
            break
        except httpx.TransportError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(10)


@pytest.fixture(params=VIEWS, ids=lambda view: f"{view[0]} px {view[1]}")
def page(browser, organisation, request):
    """A page of a browser that obeys the pages' security policy, before an organisation as on its first day."""
    control(organisation, "reset")
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def control(url: str, act: str, **body) -> dict:
    answer = httpx.post(f"{url}/control/api/{act}", json=body, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def api(url: str, path: str) -> dict:
    headers = {"Authorization": "SSWS a-token"}
    return httpx.post(f"{url}/api/v1{path}", headers=headers, trust_env=False).json()


def signed_in_by_keyboard(page, organisation: str, login: str) -> None:
    page.goto(f"{organisation}/signin")
    typed(page, login, "Tab", password_of(login), "Enter")


def test_forgotten_password_by_keyboard(page, organisation, axe):
    page.goto(f"{organisation}/signin")
    look(page, axe)
    page.get_by_role("link", name="Forgot password?").focus()
    typed(page, "Enter")
    page.wait_for_url("**/forgot")
    look(page, axe)
    typed(page, "grace", "Enter")
    page.get_by_role("alert").wait_for()
    look(page, axe)
    page.goto(f"{organisation}/forgot")
    typed(page, "dana", "Enter")
    page.wait_for_url("**/signin/factor")
    look(page, axe)
    typed(page, "Enter")
    page.wait_for_url("**/reset_password/*")
    look(page, axe)
    typed(page, password_of("dana"), "Enter")
    page.get_by_role("alert").wait_for()
    look(page, axe)
    typed(page, "a-brand-new-password", "Enter")
    page.get_by_role("status").wait_for()
    look(page, axe)
    typed(page, "dana", "Tab", "a-brand-new-password", "Enter")
    page.wait_for_url("**/signin/factor")


def test_link_that_is_void_and_password_that_has_expired(page, organisation, axe):
    page.goto(api(organisation, "/users/dana/lifecycle/reset_password?sendEmail=false")["resetPasswordUrl"] + "x")
    look(page, axe)
    control(organisation, "expire-password", login="marcus")
    signed_in_by_keyboard(page, organisation, "marcus")
    page.wait_for_url("**/reset_password/*")
    look(page, axe)


@pytest.mark.parametrize("down, name", [(0, "My new phone"), (1, ""), (2, "+14155550142"), (3, "YubiKey")])
def test_setting_a_factor_up_by_keyboard(page, organisation, axe, down, name):
    signed_in_by_keyboard(page, organisation, "grace")
    page.wait_for_url("**/enrol?*")
    look(page, axe)
    typed(page, *["ArrowDown"] * down, "Tab", *([name] if name else []), "Enter")
    page.wait_for_url("**/enrol/*")
    look(page, axe)
    code = page.locator("#phone-code")
    if code.count():
        typed(page, code.inner_text())
    typed(page, "Enter")
    page.wait_for_url("**/portal")
    look(page, axe)


def test_control_page(page, organisation, axe):
    control(organisation, "failed-attempts", login="dana", count=3)
    control(organisation, "expire-password", login="marcus")
    page.goto(f"{organisation}/control")
    look(page, axe)
    page.get_by_label("Its name, or its number").focus()
    typed(page, "My new phone", "Tab", "Enter")
    page.get_by_role("status").wait_for()
    look(page, axe)
