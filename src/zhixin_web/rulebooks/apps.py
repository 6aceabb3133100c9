from django.apps import AppConfig


class Rulebooks(AppConfig):
    name = "zhixin_web.rulebooks"
    label = "rulebooks"
