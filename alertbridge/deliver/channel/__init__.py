"""How each channel stands: proof that it lives, verdicts, who mends it and who is told."""
