from django.apps import AppConfig


class InspectionsConfig(AppConfig):
    name = "zhixin_web.inspections"
    label = "inspections"
