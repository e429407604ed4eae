"""What can be wrong with a dashboard's file, told with its place."""
