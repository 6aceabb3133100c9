"""The site map."""

from django.urls import include, path

urlpatterns = [
    path("c/", include("zhixin_web.faces.console.urls")),
    path("my/", include("zhixin_web.faces.enterprise.urls")),
    path("m/", include("zhixin_web.faces.inspector.urls")),
    path("api/v1/", include("zhixin_web.faces.api.urls")),
    path("", include("zhixin_web.faces.console.doors")),
    path("", include("zhixin_web.faces.portal.urls")),
]
handler404 = "zhixin_web.faces.portal.views.not_found"
