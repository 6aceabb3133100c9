"""Chinese fonts for papers: what is there, in the order of preference; what to install where none is."""

from __future__ import annotations

from functools import cache

import typst

from zhixin.errors import ZhixinError

SANS = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "WenQuanYi Micro Hei", "SimHei")
SONG = ("SimSun", "Noto Serif CJK SC", "Source Han Serif SC", "AR PL UMing CN")
FANGSONG = ("FangSong_GB2312", "FangSong", "STFangsong")
KAI = ("KaiTi_GB2312", "KaiTi", "AR PL KaitiM GB", "STKaiti")
HEI = ("SimHei", "Noto Sans CJK SC", "Source Han Sans SC")
TITLE = ("FZXiaoBiaoSong-B05S", "FZXiaoBiaoSong-B05", "STZhongsong")
PACKAGE = "fonts-noto-cjk"


class FontMissing(ZhixinError):
    """No Chinese font is installed: a paper would come out as empty boxes."""

    code = "font.missing"
    exit_status = 1


@cache
def installed() -> frozenset[str]:
    """Families that are installed."""
    return frozenset(typst.Fonts().families())


def choose(*wanted: tuple[str, ...]) -> list[str]:
    """The installed families of some stacks, in their order.

    Raises:
        FontMissing: none of them is installed; says which package to install.
    """
    found = [name for stack in wanted for name in stack if name in installed()]
    if not found:
        raise FontMissing(
            f"没有安装中文字体，无法生成文书。请安装软件包 {PACKAGE}（Debian/Ubuntu：apt install {PACKAGE}），然后重试",
            f"no Chinese font is installed, so no paper can be made. Install the package {PACKAGE} (apt install {PACKAGE})",
        )
    return found
