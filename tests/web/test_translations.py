"""English is complete: every Chinese string of the templates and the code has a translation, and none is left over."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.pofile import read_po

WEB = Path(__file__).parents[2] / "src" / "zhixin_web"


def _strings() -> set[str]:
    found: set[str] = set()
    for file in WEB.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        found |= {
            one or two
            for one, two in re.findall(r'{% translate "([^"]*)"(?: as \w+)? %}|{% translate \'([^\']*)\' %}', text)
        }
        blocks = re.findall(r"{% blocktranslate( trimmed)?[^%]*%}(.*?){% endblocktranslate %}", text, re.S)
        for is_trimmed, block in blocks:
            words = " ".join(line.strip() for line in block.strip().splitlines()) if is_trimmed else block
            found.add(re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", words))
    for file in WEB.rglob("*.py"):
        found |= set(re.findall(r'\b(?:_|gettext_lazy)\(\s*"([^"]*)"\s*\)', file.read_text(encoding="utf-8")))
    return found


def test_every_string_has_its_english() -> None:
    with (WEB / "locale" / "en" / "LC_MESSAGES" / "django.po").open("rb") as file:
        catalogue = {str(item.id): str(item.string) for item in read_po(file) if item.id}
    strings = _strings()
    assert sorted(strings - catalogue.keys()) == []
    assert sorted(catalogue.keys() - strings) == []
    assert [
        text for text, english in catalogue.items() if not english.strip() or re.search("[\u4e00-\u9fff]", english)
    ] == []


def test_no_template_writes_chinese_outside_a_translation() -> None:
    for file in WEB.rglob("*.html"):
        if file.name in ("500.html", "404.html"):
            continue  # shown without the translation machinery; in both languages or plain
        text = re.sub(
            r"{%.*?%}|{#.*?#}",
            "",
            re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", file.read_text(encoding="utf-8"), flags=re.S),
            flags=re.S,
        )
        left = set(re.findall("[\u4e00-\u9fff]+", text)) - {"中文"}
        assert not left, f"{file.name}: {left}"
