"""COCO: instances in JSON, panoptic masks with their JSON, and the pixel maps of COCO-Stuff."""
