"""Who we live with: the only place that imports the WebUI's own modules."""
