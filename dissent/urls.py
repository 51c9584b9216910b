"""Every address of the product's own pages. Each module of views says its own."""

from dissent.views import (
    absences,
    begin,
    cases,
    childs_record,
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
    unmatched,
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
    *childs_record.urlpatterns,
    *absences.urlpatterns,
    *begin.urlpatterns,
    *unmatched.urlpatterns,
    *demonstration.urlpatterns,
]
