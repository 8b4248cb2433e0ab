"""Polygons on the map beside GeoTIFF photos: GeoJSON, Shapefile, GeoPackage, and SpaceNet's tables."""
