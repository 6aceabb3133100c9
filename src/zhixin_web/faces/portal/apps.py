from django.apps import AppConfig


class Portal(AppConfig):
    name = "zhixin_web.faces.portal"
    label = "portal"
