"""The vocabulary of plans: each kind of step as frozen data that can be done and looked for."""
