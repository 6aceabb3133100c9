from django.apps import AppConfig


class Papers(AppConfig):
    name = "zhixin_web.papers"
    label = "papers"
