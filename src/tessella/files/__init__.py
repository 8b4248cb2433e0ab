"""The only place that opens a user's file: budgets before decoding, one EXIF rule, contained paths, atomic writes."""
