from django.apps import AppConfig


class MeasuresConfig(AppConfig):
    name = "zhixin_web.measures"
    label = "measures"
