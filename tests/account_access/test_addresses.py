"""Secrets and sessions travel by https, or stay on this machine (rule: everything on loopback unless configured)."""

import pytest

from account_access.setting_values import web_address


@pytest.mark.parametrize(
    "address",
    [
        "https://acme.okta.com",
        "http://127.0.0.1:8080",
        "http://localhost:8000",
        "http://[::1]:8000",
        "http://127.9.9.9",
    ],
)
def test_an_address_that_keeps_secrets_is_taken(address):
    assert web_address(address) == address


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("http://acme.okta.com", "would send secrets in clear; write https://"),
        ("http://10.0.0.7:8080", "would send secrets in clear; write https://"),
        ("http://localhost.example.com", "would send secrets in clear; write https://"),
        ("acme.okta.com", "is not a web address; write e.g. https://"),
        ("ftp://acme.okta.com", "is not a web address; write e.g. https://"),
        ("https://", "is not a web address; write e.g. https://"),
    ],
)
def test_one_that_does_not_is_refused_with_the_remedy(address, remedy):
    with pytest.raises(ValueError, match=remedy):
        web_address(address)
