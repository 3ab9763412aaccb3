"""What a person can ask for: one feature a file, found by loading this package."""
