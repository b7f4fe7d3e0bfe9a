"""The rules, one module per subject; each module registers its rules with the stages of `stages.py`."""
