"""L: what stored values, colours and names say."""
