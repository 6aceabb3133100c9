from django.apps import AppConfig


class Collection(AppConfig):
    name = "zhixin_web.collection"
    label = "collection"
