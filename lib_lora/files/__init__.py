"""What is on disk and whether to trust it. Everything read here is hostile until checked; no unpickling."""
