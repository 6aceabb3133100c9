from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "zhixin_web.workspace"
    label = "workspace"
