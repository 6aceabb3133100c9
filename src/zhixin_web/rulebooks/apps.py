from django.apps import AppConfig


class RulebooksConfig(AppConfig):
    name = "zhixin_web.rulebooks"
    label = "rulebooks"
