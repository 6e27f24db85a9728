"""Release of headers: scans leave for research, de-identified after DICOM PS3.15 Annex E."""
