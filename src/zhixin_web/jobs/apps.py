from django.apps import AppConfig


class Jobs(AppConfig):
    name = "zhixin_web.jobs"
    label = "jobs"
