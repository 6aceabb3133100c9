"""Draws in public: what was committed, what was drawn, the files to check it with, the proof of one enterprise."""

from __future__ import annotations

import json
from importlib.resources import files

from django.http import Http404, HttpRequest, HttpResponse

from zhixin_web.faces.portal.pages import public_page, show
from zhixin_web.inspections.published import document_of, proof_of, published_draw, published_draws, tiers_are_public
from zhixin_web.records.published import published_names, published_subject

MOST_SHOWN = 500


@public_page
def draws(request: HttpRequest) -> HttpResponse:
    """Every draw since its commitment, aborted ones too."""
    return show(request, "portal/draws.html", {"rows": published_draws()})


@public_page
def draw(request: HttpRequest, draw_id: str) -> HttpResponse:
    """One draw: its plan, its numbers, who was picked; the visitor's browser computes it again."""
    found = published_draw(draw_id)
    document = document_of(found)
    strata = (document or {}).get("strata", {})
    picked = [(name, unit) for name, item in strata.items() for _ticket, unit in item["picked"]][:MOST_SHOWN]
    content = {
        "draw": found,
        "frame": len(found.document["frame"]),
        "strata": strata,
        "picked": picked,
        "names": published_names([unit for _name, unit in picked]),
        "is_open": document is not None,
        "changes": [*found.document.get("late_recusal", []), *found.document.get("substitution", [])],
    }
    return show(request, "portal/draw.html", content)


@public_page
def draw_file(request: HttpRequest, draw_id: str) -> HttpResponse:
    """The document that a verifier reads; 404 where the tiers are internal."""
    document = document_of(published_draw(draw_id))
    if document is None:
        raise Http404
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return HttpResponse(
        text, content_type="application/json", headers={"Content-Disposition": f'attachment; filename="{draw_id}.json"'}
    )


@public_page
def verifier(request: HttpRequest) -> HttpResponse:
    """The forty lines that check a draw without anything of ours."""
    text = (files("zhixin.trust.draw") / "verify_draw.py").read_text(encoding="utf-8")
    return HttpResponse(
        text,
        content_type="text/x-python; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="verify_draw.py"'},
    )


@public_page
def frame_proof(request: HttpRequest, draw_id: str, code: str) -> HttpResponse:
    """That one enterprise was in the frame, with what probability it was drawn, and whether it was."""
    found, subject = published_draw(draw_id), published_subject(code)
    proof = proof_of(found, code) if subject is not None else None
    if subject is None or proof is None:
        raise Http404
    shown = tiers_are_public(found)
    if not shown:
        proof["line"] = code
    return show(request, "portal/draw_proof.html", {"draw": found, "subject": subject, "proof": proof, "is_open": shown})
