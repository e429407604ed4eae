"""Recovery as the bridge holds it: hears of alerts, decides, drives runs, and tells people."""
