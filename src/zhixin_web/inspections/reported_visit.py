"""What a phone reports of a visit: the form of the message, and what in it contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from zhixin_web.received.words import cleaned

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Answer = Literal["fine", "problem", "not_applicable", "not_checked"]
MOST_PHOTOS = 30
EARLIEST, LATEST = 2000, 2100
"""Years that a phone's clock may say."""


def _possible(moment: datetime) -> datetime:
    if not EARLIEST <= moment.year <= LATEST:
        raise ValueError("not a moment of an inspection")
    return moment


CleanText = Annotated[str, AfterValidator(cleaned)]
Moment = Annotated[AwareDatetime, AfterValidator(_possible)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ReportedAnswer(_Part):
    """The answer to one question of an item's checklist, by its place."""

    item: str = Field(max_length=40)
    question: int = Field(ge=0, le=99)
    answer: Answer
    remark: CleanText = Field(default="", max_length=300)


class Place(_Part):
    """Where a photo was taken, as the phone knows it."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)
    accuracy: float = Field(ge=0, le=1_000_000, allow_inf_nan=False)


class ReportedPhoto(_Part):
    """A photo by the hash of its bytes; the bytes come by themselves."""

    sha256: Sha256
    taken_at: Moment
    caption: CleanText = Field(default="", max_length=100)
    place: Place | None = None


class InspectorSignature(_Part):
    """An inspector who was there, with the picture of the signature."""

    code: str = Field(max_length=20)
    sha256: Sha256


class PartySignature(_Part):
    """The enterprise's signature, or its refusal with who witnessed it."""

    kind: Literal["signed", "refused"]
    name: CleanText = Field(default="", max_length=60)
    sha256: Sha256 | None = None
    witness: CleanText = Field(default="", max_length=60)
    reason: CleanText = Field(default="", max_length=300)


class ReportedVisit(_Part):
    """A visit from its first question to the last signature."""

    started_at: Moment
    submitted_at: Moment
    """By the phone's clock; it may have been sent much later."""
    inspected_on: date
    method: str = Field(max_length=20)
    result: str = Field(max_length=20)
    disposal: str = Field(max_length=20)
    note: CleanText = Field(default="", max_length=2000)
    answers: tuple[ReportedAnswer, ...] = Field(max_length=200)
    photos: tuple[ReportedPhoto, ...] = Field(max_length=MOST_PHOTOS)
    inspectors: tuple[InspectorSignature, ...] = Field(max_length=10)
    party: PartySignature

    @property
    def hashes(self) -> frozenset[str]:
        """The hashes of all pictures that belong to the report."""
        return frozenset([*(item.sha256 for item in self.photos), *self.signatures])

    @property
    def signatures(self) -> tuple[str, ...]:
        """The hashes of the pictures of the signatures: the inspectors', then the enterprise's."""
        return (*(item.sha256 for item in self.inspectors), *((self.party.sha256,) if self.party.sha256 else ()))

    def contradictions(self, asked: set[tuple[str, int]]) -> Iterator[str]:
        """Yield what cannot be as reported; ``asked``: the questions of the task, as item and place."""
        answered = [(item.item, item.question) for item in self.answers]
        if len(answered) != len(set(answered)) or set(answered) - asked:
            yield _("有不属于该任务的问题，或者同一问题答了两次")
        if asked - set(answered):
            yield _("还有 %(n)s 个问题没有回答") % {"n": len(asked - set(answered))}
        said = {item.answer for item in self.answers}
        if self.result == "clean" and "problem" in said:
            yield _("有问题被答为「发现问题」，结果不能是「未发现问题」")
        if self.result == "clean" and "not_checked" in said:
            yield _("有问题没有检查，结果不能是「未发现问题」")
        if any(item.answer == "problem" and not item.remark for item in self.answers):
            yield _("答「发现问题」的，请写明情况")
        if len({item.code for item in self.inspectors}) != len(self.inspectors):
            yield _("同一检查人员签了两次名")
        signatures = set(self.signatures)
        if len(signatures) != len(self.signatures) or signatures & {item.sha256 for item in self.photos}:
            yield _("同一张图片被用作不同人的签名或者照片")
        if self.submitted_at < self.started_at:
            yield _("提交时间早于开始时间；请校准手机时间")
        if any(not self.started_at - EARLIER <= item.taken_at <= self.submitted_at + LATER for item in self.photos):
            yield _("照片的拍摄时间不在检查期间；请重新拍照，或者校准手机时间")
        if self.party.kind == "signed" and not (self.party.name and self.party.sha256):
            yield _("请由企业人员写明姓名并签名，或者选择拒签")
        if self.party.kind == "refused" and not (self.party.witness and self.party.reason):
            yield _("企业拒签的，请写明原因和见证人")


EARLIER, LATER = timedelta(days=1), timedelta(minutes=10)
"""Before its beginning and after its end a visit's photos may have been taken: chosen from the phone, or kept while it was sent."""


def skew(device_at: datetime, now: datetime) -> float:
    """Return by how many hours a phone's clock is wrong."""
    return abs((device_at - now).total_seconds()) / 3600
