from django.apps import AppConfig


class Audit(AppConfig):
    name = "zhixin_web.audit"
    label = "audit"
