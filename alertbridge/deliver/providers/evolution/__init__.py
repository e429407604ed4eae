"""Evolution API."""
