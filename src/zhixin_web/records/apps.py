from django.apps import AppConfig


class Records(AppConfig):
    name = "zhixin_web.records"
    label = "records"
