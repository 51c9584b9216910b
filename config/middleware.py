"""What every answer has in common: how much is read, how long a session lasts, what a browser may keep."""

import time

from django.conf import settings
from django.contrib.auth import logout
from django.shortcuts import render

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)
SEEN_EVERY_SECONDS = 5 * 60


def request_size(get_response):
    """Refuse a request that is larger than several papers together, before any of it is read."""

    def middleware(request):
        try:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = 0
        if size > settings.REQUEST_MAX_BYTES:
            return render(request, "413.html", status=413)
        return get_response(request)

    return middleware


def private_pages(get_response):
    """Keep pages out of every cache, so that Back shows nothing after signing out."""

    def middleware(request):
        response = get_response(request)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        return response

    return middleware


def session_limits(get_response):
    """Sign a person out after two idle hours, or twelve hours after signing in.

    What they were typing is on the server already.
    """

    def middleware(request):
        if request.user.is_authenticated:
            now = int(time.time())
            session = request.session
            since = session.setdefault("signed_in_at", now)
            seen = session.setdefault("seen_at", now)
            if now - seen > settings.SESSION_IDLE_SECONDS or now - since > settings.SESSION_TOTAL_SECONDS:
                logout(request)
            elif now - seen > SEEN_EVERY_SECONDS:  # not at each request: that would be a write a page
                session["seen_at"] = now
        return get_response(request)

    return middleware
