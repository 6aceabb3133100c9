"""Collection: deliveries from five ways in through one pipeline, the quarantine, the matching desk."""
