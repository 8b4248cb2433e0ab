"""How data sets are written anew: class maps and merging, one item per photo, a job that survives being killed."""
