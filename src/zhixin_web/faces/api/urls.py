"""The interface for programs."""

from django.urls import path

from zhixin_web.faces.api import views

urlpatterns = [
    path("deliveries", views.deliveries, name="api_deliveries"),
    path("deliveries/<int:pk>", views.delivery, name="api_delivery"),
]
