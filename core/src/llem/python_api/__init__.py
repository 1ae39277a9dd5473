"""What `llem run` and `llem compare` do, as functions; the package `llem` exports the names."""
