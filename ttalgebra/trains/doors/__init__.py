"""What stands between a public method and its kernel: checks, dtypes, sizes, costs."""
