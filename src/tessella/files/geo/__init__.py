"""Files with a place on Earth: GeoTIFF frames, coordinate systems, GeoJSON, Shapefile and GeoPackage."""
