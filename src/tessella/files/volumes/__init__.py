"""Volumes: NIfTI, NRRD and DICOM, their headers judged before a voxel is decoded, turned to one order of axes."""
