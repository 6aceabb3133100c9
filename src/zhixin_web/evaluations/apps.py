from django.apps import AppConfig


class Evaluations(AppConfig):
    name = "zhixin_web.evaluations"
    label = "evaluations"
