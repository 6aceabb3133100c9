"""What the public may see of inspections: plans, draws in the layout that a verifier reads, proofs for each enterprise."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404

from zhixin.errors import DrawRefused
from zhixin.law.vocabulary import Visibility
from zhixin.trust.draw import frame_proof
from zhixin_web.inspections.models import Draw
from zhixin_web.rulebooks.queries import rulebook_of


def published_draws() -> list[Draw]:
    """Every draw since its commitment: also those that wait and those that were aborted."""
    return list(Draw.objects.select_related("plan").order_by("-pk"))


def published_draw(draw_id: str) -> Draw:
    """One draw, or 404."""
    return get_object_or_404(Draw.objects.select_related("plan__release"), draw_id=draw_id)


def tiers_are_public(draw: Draw) -> bool:
    """Whether the grades that make the strata may be shown."""
    return rulebook_of(draw.plan.release).visibility.grade == Visibility.PUBLIC


def document_of(draw: Draw) -> dict[str, Any] | None:
    """The document for the verifier; ``None`` where the tiers are internal (auditors have it, enterprises their proofs)."""
    return draw.document if tiers_are_public(draw) else None


def proof_of(draw: Draw, code: str) -> dict[str, Any] | None:
    """The proof that an enterprise was in the frame, the probability with which its stratum was drawn, and whether it was."""
    try:
        proof = frame_proof(draw.document, code)
    except DrawRefused:
        return None
    stratum = proof["line"].split("\t")[1]
    found = draw.document.get("strata", {}).get(stratum)
    is_open = draw.status == Draw.Status.PUBLISHED  # who is to be visited learns it from the visit, not from this page
    drawn = None if found is None or not is_open else any(unit == code for _ticket, unit in found["picked"])
    shown = proof | {"frame_root": draw.document["plan"]["frame_root"], "is_drawn": drawn}
    if found is not None:
        shown |= {"n": found["n"], "N": found["N"]}
    return shown
