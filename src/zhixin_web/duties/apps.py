from django.apps import AppConfig


class DutiesConfig(AppConfig):
    name = "zhixin_web.duties"
    label = "duties"
