from django.apps import AppConfig


class PapersConfig(AppConfig):
    name = "zhixin_web.papers"
    label = "papers"
