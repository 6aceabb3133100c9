from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "zhixin_web.cases"
    label = "cases"
