from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "zhixin_web.faces.console"
    label = "console"
