from django.apps import AppConfig


class InspectorConfig(AppConfig):
    name = "zhixin_web.faces.inspector"
    label = "inspector"
