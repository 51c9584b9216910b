"""Papers are downloads: never shown in place, and each reading is recorded."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path

from dissent.actions import record_read
from dissent.models import Paper
from dissent.views.common import page


@page
def paper(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send a paper as a download. The file's own name is not repeated: names stand in it."""
    visible = Paper.objects.visible_to(request.user, at=request.at)
    found = get_object_or_404(visible.select_related("council", "conference", "content"), pk=pk)
    record_read(
        council=found.council,
        about=found,
        what="paper",
        by=request.user,
        at=request.at,
        case=found.conference,
    )
    return download(bytes(found.content.data), f"{found.conference.reference}-{found.kind}.pdf")


def download(data: bytes, name: str, *, content_type: str = "application/pdf") -> HttpResponse:
    """Return a file, a PDF as a rule, that a browser saves and does not open in place."""
    response = HttpResponse(data, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


urlpatterns = [path("papers/<uuid:pk>/", paper, name="paper")]
