"""How it is shown: the panel's place on the page and the answers to its questions. No host, no torch."""
