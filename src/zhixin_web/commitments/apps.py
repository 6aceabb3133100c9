from django.apps import AppConfig


class CommitmentsConfig(AppConfig):
    name = "zhixin_web.commitments"
    label = "commitments"
