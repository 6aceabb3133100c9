from django.apps import AppConfig


class Inspections(AppConfig):
    name = "zhixin_web.inspections"
    label = "inspections"
