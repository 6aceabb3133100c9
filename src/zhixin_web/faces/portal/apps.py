from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "zhixin_web.faces.portal"
    label = "portal"
