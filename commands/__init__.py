"""How people ask: text to a typed request, help, and who may ask what."""
