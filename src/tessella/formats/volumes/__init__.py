"""Label volumes beside volumes of the body: NIfTI, NRRD and DICOM-SEG; their axial slices are the samples."""
