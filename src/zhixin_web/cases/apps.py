from django.apps import AppConfig


class Cases(AppConfig):
    name = "zhixin_web.cases"
    label = "cases"
