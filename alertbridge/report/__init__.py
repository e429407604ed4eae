"""Reports: what a day, a week or a month was like, told at a set time with a picture."""
