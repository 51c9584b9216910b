"""Every address of the product's own pages. Each module of views says its own."""

from dissent.views import (
    absences,
    cases,
    conferences,
    corrections,
    demonstration,
    dissenter,
    dissents,
    families,
    letters,
    panels,
    papers,
    start,
    work,
)

urlpatterns = [
    *start.urlpatterns,
    *work.urlpatterns,
    *conferences.urlpatterns,
    *corrections.urlpatterns,
    *papers.urlpatterns,
    *dissents.urlpatterns,
    *dissenter.urlpatterns,
    *cases.urlpatterns,
    *panels.urlpatterns,
    *letters.urlpatterns,
    *families.urlpatterns,
    *absences.urlpatterns,
    *demonstration.urlpatterns,
]
