from django.apps import AppConfig


class CollectionConfig(AppConfig):
    name = "zhixin_web.collection"
    label = "collection"
