"""Password rules beyond Django's: three of four character classes (等保 GB/T 22239-2019 §8.1.4.1 asks for complexity)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class CharacterClasses:
    """At least three of lower case, upper case, digits, other characters."""

    def validate(self, password: str, user: Any = None) -> None:
        tests = (str.islower, str.isupper, str.isdigit, lambda char: not char.isalnum())
        if sum(any(test(char) for char in password) for test in tests) < 3:
            raise ValidationError(self.get_help_text(), code="password_classes")

    def get_help_text(self) -> str:
        return _("密码须含大写字母、小写字母、数字、符号中的至少三种。")
