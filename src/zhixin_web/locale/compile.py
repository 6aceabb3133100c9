"""Compile the English catalogue with Babel, so that no system package (gettext) is needed. Run by ``make setup``."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

HERE = Path(__file__).parent


def main() -> None:
    for source in HERE.glob("*/LC_MESSAGES/django.po"):
        with source.open("rb") as file:
            catalogue = read_po(file)
        with source.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)


if __name__ == "__main__":
    main()
