"""Configurations of other exporters, read and written anew as ours."""
