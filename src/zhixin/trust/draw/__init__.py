"""CDRAW/2: a stratified random draw that anyone can check (standard library only; ``docs/explanation/draw.md``).

What is committed (frame, inspectors, conflicts, plan) decides everything once the public numbers exist; there is no secret and
nobody moves last. A draw goes through :func:`commit`, then :func:`draw` with numbers that did not exist before, then
:func:`recuse` and :func:`substitute` where life asks for it. :func:`verify` computes all of it again from a published document.

A document is the JSON object that is published: ``plan, frame, inspectors, conflicts, commitment`` when committed; ``numbers,
sources, prk, strata, assignment`` when drawn; ``late_recusal`` and ``substitution`` (lists) afterwards.
"""

from zhixin.trust.draw.changes import changes_of, recuse, substitute
from zhixin.trust.draw.drawing import Document, Drawn, commit, draw, frame_proof
from zhixin.trust.draw.hashing import Hashing
from zhixin.trust.draw.proposal import BEIJING, NOTICE, Inspector, Proposal, Stratum, latest_commitment
from zhixin.trust.draw.verification import verify

__all__ = [
    "BEIJING",
    "NOTICE",
    "Document",
    "Drawn",
    "Hashing",
    "Inspector",
    "Proposal",
    "Stratum",
    "changes_of",
    "commit",
    "draw",
    "frame_proof",
    "latest_commitment",
    "recuse",
    "substitute",
    "verify",
]
