from django.apps import AppConfig


class PresentationConfig(AppConfig):
    name = "zhixin_web.presentation"
    label = "presentation"
