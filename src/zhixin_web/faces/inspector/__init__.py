"""`/m/`: the inspector's pocket: an application for phones that works without a signal."""
