from django.apps import AppConfig


class Presentation(AppConfig):
    name = "zhixin_web.presentation"
    label = "presentation"
