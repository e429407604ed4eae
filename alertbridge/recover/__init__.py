"""From an alert to a bounded, audited action on what is broken, and the proof that it helped."""
