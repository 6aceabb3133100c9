from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "zhixin_web.audit"
    label = "audit"
