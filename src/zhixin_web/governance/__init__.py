"""Drafts of rulebooks, consultations, panels of experts, what-if."""
