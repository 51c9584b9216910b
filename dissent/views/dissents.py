"""One address for a dissent: each reader finds the page that is theirs."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from dissent.views import cases, dissenter
from dissent.views.common import find_dissent, page


@page
def dissent(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the dissent as the reader may see it (see `permissions.READS`)."""
    found = find_dissent(request, pk)
    if "reader" in found.stands_as:
        return cases.case_page(request, found)
    if "dissenter" in found.stands_as:
        return dissenter.own_page(request, found)
    if found.stands_as & {"panel_named", "panel_chair", "panel_member"}:
        return redirect("panel", found.panel_id)
    return cases.standing_page(request, found)


urlpatterns = [path("dissents/<uuid:pk>/", dissent, name="dissent")]
