from django.apps import AppConfig


class Accounts(AppConfig):
    name = "zhixin_web.accounts"
    label = "accounts"
