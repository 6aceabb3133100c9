from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "zhixin_web.jobs"
    label = "jobs"
