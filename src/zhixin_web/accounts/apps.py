from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "zhixin_web.accounts"
    label = "accounts"
