"""Templates without their indentation: it is for those who review them, not for those who load a page by phone."""

from __future__ import annotations

import re

from django.template import Origin
from django.template.loaders import app_directories

_INDENT = re.compile(r"\n[ \t\n]+")
_BEFORE_BLOCK = re.compile(r">\n(?=</?(?:d[ltd]|t[dhr]|tbody|thead|table|[uo]l|li|div|section|p|h[1-6]|svg|g|rect|line)\b)")
_AS_WRITTEN = re.compile(r"(<(?:pre|textarea)\b.*?</(?:pre|textarea)>)", re.S)


class UnindentedLoader(app_directories.Loader):
    """Loads templates from the apps and leaves out the blanks at the start of each line, but not inside ``pre``."""

    def get_contents(self, origin: Origin) -> str:
        """Return the template without indentation and empty lines."""
        parts = _AS_WRITTEN.split(super().get_contents(origin))
        return "".join(
            part if place % 2 else _BEFORE_BLOCK.sub(">", _INDENT.sub("\n", part)) for place, part in enumerate(parts)
        )
