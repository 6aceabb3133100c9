from django.apps import AppConfig


class Console(AppConfig):
    name = "zhixin_web.faces.console"
    label = "console"
