"""Questions about grades as a whole: comparison, validity, weighting, worked examples."""
