from django.apps import AppConfig


class DemonstrationConfig(AppConfig):
    name = "zhixin_web.demonstration"
    label = "demonstration"
