"""Runs when the WebUI starts: nothing to install, everything we use comes with the WebUI."""
