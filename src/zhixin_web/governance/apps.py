from django.apps import AppConfig


class Governance(AppConfig):
    name = "zhixin_web.governance"
    label = "governance"
