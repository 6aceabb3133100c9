from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "zhixin_web.governance"
    label = "governance"
