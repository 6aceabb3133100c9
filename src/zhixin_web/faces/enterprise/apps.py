from django.apps import AppConfig


class EnterpriseConfig(AppConfig):
    name = "zhixin_web.faces.enterprise"
    label = "enterprise"
