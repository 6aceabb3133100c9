from django.apps import AppConfig


class Demonstration(AppConfig):
    name = "zhixin_web.demonstration"
    label = "demonstration"
