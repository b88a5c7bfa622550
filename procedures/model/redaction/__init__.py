"""Keep secrets out of what is stored and shown. Start at `redactor.Redactor`."""
