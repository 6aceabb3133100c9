from django.apps import AppConfig


class Workspace(AppConfig):
    name = "zhixin_web.workspace"
    label = "workspace"
