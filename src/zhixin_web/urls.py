"""The site map."""

from django.urls import include, path

urlpatterns = [
    path("c/", include("zhixin_web.console.urls")),
    path("api/v1/", include("zhixin_web.api.urls")),
    path("", include("zhixin_web.console.doors")),
    path("", include("zhixin_web.portal.urls")),
]
handler404 = "zhixin_web.portal.views.not_found"
