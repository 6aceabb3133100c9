from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "zhixin_web.records"
    label = "records"
