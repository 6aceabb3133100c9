from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "zhixin_web.evaluations"
    label = "evaluations"
