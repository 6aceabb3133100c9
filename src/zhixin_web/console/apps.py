from django.apps import AppConfig


class Console(AppConfig):
    name = "zhixin_web.console"
    label = "console"
