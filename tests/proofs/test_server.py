"""The product as gunicorn serves it: headers, static files, sizes, and stopping."""

import http.client
import re
import time

import pytest
from django.conf import settings as django_settings


def fetch(live, path: str, method: str = "GET", **headers: str):
    peer = http.client.HTTPConnection("127.0.0.1", live.port, timeout=30)
    peer.request(method, path, headers=headers)
    answer = peer.getresponse()
    answer.body = answer.read()
    peer.close()
    return answer


def test_every_page_forbids_what_a_page_never_needs(live):
    answer = fetch(live, "/sign-in/")
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    for directive in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
    ):
        assert directive in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_static_files_are_fingerprinted_compressed_and_kept_for_ever(live):
    page = fetch(live, "/sign-in/").body.decode()
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page)[1]
    answer = fetch(live, sheet, **{"Accept-Encoding": "gzip"})
    assert answer.status == 200
    assert re.search(r"\.[0-9a-f]{12}\.css$", sheet)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_request_larger_than_several_papers_is_not_read(live):
    size = str(django_settings.REQUEST_MAX_BYTES + 1)
    answer = fetch(live, "/sign-in/", "POST", **{"Content-Length": size, "Content-Type": "text/plain"})
    assert answer.status == 413
    assert "Content-Security-Policy" in answer.headers


def test_another_host_name_is_refused(live):
    live.errors_expected = True
    assert fetch(live, "/sign-in/", Host="dissent.attacker.example").status == 400


def test_it_stops_at_once_and_comes_back_after_a_crash(live):
    live.crash()
    live.start()
    assert fetch(live, "/sign-in/").status == 200
    began = time.monotonic()
    live.stop()
    assert time.monotonic() - began < 5


@pytest.mark.journey
def test_the_sign_in_page_is_accessible_with_scripts_and_whole_without(page, new_page, accessible):
    page.goto("/sign-in/")
    accessible(page)
    plain = new_page(scripts=False, width=320)
    plain.goto("/sign-in/")
    assert plain.get_by_role("button").first.is_visible()
